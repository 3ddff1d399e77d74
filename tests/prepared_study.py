"""A study file with preparations that count instead of training, and launches of it, for tests."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from drivers import ENVIRONMENT, rows

from search.cli.application import application

SOURCE = '''"""Four choices, proposed from what preparations have learnt of their cost."""
import json
import os
import time
from dataclasses import dataclass

import numpy as np
import pyglove as pg

from evaluators._preparation import Progress

weights = [1.0]
steps = 5
pause_s = 0.0
fails_at = -1
exits_at = -1


@dataclass(frozen=True)
class Leaning:
    """Leans towards cheap choices, the more the larger the weight; notes in `done` which process did which step."""

    weight: float = 1.0
    kind = "leaning"
    cost = "cost"

    def __call__(self, job):
        file = job.folder / "state.json"
        losses = json.loads(file.read_text()) if file.exists() else []
        for step in range(steps):
            if step == fails_at and self.weight == weights[-1]:
                yield Progress(step / steps, {"loss": float("nan")})
            if step == exits_at:
                os._exit(3)
            if step == len(losses):
                self.learn(job, losses)
            yield Progress((step + 1) / steps, {"loss": losses[step]})

    def learn(self, job, losses):
        time.sleep(pause_s)
        losses.append(1 / (len(losses) + 1))
        logs = [(-self.weight * terms).tolist() for terms in job.costs.terms]
        for name, value in (("learnt", logs), ("state", losses)):
            (job.folder / f"{name}.new").write_text(json.dumps(value))
            (job.folder / f"{name}.new").replace(job.folder / f"{name}.json")
        with open(job.folder.parent / "done", "a") as done:
            done.write(f"{os.getpid()} {self.weight} {len(losses) - 1}\\n")

    def distributions(self, folder):
        logs = [np.array(each) for each in json.loads((folder / "learnt.json").read_text())]
        return {"": tuple(each - np.log(np.exp(each).sum()) for each in logs)}


class Cost:
    metrics = ("cost",)

    def costs(self, genotypes):
        return 1.0 + genotypes.astype(float).sum(axis=1, keepdims=True)


def evaluator(task):
    kept = json.loads((task.prepared[0] / "state.json").read_text())
    yield {"accuracy": float(task.genotype.sum()), "kept": float(len(kept))}


space = pg.Dict({f"layer{i}": pg.oneof([0, 1, 2]) for i in range(4)})
preparations = [Leaning(weight) for weight in weights]
algorithm = "distribution"
hardware_models = [Cost()]
objectives = {"accuracy": "maximize"}
constraints = ["cost <= 5"]
max_trials = 4
launcher = "serial"
'''


def arguments(folder: Path, *options: str) -> list[str]:
    """Return the arguments that launch the study, which is written to `folder`, with its database there."""
    (folder / "prepared.py").write_text(SOURCE)
    return ["launch", str(folder / "prepared.py"), "--storage", f"sqlite:///{folder}/search.db", *options]


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start a launch in a process of its own."""
    command = [sys.executable, "-m", "search", *arguments(folder, *options)]
    return subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a launch's end; return its exit code and what it printed on stderr."""
    _, err = process.communicate(timeout=240)
    return process.returncode, err


def launch(folder: Path, *options: str) -> tuple[int, str, str]:
    """Launch the study in this process; return its exit code and what it printed on stdout and stderr."""
    result = CliRunner().invoke(application, arguments(folder, *options))
    return result.exit_code, result.stdout, result.stderr


def done(folder: Path) -> list[tuple[int, float, int]]:
    """Return the process, the weight and the number of each step that was done, in order."""
    path = folder / "runs" / "preparations" / "done"
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [(int(process), float(weight), int(step)) for process, weight, step in lines]


def stored(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Return a query's rows."""
    return rows(f"sqlite:///{folder}/search.db", query)


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until a condition holds. Raises AssertionError where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
