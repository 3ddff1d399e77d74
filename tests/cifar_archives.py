"""Writes small CIFAR archives, as the binary files and as pickles of Python 2, operation by operation."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import numpy as np

NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
IMAGES = 10


def planes(name: str) -> np.ndarray:
    """Return a file's images as it holds them, uint8 (10, 3072), made from its name."""
    return np.random.default_rng(NAMES.index(name)).integers(0, 256, (IMAGES, 3072), np.uint8)


def binary(name: str) -> bytes:
    """Return a file of the binary version: image i has class i."""
    return b"".join(bytes([label]) + row.tobytes() for label, row in enumerate(planes(name)))


def text(value: str) -> bytes:
    """Return the operation of a short Python 2 string."""
    return b"U" + bytes([len(value)]) + value.encode()


def array(values: np.ndarray) -> bytes:
    """Return the operations of a Python 2 array of bytes."""
    shape = b"".join(b"M" + struct.pack("<H", side) for side in values.shape) + b"\x86"
    dtype = b"cnumpy\ndtype\nq\x06" + text("u1") + b"K\x00K\x01\x87R(K\x03" + text("|") + b"NNN"
    dtype += b"J\xff\xff\xff\xff" * 2 + b"K\x00tb"
    made = b"cnumpy.core.multiarray\n_reconstruct\nq\x04cnumpy\nndarray\nq\x05K\x00\x85" + text("b") + b"\x87R"
    raw = values.tobytes()
    return made + b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"


def pickled(name: str, key: str = "labels") -> bytes:
    """Return a file of the python version."""
    labels = b"]q\x02(" + b"".join(b"K" + bytes([label]) for label in range(IMAGES)) + b"e"
    files = b"]q\x03(" + b"".join(text(f"{label}.png") for label in range(IMAGES)) + b"e"
    parts = {"batch_label": text("a batch"), key: labels, "data": array(planes(name)), "filenames": files}
    return b"\x80\x02}q\x01(" + b"".join(text(key) + value for key, value in parts.items()) + b"u."


def archive(path: Path, contents: dict[str, bytes]) -> Path:
    """Write a `.tar.gz` of these files, in a folder."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"cifar/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path
