"""Training and scoring with weights that networks share: data in two, batches, norms with a batch's own statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from evaluators.datasets import Part, stratified
from evaluators.paths import one_path
from evaluators.supernet import Supernet


def split(part: Part, share: float, seed: int) -> tuple[Part, Part]:
    """Return a part of data in two, the second with `share` of each class; the same for the same seed."""
    labels = part.labels.cpu().numpy()
    kept, rest = stratified(labels, (1 - share, share), np.random.default_rng(seed))
    if min(len(kept), len(rest)) < 1:
        raise ValueError(f"{len(labels)} training images cannot be split, {share:.3g} of them for the architecture")
    first, second = (Part(part.images[rows], part.labels[rows], part.normalisation) for rows in (kept, rest))
    return first, second


def batches(part: Part, size: int, rng: torch.Generator) -> Iterator[Part]:
    """Yield images in random order, each once, `size` at a time or, if they are fewer, all; a smaller rest is left."""
    size = min(size, len(part.labels))
    order = torch.randperm(len(part.labels), generator=rng).to(part.labels.device)
    for rows in order[: len(order) // size * size].view(-1, size):
        yield Part(part.inputs(rows), part.labels[rows], part.normalisation)


def finite(loss: Tensor, epoch: int) -> float:
    """Return a mean loss as a number. Raises FloatingPointError for one that is not finite."""
    if not loss.isfinite():
        raise FloatingPointError(f"the loss became {loss.item()} in epoch {epoch}; try a lower learning rate")
    return loss.item()


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Let batch norms use each batch's own statistics and keep none of them; all else is as in evaluation.

    The kept statistics of a supernet are a mixture over its paths, and tell little of any one.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    tracked = [norm.track_running_stats for norm in norms]
    network.eval()
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
    try:
        yield
    finally:
        for norm, before in zip(norms, tracked, strict=True):
            norm.track_running_stats = before
        network.train()


@torch.no_grad()
def accuracy_of(supernet: Supernet, genotype: np.ndarray, data: Part, batch: int = 1000) -> float:
    """Return one network's accuracy in percent with inherited weights and `batch_statistics`."""
    starts = range(0, len(data.labels), batch)
    with batch_statistics(supernet):
        parts = [supernet(data.inputs(slice(start, start + batch)), one_path(genotype)) for start in starts]
    logits = torch.cat(parts)
    return 100 * (logits.argmax(1) == data.labels).float().mean().item()
