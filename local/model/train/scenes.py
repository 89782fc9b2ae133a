"""Backgrounds, camera ranges and spoilers, and the two worlds made of them: the one we train on and the one held out."""
import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from cars import CARS
from render import PAINTS, Scene, View


def gradient(size, top, bottom):
    w, h = size
    t = np.linspace(0, 1, h)[:, None, None]
    column = np.array(top, float) * (1 - t) + np.array(bottom, float) * t
    return Image.fromarray(np.broadcast_to(column.astype(np.uint8), (h, w, 3)).copy())


def colour(rng, lo=40, hi=230):
    grey = rng.uniform(lo, hi)
    return tuple(int(v) for v in np.clip(grey + rng.normal(0, 18, 3), 0, 255))


def ground(image, rng, y, tone):
    w, h = image.size
    image.paste(gradient((w, h - y), tone, [v * .8 for v in tone]), (0, y))
    if rng.random() < .5:
        ImageDraw.Draw(image).line([(0, y + (h - y) * .75), (w, y + (h - y) * .68)], fill=tuple(min(255, v + 60) for v in tone), width=max(1, h // 90))


def horizon(rng, h):
    return int(h * rng.uniform(.48, .62))


def sky(size, rng):
    day = np.array([(120, 170, 225), (150, 160, 175), (190, 205, 225), (60, 80, 120)][rng.integers(4)])
    return gradient(size, day, np.clip(day + 60, 0, 255))


def road(size, rng):
    image, y = sky(size, rng), horizon(rng, size[1])
    ground(image, rng, y, colour(rng, 70, 140))
    return image


def studio(size, rng):
    tone, y = np.array(colour(rng, 90, 240)), horizon(rng, size[1])
    image = gradient(size, tone * .85, tone)
    ground(image, rng, y, [int(v * rng.uniform(.7, .95)) for v in tone])
    return image.filter(ImageFilter.GaussianBlur(size[1] / 40))


def city(size, rng):
    (w, h), image, y = size, sky(size, rng), horizon(rng, size[1])
    d, x = ImageDraw.Draw(image), 0
    while x < w:
        bw, top, tone = int(w * rng.uniform(.08, .22)), int(y * rng.uniform(.05, .75)), np.array(colour(rng, 70, 200))
        d.rectangle([x, top, x + bw, y], fill=tuple(int(v) for v in tone))
        step = max(3, h // 22)
        for wy in range(top + step // 2, y - step, step):
            for wx in range(x + step // 2, x + bw - step // 2, step):
                d.rectangle([wx, wy, wx + step // 2, wy + step // 2], fill=tuple(int(v * rng.choice((.6, 1.15))) for v in np.minimum(tone, 210)))
        x += bw
    ground(image, rng, y, colour(rng, 70, 130))
    return image


def trees(size, rng):
    (w, h), image, y = size, sky(size, rng), horizon(rng, size[1])
    d = ImageDraw.Draw(image)
    for _ in range(rng.integers(5, 16)):
        x, r = rng.uniform(0, w), h * rng.uniform(.06, .22)
        green = (int(rng.uniform(30, 90)), int(rng.uniform(80, 140)), int(rng.uniform(30, 80)))
        d.rectangle([x - r * .1, y - r, x + r * .1, y], fill=(80, 60, 40))
        d.ellipse([x - r, y - r * 2.4, x + r, y - r * .5], fill=green)
    ground(image, rng, y, [(90, 120, 70), (110, 110, 112), (150, 135, 105)][rng.integers(3)])
    return image


def clouds(size, rng):
    w, h = size
    small = np.clip(rng.uniform(90, 190) + rng.normal(0, 45, (6, 9, 3)).mean(2, keepdims=True) * 1.7 + rng.normal(0, 14, (6, 9, 3)), 0, 255)
    return Image.fromarray(small.astype(np.uint8)).resize(size, Image.BICUBIC)


def garage(size, rng):
    (w, h), y = size, horizon(rng, size[1])
    tone = np.array(colour(rng, 90, 210))
    image = gradient(size, tone, tone * .9)
    d = ImageDraw.Draw(image)
    for k in range(0, y, max(4, int(h * rng.uniform(.05, .12)))):
        d.line([(0, k), (w, k)], fill=tuple(int(v * .75) for v in tone), width=max(1, h // 120))
    ground(image, rng, y, colour(rng, 80, 160))
    return image


def beach(size, rng):
    """Held out: sunset, sun, sea and sand."""
    (w, h), y = size, horizon(rng, size[1])
    image = gradient(size, (90, 70, 130), (255, 170, 110))
    d, x, r = ImageDraw.Draw(image), rng.uniform(.1, .9) * w, h * rng.uniform(.05, .1)
    d.ellipse([x - r, y - r * 1.6, x + r, y + r * .4], fill=(255, 236, 190))
    d.rectangle([0, y - h // 16, w, y], fill=(60, 90, 140))
    ground(image, rng, y, (205, 180, 135))
    return image


def showroom(size, rng):
    """Held out: a tiled floor in perspective and vertical panels."""
    (w, h), y = size, horizon(rng, size[1])
    tone = np.array(colour(rng, 150, 235))
    image = gradient(size, tone * .8, tone)
    d = ImageDraw.Draw(image)
    for x in range(0, w, max(6, int(w * rng.uniform(.08, .16)))):
        d.line([(x, 0), (x, y)], fill=tuple(int(v * .7) for v in tone), width=max(1, w // 120))
    ground(image, rng, y, [int(v * .75) for v in tone])
    for k in range(-8, 9):
        d.line([(w / 2 + k * w * .06, y), (w / 2 + k * w * .25, h)], fill=tuple(int(v * .55) for v in tone), width=max(1, w // 200))
    return image


def bricks(size, rng):
    """Held out: a brick wall."""
    (w, h), y = size, horizon(rng, size[1])
    image = gradient(size, (150, 80, 65), (165, 92, 72))
    d, step = ImageDraw.Draw(image), max(4, h // 18)
    for row, k in enumerate(range(0, y, step)):
        d.line([(0, k), (w, k)], fill=(205, 190, 175), width=max(1, h // 150))
        for x in range((row % 2) * step, w, 2 * step):
            d.line([(x, k), (x, k + step)], fill=(205, 190, 175), width=max(1, h // 150))
    ground(image, rng, y, (120, 118, 115))
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
    shift: float = .05
    blur: tuple = (0, .006)      # sigma in parts of the width
    noise: tuple = (0, 9)
    quality: tuple = (55, 95)
    cut: float = 0               # the part of the car outside the frame
    hide: str = ""               # "" nothing, "boxes" (training), "poles" (held out)


TRAIN = World(1000, (road, studio, city, trees, clouds, garage), (0, 34), (2, 11), (8, 20), (.58, .96), hide="boxes", cut=.06)
HELD = dict(backgrounds=(beach, showroom, bricks), yaw=(4, 40), pitch=(1, 14), distance=(6.5, 26), scale=(.52, .92), quality=(40, 90))
HELD_OUT = {
    "plain": World(9000, **HELD),
    "blurred": World(9100, **HELD | dict(blur=(.008, .014))),
    "cropped": World(9200, **HELD | dict(scale=(.9, 1.0), cut=.12)),
    "occluded": World(9300, **HELD | dict(hide="poles")),
}


def hide(image, rng, kind):
    (w, h), d = image.size, ImageDraw.Draw(image)
    if kind == "boxes" and rng.random() < .35:
        for _ in range(rng.integers(1, 3)):
            x, y, bw, bh = rng.uniform(0, .9) * w, rng.uniform(.2, .8) * h, w * rng.uniform(.04, .16), h * rng.uniform(.06, .25)
            d.rectangle([x, y, x + bw, y + bh], fill=colour(rng, 10, 240))
    elif kind == "poles":
        x, pw = rng.uniform(.15, .8) * w, w * rng.uniform(.03, .07)
        d.rectangle([x, 0, x + pw, h], fill=colour(rng, 60, 180))
        x, r = rng.uniform(.1, .9) * w, h * rng.uniform(.06, .13)
        d.ellipse([x - r, h * .62 - r, x + r, h * .62 + r * 2.2], fill=colour(rng, 30, 200))


def view(rng, world):
    sign = rng.choice((-1, 1))
    shift = rng.uniform(-world.shift, world.shift, 2)
    scale = rng.uniform(*world.scale)
    if world.cut:
        scale *= 1 + rng.uniform(0, world.cut)
        shift[0] += rng.choice((-1, 1)) * rng.uniform(0, world.cut) * scale
    return View(sign * rng.uniform(*world.yaw), rng.uniform(*world.pitch), rng.uniform(*world.distance), scale, *shift, rng.normal(0, 1.2))


def spoil(image, rng, world):
    """What a camera does to a picture: light, colour cast, blur, noise, JPEG."""
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(.6, 1.25))
    image = ImageEnhance.Contrast(image).enhance(rng.uniform(.75, 1.25))
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(*world.blur)) * image.width))
    a = np.asarray(image, np.float32) * rng.normal(1, .05, 3) + rng.normal(0, rng.uniform(*world.noise), (image.height, image.width, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=int(rng.uniform(*world.quality)))
    return buffer.getvalue()


def eased(world, k):
    """The same world with every range narrowed to k of its width and the spoilers weakened: what a beginner learns from."""
    if k >= 1:
        return world
    ranges = {n: tuple(m + (v - m) * k for v in getattr(world, n)) for n, m in
              dict(yaw=8, pitch=6, distance=12, scale=.83, blur=0, noise=0, quality=92).items()}
    return replace(world, **ranges, backgrounds=world.backgrounds[:2 + int(k * len(world.backgrounds))],
                   shift=world.shift * k, cut=world.cut * k, hide=world.hide if k > .6 else "")


def picture(world, index, width=176, hardness=1.0):
    """The index-th picture of a world: its JPEG bytes, its class, and where the car is ("L"). The same arguments give the same picture."""
    rng = np.random.default_rng((world.seed, index))
    world = eased(world, hardness)
    label = index % len(CARS)
    size = (width * 2, int(width * 2 / rng.uniform(1.35, 1.75)))
    image = world.backgrounds[rng.integers(len(world.backgrounds))](size, rng)
    paint = PAINTS[rng.integers(len(PAINTS))]
    where = Scene(CARS[label], view(rng, world), image, paint, rng.uniform(.8, 1.15)).render()
    hide(image, rng, world.hide)
    image, where = (i.resize((width, size[1] // 2), Image.BOX) for i in (image, where))
    if rng.random() < .5:
        image, where = (i.transpose(Image.FLIP_LEFT_RIGHT) for i in (image, where))
    return spoil(image, rng, world), label, where
