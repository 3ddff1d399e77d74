"""CIFAR: the binary and the python version, packed and unpacked, hold the same pictures; anything else is refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from cifar_archives import IMAGES, NAMES, archive, binary, pickled, planes

from evaluators.datasets import Cifar10, Cifar100

BINARY = {f"{name}.bin": binary(name) for name in NAMES} | {"batches.meta.txt": b"airplane\n"}


def unpacked(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_the_binary_archive_is_read(tmp_path: Path) -> None:
    data = Cifar10(archive(tmp_path / "cifar-10-binary.tar.gz", BINARY), val=20)()
    assert [part.labels.bincount().tolist() for part in (data.train, data.val, data.test)] == [
        [3] * 10,
        [2] * 10,
        [1] * 10,
    ]
    assert (data.classes, data.test.images.dtype, data.test.images.shape) == (10, torch.uint8, (IMAGES, 3, 32, 32))
    assert np.array_equal(data.test.images.numpy(), planes("test_batch").reshape(-1, 3, 32, 32))
    assert data.test.images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("contents", [BINARY, {name: pickled(name) for name in NAMES}], ids=["binary", "python"])
def test_every_version_holds_the_same(tmp_path: Path, packed: bool, contents: dict[str, bytes]) -> None:
    expected = Cifar10(archive(tmp_path / "reference", BINARY), val=20)()
    (tmp_path / "there").mkdir()
    path = archive(tmp_path / "there/cifar.tar.gz", contents) if packed else unpacked(tmp_path / "there", contents)
    data = Cifar10(path, val=20)()
    assert all(
        torch.equal(getattr(data, part).images, getattr(expected, part).images) for part in ("train", "val", "test")
    )
    assert torch.equal(data.train.labels, expected.train.labels)


def test_cifar100_has_its_fine_labels(tmp_path: Path) -> None:
    rows = [bytes([19, fine]) + planes("test_batch")[0].tobytes() for fine in range(100)]
    binary_version = archive(tmp_path / "binary.tar.gz", {"train.bin": b"".join(rows), "test.bin": b"".join(rows[50:])})
    data = Cifar100(binary_version, val=40)()
    assert (data.classes, data.test.labels.tolist()) == (100, list(range(50, 100)))
    python_version = {"train": pickled("test_batch", "fine_labels"), "test": pickled("test_batch", "fine_labels")}
    assert Cifar100(archive(tmp_path / "python.tar.gz", python_version), val=1)().test.labels.tolist() == list(
        range(10)
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"data_batch_3.bin": binary("test_batch")[:-1]},
            r"data_batch_3\.bin: 30729 bytes are no whole number of 3073",
        ),
        ({"test_batch.bin": b""}, r"test_batch\.bin: 0 bytes are no whole number"),
        ({"test_batch.bin": b"\x0a" * 3073}, r"test_batch\.bin: expected labels from 0 to 9"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, changed: dict[str, bytes], message: str) -> None:
    with pytest.raises(ValueError, match=rf"cifar\.tar\.gz: {message}"):
        Cifar10(archive(tmp_path / "cifar.tar.gz", BINARY | changed))()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such file or folder: .*nowhere; expected CIFAR's archive"):
        Cifar10(tmp_path / "nowhere")()
    with pytest.raises(FileNotFoundError, match=r"no data_batch_1 in .*; it holds none of the set"):
        Cifar10(tmp_path)()
    parts = {name: content for name, content in BINARY.items() if name != "data_batch_2.bin"}
    with pytest.raises(
        FileNotFoundError, match=r"no data_batch_2\.bin in .*; it holds data_batch_1\.bin, data_batch_3"
    ):
        Cifar10(archive(tmp_path / "parts", parts))()


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "whole.tar.gz", BINARY).read_bytes()
    for content in (whole[: len(whole) // 2], b"no archive"):
        (tmp_path / "cifar.tar.gz").write_bytes(content)
        with pytest.raises(ValueError, match=r"cifar\.tar\.gz: cannot be read as a tar archive"):
            Cifar10(tmp_path / "cifar.tar.gz")()


def test_links_are_not_followed_and_nothing_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(binary("test_batch"))
    with tarfile.open(tmp_path / "cifar.tar", "w") as tar:
        for name in NAMES:
            entry = tarfile.TarInfo(f"../{name}.bin")
            entry.type, entry.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
            tar.addfile(entry, io.BytesIO())
    with pytest.raises(FileNotFoundError, match="it holds none of the set"):
        Cifar10(tmp_path / "cifar.tar")()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cifar.tar", "secret"]
