"""Augmentation: each change does to every image exactly what it says, and its random numbers are a generator's."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from evaluators.augmentation import GEOMETRY, Crop, Cutout, Erase, Flip, RandAugment, ResizedCrop, bound
from evaluators.datasets import IMAGENET, EnlargedDigits, Images, Normalisation, Part
from evaluators.train import Train
from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv

MOVED = RandAugment(operations=GEOMETRY)
EVERY = [Crop(2), Flip(), Cutout(3), ResizedCrop(), Erase(0.5), MOVED]


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


def test_a_rectangle_is_erased_by_noise_in_a_share_of_the_images() -> None:
    given = torch.full((2000, 2, 12, 10), 9.0)
    erased = Erase(0.25)(given, generator()) != 9
    assert torch.equal(erased[:, 0], erased[:, 1])
    share = erased[:, 0].float().mean((1, 2))
    assert 420 <= int((share > 0).sum()) <= 560  # a rectangle of less than a pixel may hide none
    assert 0.15 < share[share > 0].mean().item() < 0.2  # the middle of 0.02 and 1 / 3 is 0.177
    assert share.max().item() < 0.45
    heights, widths = erased[:, 0].any(2).sum(1), erased[:, 0].any(1).sum(1)
    assert torch.equal(heights * widths, erased[:, 0].sum((1, 2)))


def test_half_of_the_images_have_one_of_15_operations_to_either_side() -> None:
    pixels = torch.randint(10, 200, (1, 3, 20, 20), generator=generator()).byte()
    augment = RandAugment(magnitude=9, deviation=0, normalisation=IMAGENET)
    changed = augment(IMAGENET(pixels.expand(3000, -1, -1, -1)), generator())
    counts = sorted(changed.unique(dim=0, return_counts=True)[1].tolist())
    assert len(counts) == 1 + 6 + 2 * 9  # six have one side
    assert 30 <= counts[0] <= counts[17] <= 75  # 50 expected
    assert 75 <= counts[18] <= counts[23] <= 130  # 100 expected
    assert 1420 <= counts[24] <= 1580


def test_operations_are_done_one_after_the_other() -> None:
    twice = RandAugment(times=2, chance=1.0, operations=("Invert",), normalisation=IMAGENET)
    pixels = torch.randint(256, (4, 3, 6, 6), generator=generator()).byte()
    assert torch.equal(IMAGENET.pixels(twice(IMAGENET(pixels), generator())), pixels)


def test_changes_of_pixels_are_told_what_the_data_sets_were() -> None:
    part = EnlargedDigits(2)().train
    flip, inverting = bound((Flip(), RandAugment(chance=1.0, operations=("Invert",))), part)
    how = part.normalisation
    assert flip == Flip()
    assert how is not None
    assert torch.equal(how.pixels(inverting(part.images[:9])), 255 - how.pixels(part.images[:9]))


def test_pixels_that_a_data_set_does_not_tell_are_missed_before_a_training() -> None:
    part = Part(torch.zeros(4, 1, 8, 8), torch.tensor([0, 1, 2, 3]))
    assert bound([MOVED], part) == (MOVED,)
    train = Train(lambda: Images(4, part, part, part), augment=[RandAugment()])
    with pytest.raises(ValueError, match="nothing says what pixels the inputs were"):
        train.check_early(GenotypeSpace(mbconv()), [])


def test_an_image_is_turned_sheared_or_shifted_a_fifth_as_far_at_magnitude_2() -> None:
    across = torch.arange(-20.0, 21.0).expand(400, 1, 41, 41)
    given = torch.cat([across, across.transpose(2, 3)], 1)  # each pixel's own place
    moved = RandAugment(2.0, 0.0, 1, 1.0, GEOMETRY)(given, generator())[:, :, 18:23, 18:23]
    slopes = torch.stack([moved.diff(dim=3).mean((2, 3)), moved.diff(dim=2).mean((2, 3))], 2)
    centre = moved[:, :, 2, 2]
    cosine, sine = round(math.cos(math.radians(6)), 3), round(math.sin(math.radians(6)), 3)
    kinds = {
        (round(one[0, 0].item(), 3), round(one[0, 1].item(), 3), round(one[1, 0].item(), 3), *(round(x, 3) for x in at))
        for one, at in zip(slopes, centre.tolist(), strict=True)
    }
    expected = {(1.0, sign * 0.06, 0.0, 0.0, 0.0) for sign in (-1, 1)}
    expected |= {(1.0, 0.0, sign * 0.06, 0.0, 0.0) for sign in (-1, 1)}
    expected |= {(1.0, 0.0, 0.0, sign * 3.69, 0.0) for sign in (-1, 1)}
    expected |= {(1.0, 0.0, 0.0, 0.0, sign * 3.69) for sign in (-1, 1)}
    expected |= {(cosine, -sign * sine, sign * sine, 0.0, 0.0) for sign in (-1, 1)}
    assert {tuple(value + 0.0 for value in kind) for kind in kinds} == expected


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
        (lambda: Erase(0.0), r"erased images must be above 0 and at most 1, got 0\.0"),
        (lambda: RandAugment(11), r"magnitude within 0 to 10, .* got 11, 0\.5, 1 and 0\.5"),
        (lambda: RandAugment(operations=("Blur",)), r"of AutoContrast, Equalize, .*, TranslateY; got \('Blur',\)"),
        (lambda: RandAugment(normalisation=Normalisation((0, 0), (1, 1))), "must have 1 or 3 channels, got 2"),
        (lambda: RandAugment()(images()), "nothing says what pixels the inputs were: give it, or the data set's parts"),
        (lambda: Cutout(0), "at least 1 pixel, got 0"),
        (lambda: ResizedCrop((0.5, 0.2)), r"rising areas within 0 to 1 and ratios above 0, got \(0\.5, 0\.2\)"),
    ],
)
def test_impossible_settings_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
