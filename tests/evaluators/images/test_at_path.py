"""A data set at a path: told by its files, resized, in three channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from shared_data import shared_data

from evaluators.datasets import AtPath, Cifar10, Cifar100, ImageFolder, JpegArchives, Mnist


@pytest.mark.parametrize(("files", "kind"), [
    (["train-images-idx3-ubyte.gz"], Mnist), (["train-images.idx3-ubyte"], Mnist), (["data_batch_1.bin"], Cifar10),
    (["data_batch_1"], Cifar10), (["train.bin"], Cifar100), (["train", "test", "meta"], Cifar100),
    (["my_train_9.npz", "my_val_9.npz"], JpegArchives), (["a_train.npz", "b_train.npz", "test.npz"], ImageFolder),
    ([], ImageFolder),
])  # fmt: skip
def test_a_folder_is_told_by_its_files(files: list[str], kind: type, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert type(AtPath(tmp_path, 16).source()) is kind


@pytest.mark.parametrize(("name", "kind"), [("cifar-10-python.tar.gz", Cifar10), ("cifar-100-binary.tar.gz", Cifar100)])
def test_a_file_is_an_archive_of_cifar(name: str, kind: type, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert type(AtPath(tmp_path / name, 16, limit=7).source()) is kind


def test_what_is_nowhere_is_told_as_a_folder_of_pictures_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such folder: .*nowhere; expected folders of pictures"):
        AtPath(tmp_path / "nowhere", 16)()


def test_pictures_have_the_side_that_was_asked_for(tmp_path: Path) -> None:
    for label in range(2):
        (tmp_path / f"class{label}").mkdir()
        for number in range(10):
            pixels = np.full((24, 24, 3), 10 * number + label, np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"class{label}" / f"{number}.png")
    images = AtPath(tmp_path, 8)()
    assert (images.classes, images.train.images.shape) == (2, (16, 3, 8, 8))
    assert all((image == image[0, 0, 0]).all() for image in images.train.images)
    with pytest.raises(ValueError, match=r"20 images of 8 x 8 x 3 take .* lower side or limit"):
        AtPath(tmp_path, 8, memory_mb=0.003)()


def test_real_grey_images_shrink_to_three_equal_channels() -> None:
    data, whole = AtPath(shared_data("images_mnist"), 14, limit=100)(), Mnist(shared_data("images_mnist"), limit=100)()
    assert (data.train.images.shape, data.train.images.dtype) == ((100, 3, 14, 14), torch.uint8)
    assert (data.train.images[:, 0] == data.train.images[:, 2]).all()
    assert torch.equal(data.test.labels, whole.test.labels)
    assert data.train.images.float().mean().item() == pytest.approx(whole.train.images.float().mean().item(), rel=0.03)
    assert data.train.inputs(slice(0, 100)).mean().abs() < 0.05


def test_real_colour_archives_shrink() -> None:
    data = AtPath(shared_data("images_cifar10"), 8, limit=10)()
    assert (data.classes, data.train.images.shape, len(data.test.labels)) == (10, (10, 3, 8, 8), 4000)
