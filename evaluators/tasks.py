"""What networks with one trunk can be trained for, each with a head and a loss of its own, from images and labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from evaluators.datasets import Part


@dataclass(frozen=True, slots=True)
class SharedTask:
    """A task on a shared trunk.

    Attributes:
      head: makes its head for so many channels of features; None to use the networks' own.
      loss: the mean loss of the head's outputs on a batch.
    """

    head: Callable[[int], nn.Module] | None
    loss: Callable[[Tensor, Part], Tensor]


def class_loss(outputs: Tensor, batch: Part) -> Tensor:
    """Return the cross-entropy of logits (n, classes) with the labels."""
    return functional.cross_entropy(outputs, batch.labels)


def foreground_loss(outputs: Tensor, batch: Part) -> Tensor:
    """Return the binary cross-entropy of logits (n, 1, h, w) with the share of each cell that is drawn on.

    A pixel is foreground where it is above its image's mean; the masks are pooled to the outputs' size.
    """
    images = batch.images.mean(1, keepdim=True)
    masks = (images > images.mean((2, 3), keepdim=True)).float()
    shares = functional.adaptive_avg_pool2d(masks, (outputs.shape[2], outputs.shape[3]))
    return functional.binary_cross_entropy_with_logits(outputs, shares)


TASKS = {
    "class": SharedTask(None, class_loss),
    "foreground": SharedTask(lambda channels: nn.Conv2d(channels, 1, 1), foreground_loss),
}
"""By name: what an image shows, and where."""
