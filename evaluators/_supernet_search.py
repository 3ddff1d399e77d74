"""What every search within a supernet does alike: epochs, checkpoints, resuming, the distributions it leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from evaluators._alike import start_alike
from evaluators._base import Metrics
from evaluators._checkpoints import identity, read_checkpoint, write_checkpoint, write_document
from evaluators._counts import check_counts
from evaluators._early import check_images
from evaluators._logits import log_probabilities
from evaluators._preparation import Distribution, Job, Progress
from evaluators._reproducible import device_of, images_on, reproducible, seed_of
from evaluators.datasets import Dataset, Images, described
from evaluators.supernet import Supernet, inherit, supernet_on
from hardware_models.strict_json import parse
from spaces.genotype import GenotypeSpace

CHECKPOINT = "checkpoint.pt"
DISTRIBUTIONS = "distributions.json"


@dataclass
class Learner:
    """All that a search trains.

    Attributes:
      supernet: its head may have been replaced.
      logits: by task (`""` where there is but one) those of each column's choices, float32 (choices,).
      optimizers: of weights, then of logits.
      notes: numbers that go on from epoch to epoch, such as a baseline.
    """

    supernet: Supernet
    logits: dict[str, list[Tensor]]
    optimizers: tuple[Optimizer, ...]
    notes: dict[str, float] = field(default_factory=dict)

    def state(self) -> dict[str, Any]:
        """Return what `load` restores it from."""
        return {
            "supernet": self.supernet.state_dict(),
            "logits": {task: [column.detach() for column in logits] for task, logits in self.logits.items()},
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "notes": self.notes,
        }

    @torch.no_grad()
    def load(self, state: Mapping[str, Any]) -> None:
        """Become what it was when `state` was taken."""
        self.supernet.load_state_dict(state["supernet"])
        for task, logits in self.logits.items():
            for column, kept in zip(logits, state["logits"][task], strict=True):
                column.copy_(kept)
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.notes = dict(state["notes"])


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch, counted from 0, of a job on a data set; `rng` is its own, on the CPU."""

    number: int
    job: Job
    data: Images
    rng: torch.Generator


@dataclass(frozen=True, kw_only=True)
class SupernetSearch(ABC):
    """A preparation that trains a supernet's weights and, with them, a distribution over its networks.

    Every epoch ends in a checkpoint; a later run of an equal job goes on from there to the same numbers, on one machine
    and version of PyTorch and with one `threads`.

    Attributes:
      cost: the known metric whose expectation enters the loss, e.g. `latency_ms@raspi4`; None for none.
      dataset: a name in `evaluators.datasets.DATASETS`, or a function that returns `Images`.
      batch: images a step; the last, smaller batch of an epoch is dropped.
      alike: whether the choices of a layer begin as parts of its largest, which is ours; see `evaluators._alike`.
      device: `cpu`, `cuda`, ..., or `auto`: CUDA where there is one. Another one may go on with a job that was begun.
      threads: of PyTorch on a CPU; likewise.
    """

    cost: str | None = None
    dataset: Dataset = "digits"
    batch: int = 64
    alike: bool = False
    device: str = field(default="auto", compare=False)
    threads: int = field(default=1, compare=False)

    def __post_init__(self) -> None:
        check_counts(batch=self.batch, threads=self.threads)

    @property
    @abstractmethod
    def kind(self) -> str:
        """What it makes, in a word or two."""

    @property
    @abstractmethod
    def _epochs(self) -> int:
        """Of the whole run, warm-up included."""

    @abstractmethod
    def _begin(self, job: Job, device: str) -> Learner:
        """Return an untrained learner."""

    def _supernet(self, job: Job, device: str) -> Supernet:
        """Return an untrained supernet."""
        supernet = supernet_on(job.space, device)
        if self.alike:
            start_alike(supernet)
        return supernet

    @abstractmethod
    def _epoch(self, learner: Learner, at: Epoch) -> dict[str, float]:
        """Train for an epoch and return its metrics."""

    def __call__(self, job: Job) -> Iterator[Progress]:
        """Do the job, yielding after each epoch.

        Raises:
          ValueError: for a space that is no chain, or a job without the costs that were asked for.
          FloatingPointError: when a loss is not finite.
        """
        given = job.costs.metric if job.costs else None
        if given != self.cost:
            raise ValueError(f"this search needs the additive costs {self.cost!r}, got {given!r}")
        device = device_of(self.device)
        data = images_on(self.dataset, device)
        with reproducible(device, self.threads, job.seed, 0):
            learner = self._begin(job, device)
        history = self._resume(job, learner)
        for epoch, metrics in enumerate(history):
            yield Progress((epoch + 1) / self._epochs, metrics)
        for epoch in range(len(history), self._epochs):
            with reproducible(device, self.threads, job.seed, epoch + 1):
                rng = torch.Generator().manual_seed(seed_of(job.seed, epoch + 1, 1))
                history.append(self._epoch(learner, Epoch(epoch, job, data, rng)))
            self._save(job, learner, history)
            yield Progress((epoch + 1) / self._epochs, history[-1])

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """See `evaluators._base.ChecksEarly`."""
        check_images(self.dataset, space)

    def distributions(self, folder: Path) -> Mapping[str, Distribution]:
        """Return the learned log-probabilities by task, of the last epoch that was done in `folder`.

        Raises:
          FileNotFoundError: where there is none.
          ValueError: for a file that is not one of these.
        """
        document = parse((folder / DISTRIBUTIONS).read_bytes(), DISTRIBUTIONS).members(frozenset({"log_probabilities"}))
        return {
            task.text() if task.value else "": tuple(
                np.array([number.number(-1e9, 0.0) for number in column.items(10_000)])
                for column in columns.items(10_000)
            )
            for task, columns in document["log_probabilities"].mapping(1000)
        }

    def _identity(self, job: Job) -> str:
        """Return what a checkpoint must have been made of to be gone on from."""
        return identity(self, job, dataset=described(self.dataset))

    def _save(self, job: Job, learner: Learner, history: Sequence[Metrics]) -> None:
        found = {task: [column.tolist() for column in log_probabilities(of)] for task, of in learner.logits.items()}
        # before the checkpoint, which says that the epoch is done
        write_document(job.folder / DISTRIBUTIONS, {"log_probabilities": found})
        kept = {"identity": self._identity(job), "history": list(history)}
        write_checkpoint(job.folder / CHECKPOINT, kept | learner.state())

    def _resume(self, job: Job, learner: Learner) -> list[dict[str, float]]:
        """Load the job's checkpoint, if it has a fitting one, and return its epochs' metrics."""
        kept = read_checkpoint(job.folder / CHECKPOINT)
        if kept.get("identity") != self._identity(job):
            return []
        learner.load(kept)
        return list(kept["history"])


def supernet_weights(folder: Path) -> dict[str, Tensor]:
    """Return the state of the supernet that a search left in `folder`, for `evaluators.supernet.inherit`.

    Raises:
      FileNotFoundError: where no checkpoint is, or none that can be read.
    """
    kept = read_checkpoint(folder / CHECKPOINT)
    if "supernet" not in kept:
        raise FileNotFoundError(f"no supernet in {folder}: expected a readable {CHECKPOINT} there")
    weights: dict[str, Tensor] = kept["supernet"]
    return weights


def inherited(folder: Path, genotype: np.ndarray) -> dict[str, Tensor]:
    """Return a network's weights out of the supernet that a search left in `folder`, for `load_state_dict`.

    Raises FileNotFoundError where there is none.
    """
    return inherit(supernet_weights(folder), genotype)
