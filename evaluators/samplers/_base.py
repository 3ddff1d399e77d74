"""What every sampler is: settings that say, step by step, which networks of a nested space are trained, and on what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluators.nested.space import NestedSpace
from evaluators.optimization import Optimization

Memory = dict[str, Any]
"""What a sampler keeps between steps: plain values alone, as they go into the checkpoint; empty at the first step."""

KEPT = -1
"""Among teachers: the largest network or a subnet's `kept`, its weights as they were when first asked for in a run."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A network that a step trains.

    Attributes:
      genotype: (width,).
      kind: what its losses are reported as: `largest`, `smallest`, `random`, ...
      teachers: places of earlier networks of the step, the mean of whose probabilities it learns from; `KEPT` too.
      labels: the weight of the labels' loss beside the teachers', whose weight is 1 where there are any.
      scale: what its gradients are multiplied by.
      kept: the network, (width,), that `KEPT` stands for; None for the largest.
    """

    genotype: np.ndarray
    kind: str
    teachers: tuple[int, ...] = ()
    labels: float = 1.0
    scale: float = 1.0
    kept: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a training, as its sampler sees it.

    Attributes:
      nets: the space.
      epoch, epochs: counted from 0, and how many there are.
      step, steps: of the epoch, likewise.
      rng: of this step alone.
      lr_at: the learning rate at a share of the training, from 0 to 1.
      score: minus a network's cross-entropy on the step's images, with its present weights.
    """

    nets: NestedSpace
    epoch: int
    epochs: int
    step: int
    steps: int
    rng: np.random.Generator
    lr_at: Callable[[float], float]
    score: Callable[[np.ndarray], float]

    @property
    def progress(self) -> float:
        """The share of the training that is done, 0 at the first step."""
        return (self.epoch + self.step / self.steps) / self.epochs


class Sampler(ABC):
    """A frozen dataclass whose fields are its settings; what changes is in the memory that it is handed."""

    @abstractmethod
    def draw(self, at: Step, memory: Memory) -> Sequence[Subnet]:
        """Return the networks of a step, in the order they are to run: at least one."""

    def lr_at(self, progress: float, optimization: Optimization) -> float:
        """Return the learning rate at a share of the training, from 0 to 1: by default as the optimization has it."""
        return optimization.lr_at(progress)

    def sorts(self, at: Step, memory: Memory) -> Sequence[np.ndarray] | None:
        """Return None, or that inner channels are to be sorted by importance before the step; see `sort_channels`.

        What is returned are the genotypes of networks whose channels stay in front of all others.
        """
        del at, memory
        return None

    def learn(self, at: Step, drawn: Sequence[Subnet], losses: Sequence[float], memory: Memory) -> None:
        """Take what was drawn and each network's cross-entropy on the step's images, before its weights moved."""
        del at, drawn, losses, memory
