"""Supernet searches: the memory and time of a step by how many paths run, and whether a planted network is found.

    python benchmarks/supernets.py [--seeds 10]

Memory and time are those of a chain with nine choices a layer, inverted residuals of kernels 3, 5 and 7 and expansions
1, 3 and 6. Memory is the bytes of all storages that autograd keeps for the backward pass; a path is one of nine in
which every choice occurs once a layer. Time is CPU time on one thread. The planted chains are in `planted_chains.py`.
Exits with 1 where a goal is missed. It needs scikit-learn for the digits, and about seven CPU minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyglove as pg
import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from planted_chains import BUDGET_MS, DNAS, GATES, PLANTED_MS, REINFORCE, decode, planted, planted_costs, planted_space

from evaluators._binary_gates import Gates, all_gates, gates_losses, two_gates
from evaluators._preparation import Job
from evaluators._supernet_search import SupernetSearch
from evaluators.datasets import Part
from evaluators.paths import gumbel_softmax, one_path, uniform_like, weighted_paths
from evaluators.supernet import Supernet, supernet_on
from spaces.genotype import GenotypeSpace
from spaces.networks.chain import Chain
from spaces.networks.inverted_residual import InvertedResidual, conv_bn

BLOCKS = [(kernel, expansion) for kernel in (3, 5, 7) for expansion in (1, 3, 6)]
LAYERS, CHANNELS, SIDE, BATCH, REPEATS = 4, 16, 14, 16, 7
PLANTED_LAYERS = 3

LEAST_MEMORY_OF_ALL, MOST_MEMORY_OF_ONE, LEAST_SPEED_UP = 8.0, 1.3, 5.0
"""Goals: bytes of all paths and of ProxylessNAS' steps by those of one path; time of all paths by the others'."""

SEARCHES: dict[str, tuple[SupernetSearch, bool]] = {
    "FBNet DNAS, its own loss": (DNAS, True),
    "FBNet DNAS, a target": (replace(DNAS, target=PLANTED_MS), True),
    "ProxylessNAS two paths, distance": (GATES, True),
    "ProxylessNAS all gates, distance": (replace(GATES, method="full"), True),
    "ProxylessNAS REINFORCE": (REINFORCE, True),
    "ProxylessNAS two paths, mul#log": (replace(GATES, latency_loss="mul#log"), False),
}
"""What is run, and whether it must find the planted network; the losses of papers trade accuracy for latency."""


class Nine(pg.Object):  # type: ignore[misc]
    """A chain whose layers are each one of `BLOCKS`."""

    choices: list[int]

    def build(self) -> nn.Module:
        """Return the untrained network: images (n, 3, 14, 14) to logits (n, 10)."""
        layers = [
            InvertedResidual(
                CHANNELS, CHANNELS, BLOCKS[choice][0], 1,
                middle=CHANNELS * BLOCKS[choice][1], activation="relu6", shortcut=True,
            )
            for choice in self.choices
        ]  # fmt: skip
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(CHANNELS, 10))
        return Chain(conv_bn(3, CHANNELS, 3, activation="relu6"), layers, head)


class Steps:
    """One step of each kind, on random images."""

    def __init__(self) -> None:
        """Build the supernet."""
        torch.manual_seed(0)
        self._rng = torch.Generator().manual_seed(0)
        self._supernet: Supernet = supernet_on(
            GenotypeSpace(Nine([pg.oneof(list(range(len(BLOCKS)))) for _ in range(LAYERS)])), "cpu"
        )
        self._logits = [torch.zeros(len(BLOCKS), requires_grad=True) for _ in range(LAYERS)]
        images = torch.randn(BATCH, 3, SIDE, SIDE).to(memory_format=torch.channels_last)
        self._batch = Part(images, torch.arange(BATCH) % 10)

    def one_path(self, path: int) -> Tensor:
        """Return the loss of weights on a path."""
        return self._loss(self._supernet(self._batch.images, one_path(self._genotype(path))))

    def two_gates(self, path: int) -> Tensor:
        """Return the loss of logits of which two a layer learn, with a path active."""
        return self._gates(path, two_gates)

    def all_gates(self, path: int) -> Tensor:
        """Return the loss of logits that all learn, with a path active."""
        return self._gates(path, all_gates)

    def all_paths(self, path: int) -> Tensor:  # noqa: ARG002 - called as the others are
        """Return the loss of weights in a Gumbel softmax over all paths."""
        masks = [gumbel_softmax(column, 5.0, uniform_like(column, self._rng)) for column in self._logits]
        return self._loss(self._supernet(self._batch.images, weighted_paths(masks)))

    def learned(self, kind: str) -> list[Tensor]:
        """Return what a step of this kind gives gradients to."""
        return self._logits if kind in ("two_gates", "all_gates") else self._supernet.trained()

    def _loss(self, outputs: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, self._batch.labels)

    def _gates(self, path: int, drawn: Callable[..., Gates]) -> Tensor:
        genotype = self._genotype(path)
        compared = drawn(self._logits, self._rng).compared
        active = [
            torch.cat([torch.tensor([choice]), column[column != choice]])[: len(column)]
            for choice, column in zip(genotype.tolist(), compared, strict=True)
        ]
        return gates_losses(self._supernet, self._logits, Gates(genotype, tuple(active)), self._batch, None)[0]

    @staticmethod
    def _genotype(path: int) -> np.ndarray:
        return (path + np.arange(LAYERS)) % len(BLOCKS)


KINDS = {
    "one_path": "one path, weights",
    "two_gates": "ProxylessNAS, two paths",
    "all_gates": "ProxylessNAS, all gates",
    "all_paths": "all paths (Gumbel softmax)",
}


def saved_bytes(loss: Callable[[], Tensor]) -> int:
    """Return the bytes of all storages that autograd keeps for the backward pass."""
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # an output that is kept as it stands would keep its own graph alive

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = loss()
    assert kept.requires_grad
    return sum(storages.values())


def cpu_ms(steps: Steps, kind: str, path: int) -> float:
    """Return the CPU ms of one step, forwards and backwards."""
    began = time.process_time()
    torch.autograd.backward(getattr(steps, kind)(path), inputs=steps.learned(kind))
    return 1e3 * (time.process_time() - began)


def measure_steps() -> list[str]:
    """Print memory and time of a step of each kind; return the goals that are missed."""
    steps, paths = Steps(), range(len(BLOCKS))
    megabytes = {kind: [saved_bytes(lambda k=kind, p=p: getattr(steps, k)(p)) / 1e6 for p in paths] for kind in KINDS}
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for repeat in range(REPEATS + 1):
        for kind in KINDS:
            spent = sum(cpu_ms(steps, kind, path) for path in (paths if kind != "all_paths" else (0,)))
            if repeat:  # the first warms up
                times[kind].append(spent / (len(paths) if kind != "all_paths" else 1))
    one, one_ms = float(np.mean(megabytes["one_path"])), float(np.median(times["one_path"]))
    all_ms = float(np.median(times["all_paths"]))
    print(
        f"{'a step, 9 choices, 4 layers':34} {'kept MB':>8} {'x one path':>10} {'CPU ms (quartiles)':>22} {'x one':>6}"
    )
    for kind, name in KINDS.items():
        low, middle, high = np.quantile(times[kind], [0.25, 0.5, 0.75])
        mean = np.mean(megabytes[kind])
        print(f"{name:34} {mean:8.1f} {mean / one:10.2f} {middle:8.0f} ({low:.0f}-{high:.0f}) {middle / one_ms:12.1f}")
    memory = {kind: float(np.mean(megabytes[kind])) / one for kind in KINDS}
    two_ms = float(np.median(times["two_gates"]))
    goals = {
        f"all paths keep at least {LEAST_MEMORY_OF_ALL:g} x one path": memory["all_paths"] >= LEAST_MEMORY_OF_ALL,
        f"two paths keep at most {MOST_MEMORY_OF_ONE:g} x one path": memory["two_gates"] <= MOST_MEMORY_OF_ONE,
        f"all gates keep at most {MOST_MEMORY_OF_ONE:g} x one path": memory["all_gates"] <= MOST_MEMORY_OF_ONE,
        f"one path is at least {LEAST_SPEED_UP:g} x as fast as all": all_ms >= LEAST_SPEED_UP * one_ms,
        f"two paths are at least {LEAST_SPEED_UP:g} x as fast as all": all_ms >= LEAST_SPEED_UP * two_ms,
    }
    return [goal for goal, met in goals.items() if not met]


def measure_search(name: str, search: SupernetSearch, seeds: int, *, gated: bool) -> list[str]:
    """Print how often a search finds the planted network, and what its decoded networks cost; return missed goals."""
    space, costs = planted_space(PLANTED_LAYERS), planted_costs(PLANTED_LAYERS)
    found, spent, seconds = [], [], []
    for seed in range(seeds):
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            list(search(Job(space, Path(folder), costs, seed)))
            row, cost = decode(search.distributions(Path(folder))[""], costs, BUDGET_MS)
        seconds.append(time.process_time() - began)
        found.append(bool((row == planted(PLANTED_LAYERS)).all()))
        spent.append(cost / BUDGET_MS)
    used, range_s = f"{min(spent):.2f}-{max(spent):.2f}", f"({min(seconds):.1f}-{max(seconds):.1f})"
    print(f"{name:34} {sum(found):4} of {seeds} {used:>12} {np.median(seconds):9.1f} {range_s}", flush=True)
    goals = {
        f"{name}: the planted network with 9 of 10 seeds": sum(found) >= 0.9 * seeds,
        f"{name}: every network within the budget, at most 10 % unused": all(0.9 <= part <= 1 for part in spent),
    }
    return [goal for goal, met in goals.items() if gated and not met]


def main() -> int:
    """Print both tables; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread")
    missed = measure_steps()
    print(
        f"\n{'planted, ' + str(seeds) + ' seeds':34} {'found':>10} {'budget used':>12} {'CPU s a search (range)':>22}"
    )
    for name, (search, gated) in SEARCHES.items() if seeds else ():
        missed += measure_search(name, search, seeds, gated=gated)
    print("\n" + ("\n".join(f"MISSED: {goal}" for goal in missed) or "every goal is met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
