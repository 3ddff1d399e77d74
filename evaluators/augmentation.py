"""Random changes of training images, each drawn for a whole batch at once and applied without a loop over images.

Each is a frozen dataclass that is called with inputs, float32 (n, channels, height, width) whose 0 is the mean of the
training images, and returns new ones of the same shape. Random numbers come from `generator`, or from PyTorch's own
where it is None, on the CPU always: the same ones, whatever the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Augmentation = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Crop:
    """Pads every side by `padding` zeros and cuts a picture of the old size out of a random place (He et al. 2016)."""

    padding: int = 4

    def __post_init__(self) -> None:
        if self.padding < 1:
            raise ValueError(f"padding must be at least 1 pixel, got {self.padding}")

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the crops; every one of the (2 * padding + 1)^2 places is as likely as any other."""
        count, _, height, width = inputs.shape
        places = 2 * self.padding + 1
        top, left = torch.randint(places, (2, count), generator=generator).to(inputs.device)
        padded = functional.pad(inputs, (self.padding,) * 4)
        every_place = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: (n, channels, places, places, ...)
        crops = every_place[torch.arange(count, device=inputs.device), :, top, left]
        return crops.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, slots=True)
class Flip:
    """Mirrors a random `share` of the images from left to right; not for digits."""

    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"the share of flipped images must be above 0 and at most 1, got {self.share}")

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the images, some mirrored."""
        mirrored = torch.rand(len(inputs), generator=generator).to(inputs.device) < self.share
        return torch.where(mirrored[:, None, None, None], inputs.flip(3), inputs)


@dataclass(frozen=True, slots=True)
class Cutout:
    """Sets a square of `side` pixels to 0, its centre at a random pixel (DeVries & Taylor 2017, arXiv 1708.04552)."""

    side: int = 16

    def __post_init__(self) -> None:
        if self.side < 1:
            raise ValueError(f"the side of what is cut out must be at least 1 pixel, got {self.side}")

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the images; as in the paper a square may lie partly outside of its image."""
        count, _, height, width = inputs.shape
        down = self._within(torch.randint(height, (count, 1), generator=generator), height)
        across = self._within(torch.randint(width, (count, 1), generator=generator), width)
        cut = (down[:, None, :, None] & across[:, None, None, :]).to(inputs.device)
        return torch.where(cut, 0.0, inputs)  # unlike masked_fill it keeps the layout

    def _within(self, centres: Tensor, length: int) -> Tensor:
        """Return, for each image, which of `length` pixels lie in the square."""
        start = centres - self.side // 2
        pixels = torch.arange(length)
        return (pixels >= start) & (pixels < start + self.side)


@dataclass(frozen=True, slots=True)
class ResizedCrop:
    """Cuts a random rectangle out and resizes it to the old size (Szegedy et al. 2015, section 6, "training").

    Its area is a share of the image's, uniform in `area`; its width is to its height as `ratio`, log-uniform. Of ten
    draws the first that fits is taken, else the whole image. Resizing is bilinear, without smoothing beforehand.
    """

    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __post_init__(self) -> None:
        if not 0 < self.area[0] <= self.area[1] <= 1 or not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError(f"expected rising areas within 0 to 1 and ratios above 0, got {self.area}, {self.ratio}")

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the resized crops."""
        count, _, height, width = inputs.shape
        share, place = self._sizes(count, height / width, generator), torch.rand(count, 2, generator=generator)
        offset = (1 - share) * (2 * place - 1)  # of the rectangle's centre; the image goes from -1 to 1
        where = torch.cat([torch.diag_embed(share), offset[:, :, None]], dim=2).to(inputs.device)
        grid = functional.affine_grid(where, list(inputs.shape), align_corners=False)
        crops = functional.grid_sample(inputs, grid, padding_mode="border", align_corners=False)
        return crops.contiguous(memory_format=torch.channels_last)

    def _sizes(self, count: int, shape: float, generator: torch.Generator | None) -> Tensor:
        """Return each rectangle's width and height as shares of the image's, (count, 2); `shape` is height / width."""
        area, ratio = torch.rand(2, count, 10, generator=generator)
        area = self.area[0] + area * (self.area[1] - self.area[0])
        low, high = (math.log(bound * shape) for bound in self.ratio)
        ratio = torch.exp(low + ratio * (high - low))
        sizes = torch.stack([torch.sqrt(area * ratio), torch.sqrt(area / ratio)], dim=2)
        fits = (sizes <= 1).all(2)
        first = sizes[torch.arange(count), fits.int().argmax(1)]
        return torch.where(fits.any(1)[:, None], first, torch.ones(()))


@dataclass(frozen=True, slots=True)
class Erase:
    """Fills a rectangle of a random `share` of the images with normal noise (Zhong et al., AAAI 2020).

    Its area is a share of the image's, uniform in `area`, its form log-uniform in `ratio`, as timm has them.
    """

    share: float = 0.01
    area: tuple[float, float] = (0.02, 1 / 3)
    ratio: tuple[float, float] = (0.3, 1 / 0.3)

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"the share of erased images must be above 0 and at most 1, got {self.share}")
        ResizedCrop(self.area, self.ratio)  # refuses what it cannot do

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the images; every pixel and channel of a rectangle has noise of its own."""
        count, _, height, width = inputs.shape
        erased = torch.rand(count, generator=generator) < self.share
        sizes = ResizedCrop(self.area, self.ratio)._sizes(count, height / width, generator)
        start = (1 - sizes) * torch.rand(count, 2, generator=generator)
        across, down = (
            ((torch.arange(length) + 0.5) / length - start[:, [axis]]).div(sizes[:, [axis]])
            for axis, length in enumerate((width, height))
        )
        within = ((down >= 0) & (down < 1))[:, None, :, None] & ((across >= 0) & (across < 1))[:, None, None, :]
        noise = torch.randn(inputs.shape, generator=generator).to(inputs.device, memory_format=torch.channels_last)
        return torch.where((within & erased[:, None, None, None]).to(inputs.device), noise, inputs)


@dataclass(frozen=True, slots=True)
class RandAffine:
    """Does one of RandAugment's five operations on geometry to a random `chance` of images (Cubuk et al., 2020).

    They (arXiv 1909.13719) turn an image by up to 30 degrees, shear it by up to .3, or shift it by up to .45 of its
    side, along either axis, to either side. How far is normal in tenths of these, with `magnitude` and `deviation`,
    within 0 and 10: the defaults are timm's `rand-m1-n1-mstd0.5-inc1`, where an image has each of 15 operations with a
    chance of 1/30. The ten on colours are not here. What comes in from outside is 0; shears are about the centre.
    """

    magnitude: float = 1.0
    deviation: float = 0.5
    chance: float = 5 / 30

    def __post_init__(self) -> None:
        if not (0 <= self.magnitude <= 10 and self.deviation >= 0 and 0 < self.chance <= 1):
            numbers = f"{self.magnitude}, {self.deviation} and {self.chance}"
            raise ValueError(f"expected a magnitude within 0 to 10, a deviation and a chance up to 1, got {numbers}")

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the images, some of them moved, bilinear."""
        count, _, height, width = inputs.shape
        level = (self.magnitude + self.deviation * torch.randn(count, generator=generator)).clamp(0, 10) / 10
        level *= torch.randint(2, (count,), generator=generator) * 2 - 1
        which = functional.one_hot(torch.randint(5, (count,), generator=generator), 5)
        turn, shear_across, shear_down, right, down = (level[:, None] * which).unbind(1)
        angle = turn * math.radians(30)
        across = torch.stack([angle.cos(), (0.3 * shear_across - angle.sin()) * height / width, 0.9 * right], 1)
        along = torch.stack([(0.3 * shear_down + angle.sin()) * width / height, angle.cos(), 0.9 * down], 1)
        grid = functional.affine_grid(torch.stack([across, along], 1), list(inputs.shape), align_corners=False)
        moved = functional.grid_sample(inputs, grid.to(inputs.device), padding_mode="zeros", align_corners=False)
        acts = (torch.rand(count, generator=generator) < self.chance).to(inputs.device)
        return torch.where(acts[:, None, None, None], moved, inputs).contiguous(memory_format=torch.channels_last)
