"""What pruning saves as measured on this machine, beside what its latency table predicts: ResNet-20 at 32 x 32.

    python benchmarks/pruned_latency.py [--engine torch onnxruntime] [--rounds 20] [--learned]

For each engine a table is made of the operators of the networks named below and calibrated on 18 networks of random
widths. It is validated on 12 further ones. The whole network and pruned ones are predicted by it and measured in the
same rounds: pruned to multiples of eight channels, at equal and at random rates, and once to half of the
multiply-accumulates with any widths. Weights are as they are initialised: latency does not hang on them. One thread,
its CPU clock: other programs may run.

Last, `evaluators.lapp.Lapp` learns the widths of a plain network of four convolutions for 16x16 digits, with the
engine's table of a grid of widths as its budget, and the share of the latency that is left is measured.

Ends with 1 where a network of multiples of eight is not faster than the whole one, or where what any of them saves
differs from what the table predicts by more than the table's largest validated error (of the whole one's latency); or
where the learned network's share is as far from the half that was asked for.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg
from compression import Plain
from torch import nn

from evaluators._preparation import Job
from evaluators.datasets import EnlargedDigits
from evaluators.lapp import Lapp
from evaluators.pruning.result import learned
from hardware_models.profiler import Anchor, Network, measure, profile_and_measure, validate
from spaces.genotype import GenotypeSpace
from spaces.lapp import Pruned, kept, lapp, pruned
from spaces.networks.resnet import ResNet
from spaces.pruning.prunable import Prunable

ANCHORS, HELD_OUT = 18, 12
ANY = "half, any"
LEAST = 0.1


def in_eights(network: Prunable, rates: np.ndarray) -> Pruned:
    """Return the network at these rates, its groups' widths rounded to multiples of eight."""
    return pruned(network, [kept(group.width, rate, 8) for group, rate in zip(network.groups, rates, strict=True)])


def random_networks(network: Prunable, count: int, rng: np.random.Generator) -> list[Pruned]:
    """Return networks of random rates whose costs spread from nearly nothing to the whole."""
    tops = np.linspace(0.1, 1.0, count)
    return [in_eights(network, rng.uniform(0, top, len(network.groups))) for top in tops]


def chosen(network: Prunable, rng: np.random.Generator) -> dict[str, Pruned]:
    """Return the whole network and pruned ones, by what they are; the last has widths of any number."""
    groups = len(network.groups)
    found = {f"rate {rate}": in_eights(network, np.full(groups, rate)) for rate in (0.0, 0.5, 0.75)}
    found |= {f"rates to {top}": in_eights(network, rng.uniform(0, top, groups)) for top in (0.8, 0.9, 1.0)}
    return found | {ANY: pruned(network, network.within_macs(0.5, np.zeros(groups), LEAST))}


def anchor(candidate: Pruned) -> Anchor:
    return Anchor(candidate.build(), candidate.input_shape, tuple(candidate.ops()))


def run(engine: str, options: argparse.Namespace) -> bool:
    """Print one engine's table; return whether the savings are as predicted."""
    began, rng = time.perf_counter(), np.random.default_rng(options.seed)
    network = Prunable(ResNet, (3, 32, 32))
    named = {name: anchor(one) for name, one in chosen(network, rng).items()}
    others = [anchor(one) for one in random_networks(network, ANCHORS + HELD_OUT, rng)]
    rng.shuffle(others)  # type: ignore[arg-type]  # a list is as good as an array
    anchors, held_out = others[:ANCHORS], others[ANCHORS:]
    tried = [*held_out, *named.values()]
    table, measured = profile_and_measure(
        [op for one in tried for op in one.ops], anchors, [one.network for one in tried],
        engine=engine, rounds=options.rounds, seed=options.seed,
    )  # fmt: skip
    report = validate(table, held_out, measured[:HELD_OUT])
    origin = table.provenance
    print(f"== {engine} {origin.engine_version}, 1 thread: {origin.device_name}; load {origin.load_average:.1f}")
    print(
        f"{len(table.entries)} operators, {time.perf_counter() - began:.0f} s; on {HELD_OUT} other networks the table "
        f"is off by {report.mape:.1%}, at most {report.max_error:.1%} (halves {report.truth_mape or 0:.1%})"
    )
    predicted = np.array([table(one.ops)["latency_ms"] for one in named.values()])
    found = np.array([one.latency_ms for one in measured[HELD_OUT:]])
    saved, foreseen = (found[0] - found) / found[0], (predicted[0] - predicted) / predicted[0]
    good = (found[1:-1] < found[0]).all() and (np.abs(saved - foreseen)[1:] <= report.max_error).all()
    print(f"{'pruned':14}{'predicted (ms)':>16}{'measured (ms)':>16}{'saving predicted':>18}{'measured':>10}")
    for name, row in zip(named, np.column_stack([predicted, found, foreseen, saved]), strict=True):
        print(f"{name:14}{row[0]:16.3f}{row[1]:16.3f}{row[2]:18.1%}{row[3]:10.1%}")
    return bool(good)


def learned_share(engine: str, options: argparse.Namespace) -> bool:
    """Print what is left of the latency of a network whose widths are learned; return whether that is as wished."""
    rng, keep = np.random.default_rng(options.seed), 0.5
    space = GenotypeSpace(lapp(plain, (3, 16, 16), pg.floatv(0.0, 0.95), multiple=8))
    network = space.value.network
    anchors, held_out = ([anchor(one) for one in random_networks(network, count, rng)] for count in (ANCHORS, HELD_OUT))
    table, measured = profile_and_measure(
        [*network.grid, *(op for one in held_out for op in one.ops)], anchors,
        [one.network for one in held_out], engine=engine, rounds=options.rounds,
    )  # fmt: skip
    report = validate(table, held_out, measured)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(space, Path(folder), seed=options.seed)
        for _ in Lapp(EnlargedDigits(2), keep, 3, model=lambda: table)(job):
            pass
        widths = learned(Path(folder))
    whole, left = (
        Network(network.build(each), (3, 16, 16)) for each in ([group.width for group in network.groups], widths)
    )
    times = [one.latency_ms for one in measure([whole, left], engine=engine, rounds=options.rounds)]
    costs = network.costs(table).numbers(np.array([[group.width for group in network.groups], widths], float))
    print(f"learned widths {widths}: {costs[1] / costs[0]:.1%} of the latency as interpolated", end=", ")
    print(f"{times[1] / times[0]:.1%} as measured; the table of {len(table.entries)} operators", end=" ")
    print(f"is off by {report.mape:.1%}, at most {report.max_error:.1%}")
    return bool(abs(times[1] / times[0] - keep) <= report.max_error)


def plain() -> nn.Module:
    """Return the network of `benchmarks/compression.py`."""
    return Plain().build()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", nargs="+", default=["torch", "onnxruntime"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learned", action="store_true", help="only the last part")
    options = parser.parse_args()
    good = [run(engine, options) for engine in options.engine if not options.learned]
    good += [learned_share(engine, options) for engine in options.engine]
    print("goals met" if all(good) else "MISSED: a saving is not as predicted")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
