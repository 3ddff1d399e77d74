"""FBNet's differentiable search (Wu et al., CVPR 2019): all paths at once, summed by Gumbel softmax, with latency.

The schedule is that of a published re-implementation that follows the paper: 90 epochs, of which the first 10 train
weights alone; then each epoch trains weights on 80 % of the training images, afterwards logits on the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer

from evaluators import latency_losses
from evaluators._counts import check_counts
from evaluators._logits import distribution_metrics, most_probable
from evaluators._preparation import Job
from evaluators._reproducible import images_on
from evaluators._shared_weights import accuracy_of, batches, finite, split
from evaluators._supernet_search import Epoch, Learner, SupernetSearch
from evaluators.datasets import Part
from evaluators.paths import gumbel_softmax, uniform_like, weighted_paths
from spaces.genotype import GenotypeSpace

PAPER_EPOCHS = 90


@dataclass(frozen=True, kw_only=True)
class FBNetDNAS(SupernetSearch):
    """Trains logits theta of every decision and the weights of all choices, w, by one loss in turns.

    A layer's output is sum_i m_i x b_i(input), m = softmax((theta + G) / temperature), one draw of G a batch. The loss
    of both is CE x alpha x (log LAT)^beta, LAT = sum over layers of m x latency: see `latency_losses.fbnet_loss`. Costs
    in ms enter it in microseconds, others in their own unit; the least possible cost must be above e there.

    With other than 90 epochs the schedule keeps its proportions: a ninth is warm-up unless `warmup` is set, and the
    temperature ends where it would. With `target`, which the paper has not, the loss is
    CE + strength x |LAT / target - 1|: a smooth expected latency ends near `target`, be it above or below at first.

    It yields `loss` of weights and, after the warm-up, `logits_loss`; `accuracy`, in percent, of the most probable
    network with shared weights on the validation images; `temperature`, `entropy_nats` and the expected cost.

    Attributes:
      epochs: in all.
      warmup: those without a step of logits; None for a ninth.
      share: of the training images that logits are trained on.
      alpha, beta: of the loss.
      target, strength: of the other loss, in the unit of `cost`.
      temperature, decay: the first epoch's, and the rate at which it falls: x exp(-decay) an epoch.
      lr, momentum, weight_decay: of SGD on w; the rate falls by a cosine to 0.
      logits_lr, logits_weight_decay: of Adam on theta, which starts at 0: all choices are equally likely.
    """

    epochs: int = PAPER_EPOCHS
    warmup: int | None = None
    share: float = 0.2
    alpha: float = 0.2
    beta: float = 0.6
    target: float | None = None
    strength: float = 1.0
    temperature: float = 5.0
    decay: float = 0.045
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    logits_lr: float = 0.01
    logits_weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(epochs=self.epochs)
        if not 0 <= self.warmup_epochs < self.epochs:
            raise ValueError(
                f"of {self.epochs} epochs {self.warmup_epochs} are warm-up: at least one must be left for the search"
            )
        if not 0 < self.share < 1:
            raise ValueError(f"share must be in (0, 1), got {self.share}")
        if self.target is not None and not (self.target > 0 and self.cost):
            raise ValueError(f"target must be above 0 and needs `cost`, got {self.target} of {self.cost}")

    @property
    def kind(self) -> str:
        """What it makes."""
        return "fbnet dnas"

    @property
    def warmup_epochs(self) -> int:
        """The epochs before the first step of logits."""
        return round(self.epochs / 9) if self.warmup is None else self.warmup

    def temperature_at(self, epoch: int) -> float:
        """Return the temperature of an epoch, counted from 0."""
        return self.temperature * math.exp(-self.decay * epoch * PAPER_EPOCHS / self.epochs)

    @property
    def _epochs(self) -> int:
        return self.epochs

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:
        """See `SupernetSearch`. Raises ValueError, too, for so few images that none are left for the logits."""
        super().check_early(space, preparations)
        split(images_on(self.dataset, "cpu").train, self.share, 0)

    def _begin(self, job: Job, device: str) -> Learner:
        self._refuse_small(job)
        supernet = self._supernet(job, device)
        logits = [torch.zeros(column.cardinality, device=device, requires_grad=True) for column in job.space.columns]
        weights = torch.optim.SGD(supernet.trained(), self.lr, self.momentum, weight_decay=self.weight_decay)
        adam = torch.optim.Adam(logits, self.logits_lr, weight_decay=self.logits_weight_decay)
        return Learner(supernet, {"": logits}, (weights, adam))

    def _epoch(self, learner: Learner, at: Epoch) -> dict[str, float]:
        of_weights, of_logits = split(at.data.train, self.share, at.job.seed)
        weights, adam = learner.optimizers
        logits = learner.logits[""]
        metrics = {"loss": self._train(learner, of_weights, weights, at)}
        if at.number >= self.warmup_epochs:
            metrics["logits_loss"] = self._train(learner, of_logits, adam, at)
        metrics["accuracy"] = accuracy_of(learner.supernet, most_probable(logits), at.data.val)
        metrics["temperature"] = self.temperature_at(at.number)
        return metrics | distribution_metrics(logits, at.job.costs)

    def _train(self, learner: Learner, data: Part, optimizer: Optimizer, at: Epoch) -> float:
        """Pass over `data` once, moving what `optimizer` holds; return the mean loss."""
        group = optimizer.param_groups[0]
        losses = []
        steps = max(len(data.labels) // self.batch, 1)
        for step, batch in enumerate(batches(data, self.batch, at.rng)):
            if optimizer is learner.optimizers[0]:
                group["lr"] = self.lr * (0.5 + 0.5 * math.cos(math.pi * (at.number + step / steps) / self.epochs))
            loss = self._loss(learner, batch, at)
            optimizer.zero_grad()
            torch.autograd.backward(loss, inputs=group["params"])
            optimizer.step()
            losses.append(loss.detach())
        return finite(torch.stack(losses).mean(), at.number)

    def _loss(self, learner: Learner, batch: Part, at: Epoch) -> Tensor:
        temperature = self.temperature_at(at.number)
        masks = [gumbel_softmax(logits, temperature, uniform_like(logits, at.rng)) for logits in learner.logits[""]]
        outputs = learner.supernet(batch.images, weighted_paths(masks))
        cross_entropy = functional.cross_entropy(outputs, batch.labels)
        if at.job.costs is None:
            return cross_entropy
        cost = latency_losses.expected_cost(at.job.costs, masks)
        if self.target is not None:
            return latency_losses.added_distance(cross_entropy, cost, self.target, self.strength)
        return latency_losses.fbnet_loss(cross_entropy, cost * _in_loss(at.job.costs.metric), self.alpha, self.beta)

    def _refuse_small(self, job: Job) -> None:
        if job.costs is None or self.target is not None:
            return
        least = job.costs.constant + sum(float(terms.min()) for terms in job.costs.terms)
        if least * _in_loss(job.costs.metric) <= math.e:
            raise ValueError(
                f"the least {job.costs.metric} is {least:.3g}: too small for FBNet's loss, whose logarithm needs more "
                f"than e (of microseconds for a cost in ms); give a finer unit, or set `target`"
            )


def _in_loss(metric: str) -> float:
    """Return the factor from a metric's unit to that of the loss: ms are counted in microseconds."""
    return latency_losses.MICROSECONDS if metric.partition("@")[0].endswith("_ms") else 1.0
