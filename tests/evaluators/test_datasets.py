"""Data sets: their parts are disjoint, balanced, normalised and always the same."""

from __future__ import annotations

import pytest
import torch

from evaluators.datasets import Cifar10, Mnist, described, digits, load


def test_digits_are_split_by_class() -> None:
    data = digits()
    assert [len(part.labels) for part in (data.train, data.val, data.test)] == [898, 449, 450]
    shares = [torch.bincount(part.labels, minlength=10) for part in (data.train, data.val, data.test)]
    assert (sum(shares) == torch.tensor([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])).all()
    assert all(41 <= int(share.min()) <= int(share.max()) <= 92 for share in shares)


def test_digits_are_normalised_images() -> None:
    images = digits().train.images
    assert (images.shape, images.dtype) == ((898, 1, 8, 8), torch.float32)
    assert (images.mean().item(), images.std().item()) == (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=1e-3))


def test_digits_tell_the_17_values_that_they_were() -> None:
    part = digits().train
    assert part.normalisation is not None
    sixteenths = part.normalisation.pixels(part.images) / 255 * 16
    assert sixteenths.round().unique().tolist() == list(range(17))
    assert torch.allclose(sixteenths, sixteenths.round(), atol=0.04)  # half a step of 255
    assert torch.equal(part.inputs(slice(3)), part.images[:3])


def test_digits_are_the_same_in_every_process() -> None:
    assert digits().train.labels[:8].tolist() == [0, 1, 4, 5, 6, 9, 0, 1]
    assert digits().test.labels[:8].tolist() == [2, 8, 9, 9, 8, 1, 7, 3]


def test_a_data_set_is_a_name_or_a_function() -> None:
    assert load("digits") is digits()
    assert load(digits) is digits()
    with pytest.raises(ValueError, match="unknown data set 'cifar'; there are digits; or pass a function"):
        load("cifar")


def test_a_data_set_of_files_needs_its_path() -> None:
    with pytest.raises(ValueError, match=r"'mnist' is read from files: write dataset=Mnist\('FOLDER'\)"):
        load("mnist")


def test_a_data_set_is_described_by_its_settings() -> None:
    assert described("digits") == "'digits'"
    assert described(digits) == "digits"
    assert described(Mnist("there", val=7)).startswith("Mnist(path='there', val=7, limit=None")
    assert described(Mnist("there")) != described(Cifar10("there"))
