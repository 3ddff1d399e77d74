"""RandAugment's ten operations on colours (Cubuk et al., CVPR Workshops 2020), on batches, to Pillow's very values.

Each takes pixels, uint8 (n, channels, height, width) of one channel or of red, green and blue, and levels, float64
(n, 1, 1, 1) from -1 to 1, and returns new pixels. What a level means is timm's "increasing" kind (`inc1`): the farther
from 0 the more is changed. Three operations take no level; of two a level's sign says whether more or less.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Operation = Callable[[Tensor, Tensor], Tensor]


def auto_contrast(pixels: Tensor, _level: Tensor) -> Tensor:
    """Stretch each channel so that its darkest pixel becomes 0 and its brightest 255; one of a single value stays."""
    values = pixels.double()
    low, high = values.amin((2, 3), True), values.amax((2, 3), True)
    scale = 255 / (high - low)
    return torch.where(high > low, values * scale - low * scale, values).clamp(0, 255).byte()


def equalize(pixels: Tensor, _level: Tensor) -> Tensor:
    """Spread each channel's values so that all are about as frequent.

    As in Pillow nothing happens where fewer than 255 pixels are darker than the brightest: in most images of 16 x 16.
    """
    values = pixels.flatten(2).long()
    counts = torch.zeros(*values.shape[:2], 256, dtype=torch.long, device=pixels.device)
    counts.scatter_add_(2, values, torch.ones_like(values))
    step = (values.shape[2] - counts.gather(2, values.amax(2, True))) // 255
    table = (counts.cumsum(2) - counts + step // 2) // step.clamp(min=1)
    equal = torch.where(step > 0, table.clamp(max=255).gather(2, values), values)
    return equal.view(pixels.shape).byte()


def invert(pixels: Tensor, _level: Tensor) -> Tensor:
    """Turn black into white."""
    return 255 - pixels


def posterize(pixels: Tensor, level: Tensor) -> Tensor:
    """Keep the 4 highest bits of each value; of levels from 1/4 on 3, and so on; none at 1."""
    lost = 4 + (4 * level.abs()).int()
    return pixels & (256 - 2**lost).byte()


def solarize(pixels: Tensor, level: Tensor) -> Tensor:
    """Invert the values from a threshold on, which falls from 256 to 0."""
    return torch.where(pixels < 256 - (256 * level.abs()).int(), pixels, 255 - pixels)


def solarize_add(pixels: Tensor, level: Tensor) -> Tensor:
    """Add up to 110 to the values below 128."""
    return torch.where(pixels < 128, (pixels + (110 * level.abs()).int()).clamp(max=255), pixels).byte()


def color(pixels: Tensor, level: Tensor) -> Tensor:
    """Make colours paler, or stronger; images of one channel stay."""
    return _away_from(_grey(pixels), pixels, level)


def contrast(pixels: Tensor, level: Tensor) -> Tensor:
    """Bring each image closer to the mean of its brightness, or away from it."""
    grey = _grey(pixels)
    total, size = grey.sum((1, 2, 3), True), grey[0].numel()
    return _away_from((2 * total + size) // (2 * size), pixels, level)


def brightness(pixels: Tensor, level: Tensor) -> Tensor:
    """Make images darker, or brighter."""
    return _away_from(torch.zeros_like(pixels), pixels, level)


def sharpness(pixels: Tensor, level: Tensor) -> Tensor:
    """Bring each pixel closer to a mean of it, weighing 5, and its 8 neighbours, or away from it; the border stays."""
    values = pixels.int()
    rows = values[:, :, :-2] + values[:, :, 1:-1] + values[:, :, 2:]
    total = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * values[:, :, 1:-1, 1:-1]
    smooth = values.clone()
    smooth[:, :, 1:-1, 1:-1] = (2 * total + 13) // 26
    return _away_from(smooth, pixels, level)


def _grey(pixels: Tensor) -> Tensor:
    """Return brightness by ITU-R 601-2, int (n, 1, height, width)."""
    if pixels.shape[1] == 1:
        return pixels.int()
    red, green, blue = pixels.int().unbind(1)
    return ((19595 * red + 38470 * green + 7471 * blue + 2**15) >> 16).unsqueeze(1)


def _away_from(base: Tensor, pixels: Tensor, level: Tensor) -> Tensor:
    """Return pixels whose differences from `base` are 1 + .9 level as large, cut to whole numbers within 0 to 255."""
    factor = (1 + 0.9 * level).clamp(min=0.1).float()
    return (base + factor * (pixels.float() - base)).clamp(0, 255).byte()


COLOURS: dict[str, Operation] = {
    "AutoContrast": auto_contrast, "Equalize": equalize, "Invert": invert, "Posterize": posterize,
    "Solarize": solarize, "SolarizeAdd": solarize_add, "Color": color, "Contrast": contrast,
    "Brightness": brightness, "Sharpness": sharpness,
}  # fmt: skip
"""The operations by the names that timm and torchvision have for them."""
