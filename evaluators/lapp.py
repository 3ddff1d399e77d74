"""Learns the pruning rates of a network while it begins to train: layer adaptive progressive pruning.

Source: LAPP (Zhai et al., 2023, arXiv 2309.14157). From its abstract are: one learnable threshold a layer, to which the
task's loss and a constraint on the whole network's operations both give gradients; filters go whose importance falls
below it, in the first epochs of a training from scratch; and a lightweight bypass beside each layer before training.
The equations are this project's: scores, masks and bypass are described in `evaluators.pruning.masks`, schedule and
constraint in `Lapp`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._checkpoints import identity, read_checkpoint, write_checkpoint
from evaluators._counts import check_counts
from evaluators._preparation import Job, Progress
from evaluators._reproducible import reproducible
from evaluators.datasets import Dataset, Images, described, load
from evaluators.optimization import Optimization
from evaluators.pruning.masks import Bounds, Masks
from evaluators.pruning.result import CHECKPOINT, PruningPreparation, leave, network_of
from evaluators.train import evaluate
from spaces.genotype import GenotypeSpace

AVERAGED = 0.9
"""The share of the thresholds' averaged gradient that is an earlier one's."""


@dataclass(frozen=True)
class Lapp(PruningPreparation):
    """A preparation that learns the rates of `spaces.lapp.lapp(...)`, the job's space.

    In each of `epochs` epochs the whole masked network trains. The share of multiply-accumulates that is aimed at falls
    linearly from 1 to `keep` in the first three quarters of the steps. The thresholds' loss is the task's plus
    `strength` x (share - aim)², which pulls from both sides. SGD on averaged gradients moves them: in steps that were
    made equal, as Adam's are, layers would hardly differ. At the end all are moved together, then channel by channel,
    to within 1 % of `keep`, where whole channels allow that.

    Attributes:
      dataset: as of `evaluators.train.Train`.
      keep: the share of the whole network's multiply-accumulates that shall stay.
      epochs: of learning.
      least: the share of each group that is kept in any case; one channel is.
      strength: of the constraint.
      rate_lr: the learning rate of the thresholds.
      bypass: whether there are bypasses.
      batch, lr, momentum, weight_decay, label_smoothing: of the weights' training, as of `evaluators.train.Train`, with
        a constant learning rate after its rise.
      threads: of PyTorch.
      model: a function without arguments, or a class, that returns an additive hardware model, such as a latency table
        of `job.space.value.network.grid`. Its first metric then takes the place of multiply-accumulates in all of the
        above, interpolated between the widths that the table holds: see `spaces.pruning.interpolated`.
    """

    dataset: Dataset = "digits"
    keep: float = 0.5
    epochs: int = 6
    least: float = 0.1
    strength: float = 3.0
    rate_lr: float = 1.0
    bypass: bool = True
    batch: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    threads: int = 1
    model: Callable[[], Any] | None = None

    kind = "pruning rates"

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1 or not 0 <= self.least < 1:
            raise ValueError(f"keep must be in (0, 1] and least in [0, 1), got {self.keep} and {self.least}")
        check_counts(epochs=self.epochs, batch=self.batch, threads=self.threads)

    def __call__(self, job: Job) -> Iterator[Progress]:
        """Learn, yielding after each epoch `accuracy` and `macs_share` of the masked network; leave rates and weights.

        With a hardware `model`, its metric's share, such as `latency_ms_share`, is yielded instead.

        Raises:
          ValueError: for a space that is not one of pruning rates, and where `keep` is out of reach.
        """
        run = _Run(self, job)
        yield from run.resumed()
        for epoch in range(len(run.history), self.epochs):
            run.train(epoch)
            run.save()
            yield run.progress(epoch)
        run.finish()

    @property
    def macs_share(self) -> float | None:
        """See `PruningPreparation`."""
        return self.keep if self.model is None else None

    def operators(self, space: GenotypeSpace) -> tuple[Any, ...]:
        """Return the operators that `model` must know, for `profile` to measure; none where there is no model."""
        return tuple(network_of(space).grid) if self.model else ()


@dataclass(frozen=True)
class _Cost:
    """What is limited: its name, of widths (groups,) with their gradient, and of an array (n, groups)."""

    metric: str
    of: Callable[[Tensor], Tensor]
    numbers: Callable[[np.ndarray], np.ndarray]

    @property
    def share_name(self) -> str:
        """What its share of the whole network's is called: `latency_ms_share@pixel3`."""
        name, at, device = self.metric.partition("@")
        return f"{name}_share{at}{device}"


def _macs(network: Any) -> _Cost:
    products = network.products
    factors, inputs, outputs = (
        torch.from_numpy(part).float() for part in (products.factors, products.inputs, products.outputs)
    )

    def macs(widths: Tensor) -> Tensor:
        extended = torch.cat([widths, widths.new_ones(1)])
        return (factors * (inputs @ extended) * (outputs @ extended)).sum()

    return _Cost("macs", macs, products)


def _cost(network: Any, model: Any) -> _Cost:
    costs = network.costs(model)
    return _Cost(costs.metric, lambda widths: costs(widths[None])[0].float(), costs.numbers)


class _Run:
    """One job as it runs."""

    def __init__(self, settings: Lapp, job: Job) -> None:
        self.settings, self.job = settings, job
        self.network = network_of(job.space)
        self.data: Images = load(settings.dataset)
        with reproducible("cpu", settings.threads, job.seed, 0):
            self.model: nn.Module = self.network.model()
        channels = self.network.channels
        self.masks = Masks(self.model, channels.groups, channels.layers, self._bounds(), bypass=settings.bypass)
        self.history: list[dict[str, float]] = []
        decay, s = settings.weight_decay, settings
        plan = Optimization("sgd", s.lr, s.momentum, decay, "constant", 0.1, (), 0.1)
        self.plan, self.optimizer = plan, plan.make_optimizer(self.model)
        self.steps = max(1, len(self.data.train.labels) // s.batch)
        self.learner = torch.optim.SGD([self.masks.thresholds], lr=s.rate_lr, momentum=AVERAGED, dampening=AVERAGED)
        self.cost = _macs(self.network) if s.model is None else _cost(self.network, s.model())
        self._whole = float(self.cost.of(torch.tensor(self.masks.places.sizes, dtype=torch.float32)))

    def _bounds(self) -> Bounds:
        """Return rates from 0 to what `least` allows, and those that the space holds as they are."""
        low, high = [], []
        for group in self.network.groups:
            rate = self.job.space.value.rates[group.name]
            held = isinstance(rate, float | int)
            most = 1 - max(self.settings.least, 1 / group.width)
            low.append(min(float(rate), most) if held else 0.0)
            high.append(low[-1] if held else most)
        return Bounds(torch.tensor(low), torch.tensor(high))

    def train(self, epoch: int) -> None:
        """Pass over the training images once."""
        s, part = self.settings, self.data.train
        self.model.train()
        with reproducible("cpu", s.threads, self.job.seed, epoch + 1):
            order = torch.randperm(len(part.labels))
            for step in range(self.steps):
                done = (epoch * self.steps + step) / (s.epochs * self.steps)
                for group in self.optimizer.param_groups:
                    group["lr"] = self.plan.lr_at(done)
                self._step(order[step * s.batch : (step + 1) * s.batch], 1 - (1 - s.keep) * min(1, done / 0.75))
        with torch.no_grad():
            share = float(self.cost.of(self.masks.update())) / self._whole
        self.history.append({"accuracy": evaluate(self.model, self.data.val)[0], self.cost.share_name: share})

    def _step(self, rows: Tensor, aim: float) -> None:
        widths = self.masks.update()
        logits = self.model(self.data.train.inputs(rows))
        task = functional.cross_entropy(
            logits, self.data.train.labels[rows], label_smoothing=self.settings.label_smoothing
        )
        excess = self.cost.of(widths) / self._whole - aim
        self.optimizer.zero_grad()
        self.learner.zero_grad()
        torch.autograd.backward(task + self.settings.strength * excess.square())
        if not task.isfinite():
            raise FloatingPointError(f"the training loss became {task.item()}; try lr below {self.settings.lr}")
        self.optimizer.step()
        self.learner.step()
        self.masks.clamp()

    def progress(self, epoch: int) -> Progress:
        """Return how far the job is after an epoch."""
        return Progress((epoch + 1) / self.settings.epochs, self.history[epoch])

    def finish(self) -> None:
        """Bring the rates to the budget; leave them and the weights in the job's folder."""
        rates = self.masks.thresholds.detach().double().numpy()
        s, multiple = self.settings, self.job.space.value.multiple
        widths = self.network.within(self.cost.numbers, s.keep, rates, s.least, multiple)
        self.masks.fold()
        leave(self.job, widths, self.model)
        (self.job.folder / CHECKPOINT).unlink(missing_ok=True)

    def _states(self) -> dict[str, Any]:
        return {"model": self.model, "optimizer": self.optimizer, "learner": self.learner}

    def save(self) -> None:
        """Keep what a later attempt goes on from."""
        kept = {name: part.state_dict() for name, part in self._states().items()}
        kept |= {"thresholds": self.masks.thresholds.detach(), "history": self.history, "identity": self._identity()}
        write_checkpoint(self.job.folder / CHECKPOINT, kept)

    def resumed(self) -> Iterator[Progress]:
        """Go on from the folder's checkpoint, if there is a fitting one; yield its epochs again."""
        kept = read_checkpoint(self.job.folder / CHECKPOINT)
        if kept.get("identity") != self._identity():
            return
        for name, part in self._states().items():
            part.load_state_dict(kept[name])
        with torch.no_grad():
            self.masks.thresholds.copy_(kept["thresholds"])
        self.history = list(kept["history"])
        yield from map(self.progress, range(len(self.history)))

    def _identity(self) -> str:
        s = self.settings
        model = described(s.model) if s.model else None
        return identity(s, self.job, dataset=described(s.dataset), model=model)
