"""Learns to predict the accuracies that networks inherit from a supernet, so that a search needs no images at all.

Source: once-for-all (Cai et al., ICLR 2020, section 3.4 and its code): three hidden layers of 400 on one-hot decisions,
the mean accuracy added, a fifth of the pairs held out. Of 16,000 pairs there; how it is fitted to fewer is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._base import Metrics, Task
from evaluators._checkpoints import identity, read_checkpoint, write_checkpoint
from evaluators._early import check_place
from evaluators._preparation import Distribution, Job, Progress
from evaluators._reproducible import reproducible
from evaluators.inherited_accuracy import InheritedAccuracy
from evaluators.nested_supernet import NestedSupernet
from evaluators.perceptron import read_perceptron
from hardware_models.held_out import kendall_tau
from spaces.genotype import GenotypeSpace

SUPERNET, PAIRS, PREDICTOR = "supernet", "pairs.pt", "predictor.pth"
"""What a job leaves in its folder: the supernet's own folder, the pairs, the predictor's weights."""

CHUNK = 16
"""Pairs after which there is a checkpoint."""

HELD_OUT = 0.2
HIDDEN, STEPS, RATE, DECAY = 400, 400, 1e-3, 1e-2
TRAINING = 0.8
"""The share of the whole job that the supernet's training is said to be."""


@dataclass(frozen=True, kw_only=True)
class InheritedPredictor:
    """A preparation that trains a supernet, scores random networks with it, and learns from these.

    Its last step yields, of the fifth of the pairs that the predictor has not seen, `predictor_kendall_tau` and
    `predictor_rmse`, in points of accuracy.

    Attributes:
      supernet: what is trained first, in a folder of its own within the job's.
      pairs: how many networks are scored.
      statistics: images that each one's norms' statistics are estimated from.
    """

    supernet: NestedSupernet
    pairs: int = 400
    statistics: int = 256

    kind = "accuracy predictor"
    cost = None

    def __post_init__(self) -> None:
        if self.pairs < 10:
            raise ValueError(f"pairs must be at least 10, a fifth of which is held out, got {self.pairs}")

    def __call__(self, job: Job) -> Iterator[Progress]:
        """Do the job, yielding after each epoch of the supernet and each chunk of pairs; raise what the parts raise."""
        for step in self.supernet(replace(job, folder=job.folder / SUPERNET)):
            yield Progress(TRAINING * step.share, step.metrics)
        if job.member is not None and job.member.rank > 0:
            return
        drawn = job.space.sample(self.pairs, np.random.default_rng((job.seed, 1)))
        accuracies = self._kept(job)
        score = self._evaluator
        for start in range(0, self.pairs, CHUNK):
            for row in drawn[max(start, len(accuracies)) : start + CHUNK]:
                task = Task(job.space, row, prepared=(job.folder / SUPERNET,))
                accuracies.append(next(score(task))["accuracy"])
            write_checkpoint(job.folder / PAIRS, {"identity": self._identity(job), "accuracies": accuracies})
            done = min(start + CHUNK, self.pairs)
            metrics: Metrics = {"mean_accuracy": float(np.mean(accuracies[:done]))}
            if done == self.pairs:
                metrics = {**metrics, **self._fit(job, drawn, np.array(accuracies))}
            yield Progress(TRAINING + (1 - TRAINING) * done / self.pairs, metrics)

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:
        """See `evaluators._base.ChecksEarly`."""
        self.supernet.check_early(space, preparations)

    def distributions(self, folder: Path) -> Mapping[str, Distribution]:
        """Return none: the job leaves a supernet and a predictor."""
        del folder
        return {}

    @property
    def workers(self) -> int:
        """How many processes train the supernet; the first of them does the rest."""
        return self.supernet.workers

    @property
    def _evaluator(self) -> InheritedAccuracy:
        s = self.supernet
        return InheritedAccuracy(s.dataset, statistics=self.statistics, keep=False, device=s.device, threads=s.threads)

    def _identity(self, job: Job) -> str:
        return identity(self, job, supernet=self.supernet.identity(job))

    def _kept(self, job: Job) -> list[float]:
        found = read_checkpoint(job.folder / PAIRS)
        return list(found["accuracies"]) if found.get("identity") == self._identity(job) else []

    def _fit(self, job: Job, genotypes: np.ndarray, accuracies: np.ndarray) -> dict[str, float]:
        """Fit the predictor on four fifths of the pairs and keep it; return its errors on the others."""
        inputs, targets = torch.from_numpy(one_hot(job.space, genotypes)), torch.from_numpy(accuracies).float()
        known = round((1 - HELD_OUT) * len(targets))
        with reproducible("cpu", self.supernet.threads, job.seed, self.supernet.epochs + 1):
            network = _fitted(inputs[:known], targets[:known])
        write_checkpoint(job.folder / PREDICTOR, network.state_dict())
        with torch.no_grad():
            found = network(inputs[known:])[:, 0]
        rmse = float((found - targets[known:]).square().mean().sqrt())
        tau = kendall_tau(found.double().numpy(), accuracies[known:])
        return {"predictor_rmse": rmse} | ({} if tau is None else {"predictor_kendall_tau": tau})


@dataclass(frozen=True)
class PredictedAccuracy:
    """An evaluator for a study whose preparations hold an `InheritedPredictor`: its `accuracy` is what that predicts.

    Attributes:
      predictor: the place, from 0, of the `InheritedPredictor` among the study's preparations.
    """

    predictor: int = 0
    metrics = ("accuracy",)

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """See `evaluators._base.ChecksEarly`."""
        check_place(f"PredictedAccuracy(predictor={self.predictor})", self.predictor, preparations, InheritedPredictor)

    def __call__(self, task: Task) -> Iterator[Metrics]:
        """Yield the accuracy, in percent. Raises FileNotFoundError where there is no such predictor."""
        predict = read_perceptron(task.prepared[self.predictor] / PREDICTOR)
        yield {"accuracy": float(predict(one_hot(task.space, task.genotype[None]))[0])}


def one_hot(space: GenotypeSpace, genotypes: np.ndarray) -> np.ndarray:
    """Return genotypes (n, width) as float32 (n, all columns' choices): 1 for what is chosen, 0 where nothing is."""
    active = space.active(genotypes)
    parts = [
        (genotypes[:, place, None] == np.arange(column.cardinality)) & active[:, place, None]
        for place, column in enumerate(space.columns)
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _fitted(inputs: Tensor, targets: Tensor) -> nn.Module:
    """Return three hidden layers and an output, the mean of the targets in its bias."""
    mean, deviation = targets.mean(), targets.std().clamp_min(1e-3)
    widths = [inputs.shape[1], HIDDEN, HIDDEN, HIDDEN]
    layers = [part for pair in pairwise(widths) for part in (nn.Linear(*pair), nn.ReLU())]
    last = nn.Linear(HIDDEN, 1)
    network = nn.Sequential(*layers, last)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.autograd.backward(functional.mse_loss(network(inputs)[:, 0], (targets - mean) / deviation))
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        last.weight *= deviation
        last.bias.mul_(deviation).add_(mean)
    return network
