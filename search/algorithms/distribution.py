"""Networks from learned distributions over architectures: the most probable within the budget, then what is drawn.

FBNet (Wu et al., CVPR 2019, section 3.3) draws architectures from the distribution that its supernet has learnt;
ProxylessNAS (Cai, Zhu and Han, ICLR 2019, section 3.2) keeps the most probable path. To decode within a budget is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._constrained_decoding import most_probable
from search.algorithms._learned import Budget, LogProbabilities, checked, independent, sample
from search.algorithms._supports import Supports

DRAWN = 64
"""The fewest genotypes that are drawn at a time."""

TRIES = 8
"""How often more are drawn where all of them were proposed before or break a constraint."""

LISTED = (64, 512, 4096)
"""How many of the most probable are listed where drawing finds nothing new; the next number where that has none."""


@dataclass
class Distribution(Algorithm):
    """Proposes from the study's learned distributions in turn; without any, as from one that is not trained: uniform.

    Where bounds on known metrics add up over the decisions, the most probable genotypes within them are decoded
    exactly; other bounds are met by drawing again. Floats are drawn uniformly on their scale.

    Attributes:
      most_probable: how many of each distribution's most probable genotypes come before what is drawn from it. The one
        that the default has first is the network that the distribution stands for, and drawing may miss it.
    """

    name: ClassVar[str] = "distribution"
    source: ClassVar[str] = "Wu et al., CVPR 2019; Cai, Zhu and Han, ICLR 2019"
    supports: ClassVar[Supports] = Supports(constraints="known")

    most_probable: int = 1

    def start(self, problem: Problem) -> None:
        """See `Algorithm`. Raises ValueError for a negative `most_probable`, and distributions of another space."""
        super().start(problem)
        if self.most_probable < 0:
            raise ValueError(f"most_probable is {self.most_probable}: expected a number of genotypes, 0 or more")
        self._learnt = tuple(checked(problem.space, each) for each in problem.distributions)
        self._decodable = bool(self._learnt) and independent(problem.space)
        self._lists: dict[tuple[int, int], np.ndarray] = {}
        self._exact = True
        self._turn = 0

    @property
    def remark(self) -> str:
        """What is proposed first, and what bounds could not be decoded within."""
        if not self._learnt:
            return "no preparation has learnt a distribution: every choice is as probable as any other"
        several = f"each of {len(self._learnt)} learned distributions" if len(self._learnt) > 1 else "what was learnt"
        if not self._decodable or not self.most_probable:
            return f"draws from {several}"
        for which in range(len(self._learnt)):
            self._first(which)
        tried = not self._problem.costs and self._breaks_bounds()
        return (
            f"the most probable of {several}, then draws from it"
            f"{'; bounds do not add up over the decisions, and are met by trying' if tried else ''}"
            f"{'' if self._exact else '; it cannot be ruled out that there are more probable ones'}"
        )

    def _draw(self, count: int) -> np.ndarray:
        turns = max(len(self._learnt), 1)
        taken: set[bytes] = set()
        found = [
            self._fresh((self._turn + place) % turns, len(range(place, count, turns)), taken)
            for place in range(min(turns, count))
        ]
        rows = [row for together in zip_longest(*found) for row in together if row is not None]
        self._turn = (self._turn + len(rows)) % turns
        return np.array(rows, self._space.dtype).reshape(len(rows), self._space.width)

    def _fresh(self, which: int, count: int, taken: set[bytes]) -> list[np.ndarray]:
        """Return up to `count` genotypes by one distribution that are new and not among `taken`, and add them there."""
        found: list[np.ndarray] = []
        for rows in self._candidates(which, count):
            for key, row in zip(self._space.keys(rows), rows, strict=True):
                if key not in self._seen and key not in taken:
                    taken.add(key)
                    found.append(row)
                if len(found) == count:
                    return found
        return found

    def _candidates(self, which: int, count: int) -> Iterator[np.ndarray]:
        """Yield feasible genotypes by one distribution: the most probable, then drawn ones, then by probability."""
        if self._decodable:
            yield self._first(which)
        for _ in range(TRIES):
            yield self._feasible(self._sample(which, max(count, DRAWN)))
        for listed in LISTED if self._decodable else ():
            yield self._feasible(self._list(which, listed))

    def _sample(self, which: int, count: int) -> np.ndarray:
        if not self._learnt:
            return self._space.sample(count, self._random)
        return sample(self._space, self._learnt[which], count, self._random)

    def _first(self, which: int) -> np.ndarray:
        """Return the `most_probable` feasible genotypes; fewer where even the longest list has not as many."""
        found = self._list(which, 0)
        for listed in (self.most_probable, *LISTED) if self.most_probable else ():
            found = self._feasible(self._list(which, listed))[: self.most_probable]
            if len(found) == self.most_probable:
                break
        return found

    def _list(self, which: int, count: int) -> np.ndarray:
        """Return the most probable genotypes of one distribution, those of the tightest budget."""
        if count and (which, count) not in self._lists:
            decoded = most_probable(self._space, self._learnt[which], count, self._tightest(self._learnt[which]))
            self._lists[which, count] = decoded.genotypes
            self._exact &= decoded.exact
        return self._lists[which, count] if count else np.zeros((0, self._space.width), self._space.dtype)

    def _tightest(self, learnt: LogProbabilities) -> Budget | None:
        """Return the budget that the most probable genotype exceeds most, in parts of its bound; None without any."""
        if not self._problem.costs:
            return None
        row = most_probable(self._space, learnt, 1).genotypes[0]
        return max(self._problem.costs, key=lambda budget: _excess(budget, row))

    def _breaks_bounds(self) -> bool:
        """Return whether any of some random genotypes breaks a bound on what is known."""
        rows = self._space.sample(DRAWN, np.random.default_rng(self._problem.seed))
        return len(self._feasible(rows)) < len(rows)

    def _feasible(self, rows: np.ndarray) -> np.ndarray:
        known = self._problem.known
        return rows if known is None or not len(rows) else rows[known(rows)[1] <= 0]

    def state(self) -> dict[str, Any]:
        """Return the state of every algorithm, and whose turn it is."""
        return {**super().state(), "turn": self._turn}

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """See `Algorithm`."""
        super().restore(state, proposed, results)
        self._turn = state["turn"]


def _excess(budget: Budget, row: np.ndarray) -> float:
    cost = budget.constant + sum(terms[choice] for terms, choice in zip(budget.terms, row.tolist(), strict=True))
    return float(cost - budget.bound) / (abs(budget.bound) or 1.0)
