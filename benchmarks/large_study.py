"""What a study of 100,000 trials costs to open, list and give its front, in a fresh process: CPU seconds and memory.

python benchmarks/large_study.py [--trials 100000]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg

from search.algorithms.random import Random
from search.objectives import nondominated, parse_objectives
from search.schema import fronts, metrics, trials
from search.storage import open_storage
from search.study import Study
from spaces.genotype import GenotypeSpace

BATCH = 10_000
ROOT = str(Path(__file__).resolve().parents[1])
READ = """
import json, resource, sys, time
from search.storage import open_storage
from search.study import Study
imported = time.process_time()
study = Study.open(open_storage(sys.argv[1], create=False), "large")
table, front = study.trials(), study.front()
print(json.dumps({"trials": len(table), "front": len(front), "cpu_s": time.process_time(), "import_s": imported,
                  "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def fill(url: str, count: int) -> float:
    """Make a study of `count` finished trials by bulk insertion; return the CPU seconds to resume it."""
    space = GenotypeSpace(pg.List([pg.oneof(list(range(9))) for _ in range(22)]))
    objectives = parse_objectives({"accuracy": "maximize", "latency_ms": "minimize"})
    rng = np.random.default_rng(0)
    with open_storage(url) as storage:
        Study.create_or_resume(storage, "large", space, Random(), objectives, max_trials=count).close()
        values = np.stack([rng.normal(70, 2, count), rng.gamma(3, 4, count)], axis=1)
        with storage.database.engine.begin() as connection:
            for first in range(0, count, BATCH):
                numbers = range(first, min(first + BATCH, count))
                genotypes = space.sample(len(numbers), rng).tolist()
                connection.execute(trials.insert(), [trial_row(n, g) for n, g in zip(numbers, genotypes, strict=True)])
                connection.execute(metrics.insert(), [row for n in numbers for row in metric_rows(n, values[n])])
            front = np.flatnonzero(nondominated(values * [1, -1])).tolist()
            connection.execute(fronts.insert(), [{"study_id": 1, "number": number} for number in front])
        began = time.process_time()
        Study.create_or_resume(storage, "large", space, Random(), objectives, max_trials=count).close()
        return time.process_time() - began


def trial_row(number: int, genotype: list[int]) -> dict[str, object]:
    """Return a finished trial's row."""
    times = {"created_at": 1.0, "started_at": 1.0, "finished_at": 2.0, "elapsed_s": 1.0}
    text = json.dumps(genotype, separators=(",", ":"))
    fixed = {
        "study_id": 1,
        "state": "COMPLETED",
        "attempt": 1,
        "losses": 0,
        "worker": "",
        "reason": "",
        "genotype": text,
    }
    return {**fixed, **times, "number": number, "seed": number, "told": number, "change_seq": number}


def metric_rows(number: int, values: np.ndarray) -> list[dict[str, object]]:
    """Return the rows of a trial's metrics."""
    named = zip(("accuracy", "latency_ms"), values.tolist(), strict=True)
    return [{"study_id": 1, "number": number, "name": name, "value": value} for name, value in named]


def main() -> int:
    """Print what was measured; return 1 where a bound is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/large.db"
        resumed_s = fill(url, options.trials)
        size_mb = (Path(folder) / "large.db").stat().st_size / 1e6
        done = subprocess.run(
            [sys.executable, "-c", READ, url],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": ROOT},
        )
    found = json.loads(done.stdout)
    print(f"{found['trials']} trials, {found['front']} on the front, file {size_mb:.1f} MB")
    print(f"open, list and front: {found['cpu_s']:.2f} CPU s, of which imports {found['import_s']:.2f}; "
          f"{found['rss_mb']:.0f} MB")  # fmt: skip
    print(f"resume as a driver: {resumed_s:.2f} CPU s; this process grew to "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")  # fmt: skip
    return int(found["cpu_s"] > 1.5 or found["rss_mb"] > 300)


if __name__ == "__main__":
    sys.exit(main())
