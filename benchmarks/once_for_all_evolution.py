"""The evolution by which once-for-all's authors search their predictor, with the settings of the tutorial of its code.

Source: github.com/mit-han-lab/once-for-all (Cai et al., ICLR 2020): a population of 100, the best quarter are parents
and survive, 50 mutants and 50 crossovers of random parents a generation, 500 generations; a child beyond the latency is
drawn again. A mutation draws each block's kernel and expansion, each depth and the resolution anew, with probability
0.1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from once_for_all_task import BLOCKS, FIRST_RESOLUTION, RESOLUTIONS, Task

POPULATION = 100
PARENTS = 25
MUTANTS = 50
MUTATION = 0.1

DEPTHS = slice(40, 45)
RESOLUTION = 45
GENES = 46
"""A network: the kernels of 20 blocks, their expansions, five depths less 2, the resolution, each as an index."""

CHOICES = np.array([3] * RESOLUTION + [len(RESOLUTIONS)])


def told(genes: np.ndarray) -> np.ndarray:
    """Return the predictor's features of networks (n, 46): (n, 128)."""
    blocks = np.arange(BLOCKS)
    rows, present = np.nonzero(blocks % 4 < genes[:, DEPTHS][:, blocks // 4] + 2)
    found = np.zeros((len(genes), 128), np.float32)
    found[rows, 3 * present + genes[rows, present]] = 1.0
    found[rows, 60 + 3 * present + genes[rows, BLOCKS + present]] = 1.0
    found[np.arange(len(genes)), FIRST_RESOLUTION + genes[:, RESOLUTION]] = 1.0
    return found


def evolve(task: Task, limit_ms: float, seed: int, evaluations: int) -> np.ndarray:
    """Return the accuracy of each network that is evaluated, in order, repeats included, (evaluations,)."""
    rng = np.random.default_rng(seed)

    def feasible(count: int, draw: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return children (count, 46); those that are beyond the latency are drawn again of the same parents."""
        children, missing = np.zeros((count, GENES), np.intp), np.arange(count)
        while len(missing):
            drawn = draw(missing)
            fits = task.latency_ms(told(drawn)) <= limit_ms
            children[missing[fits]] = drawn[fits]
            missing = missing[~fits]
        return children

    population = feasible(POPULATION, lambda rows: rng.integers(CHOICES, size=(len(rows), GENES)))
    accuracy = task.accuracy(told(population))
    found = [accuracy]
    while sum(map(len, found)) < evaluations:
        best = np.argsort(-accuracy, kind="stable")[:PARENTS]
        parents, accuracy = population[best], accuracy[best]
        one, first, second = rng.integers(PARENTS, size=(3, MUTANTS))
        mutants = feasible(MUTANTS, lambda rows, p=parents, i=one: mutated(p[i[rows]], rng))  # type: ignore[misc]
        crossed = feasible(
            POPULATION - MUTANTS,
            lambda rows, p=parents, i=first, j=second: np.where(  # type: ignore[misc]
                rng.random((len(rows), GENES)) < 0.5, p[i[rows]], p[j[rows]]
            ),
        )
        children = np.concatenate([mutants, crossed])
        found.append(task.accuracy(told(children)))
        population, accuracy = np.concatenate([parents, children]), np.concatenate([accuracy, found[-1]])
    return np.concatenate(found)[:evaluations]


def mutated(parents: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a mutant of each parent; a block's kernel and expansion are drawn anew together."""
    blocks = rng.random((len(parents), BLOCKS)) < MUTATION
    others = rng.random((len(parents), GENES - 2 * BLOCKS)) < MUTATION
    anew = np.concatenate([blocks, blocks, others], axis=1)
    return np.where(anew, rng.integers(CHOICES, size=parents.shape), parents)
