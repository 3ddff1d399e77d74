"""How well a latency table of this machine predicts whole NAS-Bench-201 networks that it never saw.

    python benchmarks/latency_tables.py [--engine torch] [--networks 60] [--rounds 20] [--seed 0]

Profiles the space's operators with 18 anchor networks; other networks, evenly spread over the range of cost, take their
turns in the same rounds, so that what a shared machine does between two sessions is not counted as the table's error.
Beside each figure stands the same figure between two halves of the measurements: no table can be closer to the truth
than the truth is to itself. Ends with 1 when the table misses its targets (MAPE 3 %, Kendall tau 0.95) and is worse
than the truth's own figures too.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from hardware_models.counts import macs
from hardware_models.latency_table import LatencyTable
from hardware_models.measurement import Measurement
from hardware_models.profiler import ROUNDS, Anchor, Network, profile_and_measure
from hardware_models.validation import ValidationReport, compare
from spaces.genotype import GenotypeSpace
from spaces.nasbench201 import NasBench201, nasbench201

ANCHORS = 18
SAMPLED = 800
TARGET_MAPE = 0.03
TARGET_TAU = 0.95


def main() -> int:
    settings = arguments()
    space, rng = GenotypeSpace(nasbench201()), np.random.default_rng(settings.seed)
    cells = [space.decode(row) for row in space.sample(SAMPLED, rng)]
    cells = list({cell.ops(): cell for cell in cells}.values())  # cells whose live edges are equal are one network
    anchors = spread(cells, [rough_cost(cell) for cell in cells], ANCHORS)
    chosen = [cell for cell in cells if cell not in anchors]
    held_out = spread(chosen, [rough_cost(cell) for cell in chosen], settings.networks)
    table, measured = profiled(cells, anchors, held_out, settings)

    truth = np.array([one.latency_ms for one in measured])
    halves = np.array([one.halves_ms for one in measured]).T
    predicted = np.array([table(cell.ops())["latency_ms"] for cell in held_out])
    plain = np.array([table.total_ms(cell.ops()) for cell in held_out])
    report = compare(predicted, truth, halves)
    show(report, compare(plain, truth))
    show_worst(held_out, predicted, truth, halves)
    return verdict(report)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="torch", choices=("torch", "onnxruntime"))
    parser.add_argument("--networks", type=int, default=60, help="held out, measured directly")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def rough_cost(cell: NasBench201) -> float:
    """Return a guess by which anchors are chosen before anything is measured: an operator is worth 0.4 M MACs."""
    return macs(cell.ops()) + 4e5 * len(cell.ops())


def spread(cells: list[NasBench201], costs: list[float], count: int) -> list[NasBench201]:
    """Return `count` different cells whose costs lie closest to evenly spaced ones."""
    left, chosen = dict(enumerate(costs)), []
    for cost in np.linspace(min(costs), max(costs), count):
        chosen.append(min(left, key=lambda index: abs(left[index] - cost)))
        del left[chosen[-1]]
    return [cells[index] for index in chosen]


def profiled(
    cells: list[NasBench201], anchors: list[NasBench201], held_out: list[NasBench201], settings: argparse.Namespace
) -> tuple[LatencyTable, tuple[Measurement, ...]]:
    start = time.perf_counter()
    networks = [Anchor(cell.build(), cell.input_shape, cell.ops()) for cell in anchors]
    ops = dict.fromkeys(op for cell in cells for op in cell.ops())
    others = [Network(cell.build(), cell.input_shape) for cell in held_out]
    table, measured = profile_and_measure(
        ops, networks, others, engine=settings.engine, rounds=settings.rounds, seed=settings.seed
    )
    provenance, fit = table.provenance, table.calibration
    print(f"{provenance.device_name} ({provenance.device}), {provenance.engine} {provenance.engine_version}, 1 thread")
    print(
        f"profiled {len(table.entries)} operators and {fit.anchors} anchors, "
        f"with {len(held_out)} held-out networks between them, in {time.perf_counter() - start:.1f} s: "
        f"{provenance.rounds} rounds, load {provenance.load_average:.1f}, wall/CPU {provenance.wall_over_cpu:.2f}, "
        f"entries' split-half difference {provenance.noise:.1%}"
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


def show_worst(cells: list[NasBench201], predicted: np.ndarray, truth: np.ndarray, halves: np.ndarray) -> None:
    print(f"worst five of {truth.min():.2f} to {truth.max():.2f} ms:")
    for index in np.argsort(-np.abs(predicted / truth - 1))[:5]:
        print(
            f"  {cells[index].code}: predicted {predicted[index]:.3f}, measured {truth[index]:.3f} ms "
            f"(halves {halves[0, index]:.3f}, {halves[1, index]:.3f})"
        )


def verdict(report: ValidationReport) -> int:
    """Return the exit code: each figure must meet its target, or be no worse than the truth's own."""
    mape_holds = report.mape <= max(TARGET_MAPE, report.truth_mape or 0.0)
    tau_holds = (report.kendall_tau or 0.0) >= min(TARGET_TAU, report.truth_kendall_tau or 1.0)
    print(f"MAPE {'holds' if mape_holds else 'is missed'}, Kendall tau {'holds' if tau_holds else 'is missed'}")
    return 0 if mape_holds and tau_holds else 1


if __name__ == "__main__":
    sys.exit(main())
