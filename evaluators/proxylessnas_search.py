"""ProxylessNAS' search (Cai, Zhu and Han, ICLR 2019): paths are binary, so that a step needs the memory of one path.

Schedules and what the paper leaves open are those of the released search code, github.com/mit-han-lab/proxylessnas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from evaluators import latency_losses
from evaluators._binary_gates import all_gates, gates_losses, keep_mass, two_gates
from evaluators._counts import check_counts
from evaluators._logits import distribution_metrics, most_probable, sample
from evaluators._preparation import Job
from evaluators._reinforced_logits import cost_of, moved_baseline, reinforce_loss, reward
from evaluators._reproducible import images_on
from evaluators._shared_weights import accuracy_of, batches, finite, split
from evaluators._supernet_search import Epoch, Learner, SupernetSearch
from evaluators.datasets import Part
from evaluators.optimization import Optimization
from evaluators.paths import one_path
from spaces.genotype import GenotypeSpace

LOSSES = ("mul#log", "add#linear", "added", "distance")
METHODS = ("two_path", "full", "reinforce")


@dataclass(frozen=True, kw_only=True)
class ProxylessNASSearch(SupernetSearch):
    """Trains logits alpha of every decision with the weights of all choices, one path a step.

    Weights: a path is drawn from the softmax p of alpha for every batch, and alone trained. Logits, by `method`:

    - `two_path` (the paper's): of each decision two choices are drawn by p, one of them is run, and both learn by the
      gradients of their gates, p' being the softmax over the pair; then both logits are shifted so that the pair's
      probability, and thereby every other choice's, is as before.
    - `full` (the released code's default, `full_v2`): one path drawn by p is run, all choices learn by their gates.
    - `reinforce`: `samples` networks are scored on one batch by accuracy x (reference / cost)^exponent, accuracy as a
      share; the gradient is the mean of (score - baseline) x that of -log p. The baseline is fast: after the first
      mean it moves 99 % of the way to each new one, before it is subtracted.

    The loss of the first two has the expected cost in it as `latency_loss` says: `mul#log` (the released default),
    `add#linear` (the released alternative), `added` (the paper's; its strength is not known here, so set `strength`),
    or `distance`, which neither has: CE + strength x |E / reference - 1|, to end near a reference from both sides.

    Followed of the released code: alpha's initial values, Adam and its rate, one step of alpha every five of weights,
    none in the first epoch after the warm-up, 300 updates an epoch for `reinforce`, scores with norms of the batch.
    Not followed: there, a decision whose active choice is Zero learns nothing in that step, not even from its cost;
    here it learns like any other. The second path of a pair runs while gradients flow back, to the same gradients.
    Ours: labels are smoothed for weights alone, biases and norms do not decay, updates are spread over an epoch.

    With other than 120 epochs the warm-up keeps its proportion, a third as many before them, unless `warmup` is set.
    It yields `loss` of weights and, once alpha moves, `logits_loss` or `score` (the mean); `accuracy`, in percent, of
    the most probable network with shared weights on validation images; `entropy_nats` and the expected cost.

    Attributes:
      epochs: after the warm-up.
      warmup: epochs of weights alone before that; None for a third of `epochs`.
      method, latency_loss: as above.
      reference: the cost to compare with, in the unit of `cost`; needed with a `cost` but for `added`.
      alpha, beta: of `mul#log`.
      strength: of the other losses; None for the released 0.1 of `add#linear`, and for 1 of `distance`.
      share: of the training images that alpha is trained on; by default the released 50,000 of ImageNet's 1,281,167.
      every: steps of weights to one of alpha.
      updates: of alpha an epoch at most, for `reinforce`, evenly spread; one a step of weights at most.
      samples, exponent, baseline: of `reinforce`.
      score_batch: images that networks are scored on in `reinforce`.
      warmup_lr, lr, momentum, weight_decay: of Nesterov's SGD on weights; both rates fall by a cosine to 0.
      label_smoothing: of weights' loss.
      logits_lr: of Adam, betas (0, 0.999), without decay.
    """

    batch: int = 256
    epochs: int = 120
    warmup: int | None = None
    method: Literal["two_path", "full", "reinforce"] = "two_path"
    latency_loss: Literal["mul#log", "add#linear", "added", "distance"] = "mul#log"
    reference: float | None = None
    alpha: float = 0.2
    beta: float = 0.3
    strength: float | None = None
    share: float = 50_000 / 1_281_167
    every: int = 5
    updates: int = 300
    samples: int = 10
    exponent: float = 0.1
    baseline: float = 0.99
    score_batch: int = 1000
    warmup_lr: float = 0.05
    lr: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 4e-5
    label_smoothing: float = 0.1
    logits_lr: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(epochs=self.epochs, every=self.every, updates=self.updates, samples=self.samples)
        if self.warmup is not None and self.warmup != 0:
            check_counts(warmup=self.warmup)
        if self.method not in METHODS or self.latency_loss not in LOSSES:
            raise ValueError(
                f"method must be one of {', '.join(METHODS)}, latency_loss one of {', '.join(LOSSES)}; "
                f"got {self.method!r} and {self.latency_loss!r}"
            )
        if not 0 < self.share < 1:
            raise ValueError(f"share must be in (0, 1), got {self.share}")
        self._check_loss()

    def _check_loss(self) -> None:
        if self.cost is None:
            return
        added = self.latency_loss == "added" and self.method != "reinforce"
        if added and self.strength is None:
            raise ValueError("latency_loss 'added' needs a `strength`: the paper's is not known")
        if not added and (self.reference is None or not self.reference > 0):
            raise ValueError(f"a cost needs a `reference` above 0 to compare with, got {self.reference}")

    @property
    def kind(self) -> str:
        """What it makes."""
        return "proxylessnas"

    @property
    def warmup_epochs(self) -> int:
        """The epochs of weights alone."""
        return round(self.epochs / 3) if self.warmup is None else self.warmup

    @property
    def _epochs(self) -> int:
        return self.warmup_epochs + self.epochs

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:
        """See `SupernetSearch`. Raises ValueError, too, for so few images that none are left for the logits."""
        super().check_early(space, preparations)
        split(images_on(self.dataset, "cpu").train, self.share, 0)

    def _begin(self, job: Job, device: str) -> Learner:
        self._refuse_small(job)
        supernet = self._supernet(job, device)
        logits = [(1e-3 * torch.randn(column.cardinality)).to(device).requires_grad_() for column in job.space.columns]
        adam = torch.optim.Adam(logits, self.logits_lr, (0.0, 0.999))
        return Learner(supernet, {"": logits}, (self._optimization(0).make_optimizer(supernet, fused=False), adam))

    def _optimization(self, epoch: int) -> Optimization:
        lr = self.warmup_lr if epoch < self.warmup_epochs else self.lr
        return Optimization("sgd", lr, self.momentum, self.weight_decay, "cosine", 0.0, (), 1.0)

    def _lr_at(self, epoch: float) -> float:
        """Return the weights' rate after so many epochs: a cosine over the warm-up, and one over the rest."""
        warmup = self.warmup_epochs
        progress = epoch / warmup if epoch < warmup else (epoch - warmup) / self.epochs
        return self._optimization(int(epoch)).lr_at(progress)

    def _epoch(self, learner: Learner, at: Epoch) -> dict[str, float]:
        of_weights, of_logits = split(at.data.train, self.share, at.job.seed)
        steps = max(len(of_weights.labels) // self.batch, 1)
        held_out = self._endless(of_logits, at)
        losses, learned = [], []
        for step, batch in enumerate(batches(of_weights, self.batch, at.rng)):
            for group in learner.optimizers[0].param_groups:
                group["lr"] = self._lr_at(at.number + step / steps)
            losses.append(self._weights_step(learner, batch, at))
            if self._due(at.number - self.warmup_epochs, step, steps):
                learned.append(self._logits_step(learner, next(held_out), at))
        metrics = {"loss": finite(torch.stack(losses).mean(), at.number)}
        if learned:
            name = "score" if self.method == "reinforce" else "logits_loss"
            metrics[name] = finite(torch.stack(learned).mean(), at.number)
        logits = learner.logits[""]
        metrics["accuracy"] = accuracy_of(learner.supernet, most_probable(logits), at.data.val)
        return metrics | distribution_metrics(logits, at.job.costs)

    def _due(self, epoch: int, step: int, steps: int) -> bool:
        """Return whether a step of logits follows a step of weights; epochs are counted from the end of the warm-up."""
        if epoch < min(1, self.epochs - 1):
            return False
        if self.method == "reinforce":
            return (step + 1) * self.updates // steps > step * self.updates // steps
        return (epoch * steps + step + 1) % self.every == 0

    def _endless(self, data: Part, at: Epoch) -> Iterator[Part]:
        size = self.score_batch if self.method == "reinforce" else self.batch
        while True:
            yield from batches(data, size, at.rng)

    def _weights_step(self, learner: Learner, batch: Part, at: Epoch) -> Tensor:
        """Train one path's weights; return the loss."""
        outputs = learner.supernet(batch.images, one_path(sample(learner.logits[""], at.rng)))
        loss = functional.cross_entropy(outputs, batch.labels, label_smoothing=self.label_smoothing)
        learner.optimizers[0].zero_grad()
        torch.autograd.backward(loss)
        learner.optimizers[0].step()
        return loss.detach()

    def _logits_step(self, learner: Learner, batch: Part, at: Epoch) -> Tensor:
        """Train the logits; return the loss, or the mean score."""
        return (self._reinforce if self.method == "reinforce" else self._gates)(learner, batch, at)

    def _gates(self, learner: Learner, batch: Part, at: Epoch) -> Tensor:
        logits, adam = learner.logits[""], learner.optimizers[1]
        gates = (two_gates if self.method == "two_path" else all_gates)(logits, at.rng)
        cross_entropy, cost = gates_losses(learner.supernet, logits, gates, batch, at.job.costs)
        loss = cross_entropy if cost is None else self._with_cost(cross_entropy, cost)
        before = [column.detach().clone() for column in logits]
        adam.zero_grad()
        torch.autograd.backward(loss, inputs=logits)
        adam.step()
        keep_mass(logits, before, gates)
        return loss.detach()

    def _reinforce(self, learner: Learner, batch: Part, at: Epoch) -> Tensor:
        logits, adam = learner.logits[""], learner.optimizers[1]
        genotypes = [sample(logits, at.rng) for _ in range(self.samples)]
        scores = [accuracy_of(learner.supernet, genotype, batch) / 100 for genotype in genotypes]
        if at.job.costs is not None and self.reference is not None:
            costs = [cost_of(at.job.costs, genotype) for genotype in genotypes]
            scores = [reward(*pair, self.reference, self.exponent) for pair in zip(scores, costs, strict=True)]
        mean = sum(scores) / len(scores)
        baseline = moved_baseline(learner.notes, mean, self.baseline)
        loss = reinforce_loss(logits, genotypes, scores, baseline)
        adam.zero_grad()
        torch.autograd.backward(loss, inputs=logits)
        adam.step()
        return torch.tensor(mean)

    def _with_cost(self, cross_entropy: Tensor, cost: Tensor) -> Tensor:
        reference, strength = self.reference or 1.0, self.strength
        match self.latency_loss:
            case "mul#log":
                return latency_losses.multiplied_log(cross_entropy, cost, reference, self.alpha, self.beta)
            case "add#linear":
                return latency_losses.added_linear(
                    cross_entropy, cost, reference, 0.1 if strength is None else strength
                )
            case "added":
                return latency_losses.added(cross_entropy, cost, strength or 0.0)
            case "distance":
                return latency_losses.added_distance(
                    cross_entropy, cost, reference, 1.0 if strength is None else strength
                )

    def _refuse_small(self, job: Job) -> None:
        """Refuse costs whose logarithm may be 0 or less where the loss takes it."""
        if job.costs is None or self.method == "reinforce" or self.latency_loss != "mul#log":
            return
        least = job.costs.constant + sum(float(terms.min()) for terms in job.costs.terms)
        if min(least, self.reference or 0.0) <= 1:
            raise ValueError(
                f"'mul#log' takes logarithms of {job.costs.metric}, which must be above 1: the least is {least:.3g}, "
                f"the reference {self.reference}; give a finer unit, or another latency_loss"
            )
