"""What the papers' recipes change: supernets of the studies `elasticvit` and `once_for_all`, trained with and without.

    python benchmarks/supernet_recipes.py [--seeds 2] [--short] [--only recipe=paper]

Each study's own preparation is trained at the study's own settings, but for the setting in question, and 20 random
networks, the same for all, are scored with the weights that they inherit: the mean of their accuracies on validation
and on test images, in percent, and the lowest and highest. It is reported as it comes; there is no goal to be missed.
Some four CPU minutes a training and seed; `--short` trains for two epochs, and says nothing but that it works;
`--only` keeps the rows that hold its words.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evaluators._base import Task
from evaluators._preparation import Job
from search.study_file import load_study_file

NETWORKS = 20
SETTINGS: tuple[tuple[str, dict[str, str]], ...] = (
    ("once_for_all", {"train": "true"}),
    ("once_for_all", {"train": "true", "restarts": "true"}),
    ("elasticvit", {}),
    ("elasticvit", {"recipe": "paper"}),
)


def scores(name: str, settings: dict[str, str], seed: int) -> tuple[np.ndarray, float]:
    """Return accuracies of random networks on validation and test images, (networks, 2), and the training's CPU s."""
    study = load_study_file(name, settings)
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for _ in study.preparations[0](Job(study.space, Path(folder), seed=seed)):
            pass
        spent = time.process_time() - start
        rows = study.space.sample(NETWORKS, np.random.default_rng(7))
        found = [next(study.evaluator(Task(study.space, row, prepared=(Path(folder),)))) for row in rows]
    return np.array([[one["accuracy"], one["test_accuracy"]] for one in found]), spent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default="", metavar="WORDS")
    arguments = parser.parse_args()
    short = {"supernet_epochs": "2"} if arguments.short else {}
    print("| study | settings | seed | validation, % | test, % | training, CPU s |\n|---|---|---|---|---|---|")
    for name, settings in SETTINGS:
        told = ", ".join(f"{key}={value}" for key, value in settings.items()) or "its own"
        if arguments.only not in f"{name} {told}":
            continue
        for seed in range(arguments.seeds):
            found, spent = scores(name, settings | short, seed)
            cells = [f"{part.mean():.2f} ({part.min():.2f}-{part.max():.2f})" for part in found.T]
            print(f"| `{name}` | {told} | {seed} | {' | '.join(cells)} | {spent:.0f} |", flush=True)


if __name__ == "__main__":
    main()
