"""ResNet-20 pruned to half of its multiply-accumulates: learned rates beside the baselines' choices.

    python benchmarks/pruning.py [--seeds 10] [--cifar-seeds 3] [--keep 0.5] [--epochs 10] [--methods lapp,uniform,...]
                                 [--jobs planted,digits,cifar,targets] [--out runs.jsonl] [--short]

`digits` is scikit-learn's; `cifar` is 4,000 images of CIFAR-10, reduced to 16x16, and needs the data folder
`../shared/data` beside the checkout; `cifar2000` has half of them to train with. Each method has the first two fifths
of the epochs for its choice of widths, and trains what is left of the network afterwards:

- `lapp`: learned rates;
- `uniform`, `magnitude`: the whole network is trained and pruned at equal rates, or by global magnitude;
- `search`: it is trained, and regularized evolution searches the space of rates for the widths with the best validation
  accuracy, the weights being those of the whole network and norms seeing some training images again;
- `hesso`, `cric`, `masks` (MaskSparsity), `sap` and `sap_global` (on channels, an index of each group or of all) train
  by their own rules, and are brought to the budget;
- `scratch`: the uniformly pruned network is trained from the start.

Those that spend more on their choice train for fewer epochs afterwards, `SPENT`, for about the same CPU time. A seed's
runs of all methods follow each other; `--out` keeps each run, and goes on from what it holds. `targets` learns rates on
`cifar` with each of `--seeds` and trains nothing further. `planted` is a network of two equal branches of which one is
fed nothing. Prints the mean +- standard error of the test accuracy in percent, its difference from `uniform`'s seed by
seed, the range of the multiply-accumulates, and CPU seconds a run. Ends with 1 where a network is off its target by
more than 1 %, or the planted branch is not found. `--short` is 3 epochs, 2 seeds of digits and 1 of CIFAR-10.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg
import torch
from pruning_tasks import CIFAR, JOBS, Planted, space, train
from search_runs import Run, completed
from torch import nn

from evaluators._preparation import Job
from evaluators.lapp import Lapp
from evaluators.pruning.channel_sap import ChannelSap
from evaluators.pruning.result import learned, learned_weights
from evaluators.train import evaluate
from evaluators.trained_pruning import TrainedPruning
from search.algorithms._base import Problem, Results
from search.algorithms.regularized_evolution import RegularizedEvolution
from spaces.genotype import GenotypeSpace
from spaces.lapp import lapp
from spaces.pruning.global_magnitude import global_magnitude

TRAINED = {"hesso": "hesso", "cric": "cric", "masks": "mask_sparsity", "sap": "sap", "sap_global": "sap"}
METHODS = ("lapp", "uniform", "magnitude", "search", *TRAINED, "scratch")
LEARNING = 0.4
SPENT = {"lapp": 1.0, "search": 1.0, "cric": 1.0, "scratch": -1.0}
"""What a choice costs beyond a plain training: of the epochs of its phase, spent on the pruned network."""
SEARCHED = {"digits": 8, "cifar": 24, "cifar2000": 12}
"""Evaluations of a search: as many as take the CPU time of its `SPENT`."""
RECALIBRATED = 512
"""Training images by which the norms of a searched network are set."""
OFF = 0.01
LEAST = 0.1


def choose(method: str, job: str, options: argparse.Namespace, seed: int) -> tuple[nn.Module, tuple[int, ...]]:
    """Return a method's network, pruned and not trained further, and its widths."""
    make, _, load = JOBS[job]
    network, keep, epochs = space(job).value.network, options.keep, round(options.epochs * LEARNING)
    torch.manual_seed(seed)
    even = network.within_macs(keep, np.zeros(len(network.groups)), LEAST)
    if method == "scratch":
        return network.build(even), even
    if method == "lapp":
        return prepared(Lapp(load, keep, epochs, LEAST), job, seed)
    if method in TRAINED:
        sap = ChannelSap(iterations=2, scope="global" if method == "sap_global" else "layer")
        settings = {"dataset": load, "keep": keep, "epochs": epochs, "least": LEAST, "sap": sap}
        return prepared(TrainedPruning(TRAINED[method], **settings), job, seed)
    model = make()
    train(model, load(), epochs, "constant", seed)
    if method == "search":
        widths = searched(job, model, keep, seed)
    else:
        widths = even if method == "uniform" else global_magnitude(network, model, keep, least=LEAST)
    return network.shrink(model, network.largest(model, widths)), widths


def prepared(preparation: Lapp | TrainedPruning, job: str, seed: int) -> tuple[nn.Module, tuple[int, ...]]:
    """Return the network that a preparation leaves, and its widths."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in preparation(Job(space(job), Path(folder), seed=seed)):
            pass
        widths = learned(Path(folder))
        return space(job).value.network.build(widths, learned_weights(Path(folder))), widths


def searched(job: str, model: nn.Module, keep: float, seed: int) -> tuple[int, ...]:
    """Return the widths within the budget that a black-box search finds for a trained model."""
    rates, data, best = space(job), JOBS[job][2](), (-1.0, ())
    network, algorithm = rates.value.network, RegularizedEvolution(population=4, tournament=2)
    algorithm.start(Problem(rates, seed=seed, budget=SEARCHED[job]))
    for _ in range(SEARCHED[job]):
        rows = algorithm.propose(1)
        proposed = np.array(list(rates.decode(rows[0]).rates.values()))
        widths = network.within_macs(keep, proposed, LEAST)
        pruned = network.shrink(model, network.largest(model, widths))
        with torch.no_grad():
            pruned.train()(data.train.inputs(torch.randperm(len(data.train.labels))[:RECALIBRATED]))
        accuracy = evaluate(pruned, data.val)[0]
        algorithm.learn(Results(rows, np.array([[accuracy]]), np.zeros(1)))
        best = max(best, (accuracy, widths))
    return best[1]


def run(options: argparse.Namespace, job: str, method: str, seed: int) -> Run:
    """Return test accuracy in percent and the share of multiply-accumulates."""
    torch.set_num_threads(1)
    began, data = time.process_time(), JOBS[job][2]()
    model, widths = choose(method, job, options, seed)
    epochs = options.epochs - round(SPENT.get(method, 0.0) * round(options.epochs * LEARNING))
    train(model, data, epochs, "cosine", seed + 1)
    accuracy = evaluate(model, data.test)[0]
    return Run(job, method, seed, [accuracy, share_of(job, widths)], time.process_time() - began)


def share_of(job: str, widths: tuple[int, ...]) -> float:
    """Return the share of the whole network's multiply-accumulates that these widths leave."""
    network = space(job).value.network
    whole = np.array([group.width for group in network.groups], float)
    return float(network.products(np.array(widths, float)) / network.products(whole))


def compare(job: str, seeds: int, options: argparse.Namespace) -> bool:
    """Print the table of one data set; return whether all networks are on target."""
    space(job), JOBS[job][2]()  # what is made once is nobody's time
    methods = options.methods.split(",")
    wanted = [(job, method, seed) for seed in range(seeds) for method in methods]  # a busy machine is everyone's
    runs = completed(wanted, partial(run, options), 1, options.out)
    print(f"\n{job}: ResNet-20, {options.keep:.0%} of its multiply-accumulates, {options.epochs} epochs, {seeds} seeds")
    found = {name: np.array([[*one.found, one.cpu_s] for one in runs if one.method == name]).T for name in methods}
    reference = "uniform" if "uniform" in found else methods[0]
    for method, (accuracy, share, cpu_s) in found.items():
        ahead = accuracy - found[reference][0]
        print(
            f"{method:10} {spread(accuracy)} %   from {reference} {spread(ahead)}   "
            f"MACs {share.min():.2%} to {share.max():.2%}   {np.median(cpu_s):5.1f} s"
        )
    off = [abs(share / options.keep - 1) for _, shares, _ in found.values() for share in shares]
    print(f"within 1 % of the target in {sum(each <= OFF for each in off)} of {len(off)}, at most {max(off):.2%} off")
    return max(off) <= OFF


def spread(values: np.ndarray) -> str:
    """Return mean +- standard error."""
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{values.mean():6.2f} +- {error:.2f}"


def targets(options: argparse.Namespace) -> bool:
    """Print how near to their target rates come that are learned on CIFAR-10; return whether all are within 1 %."""
    off = [
        share_of("cifar", choose("lapp", "cifar", options, seed)[1]) / options.keep - 1 for seed in range(options.seeds)
    ]
    good = [abs(each) <= OFF for each in off]
    print(f"cifar: off the target by {min(off):+.2%} to {max(off):+.2%}; within 1 % in {sum(good)} of {len(good)}")
    return all(good)


def planted(seeds: int) -> bool:
    """Print what is left of the two planted branches; return whether each run found the useless one."""
    rates = GenotypeSpace(lapp(Planted, (1, 8, 8), pg.floatv(0.0, 0.95)))
    right = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            for _ in Lapp()(Job(rates, Path(folder), seed=seed)):
                pass
            widths = learned(Path(folder))
        right.append(widths[1] >= 14 and widths[2] <= 4)
        print(f"planted, seed {seed}: stem {widths[0]}, useful {widths[1]}, useless {widths[2]} of 16 each")
    print(f"found in {sum(right)} of {seeds}")
    return all(right)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--cifar-seeds", type=int, default=3)
    parser.add_argument("--keep", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--jobs", default="planted,digits,cifar,targets")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    if options.short:
        options.seeds, options.cifar_seeds, options.epochs = 2, 1, 3
    torch.set_num_threads(1)
    wanted, began, good = options.jobs.split(","), time.perf_counter(), []
    if "digits" in wanted:
        good.append(compare("digits", options.seeds, options))
    for job in [each for each in wanted if each in ("cifar", "cifar2000")]:
        if CIFAR.exists():
            good.append(compare(job, options.cifar_seeds, options))
        else:
            print(f"\n{job}: the data folder {CIFAR} is not on this machine")
    if "targets" in wanted and CIFAR.exists():
        good.append(targets(options))
    if "planted" in wanted:
        good.append(planted(options.seeds))
    print(f"\n{time.perf_counter() - began:.0f} s")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
