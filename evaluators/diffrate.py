"""Learns how many tokens each block of a vision transformer prunes and merges, by gradient, with its weights frozen.

Source: DiffRate (Chen et al., ICCV 2023, sections 3.2 to 3.4, and its code).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._around import around
from evaluators._base import Task
from evaluators._checkpoints import identity, read_checkpoint, read_document, write_checkpoint, write_document
from evaluators._counts import check_counts
from evaluators._early import check_images
from evaluators._preparation import Distribution, Job, Progress
from evaluators._reproducible import device_of, images_on, reproducible
from evaluators._token_proxies import TokenProxies, least
from evaluators.augmentation import Augmentation, bound
from evaluators.datasets import Dataset, described
from evaluators.train import Train, evaluate, trained_weights
from spaces.genotype import GenotypeSpace

RESULT, CHECKPOINT, WHOLE = "diffrate.json", "checkpoint.pt", "whole"
"""What a finished job leaves in its folder, what it goes on from, and where the whole transformer is trained."""

LEAST_LR = 0.1
"""Where the cosine of the learning rate ends, as a share of its peak."""

NEIGHBOURHOOD = 1 / 32
"""The share of all patches that a count is away from a learned one when it is a factor of e less probable."""


@dataclass(frozen=True)
class DiffRate:
    """A preparation that learns the counts of `spaces.diffrate.diffrate(...)`, the job's space.

    The transformer comes with trained weights from what makes it, or is trained first by `train`. They stay as they
    are. The loss is the task's + `strength` x ((MACs - `keep` x whole MACs) / `unit_macs`)², with the paper's count of
    multiply-accumulates. AdamW without decay moves the proxies. As in the released code the learning rate follows a
    cosine from `lr` down to a tenth by epochs, an epoch late: with three, 0.01, 0.01 and 0.00775.
    The last step is this project's: all counts are moved together, then one or two by one, to those of the space that
    come nearest to `keep`, within 1 % unless the space's counts are too coarse.

    Attributes:
      dataset: as of `evaluators.train.Train`.
      keep: the share of the whole transformer's multiply-accumulates that is aimed at.
      epochs, batch, lr: of learning; the paper's are 3 on ImageNet, 1024 and 0.01.
      strength: of the constraint.
      unit_macs: what multiply-accumulates are counted in there: the paper's 1e9 suit transformers of some 1e9.
      free_epochs: the first epochs without the constraint; the paper has 0 or 1.
      gap: the patches between one candidate of a proxy and the next.
      label_smoothing: of the task's loss.
      augment: what changes the training images; see `evaluators.augmentation`.
      train: how the whole transformer is trained first; None where it is made with trained weights.
      device, threads: of PyTorch, as of `evaluators.train.Train`.
    """

    dataset: Dataset = "digits"
    keep: float = 0.5
    epochs: int = 3
    batch: int = 64
    lr: float = 0.01
    strength: float = 5.0
    unit_macs: float = 1e9
    free_epochs: int = 0
    gap: int = 4
    label_smoothing: float = 0.1
    augment: tuple[Augmentation, ...] = ()
    train: Train | None = None
    device: str = field(default="auto", compare=False)
    threads: int = field(default=1, compare=False)

    kind = "token counts"
    cost = None

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1 or min(self.lr, self.unit_macs) <= 0:
            numbers = f"{self.keep}, {self.lr} and {self.unit_macs}"
            raise ValueError(f"keep must be in (0, 1], lr and unit_macs above 0, got {numbers}")
        check_counts(epochs=self.epochs, batch=self.batch, gap=self.gap, threads=self.threads)

    def __call__(self, job: Job) -> Iterator[Progress]:
        """Learn, yielding after each epoch `accuracy` and `macs_share` of the compressed network; leave the counts.

        Epochs in which the whole transformer is trained come first, with `accuracy` and `loss`.

        Raises:
          ValueError: for a space that is not one of token counts, and where `keep` is out of reach.
          FloatingPointError: when the loss is not finite.
        """
        vit = _vit(job.space)
        self._check_reach(job.space)
        before = self.train.epochs if self.train is not None else 0
        if self.train is not None:
            whole = job.space.repair(np.zeros((1, job.space.width)))[0]
            task = Task(job.space, whole, seed=job.seed, folder=job.folder / WHOLE)
            for epoch, metrics in enumerate(self.train(task)):
                yield Progress((epoch + 1) / (before + self.epochs), metrics)
        run = _Run(self, job, vit.make(weights(job.folder)) if before else vit.make())
        for epoch in range(self.epochs):
            if epoch == len(run.history):
                run.learn(epoch)
            yield Progress((before + epoch + 1) / (before + self.epochs), run.history[epoch])
        run.finish()

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        cosine = (1 + math.cos(math.pi * max(epoch - 1, 0) / self.epochs)) / 2
        return self.lr * (LEAST_LR + (1 - LEAST_LR) * cosine)

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """See `evaluators._base.ChecksEarly`. Raises ValueError where `keep` is out of reach, too."""
        check_images(self.dataset, space, self.augment)
        self._check_reach(space)

    def _check_reach(self, space: GenotypeSpace) -> None:
        vit = _vit(space)
        vit.within(self.keep, [vit.layout.tokens] * (2 * vit.layout.depth), _allowed(space))

    def distributions(self, folder: Path) -> Mapping[str, Distribution]:
        """Return one in which the learned genotype is the most probable, and others the less the further away.

        The learned counts are the proxies' means: what lies around them is this project's.
        """
        found = _result(folder)["log_probabilities"]
        return {"": tuple(np.array(column, float) for column in found)}


def learned(folder: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the tokens that each block keeps when it prunes and when it merges, as a finished job learned them.

    Raises:
      FileNotFoundError: where no job has finished.
    """
    found = _result(folder)
    return tuple(found["prune_kept"]), tuple(found["merge_kept"])


def weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights of the whole transformer that a job trained; FileNotFoundError where it trained none."""
    return {name.removeprefix("model."): each for name, each in trained_weights(folder / WHOLE).items()}


def genotype(space: GenotypeSpace, prune_kept: Sequence[int], merge_kept: Sequence[int]) -> np.ndarray:
    """Return the genotype whose counts are nearest; with `diffrate(..., gap=1)` these counts themselves."""
    columns = _wished(space, prune_kept, merge_kept)
    nearest = [np.abs(_choices(column) - wished).argmin() for column, wished in columns]
    return np.asarray(space.repair(np.array([nearest]))[0])


class _Run:
    """One job as it runs."""

    def __init__(self, settings: DiffRate, job: Job, model: nn.Module) -> None:
        self.settings, self.job, self.vit = settings, job, _vit(job.space)
        self.device = device_of(settings.device)
        self.data = images_on(settings.dataset, self.device)
        self.model = model.requires_grad_(False).to(self.device)
        self.masked = self.vit.masked(self.model)
        layout, self.held = self.vit.layout, _held(job.space)
        patches = range(layout.patches, 0, -settings.gap)
        self.proxies = TokenProxies(sum(each is None for counts in self.held for each in counts), patches).to(
            self.device
        )
        self.optimizer = torch.optim.AdamW(self.proxies.parameters(), settings.lr, weight_decay=0.0)
        kept = read_checkpoint(job.folder / CHECKPOINT)
        self.history: list[dict[str, float]] = []
        if kept.get("identity") == self._identity():
            self.proxies.load_state_dict(kept["proxies"])
            self.optimizer.load_state_dict(kept["optimizer"])
            self.history = list(kept["history"])
        whole = [layout.tokens] * layout.depth
        self.whole_macs = self.vit.published_macs(whole, whole)

    def learn(self, epoch: int) -> None:
        """Pass over the training images once, and keep what a later attempt goes on from."""
        s, part = self.settings, self.data.train
        self.optimizer.param_groups[0]["lr"] = s.lr_at(epoch)
        batch = min(s.batch, len(part.labels))
        with reproducible(self.device, s.threads, self.job.seed, epoch + 1):
            self.masked.train()
            self.model.eval()  # it is not trained
            steps = torch.randperm(len(part.labels))[: len(part.labels) // batch * batch].view(-1, batch)
            for rows in steps.to(part.labels.device):
                self._step(part.inputs(rows), part.labels[rows], 0.0 if epoch < s.free_epochs else s.strength)
            counts = self.counts_within_budget() if epoch + 1 == s.epochs else self.counts()
            accuracy, _ = evaluate(self.vit.compressed(self.model, *counts), self.data.val)
            share = self._macs(*torch.tensor(counts, dtype=torch.float64)).item() / self.whole_macs
        self.history.append({"accuracy": accuracy, "macs_share": share})
        states = {"proxies": self.proxies.state_dict(), "optimizer": self.optimizer.state_dict()}
        kept = {"identity": self._identity(), "history": self.history}
        write_checkpoint(self.job.folder / CHECKPOINT, kept | states)

    def _step(self, images: Tensor, labels: Tensor, strength: float) -> None:
        for change in bound(self.settings.augment, self.data.train):
            images = change(images)
        kept = self._kept()
        logits = self.masked(images, *self._schedules(kept))
        task = functional.cross_entropy(logits, labels, label_smoothing=self.settings.label_smoothing)
        excess = (self._macs(*kept) - self.settings.keep * self.whole_macs) / self.settings.unit_macs
        loss = task + strength * excess.square()
        if not loss.isfinite():
            raise FloatingPointError(
                f"the loss became {loss.item()}; try a larger unit_macs than {self.settings.unit_macs}"
            )
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()

    def _kept(self) -> list[list[Tensor]]:
        """Return what each block keeps when it prunes, and when it merges, as float64 numbers with gradients."""
        learnt = iter(self.proxies.kept())
        return [
            [next(learnt) if count is None else self.proxies.candidates.new_tensor(count) for count in counts]
            for counts in self.held
        ]

    def _schedules(self, kept: list[list[Tensor]]) -> list[list[tuple[int, Tensor | None]]]:
        """Return the same as whole numbers, each with the chances of the ranks."""
        numbers = torch.stack([count for counts in kept for count in counts]).tolist()
        found, chances = iter(numbers), iter(self.proxies.chances())
        return [
            [(int(next(found)), next(chances) if count is None else None) for count in counts] for counts in self.held
        ]

    @torch.no_grad()
    def counts(self) -> list[list[int]]:
        """Return how many tokens each block keeps when it prunes, and when it merges, as the proxies have them."""
        return [[int(count) for count in counts] for counts in self._kept()]

    @torch.no_grad()
    def counts_within_budget(self) -> list[list[int]]:
        """Return the same, brought to the target."""
        expected = iter(self.proxies.expected().tolist())
        wished = [next(expected) + 1 if count is None else count for counts in self.held for count in counts]
        found: list[list[int]] = self.vit.within(self.settings.keep, wished, _allowed(self.job.space))
        return found

    def _macs(self, pruned: list[Tensor], merged: list[Tensor]) -> Tensor:
        """Return the paper's multiply-accumulates, float64, with their gradient."""
        tokens = self.proxies.candidates.new_tensor(self.vit.layout.tokens)
        entering, leaving = [], []
        for of_pruning, of_merging in zip(pruned, merged, strict=True):
            entering.append(tokens)
            tokens = least(tokens, of_pruning, of_merging)
            leaving.append(tokens)
        macs: Tensor = self.vit.published_macs(entering, leaving)
        return macs

    def finish(self) -> None:
        """Leave the counts, and the distribution around them, in the job's folder."""
        pruned, merged = self.counts_within_budget()
        away = NEIGHBOURHOOD * self.vit.layout.patches
        columns = _wished(self.job.space, pruned, merged)
        logs = [around(column.choices, wished, away) for column, wished in columns]
        document = {"prune_kept": pruned, "merge_kept": merged, "log_probabilities": logs}
        write_document(self.job.folder / RESULT, document)

    def _identity(self) -> str:
        s = self.settings
        augment, train = [described(change) for change in s.augment], str(s.train and described(s.train))
        return identity(s, self.job, dataset=described(s.dataset), augment=augment, train=train)


def _vit(space: GenotypeSpace) -> Any:
    """Return what a space of token counts is about."""
    vit = getattr(space.value, "vit", None)
    if not hasattr(vit, "masked"):
        raise ValueError(
            f"expected a space of token counts, spaces.diffrate.diffrate(...), got one of {type(space.value)}"
        )
    return vit


def _result(folder: Path) -> dict[str, Any]:
    return read_document(folder / RESULT, "learned token counts")


def _choices(column: Any) -> np.ndarray:
    return np.array(column.choices, float)


def _held(space: GenotypeSpace) -> list[list[int | None]]:
    """Return the counts of each block when it prunes, and when it merges; None for those that are open."""
    steps = space.value.prune_kept, space.value.merge_kept
    return [[count if isinstance(count, int) else None for count in counts.sym_values()] for counts in steps]


def _allowed(space: GenotypeSpace) -> list[list[int]]:
    """Return what each block may keep when it prunes, then what each may when it merges, ascending."""
    columns = iter(space.columns)
    return [
        sorted(_choices(next(columns)).astype(int).tolist()) if count is None else [count]
        for counts in _held(space)
        for count in counts
    ]


def _wished(space: GenotypeSpace, pruned: Sequence[int], merged: Sequence[int]) -> Iterator[tuple[Any, int]]:
    """Yield each column of the space with the count that was learned for it."""
    columns = iter(space.columns)
    for counts, learnt in zip(_held(space), (pruned, merged), strict=True):
        for count, wished in zip(counts, learnt, strict=True):
            if count is None:
                yield next(columns), wished
