"""Preparations: kept by their key, the newest state in the place of the older."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import pyglove as pg
import pytest

from search.algorithms.random import Random
from search.objectives import parse_objectives
from search.preparations import (
    Preparation,
    _save,
    begin_preparation,
    load_preparation,
    load_preparations,
    measured,
    record_step,
    save_preparation,
    steps_kept,
    users,
)
from search.storage import Storage
from search.study import Study
from spaces.genotype import GenotypeSpace


def test_a_preparation_is_found_by_its_key_and_replaced(storage: Storage) -> None:
    assert load_preparation(storage.database, "k") is None
    first = save_preparation(storage.database, Preparation("k", "supernet", progress=0.5, path="a.pt"))
    last = save_preparation(storage.database, Preparation("k", "supernet", "COMPLETED", 1.0, "b.pt", "0" * 64))
    assert load_preparation(storage.database, "k") == last
    assert (last.created_at, last.state, last.path) == (first.created_at, "COMPLETED", "b.pt")


def test_two_launches_that_begin_the_same_preparation_at_once_share_it(storage: Storage) -> None:
    database, stored = storage.database, list[Preparation]()
    begin = partial(begin_preparation, database, Preparation("k", "supernet"), afresh=False)
    other = threading.Thread(target=lambda: stored.append(begin()))
    with database.engine.begin() as connection:
        _save(database, connection, Preparation("k", "supernet"))
        other.start()
        other.join(0.3)  # it waits for this transaction
        assert other.is_alive()
    other.join()
    assert stored == load_preparations(database)


def test_a_state_or_progress_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="state 'DONE' of preparation 'k' is not one of RUNNING"):
        Preparation("k", "supernet", "DONE")
    with pytest.raises(ValueError, match=r"progress 1\.5 of preparation 'k' is not from 0 to 1"):
        Preparation("k", "supernet", progress=1.5)


def test_a_step_is_kept_once_and_the_row_moves_on(storage: Storage) -> None:
    database = storage.database
    begun = begin_preparation(database, Preparation("k", "supernet", settings={"epochs": 2}), afresh=False)
    record_step(database, replace(begun, progress=0.5), 0, {"loss": 2.0, "accuracy": 0.1})
    last = record_step(database, replace(begun, progress=1.0), 1, {"loss": 1.0})
    record_step(database, last, 1, {"loss": 9.0})
    assert measured(database, "k") == {"accuracy": [(0, 0.1)], "loss": [(0, 2.0), (1, 1.0)]}
    assert steps_kept(database, "k") == 2
    assert load_preparation(database, "k") == replace(last, updated_at=load_preparations(database)[0].updated_at)


def test_begun_afresh_its_measurements_are_gone(storage: Storage) -> None:
    record_step(storage.database, Preparation("k", "supernet"), 0, {"loss": 2.0})
    begin_preparation(storage.database, Preparation("k", "supernet"), afresh=True)
    assert measured(storage.database, "k") == {}
    assert steps_kept(storage.database, "k") == 0


def test_the_studies_that_use_it_are_found_by_their_settings(storage: Storage) -> None:
    space, objectives = GenotypeSpace(pg.oneof([1, 2])), parse_objectives({"x": "maximize"})
    for name, keys in (("first", ["k", "l"]), ("second", ["k"]), ("third", [])):
        used = {"preparations": [{"key": key, "kind": "supernet"} for key in keys]}
        Study.create_or_resume(storage, name, space, Random(), objectives, max_trials=1, settings=used).close()
    assert users(storage.database) == {"k": ["first", "second"], "l": ["first"]}
