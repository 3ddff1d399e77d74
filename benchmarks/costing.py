"""Genotypes costed a second, beside building each network and counting with PyTorch's FlopCounterMode.

    python benchmarks/costing.py [--rounds 15]

Costed by 8 made-up latency tables at once: a chain of 22 layers of 9 choices, in which every layer counts for itself;
`spaces/mbconv.py`, whose widths couple blocks and whose depths are conditional; and NAS-Bench-201, whose six edges all
act together, so that its 15,625 genotypes are listed. Batches are unsigned bytes, as genotypes come. CPU time of the
process, one thread; medians over rounds, with the range. The first genotypes of each space are compared with what the
tables say of their operators. Ends with 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg

from hardware_models.calibration import Calibration
from hardware_models.counts import macs
from hardware_models.latency_table import Entry, LatencyTable, Provenance
from hardware_models.op import Op, chain, conv2d, elementwise, linear
from search.costing.one_by_one import OneByOne
from search.known_metrics import KnownMetrics
from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv
from spaces.nasbench201 import nasbench201

DEVICES, BATCH, BATCHES, CHECKED = 8, 1 << 15, 16, 300
PROPOSAL, PROPOSALS = 640, 4
STAGES = ((16, 1, 1), (24, 4, 2), (32, 4, 2), (64, 4, 2), (112, 4, 1), (184, 4, 2), (352, 1, 1))
"""Width, layers and first stride: 22 layers, those of FBNet (Wu et al., CVPR 2019, table 1)."""

CHOICES = ((3, 1, 1), (3, 1, 2), (3, 3, 1), (3, 6, 1), (5, 1, 1), (5, 1, 2), (5, 3, 1), (5, 6, 1), (0, 0, 0))
"""Kernel, expansion and groups of a layer; the last leaves it out, or is a 1x1 convolution where the shape changes."""


class Chain(pg.Object):
    """A network of 22 layers for images of 224x224."""

    layers: list[int]

    def shapes(self) -> list[tuple[tuple[int, int, int], int, int]]:
        """Return each layer's input shape, width and stride."""
        found, shape = [], (16, 112, 112)
        for width, count, first in STAGES:
            for position in range(count):
                stride = first if position == 0 else 1
                found.append((shape, width, stride))
                shape = (width, shape[1] // stride, shape[2] // stride)
        return found

    def ops(self) -> tuple[Op, ...]:
        """Return the operators of all layers."""
        layers = zip(self.shapes(), self.layers, strict=True)
        body = [op for (shape, width, stride), choice in layers for op in block(shape, width, stride, choice)]
        return conv2d((3, 224, 224), 16, 3, 2), *body, conv2d((352, 7, 7), 1984, 1), linear((1984,), 1000)

    def build(self) -> Any:
        """Return the network, without activations, which count for nothing."""
        from torch import nn

        convs = [nn.Sequential(*(module(inner) for inner in op.inner)) if op.inner else module(op) for op in self.ops()]
        return nn.Sequential(*convs[:-1], nn.AdaptiveAvgPool2d(1), nn.Flatten(), convs[-1])


BLOCKS: dict[tuple[Any, ...], tuple[Op, ...]] = {}


def block(shape: tuple[int, int, int], width: int, stride: int, choice: int) -> tuple[Op, ...]:
    """Return a layer's operator, or none."""
    key = (shape, width, stride, choice)
    if key not in BLOCKS:
        kernel, expansion, groups = CHOICES[choice]
        changes = stride > 1 or shape[0] != width
        if not kernel:
            BLOCKS[key] = (conv2d(shape, width, 1, stride),) if changes else ()
        else:
            wide = conv2d(shape, shape[0] * expansion, 1, groups=groups)
            deep = conv2d(wide.output, wide.output[0], kernel, stride, groups=wide.output[0])
            last = conv2d(deep.output, width, 1, groups=groups)
            inner = [op for conv in (wide, deep, last) for op in (conv, elementwise("batch_norm2d", conv.output))]
            BLOCKS[key] = (chain("inverted_residual", *inner),)
    return BLOCKS[key]


def module(op: Op) -> Any:
    from torch import nn

    if op.kind == "linear":
        return nn.Linear(op.inputs[0][0], op.output[0])
    if op.kind == "batch_norm2d":
        return nn.BatchNorm2d(op.output[0])
    return nn.Conv2d(op.inputs[0][0], op.output[0], op.kernel, op.stride, op.padding, groups=op.groups, bias=False)


class MadeUp(dict[Op, Entry]):
    """A latency for every operator that is asked for."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = np.random.default_rng(seed)

    def __missing__(self, op: Op) -> Entry:
        latency_ms = float(self._random.uniform(0.01, 1.0))
        self[op] = Entry(latency_ms, 1, latency_ms, latency_ms, latency_ms, (latency_ms, latency_ms))
        return self[op]


class Device:
    """A made-up latency table under a name of its own."""

    def __init__(self, number: int, calibration: Calibration) -> None:
        name = f"device-{number}"
        origin = Provenance(name, name, "0", "none", "0", 1, 1, "float32", "", {}, "", 1, "cpu", 0.0, 0, 1.0, 0.0)
        self._table = LatencyTable(MadeUp(number), origin, calibration)
        self.metrics = (f"latency_ms@{name}",)
        self.terms, self.total = self._table.terms, self._table.total

    def __call__(self, ops: Sequence[Op]) -> dict[str, float]:
        """Return the latency of a network."""
        return {self.metrics[0]: self._table(ops)["latency_ms"]}


@dataclass(frozen=True)
class Case:
    """A space to be costed, and how many genotypes a second are wanted."""

    name: str
    value: Any
    wanted: float
    calibration: Calibration


@dataclass
class Running:
    """A case with its metrics, compiled, and what was measured of it.

    Attributes:
      alone_ms: CPU time of a genotype without any compiling.
      first_s, proposal_ms: of the first and of a later proposal of `PROPOSAL` genotypes.
      rates: genotypes a second in each round.
      error: the largest relative difference from what the operators cost.
    """

    case: Case
    known: KnownMetrics
    batches: list[np.ndarray]
    alone_ms: float
    first_s: float
    proposal_ms: float
    error: float
    rates: list[float]


def cpu_s(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    made = work()
    return time.process_time() - started, made


def prepared(case: Case) -> Running:
    space, rng = GenotypeSpace(case.value), np.random.default_rng(0)
    devices = [Device(number, case.calibration) for number in range(DEVICES)]
    known, alone = KnownMetrics(space, devices), OneByOne(space, devices)
    sample = space.sample(CHECKED, rng)
    alone.costs(sample[:20])
    spent, costs = cpu_s(lambda: alone.costs(sample))
    first = cpu_s(lambda: [known(space.sample(PROPOSAL, rng)) for _ in range(PROPOSALS)])[0]
    batches = [space.sample(BATCH, rng) for _ in range(BATCHES)]
    for batch in batches:
        known(batch)
    later = [cpu_s(lambda: known(space.sample(PROPOSAL, rng)))[0] for _ in range(21)]
    error = float(np.abs(known(np.concatenate([sample, batches[0]]))[:CHECKED] / costs - 1).max())
    return Running(case, known, batches, spent / CHECKED * 1e3, first, statistics.median(later) * 1e3, error, [])


def counted_by_pytorch(value: Any, rng: np.random.Generator) -> tuple[float, bool]:
    """Return the CPU seconds of building a network and counting, and whether it counts what our operators do."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    space = GenotypeSpace(value)
    candidate = space.decode(space.sample(1, rng)[0])
    image = torch.zeros(1, 3, 224, 224)

    def count() -> int:
        network = candidate.build().eval()
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            network(image)
        return counter.get_total_flops()

    spent, flops = cpu_s(count)
    return spent, flops == 2 * macs(candidate.ops())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    chain_of_layers = Chain([pg.oneof(list(range(len(CHOICES)))) for _ in range(22)])
    plain, fitted = Calibration(), Calibration(1.05, 0.001, 0.002, 0.1)
    cases = [
        prepared(Case("22 layers of 9, additive", chain_of_layers, 20e6, plain)),
        prepared(Case("the same, calibrated tables", chain_of_layers, 10e6, fitted)),
        prepared(Case("mbconv: coupled widths, conditional depth", mbconv(), 1e6, fitted)),
        prepared(Case("mbconv of depth 6", mbconv(depth=6), 1e6, fitted)),
        prepared(Case("NAS-Bench-201, listed", nasbench201(), 1e6, fitted)),
    ]
    by_pytorch, rng = [], np.random.default_rng(1)
    counted_by_pytorch(chain_of_layers, rng)
    for _ in range(rounds):
        for case in cases:
            case.rates.append(BATCHES * BATCH / cpu_s(lambda case=case: [case.known(each) for each in case.batches])[0])
        by_pytorch.append(counted_by_pytorch(chain_of_layers, rng))
    return report(cases, by_pytorch)


def report(cases: list[Running], by_pytorch: list[tuple[float, bool]]) -> int:
    """Print what was measured; return 1 where a bound is missed."""
    print(f"Python {platform.python_version()}, {platform.machine()}, 1 thread; {DEVICES} devices at once; CPU time,")
    print(f"median (range) of {len(by_pytorch)} rounds of {BATCHES} x {BATCH:,} genotypes; largest difference from")
    print(f"one by one; CPU of the first {PROPOSALS} proposals of {PROPOSAL} genotypes, of a later one, of one by one")
    print(f"{'':43}{'million/s':>19} {'bound':>5} {'difference':>11} {'first':>8} {'later':>8} {'1 by 1':>8}")
    for case in cases:
        middle, low, high = (each / 1e6 for each in (statistics.median(case.rates), min(case.rates), max(case.rates)))
        rate, bound = f"{middle:.1f} ({low:.1f} - {high:.1f})", case.case.wanted / 1e6
        spent = f"{case.first_s:6.2f} s {case.proposal_ms:5.2f} ms {case.alone_ms * PROPOSAL:5.0f} ms"
        print(f"{case.case.name:43}{rate:>19} {bound:5.0f} {case.error:11.1e} {spent}")
    rates = sorted(1 / spent for spent, _ in by_pytorch)
    middle = statistics.median(rates)
    ratio = statistics.median(cases[0].rates) / middle
    print(f"built and counted by FlopCounterMode: {middle:.1f} a second ({rates[0]:.1f} - {rates[-1]:.1f})")
    print(f"the first line is {ratio / 1e6:.2f} million times as fast")
    same = all(same for _, same in by_pytorch)
    print(f"PyTorch's counts are twice our multiply-accumulates: {'all' if same else 'NOT ALL'} of {len(by_pytorch)}")
    fast = all(statistics.median(case.rates) >= case.case.wanted for case in cases)
    exact = all(case.error <= 1e-9 for case in cases)
    return int(not (fast and exact and same))


if __name__ == "__main__":
    sys.exit(main())
