"""Trains a network and prunes it by a method of the literature: baselines of learned rates (`evaluators.lapp`).

Methods are HESSO, with or without CRIC (Chen et al., 2024), MaskSparsity (Jiang et al., 2021) and SAP on channels (Diao
et al., ICLR 2023); their steps are described in `evaluators.pruning`. That what they choose is brought to a budget of
multiply-accumulates is this project's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._checkpoints import identity, read_checkpoint, write_checkpoint
from evaluators._counts import check_counts
from evaluators._preparation import Job, Progress
from evaluators._reproducible import reproducible
from evaluators.datasets import Dataset, Images, described, load
from evaluators.optimization import Optimization
from evaluators.pruning.channel_sap import ChannelSap
from evaluators.pruning.mask_sparsity import MaskSparsity
from evaluators.pruning.methods import METHODS
from evaluators.pruning.result import CHECKPOINT, PruningPreparation, leave
from evaluators.pruning.units import Units
from evaluators.train import evaluate

PUBLISHED, BOUND = MaskSparsity(), ChannelSap()


@dataclass(frozen=True)
class TrainedPruning(PruningPreparation):
    """A preparation that leaves widths and weights as `evaluators.lapp.Lapp` does.

    Every epoch ends in a checkpoint; killed, a later call goes on there, to the same numbers.

    Attributes:
      method: `hesso`, `cric`, `mask_sparsity` or `sap`.
      dataset: as of `evaluators.train.Train`.
      keep: the share of the whole network's multiply-accumulates that shall stay; None for what the method leaves.
      sparsity: of `hesso` and `cric`: the share of all units that go.
      mask_sparsity: the numbers of that method; its first half of the epochs pulls at all scales, its second at those
        in the mask.
      sap: the numbers of that method; its iterations share the epochs.
      epochs: of training. HESSO's periods are from a tenth to a quarter of it, as its authors advise.
      least: the share of each group that stays at least, where there is a budget.
      batch, lr, momentum, weight_decay, label_smoothing: as of `evaluators.lapp.Lapp`.
      threads: of PyTorch.
    """

    method: Literal["hesso", "cric", "mask_sparsity", "sap"] = "hesso"
    dataset: Dataset = "digits"
    keep: float | None = 0.5
    sparsity: float = 0.3
    mask_sparsity: MaskSparsity = PUBLISHED
    sap: ChannelSap = BOUND
    epochs: int = 6
    least: float = 0.1
    batch: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    threads: int = 1

    kind = "pruned network"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"unknown method {self.method!r}; expected one of {', '.join(METHODS)}")
        if (self.keep is not None and not 0 < self.keep <= 1) or not 0 <= self.least < 1 or not 0 <= self.sparsity < 1:
            numbers = f"{self.keep}, {self.least} and {self.sparsity}"
            raise ValueError(f"keep must be in (0, 1] or None, least and sparsity in [0, 1), got {numbers}")
        check_counts(epochs=self.epochs, batch=self.batch, threads=self.threads)

    def __call__(self, job: Job) -> Iterator[Progress]:
        """Train and prune, yielding `accuracy` after each epoch; leave widths and weights.

        Raises:
          ValueError: where `keep` is out of reach.
          FloatingPointError: when the loss is not finite.
        """
        run = _Run(self, job)
        yield from run.resumed()
        for epoch in range(len(run.history), self.epochs):
            with reproducible("cpu", self.threads, job.seed, epoch + 1):
                run.train(epoch)
            run.save()
            yield run.progress(epoch)
        run.finish()

    @property
    def macs_share(self) -> float | None:
        """See `PruningPreparation`."""
        return self.keep


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
        self.history: list[dict[str, float]] = []
        self.method = METHODS[s.method](self)

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
        self.history.append({"accuracy": evaluate(self.model, self.data.val)[0]})

    def step(self, rows: Tensor, number: int) -> None:
        """Move the weights by a batch."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.lr_at(self.method.progress(number))
        loss = self.loss(rows)
        if not loss.isfinite():
            raise FloatingPointError(f"the training loss became {loss.item()}; try lr below {self.settings.lr}")
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.method.penalise()
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
        leave(self.job, widths, self.model)
        (self.job.folder / CHECKPOINT).unlink(missing_ok=True)

    def progress(self, epoch: int) -> Progress:
        """Return how far the job is after an epoch."""
        return Progress((epoch + 1) / self.settings.epochs, self.history[epoch])

    def save(self) -> None:
        """Keep what a later attempt goes on from; gradients, too, by which the next step may judge units."""
        gradients = {name: parameter.grad for name, parameter in self.model.named_parameters()}
        kept: dict[str, Any] = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "gradients": gradients,
        }
        kept |= {"method": self.method.state(), "history": self.history, "identity": self._identity()}
        write_checkpoint(self.job.folder / CHECKPOINT, kept)

    def resumed(self) -> Iterator[Progress]:
        """Go on from the folder's checkpoint, if there is a fitting one; yield its epochs again."""
        kept = read_checkpoint(self.job.folder / CHECKPOINT)
        if kept.get("identity") != self._identity():
            return
        self.model.load_state_dict(kept["model"])
        self.optimizer.load_state_dict(kept["optimizer"])
        for name, parameter in self.model.named_parameters():
            parameter.grad = kept["gradients"][name]
        self.method.load(kept["method"])
        self.history = list(kept["history"])
        yield from map(self.progress, range(len(self.history)))

    def _identity(self) -> str:
        return identity(self.settings, self.job, dataset=described(self.settings.dataset))
