"""Progressive shrinking: the largest network first, then kernels, depths and expansions become elastic in turn.

Source: once-for-all (Cai et al., ICLR 2020, section 3.2 and its released code): phases, their lengths and their numbers
of networks a step, the sorting of channels before expansions become elastic, learning rates of each phase's own.
Resolutions are drawn from the first phase on, one a step.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.nested.space import NestedSpace
from evaluators.optimization import Optimization
from evaluators.samplers._base import KEPT, Memory, Sampler, Step, Subnet

DIMENSIONS = {"kernel": r"kernel$", "depth": r"(then|depth)$", "expansion": r"(expansion|mlp_ratio|v_scale|width)$"}
"""What the columns of a dimension are called."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the training.

    Attributes:
      epochs: how long it is, beside the other phases.
      subnets: how many networks a step trains; with 0 it is the largest alone, from the labels.
      kernel, depth, expansion: how many choices there are, from the largest down; of a depth, how much of it may go.
      lr: its initial learning rate, beside the first phase's.
      warmup: of its `epochs`, those in which the learning rate rises to `lr`.
    """

    epochs: float
    subnets: int
    kernel: int = 1
    depth: int = 1
    expansion: int = 1
    lr: float = 1.0
    warmup: float = 0.0


PUBLISHED = (
    Phase(180, 0, lr=2.6),
    Phase(125, 1, kernel=9, lr=0.96, warmup=5),
    Phase(25, 2, kernel=9, depth=2, lr=0.08),
    Phase(125, 2, kernel=9, depth=3, lr=0.24, warmup=5),
    Phase(25, 4, kernel=9, depth=9, expansion=2, lr=0.08),
    Phase(125, 4, kernel=9, depth=9, expansion=3, lr=0.24, warmup=5),
)
"""The paper's, of kernels 3, 5 and 7, depths 2, 3 and 4 and expansions 3, 4 and 6; rates are of batches of 2048."""

WARMUP_FROM = 1 / 32
"""Where a phase's warm-up begins, as a share of its rate: at that of one of the paper's 32 GPUs."""


@dataclass(frozen=True)
class ProgressiveShrinking(Sampler):
    """Draws the largest network in the first phase; then random ones of what the phase has opened.

    These learn from the labels and, in equal parts, from the largest network as the first phase has left it, on images
    of their own side. A `then` that may end a chain of blocks is as deep as there are blocks after it.

    Attributes:
      phases: their lengths are shares of the training, in proportion.
      restarts: whether each phase has a learning rate of its own, as the paper's: a linear warm-up where it has one,
        then half a cosine to 0. The optimization's is the first phase's; its schedule and warm-up are not used.
        The paper's phases begin with new optimisers, too; here momentum stays, but where channels are sorted.
    """

    phases: tuple[Phase, ...] = PUBLISHED
    restarts: bool = False

    def __post_init__(self) -> None:
        if not self.phases or min(phase.epochs for phase in self.phases) <= 0:
            raise ValueError(f"expected phases of more than 0 epochs each, got {self.phases}")
        if not all(phase.lr > 0 and 0 <= phase.warmup < phase.epochs for phase in self.phases):
            raise ValueError(f"expected rates above 0 and warm-ups shorter than their phases, got {self.phases}")

    def draw(self, at: Step, memory: Memory) -> Sequence[Subnet]:
        """Return networks of the present phase, all with images of one resolution."""
        del memory
        phase = self.phase(at.progress)
        drawn = [opened(at.nets, phase, at.rng) for _ in range(max(1, phase.subnets))]
        for row in drawn[1:]:
            row[_others(at.nets)] = drawn[0][_others(at.nets)]
        if not phase.subnets:
            return [Subnet(drawn[0], "largest")]
        whole = at.nets.largest.copy()
        whole[_others(at.nets)] = drawn[0][_others(at.nets)]
        return [Subnet(row, "random", teachers=(KEPT,), kept=at.nets.valid(whole)) for row in drawn]

    def lr_at(self, progress: float, optimization: Optimization) -> float:
        """See `Sampler.lr_at`, and `restarts`."""
        if not self.restarts:
            return optimization.lr_at(progress)
        ends, place = self._ends, self._place(progress)
        phase = self.phases[place]
        passed = float(progress * ends[-1] - (ends[place] - phase.epochs))
        peak = optimization.lr * phase.lr / self.phases[0].lr
        if passed < phase.warmup:
            return peak * (WARMUP_FROM + (1 - WARMUP_FROM) * passed / phase.warmup)
        return peak * (0.5 + 0.5 * math.cos(math.pi * (passed - phase.warmup) / (phase.epochs - phase.warmup)))

    def sorts(self, at: Step, memory: Memory) -> Sequence[np.ndarray] | None:
        """Return, where a phase opens smaller expansions, the largest networks of those that were open before."""
        opens = self.phase(at.progress).expansion
        before = memory.get("expansion", opens)
        memory["expansion"] = opens
        if opens <= before:
            return None
        columns = [column for column in range(at.nets.space.width) if _dimension(at.nets, column) == "expansion"]
        fronts = []
        for rank in range(1, before):
            ranks = np.zeros(at.nets.space.width, np.intp)
            ranks[columns] = [min(rank, len(at.nets.order[column]) - 1) for column in columns]
            fronts.append(at.nets.of_ranks(ranks))
        return fronts

    def phase(self, progress: float) -> Phase:
        """Return the phase at a share of the training, from 0 to 1."""
        return self.phases[self._place(progress)]

    def _place(self, progress: float) -> int:
        ends = self._ends
        return min(int(np.searchsorted(ends, progress * ends[-1], side="right")), len(ends) - 1)

    @property
    def _ends(self) -> np.ndarray:
        return np.cumsum([phase.epochs for phase in self.phases])


def opened(nets: NestedSpace, phase: Phase, rng: np.random.Generator) -> np.ndarray:
    """Return a random genotype of what a phase has opened, decisions of no dimension (resolutions) open in any case."""
    row = nets.largest.copy()
    for column, order in enumerate(nets.order):
        dimension = _dimension(nets, column)
        allowed = order if dimension is None else _allowed(nets, column, getattr(phase, dimension), dimension)
        row[column] = rng.choice(allowed)
    return nets.valid(row)


def _allowed(nets: NestedSpace, column: int, levels: int, dimension: str) -> np.ndarray:
    name, order = nets.space.columns[column].name, nets.order[column]
    if dimension == "depth" and name.endswith("then"):
        after = sum(other.name.startswith(name) and other.name.endswith("then") for other in nets.space.columns)
        return order if after < levels else order[:1]
    return order[:levels]


def _dimension(nets: NestedSpace, column: int) -> str | None:
    name = nets.space.columns[column].name
    return next((dimension for dimension, pattern in DIMENSIONS.items() if re.search(pattern, name)), None)


def _others(nets: NestedSpace) -> list[int]:
    return [column for column in range(nets.space.width) if _dimension(nets, column) is None]
