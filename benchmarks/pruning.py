"""ResNet-20 pruned to half of its multiply-accumulates: learned rates beside the baselines' choices.

    python benchmarks/pruning.py [--seeds 10] [--cifar-seeds 2] [--keep 0.5] [--epochs 10]
                                 [--jobs planted,digits,cifar,targets]

`digits` is scikit-learn's; `cifar` is 4,000 images of CIFAR-10, reduced to 16x16, and needs the data folder
`../shared/data` beside the checkout. `lapp`, `uniform` and `magnitude` each train the whole network for the first two
fifths of the epochs, prune it, and train what is left, with the same learning rates; they differ in what they prune.
`hesso`, `cric` and `masks` (MaskSparsity) train by their own rules in these epochs, and are brought to the budget.
`scratch` trains the uniformly pruned network from the start. Learning costs CPU time, for which all but `lapp` train
what is left for two fifths of the epochs more. `targets` learns rates on `cifar` with each of `--seeds` and trains
nothing further. `planted` is a network of two equal
branches of which one is fed nothing. Prints the mean +- standard error of the test accuracy in percent, the range of
the multiply-accumulates, and CPU seconds a run. Ends with 1 where a learned network is off its target by more than 1 %,
or the planted branch is not found.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._preparation import Job
from evaluators.datasets import Images, JpegArchives, Part, digits
from evaluators.lapp import Lapp
from evaluators.optimization import Optimization
from evaluators.pruning.result import learned, learned_weights
from evaluators.train import evaluate
from evaluators.trained_pruning import TrainedPruning
from spaces.genotype import GenotypeSpace
from spaces.lapp import lapp
from spaces.pruning.global_magnitude import global_magnitude

CIFAR = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "images_cifar10"
METHODS = ("lapp", "uniform", "magnitude", "hesso", "cric", "masks", "scratch")
TRAINED = {"hesso": "hesso", "cric": "cric", "masks": "mask_sparsity"}
LEARNING = 0.4
OFF = 0.01
LEAST = 0.1


class Block(nn.Module):
    """Two 3x3 convolutions; the shortcut is padded with zeros where the block narrows (option A)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.more = outputs - inputs
        self.first = nn.Conv2d(inputs, outputs, 3, 2 if self.more else 1, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])

    def forward(self, images: Tensor) -> Tensor:
        """Return features, of half the side where the block narrows."""
        features = self.norms[1](self.second(functional.relu(self.norms[0](self.first(images)))))
        if self.more:
            images = functional.pad(images[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return functional.relu(features + images)


class ResNet20(nn.Sequential):
    """He et al., CVPR 2016, section 4.2."""

    def __init__(self, channels: int = 3) -> None:
        widths = [16] * 4 + [32] * 3 + [64] * 3
        blocks = [Block(inputs, outputs) for inputs, outputs in pairwise(widths)]
        stem = [nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        super().__init__(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class OfDigits(ResNet20):
    """The same for images of one channel."""

    def __init__(self) -> None:
        super().__init__(1)


class Planted(nn.Module):
    """A stem and two layers of equal cost, the second of which sees nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.useful, self.useless = (
            nn.Sequential(nn.Conv2d(inputs, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
            for inputs in (1, 16, 16)
        )
        self.classifier = nn.Linear(128, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        features = self.stem(images)
        both = [self.useful(features), self.useless(features * 0)]
        return self.classifier(torch.cat([functional.adaptive_avg_pool2d(each, 2).flatten(1) for each in both], 1))


@cache
def cifar() -> Images:
    """Return 4,000 images to train with, 1,000 to validate and 4,000 to test, each reduced to means of 2x2 pixels."""
    files = [CIFAR / f"cifar10_{name}.npz" for name in ("train_12k", "val_4k")]
    images = JpegArchives(*files, val=1000, limit=4000)()
    return replace(images, **{name: smaller(getattr(images, name)) for name in ("train", "val", "test")})


def smaller(part: Part) -> Part:
    means = functional.avg_pool2d(part.images.float(), 2)
    return replace(part, images=means if part.normalisation is None else means.round().to(torch.uint8))


JOBS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], Callable[[], Images]]] = {
    "digits": (OfDigits, (1, 8, 8), cache(digits)),
    "cifar": (ResNet20, (3, 16, 16), cifar),
}


def train(model: nn.Module, data: Images, epochs: int, schedule: str, seed: int) -> None:
    """Train as `Lapp` does: its batches, optimiser and label smoothing."""
    plan = Optimization("sgd", 0.1, 0.9, 5e-4, schedule, 0.1 if schedule == "constant" else 0.0, (), 0.1)
    optimizer, steps = plan.make_optimizer(model), max(1, len(data.train.labels) // 64)
    torch.manual_seed(seed)
    model.train()
    for step in range(steps * epochs):
        if step % steps == 0:
            order = torch.randperm(len(data.train.labels))
        rows = order[step % steps * 64 :][:64]
        for group in optimizer.param_groups:
            group["lr"] = plan.lr_at(step / (steps * epochs))
        loss = functional.cross_entropy(model(data.train.inputs(rows)), data.train.labels[rows], label_smoothing=0.1)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()


def pruned(method: str, job: str, keep: float, epochs: int, seed: int) -> tuple[nn.Module, tuple[int, ...]]:
    """Return a method's network, pruned and not trained further, and its widths."""
    make, _, load = JOBS[job]
    network = space(job).value.network
    torch.manual_seed(seed)
    even = network.within_macs(keep, np.zeros(len(network.groups)), LEAST)
    if method == "scratch":
        return network.build(even), even
    if method == "lapp":
        with tempfile.TemporaryDirectory() as folder:
            for _ in Lapp(load, keep, epochs, LEAST)(Job(space(job), Path(folder), seed=seed)):
                pass
            widths = learned(Path(folder))
            return network.build(widths, learned_weights(Path(folder))), widths
    if method in TRAINED:
        with tempfile.TemporaryDirectory() as folder:
            settings = {"dataset": load, "keep": keep, "epochs": epochs, "least": LEAST}
            for _ in TrainedPruning(TRAINED[method], **settings)(Job(space(job), Path(folder), seed=seed)):
                pass
            widths = learned(Path(folder))
            return network.build(widths, learned_weights(Path(folder))), widths
    model = make()
    train(model, load(), epochs, "constant", seed)
    widths = even if method == "uniform" else global_magnitude(network, model, keep, least=LEAST)
    return network.shrink(model, network.largest(model, widths)), widths


@cache
def space(job: str) -> GenotypeSpace:
    return GenotypeSpace(lapp(JOBS[job][0], JOBS[job][1], pg.floatv(0.0, 0.95)))


def run(method: str, job: str, options: argparse.Namespace, seed: int) -> tuple[float, float, float]:
    """Return test accuracy in percent, the share of multiply-accumulates and CPU seconds."""
    began, data = time.process_time(), JOBS[job][2]()
    first = round(options.epochs * LEARNING)
    model, widths = pruned(method, job, options.keep, first, seed)
    epochs = {"lapp": options.epochs - first, "scratch": options.epochs + first}.get(method, options.epochs)
    train(model, data, epochs, "cosine", seed + 1)
    products = space(job).value.network.products
    whole = [group.width for group in space(job).value.network.groups]
    share = float(products(np.array(widths, float)) / products(np.array(whole, float)))
    return evaluate(model, data.test)[0], share, time.process_time() - began


def compare(job: str, seeds: int, options: argparse.Namespace) -> bool:
    """Print the table of one data set; return whether the learned networks are on target."""
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    space(job), JOBS[job][2]()  # what is made once is nobody's time
    for seed in range(seeds):  # interleaved, so that a busy machine is everyone's
        for method in METHODS:
            found[method].append(run(method, job, options, seed))
    print(f"\n{job}: ResNet-20, {options.keep:.0%} of its multiply-accumulates, {options.epochs} epochs, {seeds} seeds")
    for method, rows in found.items():
        accuracy, share, cpu_s = np.array(rows).T
        error = accuracy.std(ddof=1) / len(accuracy) ** 0.5 if len(accuracy) > 1 else float("nan")
        print(
            f"{method:10} {accuracy.mean():6.2f} +- {error:.2f} %   median {np.median(accuracy):6.2f} %   "
            f"MACs {share.min():.2%} to {share.max():.2%}   {np.median(cpu_s):5.1f} s"
        )
    on_target = [abs(share / options.keep - 1) <= OFF for _, share, _ in found["lapp"]]
    print(f"lapp within 1 % of the target in {sum(on_target)} of {seeds}")
    return all(on_target)


def targets(options: argparse.Namespace) -> bool:
    """Print how near to their target rates come that are learned on CIFAR-10; return whether all are within 1 %."""
    network, shares = space("cifar").value.network, []
    whole = np.array([group.width for group in network.groups], float)
    for seed in range(options.seeds):
        _, widths = pruned("lapp", "cifar", options.keep, round(options.epochs * LEARNING), seed)
        shares.append(float(network.products(np.array(widths, float)) / network.products(whole)) / options.keep - 1)
    good = [abs(share) <= OFF for share in shares]
    print(
        f"cifar: off the target by {min(shares):+.2%} to {max(shares):+.2%}; within 1 % in {sum(good)} of {len(good)}"
    )
    return all(good)


def planted(seeds: int) -> bool:
    """Print what is left of the two planted branches; return whether each run found the useless one."""
    rates = GenotypeSpace(lapp(Planted, (1, 8, 8), pg.floatv(0.0, 0.95)))
    right = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            for _ in Lapp()(Job(rates, Path(folder), seed=seed)):
                pass
            widths = learned(Path(folder))
        right.append(widths[1] >= 14 and widths[2] <= 4)
        print(f"planted, seed {seed}: stem {widths[0]}, useful {widths[1]}, useless {widths[2]} of 16 each")
    print(f"found in {sum(right)} of {seeds}")
    return all(right)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--cifar-seeds", type=int, default=2)
    parser.add_argument("--keep", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--jobs", default="planted,digits,cifar,targets")
    options = parser.parse_args()
    torch.set_num_threads(1)
    wanted, began, good = options.jobs.split(","), time.process_time(), []
    if "planted" in wanted:
        good.append(planted(options.seeds))
    if "digits" in wanted:
        good.append(compare("digits", options.seeds, options))
    if "cifar" in wanted and CIFAR.exists():
        good.append(compare("cifar", options.cifar_seeds, options))
    elif "cifar" in wanted:
        print(f"\ncifar: the data folder {CIFAR} is not on this machine")
    if "targets" in wanted and CIFAR.exists():
        good.append(targets(options))
    print(f"\n{time.process_time() - began:.0f} s of CPU")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
