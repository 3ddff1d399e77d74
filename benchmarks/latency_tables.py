"""How well latency tables of this machine predict whole networks that they never saw, now and in a later process.

    python benchmarks/latency_tables.py [--space mbconv224] [--engine onnxruntime] [--networks 64] [--rounds 20]

For each space and engine: the space's operators and 20 anchor networks are profiled; other networks, evenly spread over
the range of cost, take their turns in the same rounds, so that what a shared machine does between two sessions is not
counted as the table's error. Then another process measures those networks again, and the table is tried on them as it
is, without a new fit: as it stands, and at the machine's speed then, which control networks tell. Last, a table is
profiled without any held-out networks, for the time that this takes. Beside each figure stands the same figure between
two halves of the measurements: no table can be closer to the truth than the truth is to itself. Needs the extra `onnx`
for ONNX Runtime. One thread, timed by its CPU clock: other programs may run.

Ends with 1 where a table misses its space's targets and is worse than the truth's own halves too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hardware_models.latency_table import LatencyTable
from hardware_models.measurement import Measurement
from hardware_models.profiler import ROUNDS, Anchor, Network, measure, profile, profile_and_measure, validate
from hardware_models.sampling import load_average
from hardware_models.validation import ValidationReport, compare
from search.cli.measuring import networks_of
from search.coverage import Coverage, cover
from spaces.elasticvit import elasticvit, published
from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv
from spaces.nasbench201 import nasbench201

ANCHORS = 20
TARGET_TAU = 0.95
TARGET_REUSED = 0.035  # at the machine's speed then, which control networks tell, as in a launch
CONTROLS = 5
TARGET_SECONDS = 90.0
TARGET_CPU_SECONDS = 30.0  # what it takes where nothing else runs; how much more depends on what else does

# 5 stages of up to 4 inverted residuals (kernels 3, 5, 7; expansions 1, 3, 6), MobileNetV2's sizes: 97 operators
MBCONV = {"kernels": (3, 5, 7), "expansions": (1, 3, 6), "depth": 4, "stem": 16}
MBCONV_224 = partial(
    mbconv, (3, 224, 224), 100, widths=((24,), (40,), (80,), (96,), (192,)), strides=(4, 2, 2, 1, 2), head=640, **MBCONV
)
MBCONV_32 = partial(mbconv, (3, 32, 32), 10, widths=((16,), (32,), (64,)), strides=(1, 2, 2), head=128, **MBCONV)


@dataclass(frozen=True)
class Case:
    """A space and what is promised of its tables: the largest mean error, by engine; None promises nothing.

    Its networks that were published under these names are tried beside random ones.
    """

    make: Any
    mape: dict[str, float | None]
    published: tuple[str, ...] = ()


CASES = {
    "mbconv224": Case(MBCONV_224, {"onnxruntime": 0.025, "torch": 0.025}),
    "mbconv32": Case(MBCONV_32, {"onnxruntime": 0.04, "torch": 0.04}),
    "nasbench201": Case(nasbench201, {"onnxruntime": None, "torch": 0.04}),
    "elasticvit32": Case(partial(elasticvit, "small"), {"onnxruntime": 0.04, "torch": 0.04}),
    "elasticvit128": Case(
        partial(elasticvit, resolutions=(128,)),
        {"onnxruntime": 0.04, "torch": 0.04},
        ("ElasticViT-T1", "min-200"),
    ),
    "elasticvit224": Case(
        partial(elasticvit, resolutions=(224,)),
        {"onnxruntime": 0.04, "torch": 0.04},
        ("ElasticViT-S2", "ElasticViT-M", "min-800"),
    ),
}


@dataclass(frozen=True)
class Prepared:
    """A space's operators, the networks that calibrate its table, and those it is tried on, published ones last."""

    coverage: Coverage
    anchors: list[Anchor]
    held_out: list[Anchor]

    @property
    def networks(self) -> list[Network]:
        """The networks that the table is tried on, as they are measured."""
        return [one.network for one in self.held_out]


def main() -> int:
    settings = arguments()
    if settings.reuse is not None:
        print_reused(settings)
        return 0
    chosen = [(space, engine) for space in settings.space for engine in settings.engine]
    return max(run(space, engine, settings) for space, engine in chosen)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--engine", nargs="+", default=["onnxruntime", "torch"], choices=("onnxruntime", "torch"))
    parser.add_argument("--networks", type=int, default=64, help="held out, measured directly")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reuse", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def run(space: str, engine: str, settings: argparse.Namespace) -> int:
    """Print all figures of one space on one engine; return 1 where a promise is broken."""
    prepared = prepare(space, settings)
    table, measured = profiled(space, engine, prepared, settings)
    report = validate(table, prepared.held_out, measured)
    plain = compare([table.total_ms(one.ops) for one in prepared.held_out], [one.latency_ms for one in measured])
    show(report, plain)
    show_worst(table, prepared.held_out, measured)
    show_published(CASES[space].published, table, prepared.held_out, measured)
    held = [verdict("MAPE", report.mape, CASES[space].mape[engine], report.truth_mape)]
    if CASES[space].mape[engine] is not None:
        held.append(tau_verdict(report))
    held.append(verdict("within 10 %", 1 - report.within_10, 0.0 if space == "mbconv224" else None, None))
    held += [reused_verdict(space, engine, table, settings), time_verdict(space, engine, prepared, settings)]
    print()
    return 0 if all(held) else 1


def prepare(name: str, settings: argparse.Namespace) -> Prepared:
    space = GenotypeSpace(CASES[name].make())
    coverage = cover(space, np.random.default_rng(settings.seed))
    anchors, held_out = networks_of(space, coverage, ANCHORS, settings.networks)
    named = [published(one) for one in CASES[name].published]
    known = [Anchor(each.build, each.input_shape, each.ops()) for each in named]
    ops = dict.fromkeys([*coverage.ops, *(op for each in known for op in each.ops)])
    return Prepared(replace(coverage, ops=tuple(ops)), anchors, held_out + known)


def profiled(
    space: str, engine: str, prepared: Prepared, settings: argparse.Namespace
) -> tuple[LatencyTable, tuple[Measurement, ...]]:
    start = time.perf_counter()
    table, measured = profile_and_measure(
        prepared.coverage.ops, prepared.anchors, prepared.networks,
        engine=engine, rounds=settings.rounds, seed=settings.seed,
    )  # fmt: skip
    origin, fit = table.provenance, table.calibration
    print(f"== {space}, {engine} {origin.engine_version}, 1 thread: {origin.device_name} ({origin.device})")
    print(
        f"{len(table.entries)} operators, {fit.anchors} anchors and {len(measured)} held-out networks in "
        f"{time.perf_counter() - start:.0f} s: {origin.rounds} rounds, load {origin.load_average:.1f}, "
        f"wall/CPU {origin.wall_over_cpu:.2f}, entries' halves differ by {origin.noise:.1%}"
    )
    calls = f"{fit.per_layer_ms * 1e3:.1f} us * layers + {fit.per_op_ms * 1e3:.1f} us * operators"
    print(f"latency = {fit.scale:.3f} * sum + {calls} + {fit.offset_ms:.3f} ms")
    return table, measured


def show(report: ValidationReport, plain: ValidationReport) -> None:
    print(f"{'':28}{'table':>10}{'plain sum':>12}{'truth, split-half':>20}")
    print(f"{'MAPE':28}{report.mape:10.2%}{plain.mape:12.2%}{report.truth_mape:20.2%}")
    print(f"{'Kendall tau':28}{report.kendall_tau:10.3f}{plain.kendall_tau:12.3f}{report.truth_kendall_tau:20.3f}")
    print(f"{'Pearson':28}{report.pearson:10.4f}{plain.pearson:12.4f}")
    print(f"{'within 5 % / 10 %':28}{report.within_5:10.0%}{report.within_10:6.0%}")
    print(f"{'largest error':28}{report.max_error:10.1%}{plain.max_error:12.1%}")
    print(f"{'RMSE':28}{report.rmse_ms:7.3f} ms{plain.rmse_ms:9.3f} ms")


def show_worst(table: LatencyTable, networks: list[Anchor], measured: tuple[Measurement, ...]) -> None:
    truth = np.array([one.latency_ms for one in measured])
    predicted = np.array([table(one.ops)["latency_ms"] for one in networks])
    worst = np.argsort(-np.abs(predicted / truth - 1))[:3]
    told = (f"{predicted[index]:.3f} for {truth[index]:.3f} ({_halves(measured[index])})" for index in worst)
    print(f"worst of {truth.min():.2f} to {truth.max():.2f} ms: {'; '.join(told)}")


def show_published(
    names: tuple[str, ...], table: LatencyTable, networks: list[Anchor], measured: tuple[Measurement, ...]
) -> None:
    last = len(networks) - len(names)
    for name, network, truth in zip(names, networks[last:], measured[last:], strict=True):
        predicted = table(network.ops)["latency_ms"]
        error = predicted / truth.latency_ms - 1
        print(f"{name}: {predicted:.3f} for {truth.latency_ms:.3f} ms ({_halves(truth)}), {error:+.1%}")


def _halves(one: Measurement) -> str:
    return f"{one.halves_ms[0]:.3f}, {one.halves_ms[1]:.3f}"


def reused_verdict(space: str, engine: str, table: LatencyTable, settings: argparse.Namespace) -> bool:
    """Try the table on the same networks in a new process, which prints what it finds; only 224 x 224 is promised."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.json"
        path.write_text(table.to_json())
        same = ["--space", space, "--engine", engine, "--networks", settings.networks, "--rounds", settings.rounds]
        command = [sys.executable, __file__, *map(str, same), "--seed", str(settings.seed), "--reuse", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    mape, truth_mape, said = done.stdout.strip().splitlines()[-3:]
    print(said)
    return verdict(
        "reused MAPE at the machine's speed",
        float(mape),
        TARGET_REUSED if space == "mbconv224" else None,
        float(truth_mape),
    )


def print_reused(settings: argparse.Namespace) -> None:
    prepared = prepare(settings.space[0], settings)
    table = LatencyTable.from_json(settings.reuse.read_text())
    controls = prepared.anchors[:: len(prepared.anchors) // CONTROLS]
    networks = prepared.networks + [one.network for one in controls]
    every = measure(networks, engine=settings.engine[0], rounds=settings.rounds, seed=settings.seed + 1)
    measured, now = every[: len(prepared.held_out)], every[len(prepared.held_out) :]
    report = validate(table, prepared.held_out, measured)
    predicted = np.array([table(one.ops)["latency_ms"] for one in prepared.held_out])
    truth = np.array([one.latency_ms for one in measured])
    speed = float(
        np.median([is_.latency_ms / table(was.ops)["latency_ms"] for is_, was in zip(now, controls, strict=True)])
    )
    at_speed = float(np.abs(predicted * speed / truth - 1).mean())
    print(at_speed, report.truth_mape, sep="\n")
    print(
        f"reused in a later process, not fitted again (load {load_average():.1f}): MAPE {report.mape:.2%} (truth's "
        f"halves {report.truth_mape:.2%}), Kendall tau {report.kendall_tau:.3f}, within 10 % {report.within_10:.0%}; "
        f"{len(controls)} controls took {speed:.3f} times as long as predicted: at this speed MAPE {at_speed:.2%}"
    )


def time_verdict(space: str, engine: str, prepared: Prepared, settings: argparse.Namespace) -> bool:
    """Profile the operators and the anchors alone, for the time that it takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    table = profile(prepared.coverage.ops, prepared.anchors, engine=engine, rounds=8, seed=settings.seed)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"profiling {len(table.entries)} operators and {table.calibration.anchors} anchors alone, 8 rounds: "
        f"{wall:.0f} s of wall time, {cpu:.0f} s of CPU time (load {load_average():.1f})"
    )
    if space != "mbconv224":
        return True
    return verdict("profiling time", min(wall / TARGET_SECONDS, cpu / TARGET_CPU_SECONDS), 1.0, None)


def verdict(what: str, found: float, target: float | None, truth: float | None) -> bool:
    """Return whether a figure meets its target, or is no worse than the truth's own; say so where one is set."""
    if target is None:
        return True
    held = found <= target or (truth is not None and found <= truth)
    print(f"{what} {'holds' if held else 'IS MISSED'}")
    return held


def tau_verdict(report: ValidationReport) -> bool:
    target = min(TARGET_TAU, report.truth_kendall_tau or 1.0)
    return verdict("Kendall tau", -(report.kendall_tau or 0.0), -target, None)


if __name__ == "__main__":
    sys.exit(main())
