"""Trains the demo model on rendered cars, checks it on held-out ones and writes everything the Go side embeds.

python train.py            renders, trains, evaluates, writes ../demo, ../testdata/heldout, ../samples and ../report.json
python train.py --quick    a few steps only, into a scratch folder: does it all still run?
"""
import argparse
import io
import json
import math
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import ViTConfig, ViTForImageClassification

from cars import CARS
from scenes import HELD_OUT, TRAIN, picture

HERE = Path(__file__).resolve().parent
SIDE = 96
NOTICE = "demo model, trained on drawings, not for photos"
LABELS = [car.label for car in CARS]


def pixels(jpeg):
    """What the image processor does before it rescales: RGB, squeezed to a square, bilinear."""
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))


def render_one(world, ramp, index):
    jpeg, label, where = picture(world, index, hardness=min(1, .05 + index / ramp) if ramp else 1)
    return np.dstack([pixels(jpeg), where.resize((SIDE, SIDE), Image.BILINEAR)]), label


def dataset(world, count, cache, name, ramp=0):
    """count pictures as (N, 4, SIDE, SIDE) uint8 (RGB and where the car is) and labels, growing harder over the first
    ramp of them. Kept in cache."""
    file = cache / f"{name}-{count}.npz"
    if not file.exists():
        with ProcessPoolExecutor(2) as pool:
            rows = list(pool.map(partial(render_one, world, ramp), range(count), chunksize=64))
        np.savez(file, x=np.stack([r[0] for r in rows]).transpose(0, 3, 1, 2), y=np.array([r[1] for r in rows]))
    data = np.load(file)
    return torch.from_numpy(data["x"]), torch.from_numpy(data["y"])


def new_model():
    return ViTForImageClassification(ViTConfig(
        hidden_size=128, num_hidden_layers=4, num_attention_heads=4, intermediate_size=512, image_size=SIDE, patch_size=12,
        hidden_dropout_prob=0.0, id2label=dict(enumerate(LABELS)), label2id={v: k for k, v in enumerate(LABELS)}))


def normalised(x):
    return x.float() / 127.5 - 1


def jitter(x, g):
    """Cheap variety on top of the renders: mirror, shift, brightness and contrast per picture."""
    n = len(x)
    flip = torch.rand(n, generator=g) < .5
    x = torch.where(flip[:, None, None, None], x.flip(3), x)
    theta = torch.zeros(n, 2, 3)
    zoom = 1 + (torch.rand(n, 2, generator=g) - .5) * .24
    theta[:, 0, 0], theta[:, 1, 1] = zoom[:, 0], zoom[:, 1]
    theta[:, :, 2] = (torch.rand(n, 2, generator=g) - .5) * .16
    x = torch.nn.functional.grid_sample(x, torch.nn.functional.affine_grid(theta, x.shape, align_corners=False),
                                        padding_mode="border", align_corners=False)
    gain = 1 + (torch.rand(n, 1, 1, 1, generator=g) - .5) * .4
    return x * gain + (torch.rand(n, 3, 1, 1, generator=g) - .5) * .2


def train(model, x, y, epochs, batch=96, peak=1.2e-3):
    g = torch.Generator().manual_seed(7)
    steps = epochs * (len(x) // batch)
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([dict(params=decay, weight_decay=.05), dict(params=plain, weight_decay=0)], lr=peak)
    warm = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: s / warm if s < warm else .5 * (1 + math.cos(math.pi * (s - warm) / (steps - warm))) + .002)
    model.train()
    for epoch in range(epochs):
        order, total, start = torch.randperm(len(x), generator=g), 0.0, time.time()
        for k in range(len(x) // batch):
            rows = order[k * batch:(k + 1) * batch]
            logits = model(jitter(normalised(x[rows]), g)).logits
            loss = torch.nn.functional.cross_entropy(logits, y[rows], label_smoothing=.05)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total / (len(x) // batch):.4f}, {time.time() - start:.0f} s", flush=True)


@torch.no_grad()
def confusion(model, x, y):
    """Rows are the true classes, columns the predicted ones."""
    model.eval()
    matrix = np.zeros((len(LABELS), len(LABELS)), int)
    for k in range(0, len(x), 200):
        guess = model(normalised(x[k:k + 200])).logits.argmax(1)
        np.add.at(matrix, (y[k:k + 200].numpy(), guess.numpy()), 1)
    return matrix


def save(model, folder):
    """The Hugging Face folder: float16 weights, config with our notice, preprocessor settings."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)  # for the published tensor names
    tensors = {k: v.half().contiguous() for k, v in load_file(folder / "model.safetensors").items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text()) | {"dtype": "float16", "vinfast_notice": NOTICE}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "preprocessor_config.json").write_text(json.dumps(dict(
        image_processor_type="ViTImageProcessor", do_resize=True, size=dict(height=SIDE, width=SIDE), resample=2,
        do_rescale=True, rescale_factor=1 / 255, do_normalize=True, image_mean=[.5] * 3, image_std=[.5] * 3), indent=2) + "\n")


def evaluate(model, cache, count):
    report = {}
    for name, world in HELD_OUT.items():
        matrix = confusion(model, *dataset(world, count, cache, name))
        report[name] = dict(pictures=count, accuracy=float(matrix.trace() / matrix.sum()), confusion=matrix.tolist())
        print(f"{name:9} {report[name]['accuracy']:.4f}\n{matrix}", flush=True)
    return report


def held_out_files(folder, count):
    """The small set the Go tests read: <class index>-<number>.jpg from the end of the plain held-out world."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for index in range(count):
        jpeg, label = picture(HELD_OUT["plain"], 600000 + index, width=144)
        (folder / f"{label}-{index:02}.jpg").write_bytes(jpeg)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--quick", action="store_true")
    args.add_argument("--out", type=Path, default=HERE.parent)
    args.add_argument("--cache", type=Path, default=HERE / ".cache")
    args.add_argument("--count", type=int, default=18000)
    args.add_argument("--epochs", type=int, default=24)
    args.add_argument("--threads", type=int, default=2)
    a = args.parse_args()
    if a.quick:
        a.count, a.epochs = 600, 1
    torch.manual_seed(3)
    torch.set_num_threads(a.threads)
    a.cache.mkdir(parents=True, exist_ok=True)
    start = time.time()
    x, y = dataset(TRAIN, a.count, a.cache, "train")
    rendered = time.time() - start
    model = new_model()
    train(model, x, y, a.epochs)
    for p in model.parameters():  # judge what is shipped
        p.data = p.data.half().float()
    trained = time.time() - start - rendered
    report = dict(labels=LABELS, train_pictures=a.count, epochs=a.epochs, parameters=sum(p.numel() for p in model.parameters()),
                  render_seconds=round(rendered), train_seconds=round(trained), sets=evaluate(model, a.cache, 120 if a.quick else 1200))
    save(model, a.out / "demo")
    held_out_files(a.out / "testdata" / "heldout", 60)
    (a.out / "report.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
