"""Data sets as arrays: what comes back is the same data in the same memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from idx_files import write_mnist

from evaluators.datasets import Images, Mnist, digits
from evaluators.images.handing_over import from_arrays, to_arrays


@pytest.fixture(params=["digits", "mnist"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Images:
    return digits() if request.param == "digits" else Mnist(write_mnist(tmp_path), val=20)()


def test_what_comes_back_is_the_same(data: Images) -> None:
    back = from_arrays(to_arrays(data))
    assert back.classes == 10
    for name in ("train", "val", "test"):
        before, after = getattr(data, name), getattr(back, name)
        assert torch.equal(after.images, before.images)
        assert torch.equal(after.labels, before.labels)
        assert after.normalisation == before.normalisation


def test_nothing_is_copied_on_the_way_to_training(data: Images) -> None:
    arrays = to_arrays(data)
    for array in arrays.values():
        array.flags.writeable = False  # as Ray hands them over; PyTorch's warning would be an error here
    part = from_arrays(arrays).to("cpu").train
    assert part.images.data_ptr() == arrays["train.images"].ctypes.data
    assert part.labels.data_ptr() == arrays["train.labels"].ctypes.data
    assert part.inputs(torch.tensor([1, 2])).data_ptr() != part.images.data_ptr()


def test_images_lie_row_by_row_with_their_channels(data: Images) -> None:
    assert to_arrays(data)["train.images"].shape[3] == 1
    assert np.shares_memory(to_arrays(data)["val.labels"], data.val.labels.numpy())
