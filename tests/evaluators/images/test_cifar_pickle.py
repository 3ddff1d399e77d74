"""CIFAR's pickles are read without unpickling: real ones as Python would, hostile ones not at all."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from cifar_archives import array, pickled, planes, text
from hypothesis import given
from hypothesis import strategies as st

from evaluators.images.cifar_pickle import read_batch

GOOD = pickled("test_batch")


def test_a_batch_is_what_unpickling_gives() -> None:
    expected = pickle.loads(GOOD, encoding="bytes")
    data, labels = read_batch(GOOD, "labels", 3072)
    assert np.array_equal(data, expected[b"data"])
    assert np.array_equal(data, planes("test_batch"))
    assert labels.tolist() == expected[b"labels"] == list(range(10))


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_a_hostile_pickle_would_run_is_not_run(tmp_path: Path, protocol: int) -> None:
    hostile = pickle.dumps({"data": Touch(tmp_path / "made"), "labels": [1]}, protocol)
    with pytest.raises(ValueError, match="which no CIFAR file needs; it is not read"):
        read_batch(hostile, "labels", 3072)
    assert not (tmp_path / "made").exists()
    pickle.loads(hostile)
    assert (tmp_path / "made").exists()  # it was hostile indeed


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (b"cos\nsystem\n", "the pickle names 'os system'"),
        (b"cnumpy\nndarray\n)R", "calls what no CIFAR file needs"),
        (b"cnumpy\ndtype\n" + text("O8") + b"\x85R", "array of something else than bytes"),
        (b"K\x01)b", "sets the state of what is no array"),
        (b"K\x01Q", "has BINPERSID at byte 2"),
        (b"\x82\x01", "has EXT1"),
        (b"(Kt", "."),
        (b"R", "not a batch of CIFAR's python version .IndexError"),
        (b"h\x07", "not a batch of CIFAR's python version .KeyError"),
        (b"}(K\x01K\x02u", "a key that is no text"),
        (b"}", "the pickle does not end|exhausted before seeing STOP"),
    ],
)
def test_other_operations_are_refused(operations: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_batch(operations, "labels", 3072)


@pytest.mark.parametrize(
    ("data", "labels", "message"),
    [
        (
            array(planes("test_batch")[:, :100]),
            b"]",
            r"has shape \(10, 100\) and 1000 bytes; expected \(images, 3072\)",
        ),
        (array(planes("test_batch")), b"]K\x01a", "1 labels for 10 images"),
        (array(planes("test_batch")), text("x"), "'labels' is no list of whole numbers"),
        (b"]", b"]", "'data' is no array"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(data: bytes, labels: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_batch(b"\x80\x02}(" + text("data") + data + text("labels") + labels + b"u.", "labels", 3072)


@given(st.binary(max_size=60), st.integers(0, 400))
def test_damage_is_a_value_error_or_harmless(noise: bytes, place: int) -> None:
    content = GOOD[:place] + noise + GOOD[place + len(noise) :]
    try:
        data, labels = read_batch(content, "labels", 3072)
    except ValueError:
        return
    assert (data.shape, labels.shape) == ((10, 3072), (10,))
