"""What every algorithm is: it proposes genotypes in batches, learns from results, and is saved and restored exactly."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from search.algorithms._setting_types import check_setting_types
from search.algorithms._supports import Supports, check_supported

if TYPE_CHECKING:  # reading a stored study needs no PyGlove
    from search.algorithms._learned import Budget, LogProbabilities
    from spaces.genotype import GenotypeSpace

MAX_DRAWS = 1000
"""How many fruitless draws in a row (all seen or infeasible) it takes before the space is listed instead."""

RANDOM_DRAWS = 256
"""How many random genotypes are tried where an algorithm finds nothing new."""

NEAREST, STEPS = 100, 10
"""Genotypes that are moved towards the known constraints where no random one meets them; how often without success."""

ENUMERABLE = 1_000_000
"""Spaces up to this size are listed to find what is left of them."""


@dataclass(frozen=True, slots=True)
class Results:
    """Finished trials, in the order in which they were told.

    Attributes:
      genotypes: shape (n, width).
      scores: shape (n, objectives), float64, larger is better; a row of NaN for a trial that has no result.
      violations: shape (n,), float64: 0 where every constraint holds, else the sum of relative excesses.
    """

    genotypes: np.ndarray
    scores: np.ndarray
    violations: np.ndarray


KnownScores = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Genotypes (n, width) -> scores (n, objectives), NaN where only an evaluator knows, and violations (n,)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What an algorithm is asked to solve.

    Attributes:
      space: the compiled space.
      objectives: the number of objectives.
      seed: of the algorithm's generator.
      known: objectives and constraints that are known before an evaluation, or None.
      budget: how many trials there will be in all, as far as is known.
      distributions: what preparations have learnt of where good genotypes are, one a task or device.
      costs: those bounds on known metrics that add up over columns; `known` tells of them, too.
    """

    space: GenotypeSpace
    objectives: int = 1
    seed: int = 0
    known: KnownScores | None = None
    budget: int | None = None
    distributions: tuple[LogProbabilities, ...] = ()
    costs: tuple[Budget, ...] = ()


@dataclass
class Algorithm(ABC):
    """Proposes genotypes. Subclasses are dataclasses whose fields are their settings, and define `_draw`.

    Call `start(problem)` once, then `propose` and `learn` in any order. No genotype is proposed twice, nor one that
    violates a known constraint: `propose` returns fewer rows than asked when nothing else is left.
    """

    name: ClassVar[str]
    source: ClassVar[str] = ""
    supports: ClassVar[Supports] = Supports()
    """What it can be asked to do; `start` refuses the rest."""

    def __post_init__(self) -> None:
        """Raise ValueError for a setting that is not of its annotated type."""
        check_setting_types(self.name, self)

    def start(self, problem: Problem) -> None:
        """Forget everything and prepare for `problem`. Raises ValueError where the problem is not supported."""
        self._refuse_unsupported(problem)
        self._problem = problem
        self._space = problem.space
        self._random = np.random.default_rng(problem.seed)
        self._seen: dict[bytes, int] = {}
        self._bred_from: dict[bytes, bytes] = {}
        self._left: np.ndarray | None = None
        self._exhausted = False

    def _refuse_unsupported(self, problem: Problem) -> None:
        """Raise ValueError where a problem asks for more than is supported with these settings."""
        check_supported(self.name, self.supports, problem)

    @property
    def learning_changes_state(self) -> bool:
        """Whether `learn` changes what `state` returns; it is then saved with every result, else with proposals."""
        return False

    @property
    def remark(self) -> str:
        """What a user should be told of what it does with the problem; "" for nothing. After `start`."""
        return ""

    @property
    def exhausted(self) -> bool:
        """Whether the last `propose` ran out of genotypes."""
        return self._exhausted

    @property
    def settings(self) -> dict[str, Any]:
        """The algorithm's name and settings as plain JSON values."""
        return {"name": self.name, **dataclasses.asdict(self)}

    def propose(self, count: int) -> np.ndarray:
        """Return up to `count` new genotypes, shape (m, width), m <= count; m < count only when none are left."""
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        if count > 1 and not self.supports.batches:
            raise ValueError(f"{self.name} proposes one at a time, and {count} were asked for; use one worker")
        batches: list[np.ndarray] = []
        missing = count
        self._bred_from = {}
        fruitless = 0
        while missing and fruitless < MAX_DRAWS and self._left is None:
            drawn = self._draw(missing)
            batches.append(self._accept(drawn, missing))
            missing -= len(batches[-1])
            fruitless = 0 if len(batches[-1]) else fruitless + max(1, len(drawn))
            if not len(drawn) or len(self._seen) == self._space.size:
                break
        while missing:
            batches.append(self._accept(self._remaining(), missing))
            missing -= len(batches[-1])
            if not len(batches[-1]):
                break
        self._exhausted = missing > 0
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    @abstractmethod
    def _draw(self, count: int) -> np.ndarray:
        """Return about `count` valid genotypes, repeats allowed; none when there is nothing left to draw."""

    def learn(self, results: Results) -> None:  # noqa: B027 - learning nothing is a fair default
        """Take in results, in the order in which they were told."""

    def state(self) -> dict[str, Any]:
        """Return what cannot be had from the trials, as plain JSON values of bounded size."""
        return {"random": self._random.bit_generator.state, "listing": self._left is not None}

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on from `state`: after `start`, given all `proposed` genotypes (n, width) and all results as told."""
        self._random.bit_generator.state = state["random"]
        self._seen = {}
        self._mark(self._space.keys(proposed))
        self.learn(results)
        if state["listing"]:
            self._remaining()

    def take_over(self, proposed: np.ndarray, results: Results) -> None:
        """Begin, after `start`, where another algorithm has proposed all `proposed` and been told these results."""
        none = Results(results.genotypes[:0], results.scores[:0], results.violations[:0])
        self.restore(self.state(), proposed, none)
        self.learn(results)

    def notes(self, genotypes: np.ndarray) -> list[str]:
        """Return what has to be stored with each genotype that was just proposed: JSON text, "" for nothing.

        `parent` is the number of the trial that it was bred from.
        """
        if not self._bred_from:
            return [""] * len(genotypes)
        numbers = [self._seen.get(self._bred_from.get(key, b"")) for key in self._space.keys(genotypes)]
        return ["" if number is None else f'{{"parent": {number}}}' for number in numbers]

    def recall(self, notes: Sequence[str]) -> None:  # noqa: B027 - most keep none
        """Take in the stored notes of all genotypes that `restore` will be given next."""

    def follow(
        self,
        state: dict[str, Any],
        proposed: np.ndarray,
        notes: Sequence[str],  # noqa: ARG002 - most keep none
        results: Results,
    ) -> bool:
        """Take in what another process has proposed since, with its `state` and `notes`, and then these results.

        Return False, and do nothing, where `start` and `restore` have to do it.
        """
        if type(self).restore is not Algorithm.restore or self.learning_changes_state:
            return False
        self._random.bit_generator.state = state["random"]
        self._mark(self._space.keys(proposed))
        if state["listing"]:
            self._remaining()
        self.learn(results)
        return True

    def _mark(self, keys: Sequence[bytes]) -> None:
        """Note that genotypes have been proposed, in this order: a trial's number is its place."""
        for key in keys:
            self._seen.setdefault(key, len(self._seen))

    def _bred(self, children: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """Return children, shape (n, width), once it is noted which row of `parents` each was bred from."""
        self._bred_from.update(zip(self._space.keys(children), self._space.keys(parents), strict=True))
        return children

    def _accept(self, genotypes: np.ndarray, limit: int) -> np.ndarray:
        """Return the first `limit` genotypes that are new and meet the known constraints, and mark them seen."""
        fresh: list[int] = []
        if self._problem.known is not None and len(genotypes):
            genotypes = genotypes[self._problem.known(genotypes)[1] <= 0]
        for row, key in enumerate(self._space.keys(genotypes)):
            if key not in self._seen and len(fresh) < limit:
                self._seen[key] = len(self._seen)
                fresh.append(row)
        return genotypes[fresh]

    def _random_fresh(self, taken: Container[bytes]) -> np.ndarray | None:
        """Return a random genotype that is new, not among `taken`, and feasible; None where a few draws find none."""
        drawn = self._nearer(self._space.sample(RANDOM_DRAWS, self._random))
        if self._problem.known is not None:
            drawn = drawn[self._problem.known(drawn)[1] <= 0]
        for key, row in zip(self._space.keys(drawn), drawn, strict=True):
            if key not in self._seen and key not in taken:
                found: np.ndarray = row
                return found
        return None

    def _nearer(self, rows: np.ndarray) -> np.ndarray:
        """Return genotypes of which one is new and meets the known constraints, bred from rows where none of these is.

        Of rows and their mutants those that break the constraints least go on, until there is one, or for `STEPS` times
        they come no nearer: a device's limit may hold for so few networks that random ones miss them all.
        """
        known = self._problem.known
        if known is None:
            return rows
        violations, least, steps = known(rows)[1], np.inf, 0
        while steps < STEPS and all(key in self._seen for key in self._space.keys(rows[violations <= 0])):
            nearest = np.argsort(violations, kind="stable")[:NEAREST]
            steps = 0 if violations[nearest[0]] < least else steps + 1
            least = violations[nearest[0]]
            mutants = self._space.mutate(rows[nearest], self._random)
            rows = np.concatenate([rows[nearest], mutants])
            violations = np.concatenate([violations[nearest], known(mutants)[1]])
        return rows

    def _remaining(self) -> np.ndarray:
        """Return what a small space has left, in random but reproducible order; of a large one, a random sample.

        What is left of a small one meets the known constraints: the rest is dropped once, not at every proposal.
        """
        size = self._space.size
        if size is None or size > ENUMERABLE:
            return self._nearer(self._space.sample(MAX_DRAWS, self._random))
        if self._left is None:
            order = np.random.default_rng(self._problem.seed).permutation(size)
            listed = self._space.enumerate(0, size)[order]
            known = self._problem.known
            self._left = listed if known is None else listed[known(listed)[1] <= 0]
        keys = self._space.keys(self._left)
        self._left = self._left[[key not in self._seen for key in keys]]
        return self._left
