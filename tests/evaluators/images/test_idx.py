"""IDX files: what is written is read, and what is not one is refused, naming the file."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from idx_files import idx

from evaluators.images.idx import read_idx

GOOD = idx(np.arange(12, dtype=np.uint8).reshape(3, 4))


@given(array=arrays(np.uint8, array_shapes(min_dims=1, max_dims=4)), packed=st.booleans())
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, packed: bool) -> None:
    path = tmp_path_factory.getbasetemp() / ("idx.gz" if packed else "idx")
    path.write_bytes(gzip.compress(idx(array), 1) if packed else idx(array))
    assert np.array_equal(read_idx(path, dimensions=array.ndim), array)


def test_numbers_of_more_bytes_are_big_endian(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes([0, 0, 0x0B, 1, 0, 0, 0, 2, 1, 0, 0xFF, 0xFE]))
    assert read_idx(tmp_path / "f", dtype=">i2", dimensions=1).tolist() == [256, -2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file: it starts with nothing"),
        (b"\x1f\x8b\x08\x08more", "not an IDX file: it starts with 1f 8b 08 08"),
        (bytes([0, 0, 7, 1]), "not an IDX file"),
        (bytes([0, 0, 8, 1]) + GOOD[4:], "expected an IDX file of 2 dimensions of u1, got 1 dimensions of u1"),
        (bytes([0, 0, 0x0D, 2]) + GOOD[4:], "got 2 dimensions of >f4"),
        (GOOD[:9], "ends within its sizes; is it truncated"),
        (GOOD[:-1], r"expected 12 bytes of values for shape \(3, 4\), got 11; is it truncated"),
        (GOOD + b"x", "got more"),
        (bytes([0, 0, 8, 2]) + b"\xff" * 8, "holds 18446744065119617025 bytes"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "some-images"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"some-images: .*{message}"):
        read_idx(path, dimensions=2)


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD)
    for content in (packed[:-9], GOOD, packed[:12] + b"\xff\xff" + packed[14:]):
        (tmp_path / "f.gz").write_bytes(content)
        with pytest.raises(ValueError, match=r"f\.gz: "):
            read_idx(tmp_path / "f.gz", dimensions=2)
