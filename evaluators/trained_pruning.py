"""Trains a network and prunes it by a method of the literature: baselines of learned rates (`evaluators.lapp`).

Methods are `Hesso`, with or without CRIC (Chen et al., 2024), and `MaskSparsity` (Jiang et al., 2021); their steps are
described in `evaluators.pruning`. Brought to a budget of multiply-accumulates, which theirs are not, is this project's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._checkpoints import write_checkpoint, write_document
from evaluators._early import check_images
from evaluators._preparation import Distribution, Job, Progress
from evaluators._reproducible import reproducible
from evaluators.datasets import Dataset, Images, load
from evaluators.lapp import RESULT, WEIGHTS
from evaluators.optimization import Optimization
from evaluators.pruning.hesso import Hesso, cric, losses_without
from evaluators.pruning.mask_sparsity import MaskSparsity
from evaluators.pruning.units import Units
from evaluators.train import evaluate
from spaces.genotype import GenotypeSpace

SCORED = 256
"""Images of the training part by which CRIC tells what a network loses."""

PUBLISHED = MaskSparsity()


@dataclass(frozen=True)
class TrainedPruning:
    """A preparation that leaves widths and weights as `evaluators.lapp.Lapp` does, for `learned` and `learned_weights`.

    Killed, it begins anew, and yields the same epochs.

    Attributes:
      method: `hesso`, `cric` or `mask_sparsity`.
      dataset: as of `evaluators.train.Train`.
      keep: the share of the whole network's multiply-accumulates that shall stay; None for what the method leaves.
      sparsity: of `hesso` and `cric`: the share of all units that go.
      mask_sparsity: the numbers of that method; its first half of the epochs pulls at all scales, its second at those
        in the mask.
      epochs: of training. HESSO's periods are from a tenth to a quarter of it, as its authors advise.
      least: the share of each group that stays at least, where there is a budget.
      batch, lr, momentum, weight_decay, label_smoothing: as of `evaluators.lapp.Lapp`.
      threads: of PyTorch.
    """

    method: Literal["hesso", "cric", "mask_sparsity"] = "hesso"
    dataset: Dataset = "digits"
    keep: float | None = 0.5
    sparsity: float = 0.3
    mask_sparsity: MaskSparsity = PUBLISHED
    epochs: int = 6
    least: float = 0.1
    batch: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    threads: int = 1

    kind = "pruned network"
    cost = None

    def __post_init__(self) -> None:
        if self.method not in ("hesso", "cric", "mask_sparsity"):
            raise ValueError(f"unknown method {self.method!r}; expected hesso, cric or mask_sparsity")
        if min(self.epochs, self.batch, self.threads) < 1:
            numbers = f"{self.epochs}, {self.batch} and {self.threads}"
            raise ValueError(f"epochs, batch and threads must be at least 1, got {numbers}")

    def __call__(self, job: Job) -> Iterator[Progress]:
        """Train and prune, yielding `accuracy` after each epoch; leave widths and weights.

        Raises:
          ValueError: where `keep` is out of reach.
          FloatingPointError: when the loss is not finite.
        """
        run = _Run(self, job)
        for epoch in range(self.epochs):
            with reproducible("cpu", self.threads, job.seed, epoch + 1):
                run.train(epoch)
            yield Progress((epoch + 1) / self.epochs, {"accuracy": evaluate(run.model, run.data.val)[0]})
        run.finish()

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """See `evaluators._base.ChecksEarly`."""
        check_images(self.dataset, space)

    def distributions(self, folder: Path) -> Mapping[str, Distribution]:
        """Return none: the job leaves one network."""
        del folder
        return {}


class _Run:
    """One job as it runs."""

    def __init__(self, settings: TrainedPruning, job: Job) -> None:
        self.settings, self.job, self.network = settings, job, job.space.value.network
        self.data: Images = load(settings.dataset)
        with reproducible("cpu", settings.threads, job.seed, 0):
            self.model: nn.Module = self.network.model()
        self.units = Units(self.model, self.network.channels)
        s = settings
        self.plan = Optimization("sgd", s.lr, s.momentum, s.weight_decay, "cosine", 0.1, (), 0.1)
        self.optimizer = self.plan.make_optimizer(self.model)
        self.steps = max(1, len(self.data.train.labels) // s.batch)
        self.redundant = torch.zeros(self.units.count, dtype=torch.bool)
        self.method: _Hesso | _MaskSparsity = (_MaskSparsity if s.method == "mask_sparsity" else _Hesso)(self)

    @property
    def whole(self) -> int:
        """The steps of the whole training."""
        return self.steps * self.settings.epochs

    def train(self, epoch: int) -> None:
        """Pass over the training images once."""
        self.model.train()
        order = torch.randperm(len(self.data.train.labels))
        for step in range(self.steps):
            number = epoch * self.steps + step
            self.method.before_step(number)
            self.step(order[step * self.settings.batch :][: self.settings.batch], number)
            self.method.after_step(number)

    def step(self, rows: Tensor, number: int) -> None:
        """Move the weights by a batch."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.lr_at(number / self.whole)
        loss = self.loss(rows)
        if not loss.isfinite():
            raise FloatingPointError(f"the training loss became {loss.item()}; try lr below {self.settings.lr}")
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.method.penalise(number)
        self.optimizer.step()

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of some training images."""
        logits = self.model(self.data.train.inputs(rows))
        labels = self.data.train.labels[rows]
        return functional.cross_entropy(logits, labels, label_smoothing=self.settings.label_smoothing)

    def finish(self) -> None:
        """Bring the widths to the budget, and leave them and the weights in the job's folder."""
        widths = self.units.kept(self.method.redundant())
        if self.settings.keep is not None:
            full = torch.tensor(self.units.sizes, dtype=torch.float64)
            rates = (1 - torch.tensor(widths) / full).numpy()
            s, multiple = self.settings, self.job.space.value.multiple
            widths = self.network.within(self.network.products, s.keep, rates, s.least, multiple)
        named = {group.name: int(width) for group, width in zip(self.network.groups, widths, strict=True)}
        write_checkpoint(self.job.folder / WEIGHTS, self.model.state_dict())
        write_document(self.job.folder / RESULT, {"widths": named})


class _Hesso:
    """HESSO's part of a training; CRIC's, where that is asked for, lies before its first period."""

    def __init__(self, run: _Run) -> None:
        start = run.whole // 10
        steps = max(1, (run.whole // 4 - start) // 10)
        self._run, self._hesso = run, Hesso(run.units, run.settings.sparsity, start, steps)

    def before_step(self, number: int) -> None:
        if number == self._hesso.start and self._run.settings.method == "cric":
            self._hesso.extra = self._looked(number)

    def penalise(self, number: int) -> None:
        """Add nothing."""

    def after_step(self, number: int) -> None:
        self._hesso.after_step(number)

    def redundant(self) -> Tensor:
        return self._hesso.redundant

    def _looked(self, number: int) -> Tensor:
        """Return CRIC's verdict as a score that no saliency outweighs: units that it would keep have 10 more."""
        run, batch = self._run, self._run.settings.batch
        rows = torch.randperm(len(run.data.train.labels))[:SCORED]
        scored: Callable[[], float] = lambda: float(run.loss(rows).detach())  # noqa: E731
        extra = losses_without(run.units, run.model, scored)
        count = int(run.settings.sparsity * run.units.count)

        def train_step() -> None:
            run.step(torch.randperm(len(run.data.train.labels))[:batch], number)

        chosen, _ = cric(run.units, run.model, train_step, count=count, steps=self._hesso.steps, extra=extra)
        run.optimizer = run.plan.make_optimizer(run.model)  # its momentum is of the trials
        return torch.where(chosen, 0.0, 10.0)


class _MaskSparsity:
    """MaskSparsity's part of a training."""

    def __init__(self, run: _Run) -> None:
        self._run, self._numbers = run, run.settings.mask_sparsity
        self._mask: Tensor | None = None

    def before_step(self, number: int) -> None:
        if number == self._run.whole // 2:
            self._mask = self._numbers.masked(self._run.units)

    def penalise(self, number: int) -> None:
        del number
        self._numbers.penalise(self._run.units, self._mask)

    def after_step(self, number: int) -> None:
        """Do nothing."""

    def redundant(self) -> Tensor:
        return self._numbers.masked(self._run.units)
