"""What a supernet's training does beside drawing networks: teachers, changed images, clipping, an average of weights.

Each part names its source. ElasticViT's whole recipe (Tang et al., ICCV 2023) is in the study `elasticvit`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._reproducible import seed_of
from evaluators.augmentation import Augmentation, bound
from evaluators.datasets import Part, described
from evaluators.mixing import Mix
from evaluators.nested.distillation import soft_cross_entropy
from evaluators.nested.gradient_clipping import clip_gradients
from evaluators.nested.shared_gradients import POWERS, divide
from evaluators.nested.teachers import Teacher, Teachers
from evaluators.nested.weight_average import WeightAverage
from evaluators.nested.weights import NestedWeights
from spaces.genotype import GenotypeSpace


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of a training; by default nothing of all this is done.

    Attributes:
      teachers: trained networks. Where a sampler lets a network learn from the labels, it then learns from the mean of
        the teachers' probabilities, by soft cross-entropy; what it learns from networks of the step stays.
      temperature: that the teachers' logits are divided by; ElasticViT's for two of them, 1 for a single one.
      labels: the weight of the labels' loss beside teachers, whose weight is the rest; ElasticViT's is 0 for two
        teachers, .5 for a single one.
      average: the decay of an exponential moving average of the weights, which is then what is scored; 0 for none.
      clip: the share of adaptive gradient clipping; 0 for none.
      spared: a regular expression of the names of weights, within the largest network, that do not decay.
      shared: what divides the gradients of weights that networks share; see `evaluators.nested.shared_gradients`.
      augment: what changes the training images, one after the other; see `evaluators.augmentation`.
      mix: mixes images and labels, after that.
    """

    teachers: tuple[Teacher, ...] = ()
    temperature: float = 0.2
    labels: float = 0.0
    average: float = 0.0
    clip: float = 0.0
    spared: str = ""
    shared: str = "sum"
    augment: tuple[Augmentation, ...] = ()
    mix: Mix | None = None

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and 0 <= self.labels <= 1 and 0 <= self.average < 1 and self.clip >= 0):
            numbers = f"{self.temperature}, {self.labels}, {self.average} and {self.clip}"
            raise ValueError(
                f"temperature must be above 0, labels in [0, 1], average in [0, 1), clip at least 0; got {numbers}"
            )
        if self.shared not in POWERS:
            raise ValueError(f"shared must be {', '.join(POWERS)}, got {self.shared!r}")
        try:
            re.compile(self.spared)
        except re.error as error:
            raise ValueError(f"spared must be a regular expression, got {self.spared!r}: {error}") from error

    def __repr__(self) -> str:
        written = {each.name: getattr(self, each.name) for each in fields(self)}
        return f"Recipe({written | {'augment': [described(change) for change in self.augment]}})"


class InUse:
    """A recipe while a supernet is trained by it."""

    def __init__(self, recipe: Recipe, weights: NestedWeights, space: GenotypeSpace, device: str) -> None:
        """Read the teachers; raises what that raises."""
        self.recipe, self.device = recipe, device
        read = [teacher.read(space) for teacher in recipe.teachers]
        self.teachers = Teachers(read, recipe.temperature).to(device) if read else None
        self.average = WeightAverage(weights, recipe.average) if recipe.average else None

    def changed(self, batch: Part, classes: int, *seeds: int) -> Part:
        """Return a batch of inputs as it is trained on; mixed labels are shares (n, classes); `seeds` are a step's."""
        images, labels = batch.images, batch.labels
        if self.recipe.augment:
            with torch.random.fork_rng([]):
                torch.manual_seed(seed_of(*seeds, 2))
                for change in bound(self.recipe.augment, batch):
                    images = change(images)
        if self.recipe.mix is not None:
            images, labels = self.recipe.mix(images, labels, classes, np.random.default_rng((*seeds, 3)))
        return Part(images, labels)

    def taught(self, images: Tensor) -> Tensor | None:
        """Return what the teachers make of images, probabilities (n, classes); None without teachers."""
        if self.teachers is None:
            return None
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            taught: Tensor = self.teachers(images)
        return taught

    def loss(self, logits: Tensor, labels: Tensor, taught: Tensor | None, smoothing: float) -> Tensor:
        """Return a network's loss by labels, or by teachers as far as the recipe says."""
        hard = functional.cross_entropy(logits, labels, label_smoothing=smoothing)
        if taught is None:
            return hard
        return self.recipe.labels * hard + (1 - self.recipe.labels) * soft_cross_entropy(logits, taught)

    def before_step(self, weights: NestedWeights, networks: Sequence[tuple[nn.Module, float]]) -> None:
        """Change the gradients of a step of `networks` with their scales: what they share, then their lengths."""
        divide(weights, networks, self.recipe.shared)
        if self.recipe.clip:
            clip_gradients(weights.parameters(), self.recipe.clip)

    def after_step(self, weights: NestedWeights) -> None:
        """Move the average."""
        if self.average is not None:
            self.average.move(weights)

    def sorted(self, weights: NestedWeights) -> None:
        """Begin the average anew, for channels have changed their places."""
        if self.average is not None:
            self.average.restart(weights)

    def scored(self, weights: NestedWeights) -> NestedWeights:
        """Return the weights that networks are scored with."""
        return weights if self.average is None else self.average.weights

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {} if self.average is None else {"average": self.average.state()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        if self.average is not None:
            self.average.load(state["average"])
