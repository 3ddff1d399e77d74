"""What is pruned in `benchmarks/pruning.py`: ResNet-20 on digits and on a part of CIFAR-10, and a planted network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyglove as pg
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators.datasets import Images, JpegArchives, Part, digits
from evaluators.optimization import Optimization
from spaces.genotype import GenotypeSpace
from spaces.lapp import lapp
from spaces.networks.resnet import ResNet

CIFAR = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "images_cifar10"


class OfDigits(ResNet):
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
def cifar(train: int = 4000) -> Images:
    """Return images to train with, 1,000 to validate and 4,000 to test, each reduced to means of 2x2 pixels."""
    files = [CIFAR / f"cifar10_{name}.npz" for name in ("train_12k", "val_4k")]
    images = JpegArchives(*files, val=1000, limit=train)()
    return replace(images, **{name: smaller(getattr(images, name)) for name in ("train", "val", "test")})


def cifar2000() -> Images:
    """Return the same with 2,000 images to train with."""
    return cifar(2000)


def smaller(part: Part) -> Part:
    means = functional.avg_pool2d(part.images.float(), 2)
    return replace(part, images=means if part.images.is_floating_point() else means.round().to(torch.uint8))


JOBS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], Callable[[], Images]]] = {
    "digits": (OfDigits, (1, 8, 8), cache(digits)),
    "cifar": (ResNet, (3, 16, 16), cifar),
    "cifar2000": (ResNet, (3, 16, 16), cifar2000),
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


@cache
def space(job: str) -> GenotypeSpace:
    return GenotypeSpace(lapp(JOBS[job][0], JOBS[job][1], pg.floatv(0.0, 0.95)))
