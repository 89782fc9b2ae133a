"""Trains the demo model on rendered cars, checks it on held-out ones and writes everything the Go side embeds.

python train.py            renders, trains, evaluates; writes ../demo, ../testdata/heldout, ../samples, ../report.json
                           and the figures in ../README.md
python train.py --quick --out FOLDER   a few steps only: does it all still run?
"""
import argparse
import io
import json
import math
import re
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import ViTConfig, ViTForImageClassification

from cars import CARS
from scenes import HELD_OUT, SAMPLES, TRAIN, picture, sample

HERE = Path(__file__).resolve().parent
SIDE, PATCH, WIDTH = 96, 12, 128
NOTICE = "demo model, trained on drawings, not for photos"
LABELS = [car.label for car in CARS]


def render_one(world, ramp, index):
    """A picture as the image processor hands it on (RGB, squeezed to a square, bilinear), with where the car is."""
    jpeg, label, where = picture(world, index, hardness=min(1, .05 + index / ramp) if ramp else 1)
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    return np.dstack([np.asarray(i.resize((SIDE, SIDE), Image.BILINEAR)) for i in (image, where)]), label


def dataset(world, count, cache, name, ramp=0):
    """count pictures as (N, 4, SIDE, SIDE) uint8 and their labels, growing harder over the first ramp of them. Kept in cache."""
    file = cache / f"{name}-{count}.npz"
    if not file.exists():
        with ProcessPoolExecutor(2) as pool:
            rows = list(pool.map(partial(render_one, world, ramp), range(count), chunksize=64))
        np.savez(file, x=np.stack([r[0] for r in rows]).transpose(0, 3, 1, 2), y=np.array([r[1] for r in rows]))
    data = np.load(file)
    return torch.from_numpy(data["x"]), torch.from_numpy(data["y"])


def new_model():
    return ViTForImageClassification(ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=4, num_attention_heads=4, intermediate_size=4 * WIDTH, image_size=SIDE, patch_size=PATCH,
        initializer_range=.05, id2label=dict(enumerate(LABELS)), label2id={v: k for k, v in enumerate(LABELS)}))


def normalised(x):
    return x.float() / 127.5 - 1


def jitter(x, g, k):
    """Zooms, shifts and recolours each picture at random; k, 0 to 1, says how much."""
    n = len(x)
    theta = torch.zeros(n, 2, 3)
    theta[:, [0, 1], [0, 1]] = 1 + (torch.rand(n, 2, generator=g) - .5) * .22 * k
    theta[:, :, 2] = (torch.rand(n, 2, generator=g) - .5) * .16 * k
    x = F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), padding_mode="border", align_corners=False)
    x[:, :3] = x[:, :3] * (1 + (torch.rand(n, 1, 1, 1, generator=g) - .5) * .4 * k) + (torch.rand(n, 3, 1, 1, generator=g) - .5) * .2 * k
    return x


def loss_of(model, head, x, y):
    """The classifier's loss, plus one that asks every patch which car it shows, or none. The second teaches the network
    early to tell cars from backgrounds; its head is thrown away."""
    tokens = model.vit(x[:, :3]).last_hidden_state
    cover = F.avg_pool2d(x[:, 3:] / 2 + .5, PATCH).flatten(1)
    parts = torch.where(cover > .35, y[:, None], len(LABELS))
    whole = F.cross_entropy(model.classifier(tokens[:, 0]), y, label_smoothing=.05)
    return whole, F.cross_entropy(head(tokens[:, 1:]).transpose(1, 2), parts)


def optimisers(model, head):
    """Muon for the layers' matrices (it needs a third of AdamW's steps here), AdamW for the rest."""
    inner = [p for n, p in model.named_parameters() if "layers" in n and p.ndim == 2]
    rest = [p for p in [*model.parameters(), *head.parameters()] if not any(p is q for q in inner)]
    return torch.optim.Muon(inner, lr=.02, weight_decay=.05, adjust_lr_fn="original"), torch.optim.AdamW(rest, lr=1e-3, weight_decay=.05)


def train(model, x, y, steps, batch=64):
    """Pictures grow harder along x; the first half of the steps opens them up bit by bit."""
    g, head, start = torch.Generator().manual_seed(7), torch.nn.Linear(WIDTH, len(LABELS) + 1), time.time()
    opts = optimisers(model, head)
    schedules = [torch.optim.lr_scheduler.LambdaLR(o, lambda s: min(1, (s + 1) / 60) * .5 * (1 + math.cos(math.pi * s / steps))) for o in opts]
    model.train()
    for step in range(steps):
        opened = min(1, 2 * step / steps)
        rows = torch.randint(0, int(len(x) * (.1 + .9 * opened)), (batch,), generator=g)
        whole, parts = loss_of(model, head, jitter(normalised(x[rows]), g, opened), y[rows])
        for o in opts:
            o.zero_grad()
        (whole + parts).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in (*opts, *schedules):
            o.step()
        if step % 100 == 99:
            print(f"step {step + 1}/{steps}: loss {whole.item():.3f}, of patches {parts.item():.3f}, {time.time() - start:.0f} s", flush=True)


@torch.no_grad()
def finish(model):
    """Raises all logits alike, which changes no score but makes a class whose weights are erased lose rather than win
    at zero; then rounds to what is stored."""
    model.classifier.bias += 16
    for p in model.parameters():
        p.copy_(p.half().float())


@torch.no_grad()
def confusion(model, x, y):
    """Rows are the true classes, columns the predicted ones."""
    matrix = np.zeros((len(LABELS), len(LABELS)), int)
    for k in range(0, len(x), 200):
        guess = model.eval()(normalised(x[k:k + 200, :3])).logits.argmax(1)
        np.add.at(matrix, (y[k:k + 200].numpy(), guess.numpy()), 1)
    return matrix


def save(model, folder):
    """The Hugging Face folder: float16 weights, config with our notice, preprocessor settings."""
    model.save_pretrained(folder)  # for the published tensor names
    weights = folder / "model.safetensors"
    save_file({k: v.half().contiguous() for k, v in load_file(weights).items()}, weights, metadata={"format": "pt"})
    weights.chmod(0o644)
    config = json.loads((folder / "config.json").read_text()) | {"dtype": "float16", "vinfast_notice": NOTICE}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "preprocessor_config.json").write_text(json.dumps(dict(
        image_processor_type="ViTImageProcessor", do_resize=True, size=dict(height=SIDE, width=SIDE), resample=2,
        do_rescale=True, rescale_factor=1 / 255, do_normalize=True, image_mean=[.5] * 3, image_std=[.5] * 3), indent=2) + "\n")


def write_pictures(out):
    """The held-out set of the Go tests, <class>-<number>.jpg, from numbers the report does not use; and the page's samples."""
    for folder in (out / "testdata" / "heldout", out / "samples"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for index in range(60):
        jpeg, label, _ = picture(HELD_OUT["plain"], 600000 + index, width=144)
        (out / "testdata" / "heldout" / f"{label}-{index:02}.jpg").write_bytes(jpeg)
    for index, (name, *_) in enumerate(SAMPLES):
        sample(index).save(out / "samples" / f"{name}.jpg", quality=88, optimize=True)


def tables(report):
    """The report as the model card shows it."""
    rows = ["| held-out set | pictures | accuracy |", "|---|---|---|"]
    rows += [f"| {n} | {s['pictures']} | {s['accuracy']:.1%} |" for n, s in report["sets"].items()]
    short = [label.removeprefix("Vinfast_") for label in LABELS]
    rows += ["", "Confusion on the plain set (rows: what it is; columns: what the model says):", "",
             "| | " + " | ".join(short) + " |", "|---" * (len(short) + 1) + "|"]
    rows += [f"| {n} | " + " | ".join(map(str, r)) + " |" for n, r in zip(short, report["sets"]["plain"]["confusion"])]
    return "\n".join(rows)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--quick", action="store_true")
    args.add_argument("--out", type=Path, default=HERE.parent)
    args.add_argument("--cache", type=Path, default=HERE / ".cache")
    a = args.parse_args()
    count, steps, checks = (600, 20, 120) if a.quick else (20000, 3200, 1200)
    a.cache.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    torch.set_num_threads(2)
    start = time.time()
    x, y = dataset(TRAIN, count, a.cache, "train", ramp=.4 * count)
    rendered, model = time.time(), new_model()
    train(model, x, y, steps)
    finish(model)
    report = dict(labels=LABELS, train_pictures=count, steps=steps, parameters=sum(p.numel() for p in model.parameters()),
                  render_seconds=round(rendered - start), train_seconds=round(time.time() - rendered), sets={})
    for name, world in HELD_OUT.items():
        matrix = confusion(model, *dataset(world, checks, a.cache, name))
        report["sets"][name] = dict(pictures=checks, accuracy=float(matrix.trace() / matrix.sum()), confusion=matrix.tolist())
        print(name, report["sets"][name]["accuracy"], matrix, sep="\n", flush=True)
    save(model, a.out / "demo")
    write_pictures(a.out)
    (a.out / "report.json").write_text(json.dumps(report) + "\n")
    card = a.out / "README.md"
    if card.exists():
        card.write_text(re.sub("(?s)(<!-- figures -->\n).*(\n<!-- end -->)", lambda m: m[1] + tables(report) + m[2], card.read_text()))


if __name__ == "__main__":
    main()
