"""Trains the weights of all networks of a nested space at once: one trainer, and samplers that say what a step trains.

Sources: once-for-all (Cai et al., ICLR 2020), BigNAS (Yu et al., ECCV 2020), AlphaNet (Wang et al., ICML 2021),
ElasticViT (Tang et al., ICCV 2023), DepS (Annavajjala, Khare et al., ECCV 2024); see `evaluators.samplers`.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._checkpoints import identity, read_checkpoint, write_checkpoint
from evaluators._counts import check_counts
from evaluators._early import check_images
from evaluators._group import ALONE, Group, joined
from evaluators._preparation import Distribution, Job, Progress
from evaluators._reproducible import images_on, reproducible, seed_of
from evaluators._shared_weights import batches, finite
from evaluators.datasets import Dataset, Images, Part, described
from evaluators.nested.distillation import adaptive_divergence, soft_cross_entropy
from evaluators.nested.importance import sort_channels
from evaluators.nested.recipe import InUse, Recipe
from evaluators.nested.scoring import Fitted, fitted, re_estimate, side_of
from evaluators.nested.space import Macs, NestedSpace, counted_macs
from evaluators.nested.teachers import check_teachers
from evaluators.nested.weights import NestedWeights, build_unfilled, load_weights, trained
from evaluators.optimization import Optimization
from evaluators.samplers._base import KEPT, Memory, Sampler, Step, Subnet
from evaluators.samplers.sandwich import Sandwich
from evaluators.train import evaluate
from hardware_models.architecture import architecture_of
from spaces.genotype import GenotypeSpace

CHECKPOINT = "checkpoint.pt"

DIVERGENCES = {"adaptive": adaptive_divergence, "cross_entropy": soft_cross_entropy}
"""How a network learns from others', by name."""

NESTEROV = Optimization("sgd", 0.1, 0.9, 5e-4, "cosine", 0.1, (), 0.1)

BUILT = 16
"""Networks that are kept built: the largest and the smallest come back at every step."""


@dataclass(frozen=True, kw_only=True)
class NestedSupernet:
    """A preparation that trains the largest network's weights so that all networks within it may use their part.

    A step runs each drawn network on the same images, brought to the side that it takes; the gradients add up, and one
    step of the optimiser follows. Norms use each batch's own statistics, and none are kept. Every epoch ends in a
    checkpoint; a later run of an equal job goes on from there to the same numbers, on one machine and version of
    PyTorch and with one `threads`. On CUDA, networks run in mixed precision (bfloat16).

    It yields after each epoch `accuracy_largest` and `accuracy_smallest` on the validation images, with statistics
    estimated anew, and the mean `loss_KIND` of each kind of network that was drawn, by the labels. Where the
    recipe has an average of weights, accuracies are the average's, and it is what later scoring finds.

    Attributes:
      sampler: which networks a step trains; `evaluators.samplers`.
      dataset: as of `evaluators.train.Train`.
      epochs: passes over the training images.
      batch: images a step; the last, smaller batch of an epoch is dropped.
      optimization: optimiser and learning rate.
      label_smoothing: of the labels' loss.
      divergence: of networks from their teachers: `adaptive` (AlphaNet's) or `cross_entropy`.
      transforms: whether smaller kernels are transformed larger ones (once-for-all) and not their middle.
      recipe: teachers, changes of images, clipping, an average of weights and more; by default none of it.
      macs: how samplers count multiply-accumulates, e.g. `spaces.elasticvit.released_macs`.
      statistics: training images that norms' statistics are estimated from.
      device: `cpu`, `cuda`, ..., or `auto`: CUDA where there is one.
      threads: of PyTorch on a CPU.
      workers: how many processes share each batch, a launcher starts them; on CUDA each has a GPU. They draw the same
        networks; norms use the statistics of each one's images. See `evaluators._group`.
    """

    sampler: Sampler = field(default_factory=Sandwich)
    dataset: Dataset = "digits"
    epochs: int = 30
    batch: int = 64
    optimization: Optimization = NESTEROV
    label_smoothing: float = 0.1
    divergence: str = "adaptive"
    transforms: bool = False
    recipe: Recipe = field(default_factory=Recipe)
    macs: Macs = counted_macs
    statistics: int = 512
    device: str = field(default="auto", compare=False)
    threads: int = field(default=1, compare=False)
    workers: int = 1

    kind = "nested supernet"
    cost = None

    def __post_init__(self) -> None:
        check_counts(epochs=self.epochs, batch=self.batch, statistics=self.statistics, threads=self.threads)
        if self.divergence not in DIVERGENCES:
            raise ValueError(f"divergence must be {' or '.join(DIVERGENCES)}, got {self.divergence!r}")
        if self.transforms and self.recipe.shared != "sum":
            raise ValueError(f"with transforms gradients are summed up; got a recipe of shared={self.recipe.shared!r}")
        if self.workers < 1 or self.batch % self.workers:
            raise ValueError(f"workers must be at least 1 and share the batch of {self.batch}, got {self.workers}")

    def __call__(self, job: Job) -> Iterator[Progress]:
        """Do the job, yielding after each epoch.

        Raises:
          ValueError: for a space whose networks do not lie within the largest, or that has open floats.
          FloatingPointError: when a loss is not finite.
          ConnectionError: where another of several workers no longer answers.
        """
        with joined(job.member, self.workers, self.device) as group:
            yield from self._train(job, group)

    def _train(self, job: Job, group: Group) -> Iterator[Progress]:
        device = group.device
        with reproducible(device, self.threads, job.seed, 0):
            run = _Run(self, job, device, group)
        run.resume()
        group.agree(len(run.history), "epochs done")
        for epoch, metrics in enumerate(run.history):
            yield Progress((epoch + 1) / self.epochs, metrics)
        for epoch in range(len(run.history), self.epochs):
            with reproducible(device, self.threads, job.seed, epoch + 1, *group.seeds):
                run.history.append(run.train(epoch))
            if group.rank == 0:
                run.save()
            yield Progress((epoch + 1) / self.epochs, run.history[-1])

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """See `evaluators._base.ChecksEarly`."""
        classes = check_images(self.dataset, space, self.recipe.augment, resized=True)
        check_teachers(self.recipe.teachers, self.dataset, space, classes)

    def distributions(self, folder: Path) -> Mapping[str, Distribution]:
        """Return none: the job leaves weights, see `shared_weights`."""
        del folder
        return {}

    def identity(self, job: Job) -> str:
        """Return what a checkpoint must have been made of to be gone on from."""
        return identity(self, job, dataset=described(self.dataset), macs=described(self.macs))


class _Run:
    """One job as it runs."""

    def __init__(self, settings: NestedSupernet, job: Job, device: str, group: Group = ALONE) -> None:
        self.settings, self.job, self.device, self.group = settings, job, device, group
        self.nets = NestedSpace(job.space, settings.macs)
        self.data: Images = images_on(settings.dataset, device)
        largest = architecture_of(job.space.decode(self.nets.largest))
        self.weights = NestedWeights(largest.build(), transforms=settings.transforms).to(device)
        self.recipe = InUse(settings.recipe, self.weights, job.space, device)
        self.optimizer = settings.optimization.make_optimizer(self.weights, fused=False, spared=settings.recipe.spared)
        self.kept: NestedWeights | None = None
        self.memory: Memory = {}
        self.history: list[dict[str, float]] = []
        self._built: OrderedDict[bytes, tuple[nn.Module, int | None]] = OrderedDict()
        with torch.no_grad():
            self._outputs = self._logits(self.weights, self.nets.largest, self.data.train.inputs(slice(0, 2))).shape[1]

    def train(self, epoch: int) -> dict[str, float]:
        """Pass over the training images once; return the epoch's metrics."""
        s, part = self.settings, self.data.train
        order = torch.Generator().manual_seed(seed_of(self.job.seed, epoch + 1, 1))
        steps = max(1, len(part.labels) // s.batch)
        losses: dict[str, list[Tensor]] = {}
        for step, plain in enumerate(map(self.group.part, batches(part, s.batch, order))):
            batch = self.recipe.changed(plain, self._outputs, self.job.seed, epoch, step, *self.group.seeds)
            rng = np.random.default_rng((self.job.seed, epoch, step))
            score = partial(self._score, batch=batch)
            lr_at = partial(s.sampler.lr_at, optimization=s.optimization)
            at = Step(self.nets, epoch, s.epochs, step, steps, rng, lr_at, score)
            for group in self.optimizer.param_groups:
                group["lr"] = lr_at(at.progress)
            fronts = s.sampler.sorts(at, self.memory)
            if fronts is not None:
                self._sort(fronts)
            drawn = s.sampler.draw(at, self.memory)
            found = self._step(drawn, batch)
            s.sampler.learn(at, drawn, found.tolist(), self.memory)
            for subnet, loss in zip(drawn, found, strict=True):
                losses.setdefault(subnet.kind, []).append(loss)
        accuracies = {f"accuracy_{name}": self._accuracy(getattr(self.nets, name)) for name in ("largest", "smallest")}
        means = {f"loss_{kind}": finite(torch.stack(each).mean(), epoch) for kind, each in sorted(losses.items())}
        return accuracies | means

    def _step(self, drawn: Sequence[Subnet], batch: Part) -> Tensor:
        """Train the drawn networks on a batch; return their cross-entropies, (n,)."""
        self.optimizer.zero_grad()
        outside = self.recipe.taught(batch.images)
        probabilities: list[Tensor] = []
        losses: list[Tensor] = []
        for subnet in drawn:
            logits = self._logits(self.weights, subnet.genotype, batch.images)
            loss = subnet.labels * self.recipe.loss(logits, batch.labels, outside, self.settings.label_smoothing)
            if subnet.teachers:
                taught = [self._taught(subnet, teacher, probabilities, batch) for teacher in subnet.teachers]
                loss = loss + DIVERGENCES[self.settings.divergence](logits, torch.stack(taught).mean(0))
            torch.autograd.backward(subnet.scale * loss)
            probabilities.append(logits.detach().softmax(1))
            losses.append(functional.cross_entropy(logits.detach(), batch.labels))
        self.group.average_gradients(self.weights.parameters())
        self.recipe.before_step(self.weights, [(self._network(each.genotype)[0], each.scale) for each in drawn])
        self.optimizer.step()
        self.recipe.after_step(self.weights)
        return self.group.mean(torch.stack(losses))

    def _taught(self, subnet: Subnet, teacher: int, probabilities: list[Tensor], batch: Part) -> Tensor:
        if teacher != KEPT:
            return probabilities[teacher]
        if self.kept is None:
            self.kept = copy.deepcopy(self.weights)
        with torch.no_grad():
            whole = self.nets.largest if subnet.kept is None else subnet.kept
            return self._logits(self.kept, whole, batch.images).softmax(1)

    def _sort(self, fronts: Sequence[np.ndarray]) -> None:
        """Sort channels; the optimiser's averages, which belong to the old places, begin anew."""
        candidates = [architecture_of(self.job.space.decode(row)) for row in fronts]
        sort_channels(self.weights.largest, [build_unfilled(candidate) for candidate in candidates])
        self.optimizer.state.clear()
        self.recipe.sorted(self.weights)

    @torch.no_grad()
    def _score(self, genotype: np.ndarray, batch: Part) -> float:
        logits = self._logits(self.weights, genotype, batch.images)
        return -self.group.mean(functional.cross_entropy(logits, batch.labels)).item()

    def _logits(self, weights: NestedWeights, genotype: np.ndarray, images: Tensor) -> Tensor:
        """Return logits in float32; norms use the batch's statistics."""
        network, side = self._network(genotype)
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            logits: Tensor = weights(network, fitted(images, side))
        return logits.float()

    def _network(self, genotype: np.ndarray) -> tuple[nn.Module, int | None]:
        key = genotype.tobytes()
        if key not in self._built:
            candidate = architecture_of(self.job.space.decode(genotype))
            self._built[key] = build_unfilled(candidate).to(self.device).train(), side_of(candidate)
            if len(self._built) > BUILT:
                self._built.popitem(last=False)
        self._built.move_to_end(key)
        return self._built[key]

    def _accuracy(self, genotype: np.ndarray) -> float:
        network = inherited(self.recipe.scored(self.weights), self.job.space, genotype).to(self.device)
        re_estimate(network, self.data.train, self.settings.statistics, self.settings.batch)
        return evaluate(network, self.data.val)[0]

    def save(self) -> None:
        """Keep what a later run goes on from."""
        contents = {
            "identity": self.settings.identity(self.job),
            "transforms": self.settings.transforms,
            "largest": self.nets.largest.tolist(),
            "weights": trained(self.weights),
            "kept": None if self.kept is None else trained(self.kept),
            "optimizer": self.optimizer.state_dict(),
            "recipe": self.recipe.state(),
            "memory": self.memory,
            "history": self.history,
        }
        write_checkpoint(self.job.folder / CHECKPOINT, contents)

    def resume(self) -> None:
        """Become what it was when a fitting checkpoint was written, if there is one."""
        found = read_checkpoint(self.job.folder / CHECKPOINT)
        if found.get("identity") != self.settings.identity(self.job):
            return
        load_weights(self.weights, found["weights"])
        self.optimizer.load_state_dict(found["optimizer"])
        self.recipe.load(found["recipe"])
        if found["kept"] is not None:
            self.kept = copy.deepcopy(self.weights)
            load_weights(self.kept, found["kept"])
        self.memory, self.history = found["memory"], list(found["history"])


def shared_weights(folder: Path, space: GenotypeSpace) -> NestedWeights:
    """Return the weights that a job left in `folder`, on the CPU: their average where its recipe has one.

    Raises:
      FileNotFoundError: where no checkpoint of such a job is, or none that can be read.
    """
    found = read_checkpoint(folder / CHECKPOINT)
    if "largest" not in found:
        raise FileNotFoundError(f"no nested supernet in {folder}: expected a readable {CHECKPOINT} of one there")
    largest = architecture_of(space.decode(space.from_json(found["largest"])))
    weights = NestedWeights(build_unfilled(largest), transforms=found["transforms"])
    averaged = found["recipe"].get("average")
    load_weights(weights, averaged["weights"] if averaged else found["weights"])
    return weights


def inherited(weights: NestedWeights, space: GenotypeSpace, genotype: np.ndarray) -> Fitted:
    """Return a network that has its part of the weights, on the CPU, and takes images of any side.

    Its norms have no statistics that mean anything: see `evaluators.nested.scoring.re_estimate`.
    """
    candidate = architecture_of(space.decode(genotype))
    network = build_unfilled(candidate)
    weights.give(network)
    return Fitted(network, side_of(candidate))
