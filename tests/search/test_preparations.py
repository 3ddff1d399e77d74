"""Preparations: kept by their key, the newest state in the place of the older."""

from __future__ import annotations

import pytest

from search.preparations import Preparation, load_preparation, save_preparation
from search.storage import Storage


def test_a_preparation_is_found_by_its_key_and_replaced(storage: Storage) -> None:
    assert load_preparation(storage.database, "k") is None
    first = save_preparation(storage.database, Preparation("k", "supernet", progress=0.5, path="a.pt"))
    last = save_preparation(storage.database, Preparation("k", "supernet", "COMPLETED", 1.0, "b.pt", "0" * 64))
    assert load_preparation(storage.database, "k") == last
    assert (last.created_at, last.state, last.path) == (first.created_at, "COMPLETED", "b.pt")


def test_a_state_or_progress_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="state 'DONE' of preparation 'k' is not one of RUNNING"):
        Preparation("k", "supernet", "DONE")
    with pytest.raises(ValueError, match=r"progress 1\.5 of preparation 'k' is not from 0 to 1"):
        Preparation("k", "supernet", progress=1.5)
