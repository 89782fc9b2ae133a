"""Makes the pictures in this folder (but those of two digits) and want.json.
Needs Pillow 13 and libjpeg-turbo's cjpeg and djpeg: python make.py"""
import io, json, os, struct, subprocess, zlib
from PIL import Image, ImageDraw, ImageOps, PngImagePlugin

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


# What people's programs write.

def scene(w=128, h=96):
    """The four quarters under waves, so that no block is flat."""
    im = corners(w, h)
    px = im.load()
    for y in range(h):
        for x in range(w):
            wave = ((x * 7 + y * 3) % 32 - 16) + (x * y) % 11
            px[x, y] = tuple(max(0, min(255, v + wave)) for v in px[x, y])
    return im

def write(name, data):
    with open(name, "wb") as f:
        f.write(data)

def saved(im, kind="jpeg", **options):
    out = io.BytesIO()
    im.save(out, kind, **({"quality": 90} if kind == "jpeg" else {}) | options)
    return out.getvalue()

def segment(marker, body):
    return bytes([0xff, marker]) + struct.pack(">H", len(body) + 2) + body

def parts(jpeg):
    """The segments up to the first scan, and the rest."""
    at, found = 2, []
    while jpeg[at + 1] != 0xda:
        n = struct.unpack(">H", jpeg[at + 2:at + 4])[0] + 2
        found.append(jpeg[at:at + n])
        at += n
    return found, jpeg[at:]

def rebuilt(jpeg, keep=lambda s: True, before=b""):
    segments, scan = parts(jpeg)
    return jpeg[:2] + before + b"".join(s for s in segments if keep(s)) + scan

def cjpeg(*options):
    return subprocess.run(["cjpeg", "-quality", "85", *options], input=ppm, stdout=subprocess.PIPE, check=True).stdout

def tiff(entries, order="<", at=8):
    """EXIF with these entries: tag, type, count, four bytes."""
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at) + b"\0" * (at - 8)
    out += struct.pack(order + "H", len(entries))
    return out + b"".join(struct.pack(order + "HHI", *e[:3]) + e[3] for e in entries) + b"\0" * 4

def short(n, order="<"): return (0x112, 3, 1, struct.pack(order + "HH", n, 0))
def long(n, order="<"): return (0x112, 4, 1, struct.pack(order + "I", n))
def exif(tiff): return segment(0xe1, b"Exif\0\0" + tiff)

full = scene()
ppm = io.BytesIO()
full.save(ppm, "ppm")
ppm = ppm.getvalue()
base = saved(full)
bare = rebuilt(base, lambda s: s[1] != 0xe0)
turned6 = full.transpose(Image.Transpose.ROTATE_90)  # orientation 6 makes it upright
six = rebuilt(saved(turned6), lambda s: s[1] != 0xe0)
p3 = Image.open("05-p3-icc.jpg").info["icc_profile"]
swapped = Image.open("07-icc-swapped-channels.jpg").info["icc_profile"]

# Colours: what JFIF, Adobe and the names of components say.
adobe = lambda transform, more=b"": segment(0xee, b"Adobe\0\x64\0\0\0\0" + bytes([transform]) + more)
thumb = segment(0xe0, b"JFIF\0\1\1\0\0\1\0\1\2\2" + b"NoteNoteNote") # 2 x 2 pixels
write("colour-jfif-thumb-adobe1.jpg", rebuilt(bare, before=thumb + adobe(1)))
write("colour-jfif-adobe0.jpg", rebuilt(base, before=adobe(0)))
write("colour-adobe1-long.jpg", rebuilt(bare, before=adobe(1, b"\0\0\0")))
write("colour-adobe-short.jpg", rebuilt(bare, before=segment(0xee, b"Adobe\0\x64\0")))
rgb_jpeg = saved(full, keep_rgb=True)
write("colour-ids-rgb.jpg", rebuilt(rgb_jpeg, lambda s: s[1] != 0xee))
write("colour-adobe0-long.jpg", rebuilt(rgb_jpeg, lambda s: s[1] != 0xee, adobe(0, b"\0" * 9)))
cmyk = full.convert("CMYK")
key = ImageDraw.Draw(cmyk)
key.rectangle((50, 30, 80, 64), fill=(20, 40, 60, 80))
write("colour-cmyk.jpg", saved(cmyk))
write("colour-cmyk-progressive.jpg", saved(cmyk, progressive=True))
write("colour-cmyk-no-adobe.jpg", rebuilt(saved(cmyk), lambda s: s[1] != 0xee))
c, m, y, k = cmyk.split()
yy, cb, cr = Image.merge("RGB", (c, m, y)).convert("YCbCr").split()
invert = lambda im: im.point(lambda v: 255 - v)
ycck = saved(Image.merge("CMYK", (invert(yy), invert(cb), invert(cr), k)), quality=92)
write("colour-ycck.jpg", rebuilt(ycck, lambda s: s[1] != 0xee, adobe(2)))
write("colour-gray-icc-rgb.jpg", saved(full.convert("L"), icc_profile=p3))
gray_icc = bytearray(p3)
gray_icc[16:20] = b"GRAY"
write("colour-gray-icc-gray.jpg", saved(full.convert("L"), icc_profile=bytes(gray_icc)))
write("colour-icc-gray.jpg", saved(full, icc_profile=bytes(gray_icc)))
write("colour-icc-long.jpg", saved(full, icc_profile=p3 + b"Note"))
write("colour-icc.png", saved(full, "png", icc_profile=swapped))
write("colour-icc.webp", saved(full, "webp", quality=90, icc_profile=swapped))
write("colour-icc-lossless.webp", saved(full, "webp", lossless=True, icc_profile=p3))
write("colour-icc-gray.png", saved(full.convert("LA"), "png", icc_profile=bytes(gray_icc)))

# EXIF around an orientation.
exif_cases = {
    "sub-ifds": tiff([(0x8769, 4, 1, struct.pack("<I", 8)), (0x8825, 4, 1, b"\xff\xff\xff\x7f"), (0x14a, 13, 9, b"Note"), short(6)]),
    "unsorted": tiff([(0x131, 2, 4, b"Not\0"), (0x10f, 129, 400, b"\xff\xff\xff\xff"), (0xfde8, 99, 1, b"Note"), short(6), (0x100, 4, 1, b"Note")]),
    "long": tiff([long(6)]), "big-endian": tiff([short(6, ">")], ">"), "big-endian-long": tiff([long(6, ">")], ">"),
    "far": tiff([short(6)], at=3000), "count": tiff([short(6)]).replace(b"\x01\x00\x12\x01", b"\xff\x7f\x12\x01"), "no-end": tiff([short(6)])[:-4],
}
for n, t in exif_cases.items():
    write(f"exif-{n}.jpg", rebuilt(six, before=exif(t)))
write("exif-after-xmp.jpg", rebuilt(six, before=segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta tiff:Orientation='3'>NotePlace") + exif(tiff([short(6)]))))
write("exif-behind-tables.jpg", six[:2] + b"".join(parts(six)[0]) + exif(tiff([short(6)])) + parts(six)[1])
write("exif-twice.jpg", rebuilt(six, before=exif(tiff([short(6)])) + exif(tiff([short(1)]))))
for n, t in {"four-bytes": b"Note", "cut": tiff([short(6)])[:12], "outside": b"II*\0\xff\xff\xff\xff", "zero": tiff([short(0)]), "nine": tiff([long(9)]),
             "text": tiff([(0x112, 2, 4, b"6\0\0\0")]), "none": b"", "loop": tiff([(0x8769, 4, 1, struct.pack("<I", 8))] * 3)}.items():
    write(f"exif-upright-{n}.jpg", rebuilt(base, before=exif(t)))
png_base = saved(turned6, "png")
write("exif-long.png", png_base[:33] + chunk(b"eXIf", tiff([(0x8769, 4, 1, b"Note"), long(6)])) + png_base[33:])
write("exif-behind.png", png_base[:-12] + chunk(b"eXIf", tiff([short(6, ">")], ">")) + png_base[-12:])
turned6.save("exif-prefix.webp", quality=90, exif=b"Exif\0\0" + tiff([(0x8769, 4, 1, b"Note"), long(6)]))

# Ends: all pixels there, or not.
progressive = saved(full, progressive=True)
write("end-none.jpg", base[:-2])
write("end-half.jpg", base[:-1])
write("end-zeros.jpg", base[:-2] + b"\0" * 500)
write("end-none-gray.jpg", saved(full.convert("L"))[:-2])
write("end-none-progressive.jpg", progressive[:-2])
write("end-none-cmyk.jpg", saved(cmyk)[:-2])
write("end-none-film.jpg", base[:-2] + b"\0\0\0\x18ftypmp42NoteFilm" + bytes(range(256)) * 4)
write("end-film.jpg", base + b"\0\0\0\x18ftypmp42NoteFilm" + bytes(range(256)) * 4)
write("end-mpo.jpg", saved(full, "mpo", save_all=True, append_images=[full.rotate(180)]))
for n, cut in {"": base, "-gray": saved(full.convert("L")), "-progressive": progressive, "-cmyk": saved(cmyk), "-restart": cjpeg("-restart", "3B")}.items():
    write(f"cut{n}.jpg", cut[:len(cut) * 4 // 5])
    write(f"cut-zeros{n}.jpg", cut[:len(cut) * 4 // 5] + b"\0" * (len(cut) // 5))
    if n not in ("-cmyk", "-progressive"):
        write(f"cut-end{n}.jpg", cut[:len(cut) * 4 // 5].rstrip(b"\xff") + b"\xff\xd9")
write("cut-black.jpg", saved(Image.new("L", (160, 120)))[:-40])
write("cut-first-scan.jpg", progressive[:progressive.index(b"\xff\xda", progressive.index(b"\xff\xda") + 2)])
write("cut-last-row.jpg", base[:-40])
write("cut-header.jpg", base[:200])
# Black has zeros at its end, too.
write("end-black.jpg", saved(Image.new("RGB", (160, 120))))
write("end-black-small.jpg", saved(Image.new("RGB", (17, 33))))
write("end-black-gray.jpg", saved(Image.new("L", (160, 120))))

# Ways to store the same samples.
for n, sample in {"420": "2x2", "422": "2x1", "440": "1x2", "411": "4x1", "410": "4x2", "3x1": "3x1", "half": "2x2,1x2,1x2", "wide": "2x2,2x1,2x1",
                  "mixed": "2x1,1x2,1x1", "inside-out": "1x1,2x2,1x1"}.items():
    write(f"sample-{n}.jpg", cjpeg("-sample", sample))
    write(f"sample-{n}-progressive-restart.jpg", cjpeg("-sample", sample, "-progressive", "-restart", "5B"))
for n, sample in {"444": "1x1", "420": "2x2", "440": "1x2"}.items():
    write("scans.txt", b"0;\n1;\n2;\n")
    write(f"scans-{n}.jpg", cjpeg("-sample", sample, "-scans", "scans.txt"))
    write(f"scans-{n}-restart.jpg", cjpeg("-sample", sample, "-scans", "scans.txt", "-restart", "7B"))
write("scans.txt", b"0 1;\n2;\n")
write("scans-two.jpg", cjpeg("-sample", "2x2", "-scans", "scans.txt"))
write("scans.txt", b"0,1,2: 0-0, 0, 1;\n0: 1-63, 0, 2;\n1: 1-63, 0, 0;\n2: 1-63, 0, 0;\n")
write("scans-few.jpg", cjpeg("-scans", "scans.txt"))  # valid, and never sharper
os.remove("scans.txt")
write("kind-coarse.jpg", cjpeg("-quality", "3"))  # tables of 16 bits
write("kind-restart.jpg", cjpeg("-restart", "2B"))
write("kind-padding.jpg", rebuilt(base, before=b"\xff" * 9) + b"Note")
sof = base.index(b"\xff\xc0")
patched = lambda at, v: base[:at] + v + base[at + len(v):]
write("kind-extended.jpg", patched(sof + 1, b"\xc1"))
write("odd-12-bit.jpg", patched(sof + 1, b"\xc1\0\x11\x0c"))
write("odd-lossless.jpg", patched(sof + 1, b"\xc3"))
write("odd-arithmetic.jpg", cjpeg("-arithmetic"))
write("odd-ls.jpg", patched(sof + 1, b"\xf7"))
for w, h in ((1, 1), (1, 50), (50, 1), (2, 3), (7, 9), (17, 33), (127, 95)):
    write(f"side-{w}x{h}.jpg", saved(full.crop((0, 0, w, h)), subsampling=2))
    write(f"side-{w}x{h}-progressive.jpg", saved(full.crop((0, 0, w, h)), subsampling=2, progressive=True))
write("side-1x1.png", saved(full.crop((0, 0, 1, 1)), "png"))
write("side-3x5.webp", saved(full.crop((0, 0, 3, 5)), "webp", quality=95))
write("large-2016.jpg", saved(corners(2016, 1512), quality=40, optimize=True, exif=orientation(3)))
write("large-2600-gray.jpg", saved(corners(2600, 700).convert("L"), quality=40, optimize=True))
write("large-7900.jpg", saved(corners(7900, 400).convert("L"), quality=40, optimize=True))
write("large-cmyk.jpg", saved(corners(2100, 300).convert("CMYK"), quality=40))

# PNG: what decides, and what does not.
p = saved(full.quantize(64), "png")
text = chunk(b"tEXt", b"Comment\0NotePlace")
wrong = lambda c: c[:-4] + bytes(b ^ 255 for b in c[-4:])
write("png-wrong-sums.png", p[:33] + wrong(text) + wrong(chunk(b"gAMA", struct.pack(">I", 100000))) + p[33:-12] + wrong(chunk(b"tIME", b"1234567")) + p[-12:])
write("png-no-end.png", p[:-12])
write("png-end-cut.png", p[:-9])
write("png-behind.png", p + b"NoteFilm" * 20)
write("png-unknown.png", p[:33] + chunk(b"vpAg", b"Note") + chunk(b"NoTE", b"Note") + p[33:])
write("png-linear.png", png_base[:33] + chunk(b"gAMA", struct.pack(">I", 100000)) + png_base[33:])
write("png-linear-but-srgb.png", png_base[:33] + chunk(b"sRGB", b"\0") + chunk(b"gAMA", struct.pack(">I", 100000)) + png_base[33:])
write("png-gamma.png", png_base[:33] + chunk(b"gAMA", struct.pack(">I", 45455)) + png_base[33:])
write("png-cicp.png", png_base[:33] + chunk(b"cICP", b"\x0c\x0d\0\1") + png_base[33:])
write("png-transparent-gray.png", saved(full.convert("L").point(lambda v: v & 0xe0), "png", transparency=0x60))
full.quantize(16).save("png-animated.png", save_all=True, append_images=[full.rotate(180).quantize(16)], default_image=True)
write("cut.png", p[:len(p) * 3 // 4])
write("odd-phone.png", p[:8] + chunk(b"CgBI", b"\x50\0\x20\x02") + p[8:])

# GIF.
g = saved(full, "gif")
write("gif-behind.gif", g + b"NoteFilm" * 20)
write("gif-no-end.gif", g[:-1])
write("gif-no-canvas.gif", g[:6] + b"\0\0\0\0" + g[10:])
write("gif-interlaced.gif", saved(full, "gif", interlace=1))
clear = corners(160, 120).quantize(8)
write("gif-transparent.gif", saved(clear, "gif", transparency=clear.getpixel((5, 5))))
write("cut.gif", g[:len(g) * 3 // 4])

# WebP: chunks in another order, flags that say nothing true, notes behind.
w = saved(full, "webp", quality=90)
vp8 = w[12:]
extended = lambda flags, *chunks: b"RIFF" + struct.pack("<I", 4 + 18 + sum(map(len, chunks))) + b"WEBP" + b"VP8X\x0a\0\0\0" + bytes([flags, 0, 0, 0]) \
    + struct.pack("<I", 127)[:3] + struct.pack("<I", 95)[:3] + b"".join(chunks)
note = b"XMP \x09\0\0\0NotePlace\0"
write("webp-flags.webp", extended(0x3c, note, vp8))
write("webp-behind.webp", w + b"NoteFilm" * 9)
write("webp-size.webp", w[:4] + struct.pack("<I", len(w) + 7000) + w[8:])
write("cut.webp", w[:len(w) * 3 // 4])

# What is to be seen: the size, and 4 x 4 means of areas, on white.
# Pillow does not know: gAMA, canvases, orientation where it guesses.
def white(im):
    if "A" in im.getbands() or "transparency" in im.info:
        im = im.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", im.size, "white"), im).convert("RGB")
    return im.convert("RGB")

def cells(im):
    return im.resize((4, 4), Image.Resampling.BOX).tobytes().hex()

refused = {"animated.webp": "animated", "83-tiff.jpg": "type-jpeg", "colour-cmyk-no-adobe.jpg": "odd", "cut.png": "incomplete", "cut.webp": "incomplete", "cut.gif": "incomplete"}
instead = {"webp-flags.webp": w, "webp-size.webp": w, "gif-no-canvas.gif": g}  # what Pillow does not read
want = {}
for name in sorted(os.listdir(".")):
    if name.split(".")[-1] not in ("jpg", "png", "webp", "gif"):
        continue
    key = refused.get(name) or {"odd": "odd", "cut": "incomplete"}.get(name.split("-")[0].split(".")[0])
    if key:
        want[name] = {"refused": key}
        continue
    if name.startswith("exif-") and name.endswith("jpg") and "upright" not in name:
        instead[name] = base  # some of them Pillow does not turn
    seen = Image.open(io.BytesIO(instead[name]) if name in instead else name)
    if "end" in name or name.startswith("26"):
        from PIL import ImageFile
        ImageFile.LOAD_TRUNCATED_IMAGES = True
    if seen.mode == "I;16":
        seen = seen.point(lambda v: v / 257).convert("L")
    try:
        seen = white(ImageOps.exif_transpose(seen))
    except Exception as e:
        print("no EXIF for Pillow:", name, e)
        seen = white(Image.open(name))
    if name == "part.gif":  # Pillow paints the rest of the canvas black, a browser leaves it empty
        seen.paste("white", (0, 0, W // 2, H))
    if name == "png-linear.png":
        seen = seen.point(lambda v: round(255 * (v / 255) ** (1 / 2.2)))
    if name == "75-gif-frame-larger-than-canvas.gif":
        seen = seen.crop((0, 0, 319, 199))
    want[name] = {"width": seen.width, "height": seen.height, "cells": cells(seen)}
lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in want.items())
open("want.json", "w").write("{\n" + lines + "\n}\n")
