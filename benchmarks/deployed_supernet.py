"""One supernet, four devices: do the networks that a study finds for each keep its limit, also as measured here?

    python benchmarks/deployed_supernet.py [--epochs 10] [--trials 120] [--folder FOLDER] [--short]

All by the command line, as a user would: this machine is profiled for the study `elasticvit` on ONNX Runtime and on
PyTorch; the study is launched with these two and two devices' estimates; for each of the four and for limits that a
tenth, a quarter and a half of random networks keep, the best network is taken and exported. What was exported for this
machine - `model.onnx`, or `state_dict.pt` in the network - is then timed by the protocol of docs/latency.md, in the
same rounds as random networks that were never measured before: these tell by how much the machine is slower or faster
than it was then, which is taken off, and validate the table anew, for the machine as it is now. One thread, its CPU
clock.

Ends with 1 where a network is beyond its device's limit by the table or estimate, computed anew from what was exported;
or where a measured latency is further from the table's than the largest error of both validations, and than the
measurement's own halves from each other. Needs the extras `onnx` and scikit-learn; some six CPU minutes.
With `--folder` what is there already is used again. `--short` trains for one epoch and scores 24 networks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from hardware_models.at_device import at
from hardware_models.bench import Bench
from hardware_models.device_sheet import device_sheet
from hardware_models.latency_table import LatencyTable
from hardware_models.measurement import Measurement
from hardware_models.roofline import Roofline
from hardware_models.sampling import Workload, load_average
from hardware_models.validation import compare
from search.cli.tables import table_used
from search.coverage import ops_of
from search.storage import open_storage
from search.study import Study
from search.study_file import load_study_file
from search.study_tables import tables_used
from spaces.genotype import GenotypeSpace

ROOT = Path(__file__).resolve().parents[1]
STUDY = "elasticvit"
HERE = {"cpu-onnxruntime": "onnxruntime", "cpu-torch": "torch"}
"""This machine's devices in the study, and their engines."""

SHEETS = ("raspberrypi4", "jetson-nano")
SHARES = (0.1, 0.25, 0.5)
"""The shares of random networks that keep a limit."""

FRESH = 20
"""Random networks that validate a table anew, beside what was exported."""


@dataclass(frozen=True)
class Chosen:
    """A device's best network within a limit.

    `known_ms` is its latency by the device's table or estimate, of the candidate that was exported.
    """

    device: str
    limit_ms: float
    trial: int
    accuracy: float
    known_ms: float
    genotype: np.ndarray
    folder: Path


def search(folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what a command of the project prints as JSON, run in a folder."""
    command = [sys.executable, "-m", "search", *arguments, "--json", "--storage", "sqlite:///search.db"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def launched(folder: Path, epochs: int, trials: int) -> None:
    """Profile this machine and run the study."""
    for engine in HERE.values():
        search(folder, "profile", STUDY, "--engine", engine)
    estimated = [at("latency_ms", f"{name}-estimated") for name in SHEETS]
    aims = dict.fromkeys([*(at("latency_ms", name) for name in HERE), *estimated], "minimize")
    devices = {name: {"device": "this", "engine": engine} for name, engine in HERE.items()}
    sets = {"supernet_epochs": epochs, "devices": devices, "objectives": {"accuracy": "maximize", **aims}, "measure": 0}
    assignments = [word for name, value in sets.items() for word in ("--set", f"{name}={value}")]
    search(folder, "launch", STUDY, "--launcher", "serial", "--max-trials", str(trials), *assignments)


def models_of(folder: Path) -> dict[str, Any]:
    """Return what gives each device's latencies: the very tables that the study used, and the estimates."""
    models: dict[str, Any] = {}
    with closing(open_storage(f"sqlite:///{folder}/search.db")) as store, closing(Study.open(store, STUDY)) as study:
        for name, facts in tables_used(study.settings).items():
            table = table_used(store, facts)
            if name in HERE and table is not None:
                models[name] = table.model
    estimates = ((f"{name}-estimated", Roofline(device_sheet(name))) for name in SHEETS)
    return {name: models[name] for name in HERE} | dict(estimates)


def latency_ms(model: Any, ops: Any) -> float:
    """Return what a model says of operators."""
    ((_, found),) = ((name, value) for name, value in model(ops).items() if name.startswith("latency_ms"))
    return float(found)


def chosen(folder: Path, space: GenotypeSpace, models: dict[str, Any]) -> list[Chosen]:
    """Take and export the best network of each device within each limit; those for which there is none are left out."""
    random = [ops_of(space, row) for row in space.sample(400, np.random.default_rng(0))]
    found = []
    for device, model in models.items():
        for limit in np.quantile([latency_ms(model, ops) for ops in random], SHARES).round(4).tolist():
            trial = search(folder, "best", STUDY, "--within", f"latency_ms@{device} <= {limit}")["trial"]
            if trial is None:
                print(f"nothing within {limit} ms on {device}")
                continue
            to = folder / f"trial-{trial['number']}"
            search(folder, "export", STUDY, "--trial", str(trial["number"]), "--to", str(to))
            row = space.from_json(json.loads((to / "candidate.json").read_text())["genotype"])
            known_ms = latency_ms(model, ops_of(space, row))
            found.append(Chosen(device, limit, trial["number"], trial["metrics"]["accuracy"], known_ms, row, to))
    return found


def workload(bench: Bench, space: GenotypeSpace, one: Chosen) -> Workload:
    """Return what runs a network that was exported: its ONNX file on ONNX Runtime, else its weights."""
    candidate = space.decode(one.genotype)
    if bench.engine.name != "onnxruntime":
        network = candidate.build()
        network.load_state_dict(torch.load(one.folder / "state_dict.pt", weights_only=True))
        return bench.network(network, candidate.input_shape)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_free_dimension_override_by_name("batch", 1)  # as the card says: else shapes are computed at each call
    session = onnxruntime.InferenceSession(one.folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("images", np.random.default_rng(0).standard_normal((1, *candidate.input_shape), np.float32))
    binding.bind_output("outputs")
    return Workload(f"trial {one.trial}", partial(session.run_with_iobinding, binding))


def timed(
    table: LatencyTable, space: GenotypeSpace, fresh: list[Any], exported: list[Chosen], rounds: int
) -> tuple[list[Measurement], list[Measurement]]:
    """Return the latencies of fresh candidates, and those of what was exported."""
    bench = Bench(table.provenance.engine, 1, 1, seed=1)
    preparations = [partial(built, bench, one) for one in fresh]
    preparations += [partial(workload, bench, space, one) for one in exported]
    now, _ = bench.time(preparations, rounds)
    return list(now[: len(fresh)]), list(now[len(fresh) :])


def built(bench: Bench, candidate: Any) -> Workload:
    """Return what runs a candidate without its trained weights."""
    return bench.network(candidate.build(), candidate.input_shape)


def within_limits(found: list[Chosen]) -> list[str]:
    """Print each device's networks; return those that are beyond their limits."""
    print(f"{'device':24}{'limit (ms)':>12}{'by table (ms)':>15}{'accuracy, %':>13}{'trial':>7}")
    for one in found:
        print(f"{one.device:24}{one.limit_ms:12.4f}{one.known_ms:15.4f}{one.accuracy:13.1f}{one.trial:7}")
    beyond = [one for one in found if one.known_ms > one.limit_ms]
    return [f"trial {one.trial} takes {one.known_ms} of {one.limit_ms} ms on {one.device}" for one in beyond]


def as_measured(device: str, table: LatencyTable, space: GenotypeSpace, found: list[Chosen], rounds: int) -> list[str]:
    """Print a device's networks as measured; return those that are further from the table than it may be off."""
    fresh = [space.decode(row) for row in space.sample(FRESH, np.random.default_rng(1))]
    own = list({one.trial: one for one in found if one.device == device}.values())
    random, measured = timed(table, space, fresh, own, rounds)
    was = table.validation
    if was is None:
        return [f"the table of {device} is not validated"]
    predicted = np.array([latency_ms(table, one.ops()) for one in fresh])
    truth, halves_ms = np.array([one.latency_ms for one in random]), np.array([one.halves_ms for one in random])
    slowness = float(np.median(truth / predicted))
    now = compare(predicted * slowness, truth, halves_ms.T)
    print(
        f"\n{device}: its table is off by {was.mape:.1%} on {was.networks} networks, at most {was.max_error:.1%} "
        f"(halves {was.truth_mape or 0:.1%}); the machine takes {slowness:.3f} times as long as then, and at this "
        f"speed it is off by {now.mape:.1%} on {FRESH} others, at most {now.max_error:.1%} (halves "
        f"{now.truth_mape or 0:.1%}; load {load_average():.1f})"
    )
    missed, errors = [], []
    print(f"{'trial':>7}{'by table (ms)':>15}{'measured (ms)':>15}{'error':>8}{'at its speed':>14}{'halves':>8}")
    for one, is_ in zip(own, measured, strict=True):
        plain, fitted = one.known_ms / is_.latency_ms - 1, one.known_ms * slowness / is_.latency_ms - 1
        halves = abs(is_.halves_ms[0] - is_.halves_ms[1]) / is_.latency_ms
        errors.append(abs(fitted))
        print(f"{one.trial:7}{one.known_ms:15.4f}{is_.latency_ms:15.4f}{plain:8.1%}{fitted:14.1%}{halves:8.1%}")
        if abs(fitted) > max(was.max_error, now.max_error, halves):
            allowed = f"validated {was.max_error:.1%}, now {now.max_error:.1%}"
            missed.append(f"trial {one.trial} is off by {fitted:.1%} on {device}, {allowed}")
    print(f"mean error at its speed {np.mean(errors):.1%}")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10, help="of the supernet")
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=20, help="of measuring what was exported")
    parser.add_argument("--folder", type=Path, help="where the study is kept, to go on from")
    parser.add_argument("--short", action="store_true", help="one epoch, 24 networks")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "search.db").exists():
            launched(folder, *((1, 24) if options.short else (options.epochs, options.trials)))
        space, models = load_study_file(STUDY).space, models_of(folder)
        found = chosen(folder, space, models)
        missed = within_limits(found)
        for device in HERE:
            missed += as_measured(device, models[device], space, found, options.rounds)
    if len(found) < len(SHARES) * len(models):
        missed.append(f"{len(SHARES) * len(models) - len(found)} limits that no network of the study keeps")
    print("\n" + ("\n".join(f"MISSED: {goal}" for goal in missed) or "every goal is met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
