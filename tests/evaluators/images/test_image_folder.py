"""Folders of pictures: which part each goes to, at which size, and what is refused."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from evaluators.datasets import IMAGENET, ImageFolder

RED, BLUE = (250, 0, 0), (0, 0, 250)


def write(folder: Path, count: int, size: tuple[int, int] = (40, 24), classes: tuple[str, ...] = ("a", "b")) -> None:
    """Write `count` pictures of each class, a red one first: their number is their green."""
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            colour = (RED[0] if name == "a" else 0, number, 0 if name == "a" else BLUE[2])
            Image.new("RGB", size, colour).save(folder / name / f"{number}.png")


def greens(images: torch.Tensor) -> list[int]:
    return sorted(images[:, 1, 8, 8].tolist())


def test_class_folders_are_split_by_class(tmp_path: Path) -> None:
    write(tmp_path, 10)
    data = ImageFolder(tmp_path, side=16, val=0.2, test=0.3)()
    parts = (data.train, data.val, data.test)
    assert [part.labels.bincount().tolist() for part in parts] == [[5, 5], [2, 2], [3, 3]]
    assert sorted(chain(*(greens(part.images) for part in parts))) == sorted([*range(10), *range(10)])
    assert data.train.images.shape == (10, 3, 16, 16)
    assert (data.train.images[:, 0, 8, 8] == 250).tolist() == (data.train.labels == 0).tolist()


def test_the_folder_val_tests_as_imagenets_does(tmp_path: Path) -> None:
    write(tmp_path / "train", 10)
    write(tmp_path / "val", 3)
    data = ImageFolder(tmp_path, side=16, val=0.2, limit=6)()
    assert [part.labels.bincount().tolist() for part in (data.train, data.val, data.test)] == [[3, 3], [2, 2], [3, 3]]
    assert greens(data.test.images) == [0, 0, 1, 1, 2, 2]


def test_three_folders_serve_as_they_are_called(tmp_path: Path) -> None:
    for name, count in {"train": 4, "val": 3, "test": 2}.items():
        write(tmp_path / name, count)
    data = ImageFolder(tmp_path, side=16, normalisation=IMAGENET)()
    assert [len(part.labels) for part in (data.train, data.val, data.test)] == [8, 6, 4]
    assert data.train.normalisation == IMAGENET


def test_the_centre_is_cut_out_after_the_shorter_side_is_resized(tmp_path: Path) -> None:
    write(tmp_path, 5)
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 30:50] = 255  # the middle 20 of 80 columns; after halving, 10 of 40
    for path in tmp_path.glob("*/*.png"):
        Image.fromarray(pixels).save(path)
    images = ImageFolder(tmp_path, side=16, resize=20, val=0.2, test=0.2)().train.images
    assert (images[0, 0, 8] > 127).tolist() == [False] * 3 + [True] * 10 + [False] * 3
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_more_memory_than_allowed_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    write(tmp_path, 10)
    (tmp_path / "a/0.png").write_bytes(b"broken")
    message = (
        r"20 images of 100 x 100 x 3 take 1 MB of memory, more than memory_mb=0\.5; raise it, or lower side or limit"
    )
    with pytest.raises(ValueError, match=message):
        ImageFolder(tmp_path, side=100, memory_mb=0.5)()


def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    write(tmp_path, 10)
    (tmp_path / "a/3.png").write_bytes((tmp_path / "a/3.png").read_bytes()[:40])
    with pytest.raises(ValueError, match=r"a/3\.png: not a readable JPEG or PNG"):
        ImageFolder(tmp_path, side=16)()


def test_folders_that_are_no_data_set_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such folder: .*/none"):
        ImageFolder(tmp_path / "none")()
    with pytest.raises(ValueError, match=r"expected at least two folders of pictures, one a class; got \[\]"):
        ImageFolder(tmp_path)()
    write(tmp_path / "train", 3)
    write(tmp_path / "val", 3, classes=("a", "c"))
    with pytest.raises(ValueError, match=r"/val: its classes are not those that there are to train on"):
        ImageFolder(tmp_path)()
    (tmp_path / "train/z").mkdir()
    with pytest.raises(ValueError, match=r"train/z: holds no picture"):
        ImageFolder(tmp_path)()


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shares above 0 whose sum is below 1, got val=0\.5 and test=0\.5"):
        ImageFolder("x", val=0.5, test=0.5)
    with pytest.raises(ValueError, match="a resize of no less, got 64, 32"):
        ImageFolder("x", resize=32)
