"""RandAugment's operations on colours give the values that Pillow gives, each of them, on images of any kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evaluators.augmentation import RandAugment
from evaluators.colour_operations import COLOURS, invert
from evaluators.datasets import IMAGENET, Normalisation

Image = pytest.importorskip("PIL.Image", reason="Pillow, to compare with, is not installed")
from PIL import ImageEnhance, ImageOps  # noqa: E402


def enhanced(kind: Callable[..., ImageEnhance.Color]) -> Callable[[Image.Image, float], Image.Image]:
    return lambda image, level: kind(image).enhance(1 + 0.9 * level)


PILLOW: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "AutoContrast": lambda image, level: ImageOps.autocontrast(image),
    "Equalize": lambda image, level: ImageOps.equalize(image),
    "Invert": lambda image, level: ImageOps.invert(image),
    "Posterize": lambda image, level: ImageOps.posterize(image, 4 - int(abs(level) * 4)),
    "Solarize": lambda image, level: ImageOps.solarize(image, 256 - int(abs(level) * 256)),
    "SolarizeAdd": lambda image, level: image.point(
        [value + int(abs(level) * 110) if value < 128 else value for value in range(256)] * len(image.getbands())
    ),
    "Color": enhanced(ImageEnhance.Color),
    "Contrast": enhanced(ImageEnhance.Contrast),
    "Brightness": enhanced(ImageEnhance.Brightness),
    "Sharpness": enhanced(ImageEnhance.Sharpness),
}
LEVELS = (-0.9, -0.5, -0.1, -0.037, 0.0, 0.123, 0.25, 0.7, 0.99)


def pictures(channels: int) -> Tensor:
    """Return noise over all values and over few, a slope, one value, and three thin images, each at every level."""
    rng = np.random.default_rng(0)
    wide = [rng.integers(0, 256, (channels, 40, 33)), rng.integers(90, 97, (channels, 40, 33))]
    wide += [np.broadcast_to(np.arange(33) * 5 + 20, (channels, 40, 33)), np.full((channels, 40, 33), 77)]
    wide.append((rng.beta(0.3, 2, (channels, 40, 33)) * 255).astype(int))
    return torch.from_numpy(np.stack(wide).astype(np.uint8)).repeat(len(LEVELS), 1, 1, 1)


def by_pillow(name: str, pixels: Tensor, level: float) -> Tensor:
    array = pixels.permute(1, 2, 0).numpy()
    image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    changed = np.asarray(PILLOW[name](image, level)).reshape(array.shape)
    return torch.from_numpy(changed.copy()).permute(2, 0, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", COLOURS)
def test_every_value_is_pillows(name: str, channels: int) -> None:
    pixels = pictures(channels)
    levels = torch.tensor(LEVELS, dtype=torch.float64).repeat_interleave(len(pixels) // len(LEVELS))
    changed = COLOURS[name](pixels, levels.view(-1, 1, 1, 1))
    expected = torch.stack([by_pillow(name, *one) for one in zip(pixels, levels.tolist(), strict=True)])
    assert torch.equal(changed, expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3)])
@pytest.mark.parametrize("name", COLOURS)
def test_images_of_a_pixel_or_two_are_changed_as_pillow_does(name: str, size: tuple[int, int]) -> None:
    pixels = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (1, 3, *size)).astype(np.uint8))
    changed = COLOURS[name](pixels, torch.full((1, 1, 1, 1), 0.3, dtype=torch.float64))
    assert torch.equal(changed[0], by_pillow(name, pixels[0], 0.3))


def test_nothing_is_left_of_an_image_posterized_and_solarized_to_the_utmost() -> None:
    pixels, most = pictures(3), torch.ones(1, 1, 1, 1, dtype=torch.float64)
    assert COLOURS["Posterize"](pixels, most).max() == 0  # Pillow refuses to keep no bit
    assert torch.equal(COLOURS["Solarize"](pixels, most), 255 - pixels)


batches = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([1, 3]), st.integers(1, 20)).map(
    lambda drawn: torch.from_numpy(
        np.random.default_rng(drawn[0]).integers(0, 256, (drawn[1], drawn[2], drawn[3], 9)).astype(np.uint8)
    )
)


@given(batches)
@settings(max_examples=30)
def test_inverted_twice_is_the_image(pixels: Tensor) -> None:
    level = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    assert torch.equal(invert(invert(pixels, level), level), pixels)
    assert not torch.equal(invert(pixels, level), pixels)


shares = st.floats(0, 1, width=32)


@given(batches, st.lists(shares, min_size=3, max_size=3), st.lists(st.floats(1 / 255, 1), min_size=3, max_size=3))
@settings(max_examples=50)
def test_inputs_tell_the_pixels_that_they_were(pixels: Tensor, mean: list[float], std: list[float]) -> None:
    channels = pixels.shape[1]
    normalisation = Normalisation(tuple(mean[:channels]), tuple(std[:channels]))
    assert torch.equal(normalisation.pixels(normalisation(pixels)), pixels)


@given(batches, st.integers(0, 2**63 - 1))
@settings(max_examples=30)
def test_at_magnitude_0_images_stay_by_every_operation_that_has_a_size(pixels: Tensor, seed: int) -> None:
    unsized = ("AutoContrast", "Equalize", "Invert", "Posterize")  # `Posterize` keeps 4 bits at 0
    sized = tuple(name for name in RandAugment().operations if name not in unsized)
    normalisation = IMAGENET if pixels.shape[1] == 3 else Normalisation((0.13,), (0.31,))
    augment = RandAugment(0, 0, times=2, chance=1.0, operations=sized, normalisation=normalisation)
    changed = augment(normalisation(pixels), torch.Generator().manual_seed(seed))
    assert torch.equal(normalisation.pixels(changed), pixels)
