"""FBNetV5's search for several tasks in one run (Wu et al. 2021, arXiv 2111.10007), on any chain-structured space.

What is the paper's: one supernet, one distribution over networks a task, importance sampling so that a step is one pass
whatever the number of tasks, and REINFORCE. Ours are the supernet, one chain rather than four resolutions with fusion
between them, and, as the paper's are not known here, the proposal (an even mixture), baselines, tasks and schedule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from evaluators._counts import check_counts
from evaluators._importance import log_probability, multi_task_loss, propose
from evaluators._logits import distribution_metrics, most_probable
from evaluators._preparation import Job
from evaluators._reinforced_logits import cost_of
from evaluators._reproducible import images_on
from evaluators._shared_weights import accuracy_of, batch_statistics, batches, finite
from evaluators._supernet_search import Epoch, Learner, SupernetSearch
from evaluators.datasets import Part
from evaluators.optimization import Optimization
from evaluators.paths import one_path
from evaluators.supernet import Supernet
from evaluators.tasks import TASKS


@dataclass(frozen=True, kw_only=True)
class FBNetV5Search(SupernetSearch):
    """Minimises sum_t E_{a ~ p_t}[loss_t(a, w) + strength x cost(a)] over shared weights w and every task's logits.

    Each step draws one network from the mixture of the tasks' distributions and runs it once, through all heads.

    It yields for each task `TASK_loss` (the mean over proposed networks), `TASK_entropy_nats`
    and the expected cost; and `accuracy`, in percent, of the most probable network for `class`, if that is a task.

    Attributes:
      tasks: names in `evaluators.tasks.TASKS`.
      epochs: in all. `warmup`: those without a step of logits.
      strength: what a unit of cost weighs in every task's loss.
      baseline: how much of a task's old baseline, a moving average of losses and costs, is kept a step.
      lr, momentum, weight_decay: of Nesterov's SGD on w; the rate falls by a cosine to 0.
      logits_lr: of Adam on the logits, which start at 0.
    """

    tasks: tuple[str, ...] = ("class", "foreground")
    epochs: int = 30
    warmup: int = 3
    strength: float = 0.0
    baseline: float = 0.9
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4
    logits_lr: float = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(epochs=self.epochs)
        object.__setattr__(self, "tasks", tuple(self.tasks))
        if not self.tasks or len(set(self.tasks)) < len(self.tasks) or not set(self.tasks) <= TASKS.keys():
            raise ValueError(f"tasks must be different ones of {', '.join(TASKS)}, got {self.tasks}")
        if not 0 <= self.warmup < self.epochs:
            raise ValueError(
                f"of {self.epochs} epochs {self.warmup} are warm-up: at least one must be left for the search"
            )
        if not 0 <= self.baseline < 1:
            raise ValueError(f"baseline must be in [0, 1), got {self.baseline}")

    @property
    def kind(self) -> str:
        """What it makes."""
        return "fbnetv5"

    @property
    def _epochs(self) -> int:
        return self.epochs

    @property
    def _optimization(self) -> Optimization:
        return Optimization("sgd", self.lr, self.momentum, self.weight_decay, "cosine", 0.0, (), 1.0)

    def _begin(self, job: Job, device: str) -> Learner:
        supernet = self._supernet(job, device)
        first = job.space.repair(np.zeros((1, job.space.width)))[0]
        with torch.no_grad(), batch_statistics(supernet):
            channels = supernet.features(
                images_on(self.dataset, device).train.inputs(slice(0, 2)), one_path(first)
            ).shape[1]
        made = {name: TASKS[name].head for name in self.tasks}
        supernet.heads = nn.ModuleDict({name: make(channels) for name, make in made.items() if make}).to(device)
        logits = {
            task: [torch.zeros(column.cardinality, device=device, requires_grad=True) for column in job.space.columns]
            for task in self.tasks
        }
        adam = torch.optim.Adam([column for of in logits.values() for column in of], self.logits_lr)
        return Learner(supernet, logits, (self._optimization.make_optimizer(supernet, fused=False), adam))

    def _epoch(self, learner: Learner, at: Epoch) -> dict[str, float]:
        steps = max(len(at.data.train.labels) // self.batch, 1)
        losses = []
        for step, batch in enumerate(batches(at.data.train, self.batch, at.rng)):
            for group in learner.optimizers[0].param_groups:
                group["lr"] = self._optimization.lr_at((at.number + step / steps) / self.epochs)
            losses.append(self._step(learner, batch, at))
        metrics: dict[str, float] = {}
        for task, mean in zip(self.tasks, torch.stack(losses).mean(0), strict=True):
            found = {"loss": finite(mean, at.number)} | distribution_metrics(learner.logits[task], at.job.costs)
            metrics |= {f"{task}_{name}": value for name, value in found.items()}
        if "class" in self.tasks:
            metrics["accuracy"] = accuracy_of(learner.supernet, most_probable(learner.logits["class"]), at.data.val)
        return metrics

    def _step(self, learner: Learner, batch: Part, at: Epoch) -> Tensor:
        """Train on one network; return the losses of all tasks."""
        genotype = propose(list(learner.logits.values()), at.rng)
        features = learner.supernet.features(batch.images, one_path(genotype))
        losses = torch.stack([TASKS[task].loss(_head(learner.supernet, task)(features), batch) for task in self.tasks])
        chances = torch.stack([log_probability(logits, genotype) for logits in learner.logits.values()])
        penalty = self.strength * cost_of(at.job.costs, genotype) if at.job.costs else 0.0
        learn = at.number >= self.warmup
        baselines = torch.tensor([learner.notes.get(task, math.nan) for task in self.tasks]).to(losses)
        baselines = torch.where(baselines.isnan(), losses.detach() + penalty, baselines)
        loss = multi_task_loss(losses, chances, penalty, baselines, learn=learn)
        for optimizer in learner.optimizers:
            optimizer.zero_grad()
        torch.autograd.backward(loss)
        for optimizer in learner.optimizers[: 2 if learn else 1]:
            optimizer.step()
        moved = self.baseline * baselines + (1 - self.baseline) * (losses.detach() + penalty)
        learner.notes.update(zip(self.tasks, moved.tolist(), strict=True))
        return losses.detach()


def _head(supernet: Supernet, task: str) -> nn.Module:
    return supernet.heads[task] if task in supernet.heads else supernet.head  # noqa: SIM401 - has no `get`
