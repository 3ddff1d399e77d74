"""Random changes of training images, each drawn for a whole batch at once and applied without a loop over images.

Each is a frozen dataclass that is called with inputs, float32 (n, channels, height, width) whose 0 is the mean of the
training images, and returns new ones of the same shape. Random numbers come from `generator`, or from PyTorch's own
where it is None, on the CPU always: the same ones, whatever the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from evaluators.colour_operations import COLOURS
from evaluators.datasets import Normalisation, Part

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


GEOMETRY = ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY")
"""RandAugment's operations that move pixels."""


@dataclass(frozen=True, slots=True)
class RandAugment:
    """Does a random one of 15 operations to a random `chance` of the images (Cubuk et al., CVPR Workshops 2020).

    The defaults are timm's `rand-n1-m1-mstd0.5-inc1`, and so is the list: the paper's (arXiv 1909.13719) does nothing
    in place of `Invert` and `SolarizeAdd`. How much is changed is normal in tenths of the most, within 0 and 10, and to
    either side. Geometry turns by up to 30 degrees, shears by up to .3 and shifts by up to .45 of the side; for colours
    see `evaluators.colour_operations`. Ours: bilinear where the released trainings are bicubic, about the centre also
    where it shears, and not rounded to 8 bits but for colours; what comes in from outside is 0.

    Attributes:
      magnitude, deviation: of how much is changed.
      times: operations one after the other, each drawn anew and with a chance of its own.
      chance: of an operation to be done.
      operations: their names; `GEOMETRY` needs no pixels.
      normalisation: how inputs came from pixels, for colours; None for the data set's, which `bound` fills in.
    """

    magnitude: float = 1.0
    deviation: float = 0.5
    times: int = 1
    chance: float = 0.5
    operations: tuple[str, ...] = (*COLOURS, *GEOMETRY)
    normalisation: Normalisation | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.magnitude <= 10 and self.deviation >= 0 and self.times >= 1 and 0 < self.chance <= 1):
            numbers = f"{self.magnitude}, {self.deviation}, {self.times} and {self.chance}"
            raise ValueError(
                f"expected a magnitude within 0 to 10, a deviation, times from 1 and a chance up to 1, got {numbers}"
            )
        if not self.operations or not set(self.operations) <= {*COLOURS, *GEOMETRY}:
            raise ValueError(f"operations must be of {', '.join((*COLOURS, *GEOMETRY))}; got {self.operations}")
        if self.normalisation is not None and len(self.normalisation.mean) not in (1, 3):
            raise ValueError(f"images must have 1 or 3 channels, got {len(self.normalisation.mean)}")

    def on(self, normalisation: Normalisation | None) -> RandAugment:
        """Return this for inputs that were pixels; raises ValueError where colours need to know them, and cannot."""
        if self.normalisation is not None or set(self.operations) <= set(GEOMETRY):
            return self
        if normalisation is None:
            raise ValueError(
                "RandAugment changes colours of pixels, and nothing says what pixels the inputs were: give it, or the "
                "data set's parts, a normalisation; or give it operations=GEOMETRY"
            )
        return replace(self, normalisation=normalisation)

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the images, some of them changed. Raises ValueError where it needs a normalisation and has none."""
        self.on(None)
        for _ in range(self.times):
            inputs = self._once(inputs, generator)
        return inputs.contiguous(memory_format=torch.channels_last)

    def _once(self, inputs: Tensor, generator: torch.Generator | None) -> Tensor:
        count = len(inputs)
        level = (self.magnitude + self.deviation * torch.randn(count, generator=generator)).double().clamp(0, 10) / 10
        level *= torch.randint(2, (count,), generator=generator) * 2 - 1
        which = torch.randint(len(self.operations), (count,), generator=generator)
        which[torch.rand(count, generator=generator) >= self.chance] = -1
        changed = inputs.clone()
        for number in {*which.tolist()} - {-1}:
            rows = (which == number).nonzero()[:, 0]
            there = rows.to(inputs.device)
            changed[there] = self._done(self.operations[number], inputs[there], level[rows])
        return changed

    def _done(self, operation: str, inputs: Tensor, level: Tensor) -> Tensor:
        how = self.normalisation
        if how is None or operation in GEOMETRY:
            return _moved(operation, inputs, level.float())
        return how(COLOURS[operation](how.pixels(inputs), level.view(-1, 1, 1, 1).to(inputs.device)))


def bound(changes: Sequence[Augmentation], part: Part) -> tuple[Augmentation, ...]:
    """Return changes for a part's inputs: those that need pixels know what these were.

    Raises ValueError where the part does not say.
    """
    return tuple(change.on(part.normalisation) if isinstance(change, RandAugment) else change for change in changes)


def _moved(operation: str, inputs: Tensor, level: Tensor) -> Tensor:
    """Return images moved by an operation of `GEOMETRY`, bilinear, each by its level (n,) from -1 to 1."""
    height, width = inputs.shape[2:]
    turn, shear_across, shear_down, right, down = (level * (operation == each) for each in GEOMETRY)
    angle = turn * math.radians(30)
    across = torch.stack([angle.cos(), (0.3 * shear_across - angle.sin()) * height / width, 0.9 * right], 1)
    along = torch.stack([(0.3 * shear_down + angle.sin()) * width / height, angle.cos(), 0.9 * down], 1)
    grid = functional.affine_grid(torch.stack([across, along], 1), list(inputs.shape), align_corners=False)
    return functional.grid_sample(inputs, grid.to(inputs.device), padding_mode="zeros", align_corners=False)
