"""Archives of JPEGs: decoded to what was put in, refused where something does not fit, never unpickled."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from shared_data import shared_data

from evaluators.datasets import JpegArchives


def jpeg(value: int, side: int = 8) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), value, np.uint8)).save(file, "JPEG", quality=100)
    return file.getvalue()


PICTURES = [jpeg(10 * number) for number in range(12)]


def write(path: Path, pictures: list[bytes], **changed: Any) -> Path:
    arrays: dict[str, Any] = {
        "jpeg": np.frombuffer(b"".join(pictures), np.uint8),
        "offsets": np.cumsum([0, *(len(picture) for picture in pictures)]),
        "labels": np.arange(len(pictures)) % 3,
    }
    np.savez(path, **(arrays | changed))
    return path


def test_pictures_are_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", PICTURES)
    data = JpegArchives(path, path, val=3)()
    assert data.test.images[:, :, 4, 4].tolist() == [[10 * number] * 3 for number in range(12)]
    assert (data.classes, data.test.labels[:4].tolist(), len(data.train.labels)) == (3, [0, 1, 2, 0], 9)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": np.array([{}], object)}, "not a NumPy archive with jpeg, offsets, labels: Object arrays cannot be"),
        ({"labels": np.arange(3)}, "3 labels need 4 offsets"),
        ({"labels": np.full(12, 99)}, "labels from 99 to 99 are no classes"),
        ({"offsets": np.arange(13)}, "the offsets do not rise from 0 to the"),
        ({"jpeg": np.zeros(3)}, "expected flat arrays of whole numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "a.npz", PICTURES, **changed)
    with pytest.raises(ValueError, match=rf"a\.npz: {message}"):
        JpegArchives(path, path)()


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (PICTURES[1][:-60], "picture 1: not a readable JPEG or PNG: .*[Tt]runcated"),
        (b"GIF89a" + bytes(30), "picture 1: not a readable JPEG or PNG: cannot identify"),
        (jpeg(1, 9), r"picture 1 has shape \(9, 9, 3\), the first \(8, 8, 3\)"),
    ],
)
def test_a_picture_that_is_none_is_named(tmp_path: Path, picture: bytes, message: str) -> None:
    path = write(tmp_path / "a.npz", [PICTURES[0], picture, *PICTURES[2:]])
    with pytest.raises(ValueError, match=rf"a\.npz: {message}"):
        JpegArchives(path, path)()


def test_missing_broken_and_large_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    path = write(tmp_path / "a.npz", PICTURES)
    with pytest.raises(FileNotFoundError, match=r"no such file: .*none\.npz; expected a NumPy archive of JPEGs"):
        JpegArchives(tmp_path / "none.npz", path)()
    with pytest.raises(ValueError, match=r"text\.npz: not a NumPy archive"):
        JpegArchives(tmp_path / "text.npz", path)()
    with pytest.raises(
        ValueError, match=r"12 images of 8 x 8 x 3 take 0 MB of memory, more than memory_mb=0\.001; raise"
    ):
        JpegArchives(path, path, memory_mb=0.001)()


def test_real_pictures_are_decoded() -> None:
    folder = shared_data("images_cifar10")
    data = JpegArchives(folder / "cifar10_val_4k.npz", folder / "cifar10_val_4k.npz", val=500, limit=1000)()
    assert (data.train.images.shape, data.classes) == ((1000, 3, 32, 32), 10)
    assert data.train.normalisation is not None
    assert data.train.normalisation.mean == pytest.approx((0.4913, 0.4821, 0.4465), abs=0.012)
    assert data.train.normalisation.std == pytest.approx((0.245, 0.243, 0.261), abs=0.008)
