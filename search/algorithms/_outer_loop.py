"""The outer loop of a nested search: its candidates, what their inner searches came to, and what it is told of them."""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.algorithms._base import Algorithm, KnownScores, Problem, Results
from search.algorithms._fronts import Archive
from search.algorithms._learned import of_part
from search.algorithms._past import joined, no_results, rows_of

if TYPE_CHECKING:
    from spaces.genotype import Part


@dataclass(slots=True)
class _Candidate:
    """An outer candidate, shape (1, width), and its inner trials: how many, how many are told, and the best."""

    genotype: np.ndarray
    best: Archive
    proposed: int = 0
    told: int = 0


class OuterLoop:
    """Tells its algorithm, of each candidate, the best inner trial (of several objectives, each of the inner front).

    That is done when all inner trials of the candidate are told, and in the order in which candidates were opened, so
    that what the algorithm knows follows from the trials alone. One candidate is open at a time, the last.
    """

    def __init__(
        self, algorithm: Algorithm, problem: Problem, part: Part, seed: int, known: KnownScores | None
    ) -> None:
        """Start a copy of `algorithm`, which is not started itself, on the outer part of the problem's space."""
        self._part = part
        self._objectives = problem.objectives
        self._algorithm = copy.deepcopy(algorithm)
        learnt = of_part(problem.distributions, part)
        self._algorithm.start(Problem(part.space, problem.objectives, seed, known, distributions=learnt))
        self._waiting: dict[bytes, _Candidate] = {}
        self._open: _Candidate | None = None

    @property
    def trials(self) -> int:
        """How many inner trials of the open candidate were proposed; 0 where none is open."""
        return 0 if self._open is None else self._open.proposed

    def open_next(self) -> np.ndarray | None:
        """Open another candidate; return it as a genotype of the whole, (width,), None when there are no more."""
        self._open = None
        self._tell()
        genotype = self._algorithm.propose(1)
        if not len(genotype):
            return None
        self._open = self._add(genotype)
        row: np.ndarray = self._part.join(genotype)[0]
        return row

    def _add(self, genotype: np.ndarray) -> _Candidate:
        whole = self._part.whole
        candidate = _Candidate(genotype, Archive(whole.width, whole.dtype, self._objectives))
        self._waiting[self._part.space.keys(genotype)[0]] = candidate
        return candidate

    def propose(self, count: int) -> None:
        """Count inner trials of the open candidate."""
        if self._open is not None:
            self._open.proposed += count

    def learn(self, results: Results) -> None:
        """Take in results of inner trials."""
        self._sort_in(results)
        self._tell()

    def _sort_in(self, results: Results) -> None:
        rows: dict[bytes, list[int]] = defaultdict(list)
        for row, key in enumerate(self._part.space.keys(self._part.take(results.genotypes))):
            rows[key].append(row)
        for key in rows.keys() & self._waiting.keys():
            candidate = self._waiting[key]
            candidate.told += len(rows[key])
            candidate.best.learn(rows_of(results, rows[key]))

    def _tell(self) -> None:
        for found in self._finished():
            self._algorithm.learn(found)

    def _finished(self) -> list[Results]:
        """Return what is to be told of the first candidates, as far as they are finished, and forget them."""
        found = []
        for key, candidate in list(self._waiting.items()):
            if candidate is self._open or candidate.told < candidate.proposed:
                break
            found.append(self._outcome(candidate))
            del self._waiting[key]
        return found

    def _outcome(self, candidate: _Candidate) -> Results:
        scores, violation = candidate.best.scores, candidate.best.violation
        if not len(scores):
            return Results(candidate.genotype, np.full((1, self._objectives), np.nan), np.zeros(1))
        genotypes = np.repeat(candidate.genotype, len(scores), axis=0)
        return Results(genotypes, scores, np.full(len(scores), violation))

    def state(self) -> dict[str, Any]:
        """Return the algorithm's state, and whether the last candidate is open."""
        return {"algorithm": self._algorithm.state(), "open": self._open is not None}

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> int:
        """Go on from `state`, given all inner trials; return how many were proposed before the last candidate's."""
        outer = self._part.take(proposed)
        first = self._part.space.unique(outer)
        for genotype in outer[first]:
            self._open = self._add(genotype[None, :])
        for key in self._part.space.keys(outer):
            self._waiting[key].proposed += 1
        if not state["open"]:
            self._open = None
        self._sort_in(results)
        told = joined([no_results(self._part.space, self._objectives), *self._finished()])
        self._algorithm.restore(state["algorithm"], outer[first], told)
        return int(first[-1]) if len(first) else 0
