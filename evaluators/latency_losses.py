"""How a network's expected cost enters the loss of a gradient-based architecture search, as the papers have it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from evaluators._preparation import Costs

MICROSECONDS = 1000.0
"""In a millisecond."""


def expected_cost(costs: Costs, weights: Sequence[Tensor], choices: Sequence[Tensor] | None = None) -> Tensor:
    """Return constant + the sum over columns of weights x terms, in the unit of `costs.metric`; differentiable.

    Exact where columns are independent and `weights` their probabilities (FBNet and ProxylessNAS both).

    Args:
      costs: additive.
      weights: of each column, (k,), which sum to 1.
      choices: of each column the choices that they are of, int64, (k,); None for all in order.
    """
    total = torch.tensor(costs.constant, dtype=torch.float64)
    for column, (weight, terms) in enumerate(zip(weights, costs.terms, strict=True)):
        given = torch.from_numpy(terms)
        total = total + (weight.cpu().double() * (given if choices is None else given[choices[column].cpu()])).sum()
    return total.float().to(weights[0].device)


def fbnet_loss(cross_entropy: Tensor, latency_us: Tensor, alpha: float = 0.2, beta: float = 0.6) -> Tensor:
    """Return CE x alpha x (log LAT)^beta, natural logarithm, LAT in microseconds (FBNet).

    The power is of the logarithm: it is not log(LAT^beta). LAT must be above e, or the factor means nothing.
    """
    return cross_entropy * alpha * latency_us.log() ** beta


def multiplied_log(
    cross_entropy: Tensor, cost: Tensor, reference: float, alpha: float = 0.2, beta: float = 0.3
) -> Tensor:
    """Return alpha x CE x (ln E / ln reference)^beta: `mul#log` of ProxylessNAS' code. Both must be above 1."""
    return alpha * cross_entropy * (cost.log() / torch.tensor(reference).log()) ** beta


def added_linear(cross_entropy: Tensor, cost: Tensor, reference: float, strength: float = 0.1) -> Tensor:
    """Return CE + strength x (E - reference) / reference: `add#linear` of ProxylessNAS' code."""
    return cross_entropy + strength * (cost - reference) / reference


def added(cross_entropy: Tensor, cost: Tensor, strength: float) -> Tensor:
    """Return CE + strength x E (ProxylessNAS' paper; its weight decay is the optimiser's)."""
    return cross_entropy + strength * cost


def added_distance(cross_entropy: Tensor, cost: Tensor, target: float, strength: float = 1.0) -> Tensor:
    """Return CE + strength x |E / target - 1|, which draws E to the target from both sides.

    The absolute reward of TuNAS (Bender et al., CVPR 2020) as a loss; neither FBNet nor ProxylessNAS has it.
    """
    return cross_entropy + strength * (cost / target - 1).abs()
