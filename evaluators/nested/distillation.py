"""What a network learns from other networks' outputs: soft cross-entropy and the adaptive alpha-divergence.

Hinton et al., 2015 (arXiv 1503.02531); Wang et al., ICML 2021 (AlphaNet), of which ElasticViT takes its divergence.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

CLIP = 5.0
"""The most that a sample's weight (q / p) may be; p the teacher's, q the student's probabilities."""


def soft_cross_entropy(logits: Tensor, taught: Tensor) -> Tensor:
    """Return the mean cross-entropy of logits (n, classes) with taught probabilities of that shape."""
    return -(taught * functional.log_softmax(logits, 1)).sum(1).mean()


def adaptive_divergence(logits: Tensor, taught: Tensor, clip: float = CLIP) -> Tensor:
    """Return a loss whose gradient is that of the larger of two divergences of taught probabilities p, image by image.

    D_alpha = sum of q ((p / q)^alpha - 1) / (alpha (alpha - 1)) for alpha = -1 and its limit sum of p log(p / q) for 1:
    the one punishes probability where the teacher has none, the other none where it has some. The gradient of D_alpha
    is that of -1 / alpha sum of q (p / q)^alpha log q with all before log q held; (p / q)^-1 is at most `clip`, while
    at alpha = 1 q (p / q) is p and needs no bound. The returned value itself means nothing.
    """
    log_q = functional.log_softmax(logits, 1)
    q, p = log_q.detach().exp(), taught.detach().clamp_min(1e-8)
    ratio = (q / p).clamp_max(clip)
    reverse, forward = (q * (ratio - 1)).sum(1) / 2, (p * (p.log() - log_q.detach())).sum(1)
    held = (reverse > forward).unsqueeze(1)
    factors = (q * ratio).where(held, -p)
    return (factors * log_q).sum(1).mean()
