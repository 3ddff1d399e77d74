"""Any PyGlove generator (Peng et al., NeurIPS 2020): `pg.evolution`, `pg.geno`, or one of yours."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._dna_notes import dna_of, note_of
from search.algorithms._supports import Supports

if TYPE_CHECKING:  # listing the algorithms needs no PyGlove
    import pyglove as pg

FRUITLESS = 50
"""How many repeated or infeasible proposals in a row it takes before a random genotype is tried."""

GENERATORS: Mapping[str, str] = {
    "regularized_evolution": "evolution.regularized_evolution",
    "nsga2": "evolution.nsga2",
    "hill_climb": "evolution.hill_climb",
    "random": "geno.Random",
    "sweeping": "geno.Sweeping",
}
"""What PyGlove calls the generators that have a name."""


@dataclass
class PyGlove(Algorithm):
    """Lets a `pg.DNAGenerator` propose, and feeds the results back to it.

    What draws from Python's global generator (everything in PyGlove that was given no seed) repeats by the study's
    seed; while it draws, the global generator is set to a state of its own, and then back.

    A restored generator is given all its past again: proposals in their order, with their metadata, by its `recover`,
    then the results in the order in which they were told. It cannot be given back a seeded random generator's place,
    nor what it keeps of its proposals elsewhere than in their metadata (the elite that NSGA-II takes next), so that it
    goes on well, but not exactly as it would have. Trials without a result are never fed back.

    Attributes:
      generator: a generator, or the name of one: regularized_evolution, nsga2, hill_climb, random, sweeping.
      options: the arguments of a generator that is given by name.
      repeats: let repeated proposals through, as `pg.sample` does by itself.
    """

    name: ClassVar[str] = "pyglove"
    source: ClassVar[str] = "Peng et al., NeurIPS 2020"
    supports: ClassVar[Supports] = Supports(objectives=1, constraints="known", exact_resume=False)

    generator: Any = "regularized_evolution"
    options: Mapping[str, Any] = field(default_factory=dict)
    repeats: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """The algorithm's name and settings; a generator is described by its text."""
        described = self.generator if isinstance(self.generator, str) else _described(self.generator)
        options = {name: _described(value) for name, value in self.options.items()}
        return {"name": self.name, "generator": described, "options": options, "repeats": self.repeats}

    def start(self, problem: Problem) -> None:
        """Set the generator up. Raises ValueError for an unknown one, and for several objectives if it takes one."""
        self._generator = self._made()
        super().start(problem)
        self._notes: Sequence[str] = ()
        self._calls = 0
        self._open: dict[bytes, deque[pg.DNA]] = {}
        with self._seeded("setup"):
            self._generator.setup(problem.space.dna_spec)

    def _refuse_unsupported(self, problem: Problem) -> None:
        if problem.objectives > 1 and not self._generator.multi_objective:
            raise ValueError(
                f"generator {_described(self._generator):.80} optimizes one objective, "
                f"and there are {problem.objectives}; use 'nsga2', or one objective"
            )

    def propose(self, count: int) -> np.ndarray:
        """Return up to `count` genotypes, shape (m, width): new ones, unless `repeats` are let through."""
        if not self.repeats or count < 1:
            return super().propose(count)
        rows = [row for _ in range(count) if (row := self._next()) is not None]
        self._exhausted = len(rows) < count
        return np.array(rows, self._space.dtype).reshape(len(rows), self._space.width)

    def _draw(self, count: int) -> np.ndarray:
        rows: list[np.ndarray] = []
        taken: set[bytes] = set()
        for _ in range(count):
            row = self._fresh(taken)
            if row is None:
                break
            taken.update(self._space.keys(row[None]))
            rows.append(row)
        return np.array(rows, self._space.dtype).reshape(len(rows), self._space.width)

    def _fresh(self, taken: set[bytes]) -> np.ndarray | None:
        """Return the next proposal that is new and feasible; after many that are not, a random one, or None."""
        for _ in range(FRUITLESS):
            row = self._next()
            if row is None:
                return None
            key = self._space.keys(row[None])[0]
            known = self._problem.known
            if key not in self._seen and key not in taken and (known is None or known(row[None])[1][0] <= 0):
                return row
            self._closed(key, newest=True)
        return self._random_fresh(taken)

    def _next(self) -> np.ndarray | None:
        """Return the generator's next proposal; None when it has no more."""
        self._calls += 1
        with self._seeded(f"proposal {self._calls}"):
            try:
                dna = self._generator.propose()
            except StopIteration:
                return None
        row: np.ndarray = self._space.from_dna(dna)
        self._open.setdefault(self._space.keys(row[None])[0], deque()).append(dna)
        return row

    def notes(self, genotypes: np.ndarray) -> list[str]:
        """Return each proposal's DNA with what the generator wants to find in it again."""
        keys = self._space.keys(genotypes)
        return [note_of(self._open[key][-1]) if self._open.get(key) else "" for key in keys]

    def learn(self, results: Results) -> None:
        """Feed back the trials that have scores, as the very DNA that was proposed."""
        for key, genotype, scores in zip(
            self._space.keys(results.genotypes), results.genotypes, results.scores.tolist(), strict=True
        ):
            dna = self._closed(key)
            if not np.isfinite(scores).all():
                continue
            if dna is None:  # drawn at random, not by the generator
                dna = self._adopted(genotype)
            with self._seeded(f"feedback {self._generator.num_feedbacks}"):
                self._generator.feedback(dna, tuple(scores) if self._generator.multi_objective else scores[0])

    def state(self) -> dict[str, Any]:
        """Return how often the generator was called, which is what its randomness is derived from."""
        return {**super().state(), "calls": self._calls}

    def recall(self, notes: Sequence[str]) -> None:
        """Take the DNA of all proposals."""
        self._notes = notes

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Give the generator its past again."""
        self._replay(proposed, self._notes or [""] * len(proposed))
        self._notes = ()
        super().restore(state, proposed, results)
        self._calls = state["calls"]

    def follow(self, state: dict[str, Any], proposed: np.ndarray, notes: Sequence[str], results: Results) -> bool:
        """Take in what another process proposed, as if this generator had."""
        self._replay(proposed, notes)
        self._random.bit_generator.state = state["random"]
        self._mark(self._space.keys(proposed))
        self.learn(results)
        if state["listing"]:
            self._remaining()
        self._calls = state["calls"]
        return True

    def _replay(self, proposed: np.ndarray, notes: Sequence[str]) -> None:
        for key, genotype, note in zip(self._space.keys(proposed), proposed, notes, strict=True):
            if not note:  # not the generator's own
                continue
            dna = dna_of(self._space, genotype, note)
            _rekey(self._generator, dna)
            with self._seeded("replay"):
                _recover(self._generator, dna)
            self._open.setdefault(key, deque()).append(dna)

    def _closed(self, key: bytes, *, newest: bool = False) -> pg.DNA | None:
        """Return the DNA of a genotype whose trial has ended, or that is not to become one; None if there is none."""
        waiting = self._open.get(key)
        if not waiting:
            return None
        dna = waiting.pop() if newest else waiting.popleft()
        if not waiting:
            del self._open[key]
        return dna

    def _adopted(self, genotype: np.ndarray) -> pg.DNA:
        """Return a DNA of our own making, with the metadata that PyGlove's generators look for."""
        dna = self._space.to_dna(genotype)
        made = {"proposal_id": self._generator.num_proposals, "generation_id": 1, "initial_population": False}
        for name, value in made.items():
            dna.set_metadata(name, value)
        _rekey(self._generator, dna)
        return dna

    def _made(self) -> pg.DNAGenerator:
        import pyglove as pg

        if isinstance(self.generator, pg.DNAGenerator):
            return self.generator
        if not isinstance(self.generator, str) or self.generator not in GENERATORS:
            raise ValueError(
                f"generator {self.generator!r} is unknown: expected a pg.DNAGenerator or one of {', '.join(GENERATORS)}"
            )
        try:
            return attrgetter(GENERATORS[self.generator])(pg)(**self.options)
        except TypeError as error:
            raise ValueError(f"options {dict(self.options)!r} are not those of {self.generator!r}: {error}") from error

    @contextmanager
    def _seeded(self, call: str) -> Iterator[None]:
        """Let what draws from Python's global generator depend on the seed and on which call it is."""
        outer = random.getstate()
        random.seed(f"{self._problem.seed} {call}")
        try:
            yield
        finally:
            random.setstate(outer)


def _recover(generator: pg.DNAGenerator, dna: pg.DNA) -> None:
    """Let a generator know of a proposal. `Deduping` would count it twice, here and when its result comes."""
    import pyglove as pg

    if isinstance(generator, pg.geno.Deduping) and generator.needs_feedback:
        generator._num_proposals += 1
        _recover(generator.generator, dna)
    else:
        generator.recover([(dna, None)])


def _rekey(generator: pg.DNAGenerator, dna: pg.DNA) -> None:
    """Give a DNA the key by which `Deduping` knows it in this process: PyGlove's hashes differ between processes."""
    import pyglove as pg

    if isinstance(generator, pg.geno.Deduping):
        dna.set_metadata("dedup_key", generator._hash_fn(dna))
        _rekey(generator.generator, dna)


def _described(value: Any) -> str:
    """Return a text of a value that is equal in every process, addresses left out."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))[:4000]
