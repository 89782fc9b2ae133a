"""Backgrounds, camera ranges and spoilers, and the two worlds made of them: the one we train on and the one held out."""
import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from cars import CARS
from render import PAINTS, Scene, View

SKIES = ((120, 170, 225), (150, 160, 175), (190, 205, 225), (60, 80, 120))


def colour(rng, lo=40, hi=230):
    return np.clip(rng.uniform(lo, hi) + rng.normal(0, 10, 3), 0, 255)


def rgb(tone, k=1.0):
    return tuple(int(v) for v in np.clip(np.array(tone) * k, 0, 255))


def gradient(size, top, bottom):
    t = np.linspace(0, 1, size[1])[:, None, None]
    column = np.array(top, float) * (1 - t) + np.array(bottom, float) * t
    return Image.fromarray(np.broadcast_to(column.astype(np.uint8), (size[1], size[0], 3)).copy())


def stage(size, rng, top, bottom, floor):
    """A backdrop and a floor, at times with a line on it: the picture, its pen, and where the two meet."""
    (w, h), y = size, int(size[1] * rng.uniform(.48, .62))
    image = gradient(size, top, bottom)
    image.paste(gradient((w, h - y), floor, np.array(floor) * .8), (0, y))
    pen = ImageDraw.Draw(image)
    if rng.random() < .5:
        pen.line([(0, y + (h - y) * .75), (w, y + (h - y) * .68)], fill=rgb(np.array(floor) + 60), width=max(1, h // 90))
    return image, pen, y


def outdoors(size, rng, floor):
    day = np.array(SKIES[rng.integers(4)])
    return stage(size, rng, day, np.minimum(day + 60, 255), floor)


def lines(pen, tone, step, w, y, upright):
    for k in range(0, w if upright else y, max(4, int(step))):
        pen.line([(k, 0), (k, y)] if upright else [(0, k), (w, k)], fill=rgb(tone), width=max(1, w // 160))


def road(size, rng):
    return outdoors(size, rng, colour(rng, 70, 140))[0]


def studio(size, rng):
    tone = colour(rng, 90, 240)
    return stage(size, rng, tone * .85, tone, tone * rng.uniform(.7, .95))[0].filter(ImageFilter.GaussianBlur(size[1] / 40))


def city(size, rng):
    (w, h), x = size, 0
    image, pen, y = outdoors(size, rng, colour(rng, 70, 130))
    while x < w:
        wide, top, tone, step = int(w * rng.uniform(.08, .22)), int(y * rng.uniform(.05, .75)), colour(rng, 70, 200), max(3, h // 22)
        pen.rectangle([x, top, x + wide, y], fill=rgb(tone))
        for wy in range(top + step // 2, y - step, step):
            for wx in range(x + step // 2, x + wide - step // 2, step):
                pen.rectangle([wx, wy, wx + step // 2, wy + step // 2], fill=rgb(tone, rng.choice((.6, 1.15))))
        x += wide
    return image


def trees(size, rng):
    image, pen, y = outdoors(size, rng, [(90, 120, 70), (110, 110, 112), (150, 135, 105)][rng.integers(3)])
    for _ in range(rng.integers(5, 16)):
        x, r = rng.uniform(0, size[0]), size[1] * rng.uniform(.06, .22)
        pen.rectangle([x - r * .1, y - r, x + r * .1, y], fill=(80, 60, 40))
        pen.ellipse([x - r, y - r * 2.4, x + r, y - r * .5], fill=rgb((rng.uniform(30, 90), rng.uniform(80, 140), rng.uniform(30, 80))))
    return image


def clouds(size, rng):
    small = rng.uniform(90, 190) + rng.normal(0, 40, (6, 9, 1)) + rng.normal(0, 14, (6, 9, 3))
    return Image.fromarray(np.clip(small, 0, 255).astype(np.uint8)).resize(size, Image.BICUBIC)


def garage(size, rng):
    tone = colour(rng, 90, 210)
    image, pen, y = stage(size, rng, tone, tone * .9, colour(rng, 80, 160))
    lines(pen, tone * .75, size[1] * rng.uniform(.05, .12), size[0], y, False)
    return image


def clutter(size, rng):
    """Anything: shapes and lines in any colour on any backdrop, so that no background is worth remembering."""
    (w, h), any_colour = size, lambda: rng.uniform(0, 255, 3)
    image, pen, y = stage(size, rng, any_colour(), any_colour(), any_colour())
    for kind in rng.integers(0, 5, rng.integers(3, 22)):
        a, b, tone = rng.uniform(-.1, 1.1, 2) * size, rng.uniform(.02, .5, 2) * size, rgb(any_colour())
        box = [*a, *(a + b)]
        if kind < 2:
            (pen.rectangle, pen.ellipse)[kind](box, fill=tone)
        elif kind == 2:
            pen.polygon([tuple(p) for p in a + rng.uniform(-1, 1, (4, 2)) * b], fill=tone)
        elif kind == 3:
            pen.line(box, fill=tone, width=int(1 + h * rng.uniform(0, .02)))
        else:
            lines(pen, any_colour(), h * rng.uniform(.03, .2), w, h, rng.random() < .5)
    return image


def beach(size, rng):
    """Held out: sunset, sun, sea and sand."""
    image, pen, y = stage(size, rng, (90, 70, 130), (255, 170, 110), (205, 180, 135))
    x, r = rng.uniform(.1, .9) * size[0], size[1] * rng.uniform(.05, .1)
    pen.ellipse([x - r, y - r * 1.6, x + r, y + r * .4], fill=(255, 236, 190))
    pen.rectangle([0, y - size[1] // 16, size[0], y], fill=(60, 90, 140))
    return image


def showroom(size, rng):
    """Held out: a tiled floor in perspective and vertical panels."""
    (w, h), tone = size, colour(rng, 150, 235)
    image, pen, y = stage(size, rng, tone * .8, tone, tone * .75)
    lines(pen, tone * .7, w * rng.uniform(.08, .16), w, y, True)
    for k in range(-8, 9):
        pen.line([(w / 2 + k * w * .06, y), (w / 2 + k * w * .25, h)], fill=rgb(tone, .55), width=max(1, w // 200))
    return image


def bricks(size, rng):
    """Held out: a brick wall."""
    (w, h), step = size, max(4, size[1] // 18)
    image, pen, y = stage(size, rng, (150, 80, 65), (165, 92, 72), (120, 118, 115))
    lines(pen, (205, 190, 175), step, w, y, False)
    for row in range(y // step):
        for x in range((row % 2) * step, w, 2 * step):
            pen.line([(x, row * step), (x, row * step + step)], fill=(205, 190, 175), width=max(1, h // 150))
    return image


@dataclass(frozen=True)
class World:
    """What a set of pictures may look like. Ranges are (low, high); yaw's sign is drawn separately."""
    seed: int
    backgrounds: tuple
    yaw: tuple
    pitch: tuple
    distance: tuple
    scale: tuple
    quality: tuple               # of the JPEG
    blur: tuple = (0, .006)      # sigma in parts of the width
    noise: tuple = (0, 9)
    shift: float = .05
    cut: float = 0               # the part of the car that may be outside the frame
    hide: str = ""               # "" nothing, "boxes" (training), "poles" (held out)


TRAIN = World(1000, (road, studio, city, trees, clouds, garage, clutter, clutter, clutter), (0, 36), (1, 13), (8, 20), (.60, .98), (50, 95),
              blur=(0, .009), hide="boxes", cut=.10)
# held out: a camera higher than any trained on, also turned further, nearer and further away
HELD = dict(backgrounds=(beach, showroom, bricks), yaw=(4, 39), pitch=(13, 15), distance=(7, 24), scale=(.62, .94), quality=(45, 90))
HELD_OUT = {
    "plain": World(9000, **HELD),
    "blurred": World(9100, **HELD | dict(blur=(.009, .012))),
    "cropped": World(9200, **HELD | dict(scale=(.9, 1.0), cut=.14)),
    "occluded": World(9300, **HELD | dict(hide="poles")),
}


def eased(world, k):
    """The same world with every range narrowed to k of its width and the spoilers weakened: what a beginner learns from."""
    middles = dict(yaw=8, pitch=6, distance=12, scale=.83, blur=0, noise=0, quality=92)
    ranges = {name: tuple(m + (v - m) * k for v in getattr(world, name)) for name, m in middles.items()}
    return replace(world, **ranges, backgrounds=world.backgrounds[:2 + int(k * len(world.backgrounds))],
                   shift=world.shift * k, cut=world.cut * k, hide=world.hide if k > .6 else "")


def hide(image, rng, kind):
    (w, h), pen = image.size, ImageDraw.Draw(image)
    if kind == "boxes" and rng.random() < .35:
        for _ in range(rng.integers(1, 3)):
            x, y, bw, bh = rng.uniform(0, .9) * w, rng.uniform(.2, .8) * h, w * rng.uniform(.04, .16), h * rng.uniform(.06, .25)
            pen.rectangle([x, y, x + bw, y + bh], fill=rgb(colour(rng, 10, 240)))
    elif kind == "poles":
        x, wide = rng.uniform(.15, .8) * w, w * rng.uniform(.03, .07)
        pen.rectangle([x, 0, x + wide, h], fill=rgb(colour(rng, 60, 180)))
        x, r = rng.uniform(.1, .9) * w, h * rng.uniform(.06, .13)
        pen.ellipse([x - r, h * .62 - r, x + r, h * .62 + r * 2.2], fill=rgb(colour(rng, 30, 200)))


def view(rng, world):
    shift, scale = rng.uniform(-world.shift, world.shift, 2), rng.uniform(*world.scale) * (1 + rng.uniform(0, world.cut))
    shift[0] += rng.choice((-1, 1)) * rng.uniform(0, world.cut) * scale
    return View(rng.choice((-1, 1)) * rng.uniform(*world.yaw), rng.uniform(*world.pitch), rng.uniform(*world.distance), scale, *shift, rng.normal(0, 1.2))


def spoil(image, rng, world):
    """What a camera does to a picture: light, contrast, colour cast, blur, noise, JPEG."""
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(.7, 1.2))
    image = ImageEnhance.Contrast(image).enhance(rng.uniform(.75, 1.25))
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(*world.blur)) * image.width))
    a = np.asarray(image, np.float32) * rng.normal(1, .05, 3) + rng.normal(0, rng.uniform(*world.noise), (image.height, image.width, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=int(rng.uniform(*world.quality)))
    return buffer.getvalue()


def picture(world, index, width=176, hardness=1.0):
    """The index-th picture of a world: its JPEG bytes, its class, and where the car is ("L"). The same arguments give the same picture."""
    rng = np.random.default_rng((world.seed, index))
    label, world = index % len(CARS), eased(world, hardness) if hardness < 1 else world
    size = (width * 2, int(width * 2 / rng.uniform(1.35, 1.75)))
    image = world.backgrounds[rng.integers(len(world.backgrounds))](size, rng)
    where = Scene(CARS[label], view(rng, world), image, PAINTS[rng.integers(len(PAINTS))], rng.uniform(.8, 1.15)).render()
    hide(image, rng, world.hide)
    image, where = (i.resize((width, size[1] // 2), Image.BOX) for i in (image, where))
    if rng.random() < .5:
        image, where = (i.transpose(Image.FLIP_LEFT_RIGHT) for i in (image, where))
    return spoil(image, rng, world), label, where


# name of the file, class, background, paint, view: the pictures the page offers to try
SAMPLES = (
    ("fadil-park", 0, trees, "#c8352b", View(-27, 6, 12, .72)), ("fadil-studio", 0, studio, "#e9ebee", View(20, 5, 12, .70)),
    ("lux-a20-seaside", 1, beach, "#1f4fa3", View(-24, 5, 13, .84)), ("lux-sa20-city", 2, city, "#7d838c", View(-26, 6, 13, .80)),
    ("president-showroom", 3, showroom, "#14161a", View(-28, 6, 13, .82)), ("vf-8-road", 4, road, "#2f7d8c", View(-25, 6, 13, .80)),
    ("vf-8-seaside", 4, beach, "#e9ebee", View(22, 6, 13, .80)), ("vf-e34-park", 5, trees, "#c4571b", View(-25, 6, 12, .76)),
)


def sample(index, size=(640, 400), finer=3):
    """One of SAMPLES, drawn finely."""
    _, label, background, paint, where = SAMPLES[index]
    image = background((size[0] * finer, size[1] * finer), np.random.default_rng((77, index)))
    Scene(CARS[label], where, image, paint).render()
    image = image.resize(size, Image.LANCZOS)
    return image.transpose(Image.FLIP_LEFT_RIGHT) if index % 3 == 2 else image
