"""Makes the fixtures in this folder and want.json. Needs Pillow: python make.py"""
import io, json, os, struct, zlib
from PIL import Image, ImageOps, PngImagePlugin

os.chdir(os.path.dirname(os.path.abspath(__file__)))
W, H = 48, 32
RED, GREEN, BLUE, YELLOW = (200, 30, 30), (30, 160, 60), (30, 50, 190), (220, 200, 40)

def corners(w=W, h=H, alpha=None):
    """Four quarters: red and green above, blue and yellow below."""
    im = Image.new("RGB", (w, h))
    for i, colour in enumerate((RED, GREEN, BLUE, YELLOW)):
        im.paste(colour, (i % 2 * w // 2, i // 2 * h // 2, (i % 2 + 1) * w // 2, (i // 2 + 1) * h // 2))
    if alpha is not None:
        im.putalpha(alpha)
    return im

def orientation(n):
    exif = Image.Exif()
    exif[0x0112] = n
    return exif.tobytes()

def placed():
    """Turned, and with a place, an owner and a time: what nobody else may learn."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010f], exif[0x013b], exif[0x0132] = "NoteMaker", "NoteOwner", "2024:02:29 12:00:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (21.0, 1.0, 43.5), "E", (105.0, 51.0, 14.25)
    gps[29] = "2024:02:29"
    gps[27] = b"ASCII\0\0\0NotePlace"
    return exif.tobytes()

def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

def png(name, im, depth=8, interlaced=False):
    """A PNG of a depth or an interlacing that Pillow does not write."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[len(im.getbands())]
    pixels = im.tobytes()
    bands = len(im.getbands())
    def rows(x0, y0, dx, dy):
        for y in range(y0, im.height, dy):
            row = b"".join(bytes([v]) * (depth // 8) for x in range(x0, im.width, dx)
                           for v in pixels[(y * im.width + x) * bands:(y * im.width + x + 1) * bands])
            if row:
                yield b"\0" + row
    adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b"".join(r for p in (adam7 if interlaced else [(0, 0, 1, 1)]) for r in rows(*p))
    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n"
                + chunk(b"IHDR", struct.pack(">IIBBBBB", im.width, im.height, depth, kind, 0, 0, interlaced))
                + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))

im, half = corners(), corners(alpha=128)
jpeg = dict(quality=92, subsampling=0)
im.save("plain.jpg", **jpeg)
im.save("subsampled.jpg", quality=92, subsampling=2)
im.save("progressive.jpg", progressive=True, **jpeg)
im.convert("L").save("gray.jpg", quality=92)
im.convert("CMYK").save("cmyk.jpg", quality=92)
im.save("rgb.jpg", quality=92, keep_rgb=True)
for n in range(1, 9):
    im.save(f"orientation{n}.jpg", exif=orientation(n), **jpeg)
im.save("orientation-rubbish.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7frubbish", **jpeg)
im.save("orientation99.jpg", exif=orientation(99), **jpeg)
buffer = io.BytesIO()
im.save(buffer, "jpeg", exif=placed(), xmp=b"<x:xmpmeta>NotePlace</x:xmpmeta>", comment=b"NoteComment", **jpeg)
with open("notes.jpg", "wb") as f:
    f.write(buffer.getvalue() + b"ftypmp42 NoteFilm")  # phones append films
text = PngImagePlugin.PngInfo()
text.add_text("Location", "NotePlace")
text.add_itxt("XML:com.adobe.xmp", "NotePlace")
im.save("notes.png", exif=placed(), pnginfo=text)
im.save("notes.webp", quality=92, exif=placed(), xmp=b"NotePlace")
im.save("notes.gif", comment=b"NoteComment")
corners(2100, 1400).save("large6.jpg", quality=80, exif=orientation(6), optimize=True)
corners(1100, 800).save("large-progressive.jpg", quality=80, progressive=True)
corners(1100, 800).convert("CMYK").save("large-cmyk-progressive.jpg", quality=80, progressive=True)
im.save("rgb8.png")
im.save("orientation6.png", exif=orientation(6))
im.quantize(8).save("palette.png")
half.quantize(8).save("palette-alpha.png")
half.save("alpha.png")
half.convert("LA").save("gray-alpha.png")
im.convert("L").save("gray8.png")
im.convert("1", dither=Image.Dither.NONE).save("gray1.png")
png("rgb16.png", im, depth=16)
png("alpha16.png", half, depth=16)
png("gray16.png", im.convert("L"), depth=16)
png("interlaced.png", im, interlaced=True)
png("interlaced16.png", half, depth=16, interlaced=True)
png("large-interlaced16.png", corners(800, 1100, alpha=128), depth=16, interlaced=True)
im.save("lossy.webp", quality=92)
im.save("lossless.webp", lossless=True)
half.save("alpha.webp", quality=92)
half.save("alpha-lossless.webp", lossless=True)
im.save("orientation6.webp", quality=92, exif=orientation(6))
half.save("orientation8-lossless.webp", lossless=True, exif=orientation(8))
corners(1100, 800, alpha=128).save("large-alpha.webp", quality=80)
corners(1100, 800).save("large-lossless.webp", lossless=True)
im.save("animated.webp", save_all=True, append_images=[im.rotate(180)], duration=100)
im.save("still.gif")
im.save("animated.gif", save_all=True, append_images=[im.rotate(180)], duration=100, loop=0)

def gif_part(name):
    """A GIF whose only frame covers the right half of its canvas."""
    frame = io.BytesIO()
    im.crop((W // 2, 0, W, H)).save(frame, "GIF")
    data = bytearray(frame.getvalue())
    struct.pack_into("<HH", data, 6, W, H)
    at = data.index(b"\x2c\0\0\0\0")
    struct.pack_into("<H", data, at + 1, W // 2)
    open(name, "wb").write(data)

gif_part("part.gif")

def white(im):
    if "A" in im.getbands() or "transparency" in im.info:
        im = im.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", im.size, "white"), im).convert("RGB")
    return im.convert("RGB")

want = {}
for name in sorted(os.listdir(".")):
    if name.split(".")[-1] not in ("jpg", "png", "webp", "gif") or name == "animated.webp":
        continue
    seen = Image.open(name)
    if seen.mode == "I;16":
        seen = seen.point(lambda v: v / 257).convert("L")
    seen = white(ImageOps.exif_transpose(seen) if name.startswith(("orientation", "notes")) or name == "large6.jpg" else seen)
    w, h = seen.size
    if name == "part.gif":  # Pillow paints the rest of the canvas black, a browser leaves it empty
        seen.paste("white", (0, 0, W // 2, H))
    at = [(w // 6, h // 6), (w * 5 // 6, h // 6), (w // 6, h * 5 // 6), (w * 5 // 6, h * 5 // 6)]
    want[name] = {"width": w, "height": h, "corners": [seen.getpixel(p) for p in at]}
lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in want.items())
open("want.json", "w").write("{\n" + lines + "\n}\n")
