"""Mixup and cutmix: images of a batch are mixed with each other, and their labels in the same shares.

Zhang et al., ICLR 2018; Yun et al., ICCV 2019. One share for a whole batch, whose images are mixed with those in
reverse order, as in timm, by which ElasticViT (Tang et al., ICCV 2023) was trained, with both alphas at 0.01.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Mix:
    """Mixes every batch, by mixup or by cutmix.

    Attributes:
      mixup, cutmix: alpha of the Beta(alpha, alpha) that shares are drawn from; 0 for none of the kind.
      switch: the chance of cutmix, where there are both.
    """

    mixup: float
    cutmix: float = 0.0
    switch: float = 0.5

    def __post_init__(self) -> None:
        if min(self.mixup, self.cutmix) < 0 or max(self.mixup, self.cutmix) == 0 or not 0 <= self.switch <= 1:
            numbers = f"{self.mixup}, {self.cutmix} and {self.switch}"
            raise ValueError(f"mixup and cutmix must be at least 0, one of them above, switch in [0, 1]; got {numbers}")

    def __call__(self, inputs: Tensor, labels: Tensor, classes: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return mixed inputs (n, channels, height, width) and, of labels (n,), shares (n, classes)."""
        cuts = self.cutmix > 0 and (self.mixup == 0 or rng.random() < self.switch)
        alpha = self.cutmix if cuts else self.mixup
        share = float(rng.beta(alpha, alpha))
        if cuts:
            mixed, share = _cut(inputs, share, rng)
        else:
            mixed = share * inputs + (1 - share) * inputs.flip(0)
        hot = functional.one_hot(labels, classes).to(inputs.dtype)
        return mixed, share * hot + (1 - share) * hot.flip(0)


def _cut(inputs: Tensor, share: float, rng: np.random.Generator) -> tuple[Tensor, float]:
    """Return images with a rectangle of the others' in them, and the share of the pixels that stays.

    The rectangle's sides are sqrt(1 - share) of the image's, its centre is a random pixel; it may lie partly outside.
    """
    height, width = inputs.shape[2:]
    (top, bottom), (left, right) = (_side(length, math.sqrt(1 - share), rng) for length in (height, width))
    mixed = inputs.clone()
    mixed[:, :, top:bottom, left:right] = inputs.flip(0)[:, :, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)


def _side(length: int, share: float, rng: np.random.Generator) -> tuple[int, int]:
    half, centre = int(length * share) // 2, int(rng.integers(length))
    return max(centre - half, 0), min(centre + half, length)
