"""Complexity-aware sampling: all networks of a step are about as large as each other (ElasticViT).

Source: Tang et al., ICCV 2023 (arXiv 2303.09730), and its released code (github.com/microsoft/Moonlit): levels of
multiply-accumulates, the step from one to a neighbour, several smallest networks, three random networks and a smallest
one a step. How a network of a level is found is ours: see `at_level`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators._counts import check_counts
from evaluators.nested.space import NestedSpace
from evaluators.samplers._base import Memory, Sampler, Step, Subnet

TRIES = 100
"""Random genotypes from which a way to a level is looked for."""


@dataclass(frozen=True)
class ComplexityAware(Sampler):
    """Draws `subnets` random networks of one level of complexity a step and the smallest network that goes with it.

    The random ones learn from the labels, the smallest from the mean of their probabilities. The released settings are
    levels of 100, 200, 300, 400, 500, 700, 900 and 1200 million, a window of 20 million, three networks, and the
    smallest networks `spaces.elasticvit.published("min-200")`, `min-400` and `min-800`.

    Attributes:
      levels: in multiply-accumulates, ascending; None for `count` of them in equal ratios, from 1.25 times the smallest
        network's to half of the largest's.
      window: how far above its level a network may be; None for a fifth of the level.
      subnets: random networks a step.
      smallest: pairs of multiply-accumulates, ascending, and a genotype: the smallest network for levels up to there
        and the window above, and for all levels beyond the last; none for the space's own.
      count: see `levels`.
    """

    levels: tuple[float, ...] | None = None
    window: float | None = None
    subnets: int = 3
    smallest: tuple[tuple[float, tuple[int, ...]], ...] = ()
    count: int = 6

    def __post_init__(self) -> None:
        if self.levels is not None and (not self.levels or list(self.levels) != sorted(self.levels)):
            raise ValueError(f"levels must be ascending, got {self.levels}")
        check_counts(subnets=self.subnets, count=self.count)

    def draw(self, at: Step, memory: Memory) -> Sequence[Subnet]:
        """Return random networks of one level and its smallest network; the memory holds the level."""
        levels = self.levels_of(at.nets)
        memory["level"] = self._next(at, memory, len(levels))
        level = levels[memory["level"]]
        random = [self._one(at, level, memory) for _ in range(self.subnets)]
        taught = Subnet(self.smallest_for(at.nets, level), "smallest", tuple(range(self.subnets)), labels=0.0)
        return [*random, taught]

    def levels_of(self, nets: NestedSpace) -> tuple[float, ...]:
        """Return the levels in multiply-accumulates."""
        if self.levels is not None:
            return self.levels
        return tuple(np.geomspace(1.25 * nets.smallest_macs, nets.largest_macs / 2, self.count).tolist())

    def window_at(self, level: float) -> float:
        """Return how far above a level its networks may be, in multiply-accumulates."""
        return level / 5 if self.window is None else self.window

    def smallest_for(self, nets: NestedSpace, level: float) -> np.ndarray:
        """Return the genotype of the smallest network that goes with a level."""
        if not self.smallest:
            return nets.smallest
        fitting = [row for macs, row in self.smallest if level <= macs + self.window_at(level)]
        return np.array(fitting[0] if fitting else self.smallest[-1][1], nets.space.dtype)

    def random_at(self, at: Step, level: float) -> np.ndarray:
        """Return a random network of a level, no decision below those of the smallest network that goes with it."""
        window = level, level + self.window_at(level)
        return at_level(at.nets, window, at.rng, self.smallest_for(at.nets, level))

    def _one(self, at: Step, level: float, memory: Memory) -> Subnet:
        del memory
        return Subnet(self.random_at(at, level), "random")

    @staticmethod
    def _next(at: Step, memory: Memory, count: int) -> int:
        """Return the step's level: the first at first; then the last step's or, each as likely, one of its neighbours.

        At the ends staying is twice as likely as leaving; between epochs there is one more such step.
        """
        if "level" not in memory:
            return 0
        level: int = memory["level"]
        for _ in range(1 + (at.step == 0)):
            level = min(max(level + int(at.rng.integers(-1, 2)), 0), count - 1)
        return level


def at_level(nets: NestedSpace, window: tuple[float, float], rng: np.random.Generator, least: np.ndarray) -> np.ndarray:
    """Return a random genotype whose multiply-accumulates are within a window, no decision smaller than in `least`.

    A random genotype that is too large goes rank by rank, its decisions in random order, towards `least`, one that is
    too small towards the largest; where that leads past the window, another is drawn. So networks are not uniform among
    those that fit, and none has to be thrown away by the thousand.

    Raises:
      ValueError: where none is found.
    """
    low, high = window
    bound = np.where(nets.space.active(least[None])[0], nets.ranks(least), [len(order) - 1 for order in nets.order])
    for _ in range(TRIES):
        ranks = np.minimum(nets.ranks(nets.random(rng)), bound)
        goal = bound if nets.macs(nets.of_ranks(ranks)) > high else np.zeros_like(bound)
        moves = rng.permutation(np.repeat(np.arange(len(bound)), abs(goal - ranks)))
        row = _first(nets, ranks, np.sign(goal - ranks), moves, high if goal is bound else low)
        if low <= nets.macs(row) <= high:
            return row
    raise ValueError(
        f"no network of {low:.4g} to {high:.4g} multiply-accumulates was found; the space's have "
        f"{nets.smallest_macs:.4g} to {nets.largest_macs:.4g}: give other levels or a wider window"
    )


def _first(nets: NestedSpace, ranks: np.ndarray, signs: np.ndarray, moves: np.ndarray, limit: float) -> np.ndarray:
    """Return the first genotype along moves of a rank each that is not on the start's side of a limit, by halving."""

    def after(count: int) -> np.ndarray:
        return nets.of_ranks(ranks + signs * np.bincount(moves[:count], minlength=len(ranks)))

    shrinks = bool((signs > 0).any())
    least, most = 0, len(moves)
    while least < most:
        middle = (least + most) // 2
        macs = nets.macs(after(middle))
        if macs <= limit if shrinks else macs >= limit:
            most = middle
        else:
            least = middle + 1
    return after(least)
