"""Writes ../testdata/golden: small random models, odd pictures, and what transformers makes of them.

The Go tests hold the package to these numbers. Run it again only when a case is added; the same seeds give the same files
with the versions of requirements.txt.
"""
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import ViTConfig, ViTForImageClassification
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

OUT = Path(__file__).resolve().parent.parent / "testdata" / "golden"
IMAGENET = dict(image_mean=[.485, .456, .406], image_std=[.229, .224, .225])
BILINEAR, BICUBIC, LANCZOS, NEAREST = 2, 3, 1, 0

# name: (network, processor, type of the stored weights)
CASES = {
    "plain": (dict(hidden_size=32, num_attention_heads=2, num_hidden_layers=2, intermediate_size=64, image_size=32, patch_size=8),
              dict(size=dict(height=32, width=32), resample=BILINEAR), torch.float32),
    "wide-half": (dict(hidden_size=48, num_attention_heads=3, num_hidden_layers=2, intermediate_size=80, image_size=[24, 40],
                       patch_size=8, hidden_act="gelu_new", qkv_bias=False),
                  dict(size=dict(height=24, width=40), resample=BICUBIC, **IMAGENET), torch.float16),
    "ragged-bfloat": (dict(hidden_size=40, num_attention_heads=5, num_hidden_layers=1, intermediate_size=50, image_size=30,
                           patch_size=7, hidden_act="relu", layer_norm_eps=1e-6),
                      dict(size=30, resample=LANCZOS, **IMAGENET), torch.bfloat16),
    "twelve-labels": (dict(hidden_size=24, num_attention_heads=1, num_hidden_layers=3, intermediate_size=24, image_size=36,
                           patch_size=6, hidden_act="silu", id2label={i: f"class {i}" for i in range(12)}),
                      dict(size=dict(height=36, width=36), resample=NEAREST, do_normalize=False), torch.float32),
    "oblong-patches": (dict(hidden_size=36, num_attention_heads=4, num_hidden_layers=2, intermediate_size=70, image_size=[20, 27],
                            patch_size=[4, 9], hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-3),
                       dict(size=dict(height=20, width=27), resample=BILINEAR, rescale_factor=1 / 127.5, image_mean=1.0, image_std=.7), torch.float32),
    "no-rescale": (dict(hidden_size=16, num_attention_heads=2, num_hidden_layers=1, intermediate_size=20, image_size=97, patch_size=32),
                   dict(size=dict(height=97, width=97), resample=BICUBIC, do_rescale=False, image_mean=[120., 110., 100.], image_std=[60., 61., 62.]), torch.float32),
}


def pictures():
    """Odd sizes, up and down, each with edges and noise; one for each way a picture can hold its colours."""
    def make(w, h, channels, seed):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0:h, 0:w]
        a = np.stack([(x * (k + 3) + y * 5) % 256 * .6 + 90 * ((x // 5 + y // 7 + k) % 2) for k in range(channels)], 2)
        return np.clip(a + rng.normal(0, 12, a.shape), 0, 255).astype(np.uint8)
    return {
        "rgb-97x61": Image.fromarray(make(97, 61, 3, 1)),
        "rgba-13x17": Image.fromarray(make(13, 17, 4, 2)),
        "gray-150x30": Image.fromarray(make(150, 30, 1, 3)[:, :, 0]),
        "palette-40x53": Image.fromarray(make(40, 53, 3, 4)).quantize(32),
        "rgb-1x2": Image.fromarray(make(1, 2, 3, 5)),
    }


def randomise(model, seed):
    """Random weights of a size that makes logits differ from picture to picture."""
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        wide = p.ndim > 1
        p.data = torch.randn(p.shape, generator=g) * (.25 if wide else .1) + (1 if "norm" in name and name.endswith("weight") else 0)


def write_case(name, seed):
    network, processing, dtype = CASES[name]
    folder = OUT / name
    config = ViTConfig(**network)
    model = ViTForImageClassification(config)
    randomise(model, seed)
    model.save_pretrained(folder)
    stored = {k: v.to(dtype).contiguous() for k, v in load_file(folder / "model.safetensors").items()}
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    processor = ViTImageProcessorPil(**processing)
    settings = dict(image_processor_type="ViTImageProcessor", do_resize=True, do_rescale=True, do_normalize=True,
                    rescale_factor=1 / 255, image_mean=[.5] * 3, image_std=[.5] * 3) | processing
    (folder / "preprocessor_config.json").write_text(json.dumps(settings, indent=1) + "\n")
    model = ViTForImageClassification.from_pretrained(folder, dtype=torch.float32).eval()
    expected = {}
    for picture, image in pictures().items():
        values = processor(image.convert("RGB"), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            logits = model(values).logits[0]
        expected[picture] = dict(pixel_values_sha256=hashlib.sha256(values.numpy().astype("<f4").tobytes()).hexdigest(),
                                 first_values=values.flatten()[:4].tolist(), logits=logits.tolist())
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for name, image in pictures().items():
        image.save(OUT / f"{name}.png", optimize=True)
    for seed, name in enumerate(CASES):
        write_case(name, seed)


if __name__ == "__main__":
    main()
