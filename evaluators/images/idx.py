"""IDX files, plain or gzipped: the format of MNIST (LeCun, Cortes and Burges, "The MNIST database", section on files).

Two zero bytes, one that says the type of the values, one that says how many dimensions; each dimension's size as a
big-endian 32-bit number; then the values, big-endian, the last dimension changing fastest.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""NumPy's name of each type by its number in the file."""

LARGEST_BYTES = 2**30
"""What a file may hold at most; MNIST's largest holds 47 million."""


def read_idx(path: Path, *, dtype: str = "u1", dimensions: int) -> np.ndarray:
    """Return the file's array. A file whose name ends in `.gz` is unpacked on the way.

    Raises FileNotFoundError where there is none, ValueError, naming the file, for one that is not IDX, holds another
    type or number of dimensions, more than `LARGEST_BYTES`, or fewer or more values than it says.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _read(cast(BinaryIO, file), dtype, dimensions)
    except (EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _read(file: BinaryIO, dtype: str, dimensions: int) -> np.ndarray:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES:
        raise ValueError(f"not an IDX file: it starts with {head.hex(' ') or 'nothing'}")
    if (TYPES[head[2]], head[3]) != (dtype, dimensions):
        found = f"{head[3]} dimensions of {TYPES[head[2]]}"
        raise ValueError(f"expected an IDX file of {dimensions} dimensions of {dtype}, got {found}")
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise ValueError("the file ends within its sizes; is it truncated?")
    shape = struct.unpack(f">{dimensions}I", sizes)
    expected = math.prod(shape) * np.dtype(dtype).itemsize
    if expected > LARGEST_BYTES:
        raise ValueError(f"it says that it holds {expected} bytes of shape {shape}; at most {LARGEST_BYTES} are read")
    values = file.read(expected + 1)
    if len(values) != expected:
        found = f"{len(values)}; is it truncated?" if len(values) < expected else "more"
        raise ValueError(f"expected {expected} bytes of values for shape {shape}, got {found}")
    return np.frombuffer(values, dtype).reshape(shape)
