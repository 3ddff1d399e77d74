"""Nested supernets: what a step and a score cost, and whether inherited accuracies rank networks as training does.

    python benchmarks/nested_supernets.py [--short] [--part ranks] [--data FOLDER] [--seeds 3] [--out runs.jsonl]

The space is `elasticvit("small")`, at 16 pixels for ranks. Costs: CPU time on one thread, median and quartiles, on
digits. Ranks: 20 networks of six levels of complexity, the smallest and the largest are each trained alone, and
supernets of several samplers as well, all with each seed. Told is Kendall's tau of the mean accuracy alone with the
inherited one, the mean over supernets; its 95 % bootstrap interval is over networks and supernets; beside it the tau of
two seeds of the trainings alone, and that of the networks' multiply-accumulates. Images are those of the CIFAR-10
archives of the data folder (3,000 train, 1,000 validate, 4,000 test), or the digits where these are not there, which
nearly all networks read alike: of them ranks say little.
Exits with 1 where a goal of costs is missed; ranks are reported as they come. Some ten CPU minutes a seed, kept in
the file `--out`, from which a stopped run goes on; `--short` is some four CPU minutes of digits, and says nothing of
ranks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from inherited_ranks import ADAM, FOLDER, measure_ranks, setting
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evaluators._base import Task
from evaluators._preparation import Job
from evaluators.datasets import EnlargedDigits, Part
from evaluators.inherited_accuracy import InheritedAccuracy
from evaluators.nested_supernet import NestedSupernet, _Run
from evaluators.samplers._base import Subnet
from spaces.elasticvit import elasticvit
from spaces.genotype import GenotypeSpace

MOST_OF_SANDWICH, MOST_OF_SHARING = 2.0, 1.3
"""Goals: CPU time of a sandwich step by the largest network's; of a step on shared weights by one on its own."""


def cpu_ms(work: Callable[[], object], repeats: int) -> np.ndarray:
    """Return quartiles of the CPU ms of some work, after one run that warms up."""
    times = []
    for _ in range(repeats + 1):
        began = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - began))
    return np.quantile(times[1:], [0.5, 0.25, 0.75])


def shown(name: str, quartiles: np.ndarray, by: float) -> str:
    """Return a line of the table."""
    return f"{name:38} {quartiles[0]:8.0f} ({quartiles[1]:.0f}-{quartiles[2]:.0f}) {quartiles[0] / by:12.2f}"


def measure_costs(repeats: int) -> list[str]:
    """Print what steps cost; return the goals that are missed."""
    space = GenotypeSpace(elasticvit("small"))
    settings = NestedSupernet(dataset=EnlargedDigits(4), optimization=ADAM)
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(settings, Job(space, Path(folder)), "cpu")
    batch = Part(run.data.train.inputs(slice(64)), run.data.train.labels[:64])
    rng = np.random.default_rng(0)

    def sandwich() -> None:
        nets = [("largest", run.nets.largest), ("smallest", run.nets.smallest)]
        nets += [("random", run.nets.random(rng)) for _ in range(2)]
        run._step(
            [Subnet(row, kind, (0,) if place else (), float(not place)) for place, (kind, row) in enumerate(nets)],
            batch,
        )

    own = space.decode(run.nets.largest).build().train()
    optimizer = ADAM.make_optimizer(own, fused=False)

    def alone() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(functional.cross_entropy(own(batch.images), batch.labels))
        optimizer.step()

    largest = cpu_ms(alone, repeats)
    shared = cpu_ms(lambda: run._step([Subnet(run.nets.largest, "largest")], batch), repeats)
    whole = cpu_ms(sandwich, 3 * repeats)
    print(f"{'a step, 64 images of 32x32':38} {'CPU ms (quartiles)':>20} {'x the first':>12}")
    print(shown("the largest network, its own weights", largest, largest[0]))
    print(shown("the largest network, shared weights", shared, largest[0]))
    print(shown("sandwich: largest, smallest, 2 random", whole, largest[0]))
    with tempfile.TemporaryDirectory() as folder:
        list(NestedSupernet(dataset=EnlargedDigits(4), epochs=1, batch=256)(Job(space, Path(folder))))
        score = InheritedAccuracy(dataset=EnlargedDigits(4), keep=False)
        rows = iter(space.sample(3 * repeats + 1, rng))
        scored = cpu_ms(lambda: list(score(Task(space, next(rows), prepared=(Path(folder),)))), 3 * repeats)
    print(f"{'a random network scored':38} {scored[0]:8.0f} ({scored[1]:.0f}-{scored[2]:.0f})")
    print(f"{1e3 / scored[0]:.1f} networks a second of one CPU are scored")
    goals = {
        f"a sandwich step takes at most {MOST_OF_SANDWICH:g} x the largest network's": whole[0] / largest[0]
        <= MOST_OF_SANDWICH,
        f"shared weights take at most {MOST_OF_SHARING:g} x the time": shared[0] / largest[0] <= MOST_OF_SHARING,
    }
    return [goal for goal, met in goals.items() if not met]


def main() -> int:
    """Print costs and ranks; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few repeats, six networks, three epochs")
    parser.add_argument("--data", type=Path, default=FOLDER, help="the folder of the CIFAR-10 archives")
    parser.add_argument("--seeds", type=int, help="how often each network and each supernet is trained: 3; short, 2")
    parser.add_argument("--out", type=Path, help="where finished trainings are kept, to go on from")
    parser.add_argument("--part", choices=("costs", "ranks"), help="only one of the two")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread", flush=True)
    missed = measure_costs(3 if given.short else 9) if given.part != "ranks" else []
    if given.part != "costs":
        measure_ranks(
            setting(given.data, short=given.short), range(given.seeds or (2 if given.short else 3)), given.out
        )
    print("\n" + ("\n".join(f"MISSED: {goal}" for goal in missed) or "every goal is met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
