"""CPU time of building one candidate, and of sampling and mutating genotypes, on a space of 22 layers by 9 operators.

Run with: python benchmarks/decoding.py [rounds]
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pyglove as pg

from spaces.genotype import GenotypeSpace

LAYERS = 22
OPERATORS = [(3, 1, 1), (3, 1, 2), (3, 3, 1), (3, 6, 1), (5, 1, 1), (5, 1, 2), (5, 3, 1), (5, 6, 1), (1, 1, 1)]


class Operator(pg.Object):
    """A candidate operator."""

    kernel: int
    expansion: int = 1
    groups: int = 1


class Layer(pg.Object):
    """One layer, whose operator is searched."""

    operator: Operator
    channels: int
    stride: int = 1


class Net(pg.Object):
    """All layers."""

    layers: list[Layer]
    width: float = 1.0


def fbnet_like() -> Net:
    return Net([Layer(pg.oneof([Operator(*each) for each in OPERATORS]), 16 + layer) for layer in range(LAYERS)])


def constructed(row: list[int]) -> Net:
    return Net([Layer(Operator(*OPERATORS[choice]), 16 + layer) for layer, choice in enumerate(row)])


def cpu_ms(work: Callable[[], object], repeats: int) -> float:
    started = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - started) / repeats * 1e3


def measure(works: dict[str, tuple[Callable[[], object], int]], rounds: int) -> dict[str, list[float]]:
    """Return the CPU milliseconds per call of each round; rounds are interleaved, so that drift touches all alike."""
    for work, _ in works.values():
        work()
    measured: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, (work, repeats) in works.items():
            measured[name].append(cpu_ms(work, repeats))
    return measured


WANTED = 8


def main(rounds: int) -> None:
    space, template = GenotypeSpace(fbnet_like()), pg.template(fbnet_like())
    rng = np.random.default_rng(0)
    one, many = space.sample(1, rng), space.sample(10_000, rng)
    row, dna = one[0], space.to_dna(one[0])
    assert pg.eq(space.decode(row), template.decode(dna))
    assert pg.eq(space.decode(row), constructed(row.tolist()))
    measured = measure(
        {
            "template.decode": (lambda: template.decode(dna), 2),
            "GenotypeSpace.decode": (lambda: space.decode(row), 10),
            "direct construction": (lambda: constructed(row.tolist()), 5),
            "sample, 1": (lambda: space.sample(1, rng), 1000),
            "mutate, 1": (lambda: space.mutate(one, rng), 1000),
            "sample, 10,000": (lambda: space.sample(10_000, rng), 5),
            "mutate, 10,000": (lambda: space.mutate(many, rng), 5),
            "keys, 10,000": (lambda: space.keys(many), 5),
        },
        rounds,
    )
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {rounds} rounds, CPU time"
    )
    print(f"{'':24}{'median ms':>12}{'min':>12}{'max':>12}")
    for name, times in measured.items():
        print(f"{name:24}{statistics.median(times):12.4f}{min(times):12.4f}{max(times):12.4f}")
    ours = measured["GenotypeSpace.decode"]
    for name in ("template.decode", "direct construction"):
        ratios = [other / own for other, own in zip(measured[name], ours, strict=True)]
        print(
            f"{name} / GenotypeSpace.decode: {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        )
    pyglove = statistics.median(a / b for a, b in zip(measured["template.decode"], ours, strict=True))
    sys.exit(f"decoding is less than {WANTED} times as fast as PyGlove's" if pyglove < WANTED else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
