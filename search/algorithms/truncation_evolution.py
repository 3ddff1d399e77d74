"""Evolution by truncation selection: the best so far are parents, and some children are mutants, others crossovers.

Sources: what once-for-all's authors (Cai et al., ICLR 2020, github.com/mit-han-lab/once-for-all) and ElasticViT's
(Tang et al., ICCV 2023, github.com/microsoft/Moonlit) search a trained supernet with; the settings are their codes'.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from search.algorithms._base import MAX_DRAWS, Algorithm, Problem, Results
from search.algorithms._novelty import walk_to_new
from search.algorithms._survivors import Survivors

Children = tuple[np.ndarray, np.ndarray]
"""Genotypes, shape (n, width), and a parent of each."""

DRAWS = 2000
"""How many children may be drawn in vain before they are mutated on until they are new."""

AGAIN = 10
"""How often that is done before the space is taken to be exhausted."""

ELASTICVIT: dict[str, Any] = {
    "population": 512,
    "parents": 256,
    "mutants": 128,
    "crossovers": 128,
    "mutation": 0.2,
    "uniform": 0.45,
    "structural": r"^(convolutions\[[1-9]\]|transformers\[\d+\])\.depth$",
    "structural_mutation": 0.4,
    "together": (r"\.width$", r"\.depth$", r"\.kernel$", r"\.expansion$", r"\.mlp_ratio$", r"\.v_scale$"),
}
"""ElasticViT's settings, with its space's columns; 40 generations. In its code a mutation draws the depths of all
stages but the first anew with probability .4, every other decision with .2, and what is drawn anew is uniform with
probability .45, else the smallest; a crossover takes all depths from one parent, all widths from one, and so on."""


@dataclass
class TruncationEvolution(Algorithm):
    """Breeds from the best `parents` results: `mutants` children with one parent, then `crossovers` with two.

    Parents are drawn uniformly and survive until `mutants` + `crossovers` better results push them out: after so many
    results, however they were proposed, a generation ends. A child that was proposed before or breaks a known
    constraint is drawn again, of other parents; where many draws find none, one is mutated on until it is new.
    Defaults are once-for-all's (500 generations). Violations are compared before scores; with several objectives (our
    extension) survivors are chosen as NSGA-II's. Trials that have neither scores nor a violation are passed over.

    Attributes:
      population: the number of random trials at the start.
      parents: the number of survivors.
      mutants, crossovers: children of a generation, in this order.
      mutation: the probability that a decision of a mutant is drawn anew.
      uniform: the probability that what is drawn anew is so uniformly; else it is the decision's choice in `least`.
      least: a genotype; () for the first choice of every decision.
      structural: a regular expression of the columns that a mutation leaves alone or draws anew all at once.
      structural_mutation: the probability of the latter.
      together: regular expressions; all columns that match the same one are of one parent in a crossover.
    """

    name: ClassVar[str] = "truncation_evolution"
    source: ClassVar[str] = "Cai et al., ICLR 2020; Tang et al., ICCV 2023"

    population: int = 100
    parents: int = 25
    mutants: int = 50
    crossovers: int = 50
    mutation: float = 0.1
    uniform: float = 1.0
    least: tuple[int | float, ...] = ()
    structural: str = ""
    structural_mutation: float = 0.0
    together: tuple[str, ...] = ()

    def trials(self, generations: int) -> int:
        """Return how many trials so many generations take, the population at the start included."""
        return self.population + generations * (self.mutants + self.crossovers)

    def start(self, problem: Problem) -> None:
        """Begin without a population. Raises ValueError for settings out of range or of another space."""
        self._check()
        super().start(problem)
        space = problem.space
        self._pool = Survivors(
            problem, initial=self.population, kept=self.parents, offspring=self.mutants + self.crossovers
        )
        lowest = space.repair(np.zeros((1, space.width)))[0]
        self._least = space.from_json(list(self.least)) if self.least else lowest
        self._structural = self._matching(self.structural) if self.structural else np.zeros(0, np.intp)
        self._inherited = np.arange(space.width)
        for pattern in self.together:
            columns = self._matching(pattern)
            self._inherited[columns] = columns[0]

    def _check(self) -> None:
        counts = f"parents={self.parents}, population={self.population}"
        if not 1 + (self.crossovers > 0) <= self.parents <= self.population:
            raise ValueError(f"truncation_evolution needs 2 parents (1 without crossovers) to population, got {counts}")
        if min(self.mutants, self.crossovers) < 0 or self.mutants + self.crossovers < 1:
            raise ValueError(
                f"truncation_evolution needs a child at least, got mutants={self.mutants}, crossovers={self.crossovers}"
            )
        for name in ("mutation", "uniform", "structural_mutation"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"truncation_evolution needs a probability from 0 to 1, got {name}={getattr(self, name)}"
                )

    def _matching(self, pattern: str) -> np.ndarray:
        """Return the columns that a regular expression matches; there must be one."""
        names = [column.name for column in self._space.columns]
        try:
            found = [index for index, name in enumerate(names) if re.search(pattern, name)]
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        if not found:
            raise ValueError(f"{pattern!r} matches none of the space's columns: {', '.join(names)[:200]}")
        return np.array(found)

    def _draw(self, count: int) -> np.ndarray:
        if not self._pool.count:
            return self._new(count, self._strangers)[0]
        place = (len(self._seen) - self.population) % (self.mutants + self.crossovers)
        left, breed = self.mutants - place, self._mutants
        if left <= 0:
            left, breed = left + self.crossovers, self._crossed
        return self._bred(*self._new(min(count, left), breed))

    def _new(self, count: int, breed: Callable[[int], Children]) -> Children:
        """Return up to `count` children that are new and feasible; where none is found, some that are not."""
        found = self._space.sample(0, self._random)
        children, parents, drawn, size = found, found, 0, count
        while len(children) < count and drawn < DRAWS:
            more, bred_from = breed(size)
            fits = self._fitting(more, set(self._space.keys(children)))[: count - len(children)]
            children, parents = np.concatenate([children, more[fits]]), np.concatenate([parents, bred_from[fits]])
            drawn, size = drawn + size, 2 * size
        if len(children):
            return children, parents
        walked = walk_to_new(self._space, more[:count], self._seen, self._random)
        fits = self._fitting(walked, ())
        if len(fits):
            return walked[fits], bred_from[fits]
        return more[: MAX_DRAWS // AGAIN], bred_from[: MAX_DRAWS // AGAIN]

    def _fitting(self, genotypes: np.ndarray, taken: Container[bytes]) -> np.ndarray:
        """Return the places of the rows that are new, none equal to another or among `taken`, and feasible."""
        first: dict[bytes, int] = {}
        for row, key in enumerate(self._space.keys(genotypes)):
            if key not in self._seen and key not in taken:
                first.setdefault(key, row)
        rows = np.array(list(first.values()), np.intp)
        if self._problem.known is not None and len(rows):
            rows = rows[self._problem.known(genotypes[rows])[1] <= 0]
        return rows

    def _strangers(self, count: int) -> Children:
        drawn = self._space.sample(count, self._random)
        return drawn, drawn

    def _parents(self, count: int) -> np.ndarray:
        """Return survivors, each as likely, shape (count, width)."""
        drawn: np.ndarray = self._pool.genotypes[self._random.integers(self._pool.count, size=count)]
        return drawn

    def _mutants(self, count: int) -> Children:
        parents, anew = self._parents(count), self._space.sample(count, self._random)
        if self.uniform < 1:
            least = np.broadcast_to(self._least, anew.shape)
            anew = self._space.crossover(anew, least, self._random, self.uniform)
        share = np.full(parents.shape, self.mutation)
        if len(self._structural):
            share[:, self._structural] = self._random.random((count, 1)) < self.structural_mutation
        return self._space.crossover(anew, parents, self._random, share), parents

    def _crossed(self, count: int) -> Children:
        first, second = self._parents(count), self._parents(count)
        share = self._random.random(first.shape)[:, self._inherited] < 0.5
        return self._space.crossover(first, second, self._random, share), first

    def learn(self, results: Results) -> None:
        """Add results to the pool; choose the parents anew whenever a generation is complete."""
        self._pool.learn(results)
