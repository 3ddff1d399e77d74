"""Scores a network with inherited weights: its norms' statistics are estimated anew, never taken from the supernet.

As in Cai et al., ICLR 2020, and Tang et al., ICCV 2023: statistics that were kept in training are a mixture over
networks, and tell nothing of one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from evaluators.datasets import Part


class Fitted(nn.Module):
    """A network behind what brings images to its side; see `fitted`."""

    def __init__(self, network: nn.Module, side: int | None) -> None:
        super().__init__()
        self.network, self.side = network, side

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's outputs of images of any side."""
        outputs: Tensor = self.network(fitted(images, self.side))
        return outputs


def side_of(candidate: Any) -> int | None:
    """Return the side of the images that a candidate's network takes; None where it says nothing of that."""
    shape = getattr(candidate, "input_shape", None)
    return None if shape is None else int(shape[-1])


def fitted(images: Tensor, side: int | None) -> Tensor:
    """Return images (n, channels, height, width) in this size, bilinear with smoothing; as they are for None."""
    if side is None or images.shape[-2:] == (side, side):
        return images
    return functional.interpolate(images, (side, side), mode="bilinear", antialias=True)


@torch.no_grad()
def re_estimate(network: nn.Module, part: Part, images: int, batch: int) -> None:
    """Set the batch norms' statistics to the mean over batches of some of a part's images; all else is in evaluation.

    The images are drawn once for all networks; those that fill no batch are left, unless there are no others.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    before = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # PyTorch's name for a plain mean over all batches
        norm.train()
    for rows in _batches(part, images, batch) if norms else ():
        network(part.inputs(rows))
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    network.eval()


def _batches(part: Part, images: int, batch: int) -> Tensor:
    """Return rows (batches, batch) of a part."""
    order = torch.randperm(len(part.labels), generator=torch.Generator().manual_seed(0))[:images]
    batch = min(batch, len(order))
    return order[: len(order) // batch * batch].view(-1, batch).to(part.labels.device)
