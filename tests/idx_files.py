"""Writes IDX files, and a small MNIST of them."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

SIZES = {"train": 60, "t10k": 20}


def idx(array: np.ndarray) -> bytes:
    """Return an array of bytes as an IDX file holds it."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_mnist(folder: Path) -> Path:
    """Write the four files, the training ones gzipped: every pixel of image i is i, its class i modulo 10."""
    for part, count in SIZES.items():
        numbers = np.arange(count, dtype=np.uint8)
        images, labels = numbers.repeat(28 * 28).reshape(-1, 28, 28), numbers % 10
        for name, array in {f"{part}-images-idx3-ubyte": images, f"{part}-labels-idx1-ubyte": labels}.items():
            if part == "train":
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))
    return folder
