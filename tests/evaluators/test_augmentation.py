"""Augmentation: each change does to every image exactly what it says, and its random numbers are a generator's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from evaluators.augmentation import Crop, Cutout, Flip, ResizedCrop

EVERY = [Crop(2), Flip(), Cutout(3), ResizedCrop()]


def images(count: int = 40, height: int = 6, width: int = 5) -> Tensor:
    """Return images whose every value is another one, in the channels-last layout."""
    values = torch.arange(1.0, count * 2 * height * width + 1).view(count, 2, height, width)
    return values.to(memory_format=torch.channels_last)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("change", EVERY, ids=repr)
def test_random_numbers_are_the_generators(change: Any) -> None:
    first = change(images(), generator())
    assert first.shape == (40, 2, 6, 5)
    assert first.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(change(images(), generator()), first)
    assert not torch.equal(change(images(), generator(1)), first)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        assert torch.equal(change(images()), first)


@pytest.mark.parametrize("change", EVERY, ids=repr)
def test_the_images_handed_in_are_left_alone(change: Any) -> None:
    given = images()
    change(given, generator())
    assert torch.equal(given, images())


def test_a_crop_is_a_crop_of_the_padded_image() -> None:
    padded = functional.pad(images(400), (2, 2, 2, 2))
    windows = padded.unfold(2, 6, 1).unfold(3, 5, 1).permute(0, 2, 3, 1, 4, 5).flatten(1, 2)  # 25 places an image
    same = (windows == Crop(2)(images(400), generator())[:, None]).all((2, 3, 4))
    assert (same.sum(1) == 1).all()
    assert 4 <= int(same.sum(0).min()) <= int(same.sum(0).max()) <= 32  # 16 are expected at each place


def test_half_of_the_images_are_mirrored() -> None:
    given = images(1000)
    flipped = Flip()(given, generator())
    mirrored = (flipped == given.flip(3)).all((1, 2, 3))
    assert ((flipped == given).all((1, 2, 3)) ^ mirrored).all()
    assert 440 <= int(mirrored.sum()) <= 560
    assert torch.equal(Flip(share=1.0)(given, generator()), given.flip(3))


def test_a_square_is_cut_out_of_every_channel() -> None:
    given = images(500)
    cut = Cutout(3)(given, generator())
    gone = (cut == 0)[:, 0]
    assert torch.equal((cut == 0)[:, 1], gone)
    assert torch.equal(cut[~gone[:, None].expand_as(cut)], given[~gone[:, None].expand_as(cut)])
    heights, widths = gone.any(2).sum(1), gone.any(1).sum(1)
    assert torch.equal(heights * widths, gone.sum((1, 2)))  # a rectangle without holes
    assert (set(heights.tolist()), set(widths.tolist())) == ({2, 3}, {2, 3})  # less than 3 at a border


def test_a_resized_crop_of_everything_is_the_image() -> None:
    whole = ResizedCrop(area=(1.0, 1.0), ratio=(5 / 6, 5 / 6))
    assert torch.allclose(whole(images(), generator()), images(), atol=1e-2)


def test_a_resized_crop_is_a_rectangle_of_the_image() -> None:
    across = torch.linspace(-1, 1, 33).expand(200, 1, 33, 33)
    down = across.transpose(2, 3)
    crops = ResizedCrop(area=(0.25, 0.25), ratio=(1.0, 1.0))(torch.cat([across, down], 1), generator())
    spans = (crops[:, 0, 0, -1] - crops[:, 0, 0, 0], crops[:, 1, -1, 0] - crops[:, 1, 0, 0])
    assert all(torch.allclose(span, torch.tensor(1.0), atol=0.05) for span in spans)  # half of a side of 2
    assert crops[:, 0, 0, 0].min() < -0.9
    assert crops[:, 0, 0, -1].max() > 0.9


def test_areas_and_ratios_are_within_their_bounds() -> None:
    change = ResizedCrop()
    width, height = change._sizes(5000, 2.0, generator()).unbind(1)  # images twice as high as wide
    drawn = (width < 1) | (height < 1)
    area, ratio = (width * height)[drawn], (width / height / 2)[drawn]
    assert 0.08 <= area.min().item() < 0.09
    assert 0.65 < area.max().item() <= 2 / 3 + 1e-6  # where the width is all of the image's, and the ratio 3 / 4
    assert 0.749 <= ratio.min().item() < 0.76
    assert 1.32 < ratio.max().item() <= 1.3335


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Crop(0), "padding must be at least 1 pixel, got 0"),
        (lambda: Flip(0.0), r"above 0 and at most 1, got 0\.0"),
        (lambda: Cutout(0), "at least 1 pixel, got 0"),
        (lambda: ResizedCrop((0.5, 0.2)), r"rising areas within 0 to 1 and ratios above 0, got \(0\.5, 0\.2\)"),
    ],
)
def test_impossible_settings_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
