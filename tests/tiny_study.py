"""A tiny study file for the tests of the command line: arithmetic instead of training."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''"""Two choices and a width, scored by arithmetic."""
import time

import pyglove as pg

space = pg.Dict(depth=pg.oneof([1, 2, 3]), kernel=pg.oneof([3, 5, 7]), width=pg.floatv(0.5, 2.0))
pause_s = 0.0
broken = False


def evaluator(task):
    time.sleep(pause_s)
    if broken:
        raise RuntimeError("no such luck")
    depth, kernel, width = task.genotype
    return {"accuracy": 60 + 5 * depth + 2 * kernel + 10 * width, "cost_ms": (1 + depth) * (1 + kernel) * width}


objectives = {"accuracy": "maximize", "cost_ms": "minimize"}
constraints = ["cost_ms <= 15"]
algorithm = "random"
max_trials = 12
launcher = "serial"
'''


def write_tiny_study(folder: Path, source: str = SOURCE) -> Path:
    """Write the study file to `folder` and return its path."""
    path = folder / "tiny.py"
    path.write_text(source)
    return path
