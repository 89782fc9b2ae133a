"""Pillow's part of the bench: makes the pictures it is told, then answers each
line "draft|whole file" with the processor time, in ms, from bytes to rendition."""
import io, os, sys, time
from PIL import Image, ImageOps

folder = sys.argv[1]
for name in ("640x480", "1600x1200", "12 megapixels"):
    im = Image.open(os.path.join(folder, name + ".jpg"))
    im.save(os.path.join(folder, name + ", progressive.jpg"), quality="keep", progressive=True)

def rendition(data, draft):
    im = Image.open(io.BytesIO(data))
    if draft:
        im.draft("RGB", (1024, 1024))
    im = ImageOps.exif_transpose(im).convert("RGB")
    longest = max(im.size)
    if longest > 1024:
        im = im.resize(tuple(max(1, round(side * 1024 / longest)) for side in im.size))
    out = io.BytesIO()
    im.save(out, "JPEG", quality=90)

print("ready", flush=True)
for line in sys.stdin:
    how, name = line.strip().split(" ", 1)
    with open(os.path.join(folder, name), "rb") as f:
        data = f.read()
    began = time.process_time()
    rendition(data, how == "draft")
    print((time.process_time() - began) * 1000, flush=True)
