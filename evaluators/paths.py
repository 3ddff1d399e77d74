"""How a supernet's layers run their choices: one of them, all of them weighted, or one that learns as if all had run.

Sources: DARTS (Liu, Simonyan and Yang, ICLR 2019), FBNet (Wu et al., CVPR 2019) and ProxylessNAS (Cai, Zhu and Han,
ICLR 2019). All are one sum over a layer's choices, of p_j x o_j(x), and differ in p and in what of it is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evaluators.supernet import Paths


def one_path(genotype: np.ndarray) -> Paths:
    """Return paths that run one genotype, (width,), as its own network would."""

    def run(column: int, choices: Sequence[nn.Module], features: Tensor) -> Tensor:
        outputs: Tensor = choices[int(genotype[column])](features)
        return outputs

    return run


def weighted_paths(weights: Sequence[Tensor]) -> Paths:
    """Return paths that run all choices and sum them by `weights`, one tensor (choices,) a column.

    With `softmax(logits)` that is DARTS' relaxation, with `gumbel_softmax(logits)` FBNet's. Activations of all choices
    are kept for the gradient. Raises ValueError, when run, where choices of a layer give different shapes.
    """

    def run(column: int, choices: Sequence[nn.Module], features: Tensor) -> Tensor:
        outputs = [choice(features) for choice in choices]
        if len({output.shape for output in outputs}) > 1:
            shapes = ", ".join(str(tuple(output.shape)) for output in outputs)
            raise ValueError(f"choices of column {column} cannot be summed: their outputs have shapes {shapes}")
        weighted = (weight * output for weight, output in zip(weights[column], outputs, strict=True))
        total: Tensor = reduce(torch.add, weighted)
        return total

    return run


def binary_paths(genotype: np.ndarray, compared: Sequence[Tensor], probabilities: Sequence[Tensor]) -> Paths:
    """Return paths that run one genotype, while gradients reach probabilities as if all `compared` choices were summed.

    ProxylessNAS' binary gates: the gradient of p_j is that of gate j, the sum over all elements of dL/doutput x o_j(x).
    The other compared choices run one after another while gradients flow back, and keep nothing: memory is one path's.

    Args:
      genotype: the active choices, (width,).
      compared: of each column the choices whose gates learn, int64, (k,): two in the paper, all in its `full_v2` code.
      probabilities: of each column theirs, (k,), e.g. the softmax over their logits; only their gradients are used.
    """

    def run(column: int, choices: Sequence[nn.Module], features: Tensor) -> Tensor:
        active = int(genotype[column])
        outputs: Tensor = choices[active](features)
        if not torch.is_grad_enabled():
            return outputs
        modules = [None if index == active else choices[index] for index in compared[column].tolist()]
        gated: Tensor = _Gates.apply(outputs, features.detach(), probabilities[column], modules)  # type: ignore[no-untyped-call]
        return gated

    return run


class _Gates(torch.autograd.Function):
    """Hands the active choice's outputs on, and gives every gate its gradient; None among `modules` is the active."""

    @staticmethod
    def forward(
        ctx: Any,
        outputs: Tensor,
        features: Tensor,
        gates: Tensor,  # noqa: ARG004 - only its gradient counts
        modules: list[nn.Module | None],
    ) -> Tensor:
        ctx.modules = modules
        ctx.save_for_backward(outputs, features)
        return outputs.view_as(outputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, Tensor, None]:
        outputs, features = ctx.saved_tensors
        with torch.no_grad():
            compared = (outputs if module is None else module(features) for module in ctx.modules)
            return gradient, None, torch.stack([(gradient * output).sum() for output in compared]), None


def gumbel_softmax(logits: Tensor, temperature: float, uniform: Tensor) -> Tensor:
    """Return softmax((logits + G) / temperature) with G = -log(-log U), U = `uniform` in (0, 1)."""
    noise = -(-uniform.log()).log()
    return ((logits + noise.to(logits)) / temperature).softmax(-1)


def uniform_like(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Return float64 numbers of (0, 1) in the shape of `logits`, on the CPU, so that devices agree."""
    drawn = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
    return drawn.clamp(min=torch.finfo(torch.float64).tiny)
