"""MNIST: a small one that is written here, and the real one where it is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from idx_files import idx, write_mnist
from shared_data import shared_data

from evaluators.datasets import Mnist, Normalisation


def test_the_parts_are_those_of_the_files(tmp_path: Path) -> None:
    data = Mnist(write_mnist(tmp_path), val=20)()
    numbers = [part.images[:, 0, 0, 0].tolist() for part in (data.train, data.val, data.test)]
    assert sorted(numbers[0] + numbers[1]) == list(range(60))
    assert numbers[2] == list(range(20))
    assert data.val.labels.bincount().tolist() == [2] * 10
    assert [number % 10 for number in numbers[0]] == data.train.labels.tolist()


def test_images_stay_bytes_and_become_inputs(tmp_path: Path) -> None:
    data = Mnist(write_mnist(tmp_path), val=20, normalisation=Normalisation((0.1,), (0.5,)))()
    assert (data.classes, data.test.images.dtype, data.test.images.shape) == (10, torch.uint8, (20, 1, 28, 28))
    inputs = data.test.inputs(torch.tensor([3, 0]))
    assert (inputs.dtype, inputs.shape) == (torch.float32, (2, 1, 28, 28))
    assert inputs[:, 0, 5, 5].tolist() == pytest.approx([(3 / 255 - 0.1) / 0.5, -0.2], abs=1e-6)


def test_a_limit_is_balanced(tmp_path: Path) -> None:
    assert Mnist(write_mnist(tmp_path), val=20, limit=30)().train.labels.bincount().tolist() == [3] * 10


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (write_mnist(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=rf"no t10k-labels-idx1-ubyte \(or \.gz\) in {tmp_path}; MNIST's four"):
        Mnist(tmp_path)()


@pytest.mark.parametrize(
    ("labels", "message"),
    [(np.full(20, 10), r"expected labels from 0 to 9, got \{10\}"), (np.zeros(19), "19 labels, but .* has 20 images")],
)
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, labels: np.ndarray, message: str) -> None:
    (write_mnist(tmp_path) / "t10k-labels-idx1-ubyte").write_bytes(idx(labels.astype(np.uint8)))
    with pytest.raises(ValueError, match=rf"t10k-labels-idx1-ubyte: {message}"):
        Mnist(tmp_path)()


def test_the_real_one_is_read() -> None:
    data = Mnist(shared_data("images_mnist"))()
    assert [len(part.labels) for part in (data.train, data.val, data.test)] == [55_000, 5_000, 10_000]
    counts = data.train.labels.bincount() + data.val.labels.bincount()
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.train.normalisation is not None
    assert data.train.normalisation.mean == pytest.approx((0.1307,), abs=1e-4)
    assert data.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
