"""Draws one car in front of one background. Everything random comes from the rng that is passed in."""
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

PAINTS = ("#e9ebee", "#f4f4f1", "#b9bec5", "#7d838c", "#2a2d33", "#14161a", "#a5141d", "#c8352b", "#1f4fa3", "#16305e",
          "#2f7d8c", "#c4571b", "#6f5138", "#3f5a3c", "#d8c9a3", "#8aa9c9")


@dataclass
class View:
    """Where the camera stands. Angles in degrees; scale is the car's share of the picture's width."""
    yaw: float = 0        # > 0 shows the rear, < 0 the front
    pitch: float = 6
    distance: float = 11  # metres
    scale: float = 0.8
    dx: float = 0         # shift, in parts of the picture
    dy: float = 0
    roll: float = 0


def shade(colour, k):
    """colour (0-255 triple or "#rrggbb") times k; above 1 it goes towards white."""
    c = np.array(ImageColor.getrgb(colour) if isinstance(colour, str) else colour, float)
    c = c * k if k <= 1 else c + (255 - c) * (k - 1)
    return tuple(int(v) for v in np.clip(c, 0, 255))


def smooth(points, rounds=2, closed=False):
    """Chaikin's corner cutting. Points are (x, z, ...); what follows x and z is kept from the edge's first point."""
    pts = [tuple(p) for p in points]
    for _ in range(rounds):
        out = [] if closed else [pts[0]]
        n = len(pts)
        for i in range(n if closed else n - 1):
            a, b = pts[i], pts[(i + 1) % n]
            for t in (.25, .75):
                out.append((a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) + a[2:])
        pts = out if closed else out + [pts[-1]]
    return pts


class Scene:
    """A car, a camera and the canvas they share."""

    def __init__(self, car, view, image, paint, light=1.0):
        self.car, self.view, self.image, self.paint, self.light = car, view, image, paint, light
        self.draw = ImageDraw.Draw(image)
        self.w, self.h = image.size
        yaw, pitch, roll = (math.radians(a) for a in (view.yaw, view.pitch, view.roll))
        self.trig = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch), math.cos(roll), math.sin(roll)
        self.px, self.cx, self.cy = 1.0, 0.0, 0.0
        box = self.project([(x, y, z) for x in (0, 1) for y in (-1, 1) for z in (0, 1)])
        lo, hi = box.min(0), box.max(0)
        self.px = float(view.scale * self.w / (hi[0] - lo[0]))
        mid = (lo + hi) / 2 * self.px
        self.cx, self.cy = self.w * (.5 + view.dx) - mid[0], self.h * (.56 + view.dy) - mid[1]

    def half(self, x, z):
        """Half the car's width in metres at (x, z): drawn in at the ends, at the sills and towards the roof."""
        car, t = self.car, abs(2 * x - 1)
        w = car.width / 2 * (1 - .20 * t ** 5)
        if z > car.belt:
            w *= 1 - .24 * (z - car.belt) / (1 - car.belt)
        elif z < .30:
            w *= 1 - .12 * (.30 - z)
        return w

    def project(self, pts):
        """(x, u, z) in car units, u = -1 the near side and 1 the far side, to pixels."""
        car, (cy, sy, cp, sp, cr, sr) = self.car, self.trig
        p = np.array([((.5 - x) * car.length, u * self.half(x, z), (z - .45) * car.height) for x, u, z in pts])
        xr, yr = p[:, 0] * cy - p[:, 1] * sy, p[:, 0] * sy + p[:, 1] * cy
        depth = self.view.distance + yr * cp - p[:, 2] * sp
        k = self.view.distance / depth * self.px
        sx, sz = xr * k, -(p[:, 2] * cp + yr * sp) * k
        return np.stack([sx * cr - sz * sr + self.cx, sx * sr + sz * cr + self.cy], 1)

    def poly(self, pts, colour):
        self.draw.polygon([tuple(p) for p in self.project(pts)], fill=colour)

    def line(self, pts, colour, metres):
        width = max(1, round(metres * self.px))
        self.draw.line([tuple(p) for p in self.project(pts)], fill=colour, width=width, joint="curve")

    def lit(self, colour, k):
        return shade(colour, k * self.light)

    def side(self, pts, u=-1.0):
        return [(p[0], u, p[1]) for p in pts]

    def disc(self, x, z, radius, u=-1.0, n=30):
        """A circle that stands upright along the car's side; radius in metres."""
        a = np.linspace(0, 2 * math.pi, n, endpoint=False)
        rx, rz = radius / self.car.length, radius / self.car.height
        return [(x + rx * math.cos(t), u, z + rz * math.sin(t)) for t in a]

    def strips(self):
        """The surfaces that run across the car: nose, bonnet, windscreen, roof, tail; the far ones first."""
        pts = smooth(self.car.profile)
        for a, b in sorted(zip(pts, pts[1:]), key=lambda e: e[0][0] * self.trig[1]):
            quad = [(a[0], -1, a[1]), (b[0], -1, b[1]), (b[0], 1, b[1]), (a[0], 1, a[1])]
            q = self.project(quad)
            area = np.sum(q[:, 0] * np.roll(q[:, 1], -1) - np.roll(q[:, 0], -1) * q[:, 1])
            if area <= 0:
                continue
            dx, dz = (b[0] - a[0]) * self.car.length, (b[1] - a[1]) * self.car.height
            up = dx / (math.hypot(dx, dz) + 1e-9)
            self.poly(quad, self.lit(self.paint, .72 + .42 * max(up, 0) - .15 * max(-up, 0)))
            if a[2] == "glass":
                inner = [(x, u * .90, z) for x, u, z in quad]
                self.poly(inner, self.lit("#27313b", .9 + .5 * up))

    def body_side(self):
        car = self.car
        outline = self.project(self.side([p[:2] for p in smooth(car.profile)]))
        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).polygon([tuple(p) for p in outline], fill=255)
        y0, y1 = outline[:, 1].min(), outline[:, 1].max()
        z = np.clip((y1 - np.arange(self.h)) / max(y1 - y0, 1), 0, 1)
        k = np.interp(z, [0, .12, .34, .40, .52, .58, .64, .70, 1], [.42, .55, .80, .72, .88, 1.10, 1.02, .86, 1.05])
        column = np.array([self.lit(self.paint, v) for v in k], np.uint8)[:, None, :]
        self.image.paste(Image.fromarray(np.broadcast_to(column, (self.h, self.w, 3)).copy()), (0, 0), mask)

    def glasshouse(self):
        car = self.car
        outer = smooth(car.window, 2, closed=True)
        crown = sorted(p for p in outer if p[1] > car.belt + .1)
        self.poly(self.side(outer), self.lit("#2a343f", 1))
        top = [(x, min(z, car.belt + .17)) for x, z in outer]
        self.poly(self.side(top), self.lit("#1c232b", 1))
        for x in car.pillars:
            top = float(np.interp(x + .012, *zip(*crown)))
            if x < crown[-1][0]:
                self.line(self.side([(x, car.belt + .01), (x + .012, top)]), self.lit("#0e1013", 1), .06)
        if not car.cladding:
            self.line(self.side(outer + outer[:1]), self.lit("#c9ced4", 1), .018)
        if car.rails:
            roof = [(x, -.93, z + .012) for x, z, _ in smooth(car.profile) if .44 < x < .80 and z > .9]
            self.line(roof, self.lit("#3a3f45", 1), .04)
        front = min(p[0] for p in car.window)
        self.poly([(front + .012, -1.0, car.belt), (front + .012, -1.13, car.belt + .055), (front + .045, -1.13, car.belt + .065),
                   (front + .05, -1.0, car.belt + .01)], self.lit(self.paint, .8))

    def seams(self):
        car = self.car
        dark = self.lit(self.paint, .55)
        for x in car.doors:
            self.line(self.side([(x, car.belt), (x - .004, .22)]), dark, .012)
        for x in car.doors[1:]:
            self.line(self.side([(x - .045, car.belt - .075), (x - .012, car.belt - .073)]), self.lit(self.paint, 1.25), .03)
        self.line(self.side([(.10, car.belt - .12), (.5, car.belt - .105), (.93, car.belt - .09)]), self.lit(self.paint, .68), .015)
        low = car.clearance / car.height
        if car.cladding:
            self.poly(self.side([(.12, low), (.12, low + .10), (.88, low + .10), (.88, low)]), self.lit("#23262a", 1))
        else:
            self.poly(self.side([(.12, low), (.12, low + .05), (.88, low + .05), (.88, low)]), self.lit("#1a1c20", 1))
        if car.sill:
            self.line(self.side([(.26, low + .10), (.74, low + .10)]), self.lit(car.sill, 1), .05)

    def wheels(self, u):
        car = self.car
        z = car.tyre / 2 / car.height
        for x in (car.overhang / car.length, (car.overhang + car.wheelbase) / car.length):
            if u < 0:
                arch = [(px, pu, max(pz, z * .8)) for px, pu, pz in self.disc(x, z * 1.05, car.tyre / 2 + (.10 if car.cladding else .045), u * 1.003)]
                self.poly(arch, self.lit("#1b1d20" if car.cladding else "#0c0d0f", 1))
            self.poly(self.disc(x, z, car.tyre / 2, u * 1.004), self.lit("#17181a", 1))
            if u > 0:
                continue
            rim = car.rim * .0254 / 2
            self.poly(self.disc(x, z, rim, u * 1.005), self.lit("#2b2e33", 1))
            for k in range(car.spokes):
                t = 2 * math.pi * k / car.spokes + .3
                end = (x + rim * .94 * math.cos(t) / car.length, u * 1.006, z + rim * .94 * math.sin(t) / car.height)
                self.line([(x, u * 1.006, z), end], self.lit("#c6cbd1", 1), .34 / car.spokes + .012)
            ring = self.disc(x, z, rim * .97, u * 1.006)
            self.line(ring + ring[:1], self.lit("#b4bac1", 1), .025)
            self.poly(self.disc(x, z, .06, u * 1.007, 12), self.lit("#8d9399", 1))

    def at(self, u, z, rear=False):
        """The point on the nose (or tail) at height z."""
        pts = [p for p in smooth(self.car.profile) if (p[0] > .5) == rear and p[1] < self.car.belt]
        pts.sort(key=lambda p: p[1])
        x = np.interp(z, [p[1] for p in pts], [p[0] for p in pts])
        return (float(x), u, z)

    def across(self, u0, u1, z0, z1, rear=False):
        return [self.at(u, z, rear) for u, z in ((u0, z0), (u1, z0), (u1, z1), (u0, z1))]

    def nose(self):
        for kind, *a in self.car.front:
            if kind in ("grille", "lower"):
                u, z0, z1 = a[:3]
                self.poly([self.at(*p) for p in ((-u * .8, z0), (u * .8, z0), (u, z1), (-u, z1))], self.lit(a[3] if kind == "grille" else "#191b1f", 1))
            elif kind == "bars":
                for u in np.linspace(-a[0], a[0], 9):
                    self.line([self.at(u * .85, a[1]), self.at(u, a[2])], self.lit(a[3], 1), .05)
            elif kind == "lamps":
                for s in (-1, 1):
                    self.poly(self.across(s * a[0], s * a[1], a[2], a[3]), self.lit("#eef3f8", 1.05))
            elif kind == "v":
                u, z1, z0, colour = a
                self.line([self.at(-u, z1), self.at(-.12, z0 + .02), self.at(0, z0), self.at(.12, z0 + .02), self.at(u, z1)], self.lit(colour, 1.05), .045)
        self.poly(self.across(-.27, .27, .25, .31), self.lit("#dfe3e6", 1))

    def tail(self):
        z, height, full = self.car.bar
        red = self.lit("#c3121b", 1.05)
        for s in (-1, 1):
            self.poly(self.across(s * .60, s * .99, z - height, z, True), red)
        if full:
            self.line([self.at(-.6, z - height / 2, True), self.at(-.1, z - height / 2 - .015, True), self.at(0, z - height / 2 - .06, True),
                       self.at(.1, z - height / 2 - .015, True), self.at(.6, z - height / 2, True)], red, .05)
        self.poly(self.across(-.30, .30, .36, .43, True), self.lit("#dfe3e6", 1))
        self.poly(self.across(-.85, .85, .19, .29, True), self.lit("#1a1c20", 1))

    def lamp_sides(self):
        """The lamps as they wrap round the corners."""
        car = self.car
        for kind, *a in car.front:
            if kind == "lamps":
                self.poly([self.at(-1.0, a[2]), self.at(-1.0, a[3]), (.075, -1, a[3] + .01), (.05, -1, a[2] + .01)], self.lit("#eef3f8", 1.05))
        z, height, _ = car.bar
        self.poly([self.at(-1, z - height, True), self.at(-1, z, True), (.93, -1, z), (.95, -1, z - height)], self.lit("#c3121b", 1.05))

    def shadow(self):
        layer = Image.new("L", self.image.size, 0)
        d = ImageDraw.Draw(layer)
        for grow, dark in ((1.06, 90), (.97, 200)):
            d.polygon([tuple(p) for p in self.project([(.5 + (x - .5) * grow, u * grow, 0) for x, u in
                      ((.02, -.9), (-.0, 0), (.02, .9), (.98, .9), (1.0, 0), (.98, -.9))])], fill=dark)
        layer = layer.filter(ImageFilter.GaussianBlur(self.px * .09))
        self.image.paste((18, 18, 22), (0, 0), layer)

    def render(self):
        """Draws the car and returns where it is: white on black."""
        car = self.car
        self.shadow()
        before = self.image.copy()
        self.wheels(1)
        low = car.clearance / car.height
        self.poly(self.side([(.12, low), (.88, low), (.9, .3), (.1, .3)], -.85), self.lit("#0d0e10", 1))
        self.strips()
        (self.tail if self.view.yaw > 0 else self.nose)()
        self.body_side()
        self.seams()
        self.glasshouse()
        self.lamp_sides()
        self.wheels(-1)
        return ImageChops.difference(before, self.image).convert("L").point([0] + [255] * 255)
