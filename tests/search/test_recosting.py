"""Re-costing a stored study: exact, in one transaction, under a lease, and gone on from by a later launch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from several_devices import (
    SOURCE,
    device_table,
    drive,
    facts_of,
    known_of,
    open_study,
    run_study,
    store,
    write_study,
)  # fmt: skip
from stored_study import SPACE, in_child

from hardware_models.latency_table import LatencyTable
from search.algorithms._base import Problem
from search.algorithms.random import Random
from search.errors import LeaseLost, SpaceChanged, StudyChanged, StudyLocked
from search.history import read_history
from search.leases import Lease
from search.recosting import Recosted, recost
from search.storage import Storage, open_storage
from search.study import Study
from search.study_file import StudyDefinition, load_study_file
from search.study_tables import recosts_of, tables_used

FIRST = {"phone": device_table("phone"), "board": device_table("board")}
SLOW = device_table("phone", 1.5)
BOUND = SOURCE + 'constraints = ["latency_ms@phone <= 5"]\n'


@pytest.fixture
def definition(tmp_path: Path) -> StudyDefinition:
    return load_study_file(write_study(tmp_path))


@pytest.fixture
def bounded(tmp_path: Path) -> StudyDefinition:
    return load_study_file(write_study(tmp_path, BOUND))


def again(storage: Storage, definition: StudyDefinition, table: LatencyTable, device: str = "phone") -> Recosted:
    return recost(
        storage, "s", device=device, space=definition.space, known=known_of(definition, {device: table}),
        facts=facts_of(table), algorithm=definition.algorithm,
    )  # fmt: skip


def exported(storage: Storage, folder: Path) -> str:
    storage.export_study("s", folder / "s.jsonl")
    return (folder / "s.jsonl").read_text()


def predicted(definition: StudyDefinition, study: Study, tables: Mapping[str, LatencyTable]) -> dict[str, list[float]]:
    known = known_of(definition, tables)
    return dict(zip(known.names, known(study.trials().genotypes).T.tolist(), strict=True))


def test_every_trial_has_the_new_tables_latency_exactly(storage: Storage, definition: StudyDefinition) -> None:
    study = run_study(storage, definition, FIRST)
    before = {name: values.tolist() for name, values in study.trials().metrics.items()}
    done = again(storage, definition, SLOW)
    after = {name: values.tolist() for name, values in study.trials().metrics.items()}
    assert after == before | predicted(definition, study, {"phone": SLOW})
    assert (done.trials, done.changed, done.metrics) == (14, 14, ("latency_ms@phone",))


def test_the_study_says_which_version_is_used_and_which_was(storage: Storage, definition: StudyDefinition) -> None:
    run_study(storage, definition, FIRST)
    again(storage, definition, SLOW)
    settings = Study.open(storage, "s").settings
    assert tables_used(settings) == {"phone": facts_of(SLOW), "board": facts_of(FIRST["board"])}
    [change] = recosts_of(settings)
    assert (change["before"], change["after"]) == (facts_of(FIRST["phone"]), facts_of(SLOW))
    assert (change["device"], change["metrics"], change["changed"]) == ("phone", ["latency_ms@phone"], 14)


def test_the_same_table_again_changes_nothing(storage: Storage, definition: StudyDefinition, tmp_path: Path) -> None:
    study = run_study(storage, definition, FIRST)
    again(storage, definition, SLOW)
    before, sequence = exported(storage, tmp_path), study.change_seq
    done = again(storage, definition, SLOW)
    assert (done.changed, done.joined, done.left) == (0, 0, 0)
    assert (exported(storage, tmp_path), study.change_seq) == (before, sequence)


def test_states_counts_and_the_front_follow_the_bounds(storage: Storage, bounded: StudyDefinition) -> None:
    study = run_study(storage, bounded, FIRST)
    done = again(storage, bounded, SLOW)
    table = study.trials()
    slow = table.metrics["latency_ms@phone"] > 5
    assert done.broken == slow.sum() > 0
    assert table.states.tolist() == np.where(slow, "INFEASIBLE", "COMPLETED").tolist()
    assert study.counts()["INFEASIBLE"] == done.broken
    assert not np.isin(study.front().numbers, table.numbers[slow]).any()
    assert study.front().numbers.tolist() == study.front(["accuracy", "latency_ms@phone"]).numbers.tolist()


def test_the_first_table_again_restores_states_metrics_and_front(
    storage: Storage, bounded: StudyDefinition, tmp_path: Path
) -> None:
    study = run_study(storage, bounded, FIRST)
    before = exported(storage, tmp_path).splitlines()[1:]
    front = study.front().numbers.tolist()
    assert again(storage, bounded, SLOW).broken == again(storage, bounded, FIRST["phone"]).mended > 0
    assert exported(storage, tmp_path).splitlines()[1:] == before
    assert study.front().numbers.tolist() == front


def test_a_viewer_is_told_of_every_changed_trial(storage: Storage, definition: StudyDefinition) -> None:
    study = run_study(storage, definition, FIRST)
    seen = study.change_seq
    again(storage, definition, SLOW)
    assert study.change_seq == seen + 1
    assert len(study.trials(changed_since=seen)) == 14


def test_a_device_that_the_study_did_not_have_is_added(storage: Storage, definition: StudyDefinition) -> None:
    study = run_study(storage, definition, FIRST)
    watch = device_table("watch")
    assert again(storage, definition, watch, "watch").before is None
    expected = predicted(definition, study, {"watch": watch})["latency_ms@watch"]
    assert study.trials().metrics["latency_ms@watch"].tolist() == expected
    assert tables_used(Study.open(storage, "s").settings)["watch"] == facts_of(watch)


def test_a_running_driver_is_not_disturbed(storage: Storage, definition: StudyDefinition) -> None:
    with open_study(storage, definition, FIRST) as study:
        trials = study.ask(2)
        with pytest.raises(StudyLocked, match="study 's' is being driven by process"):
            again(storage, definition, SLOW)
        study.tell(trials[0], {"accuracy": 1.0})
    again(storage, definition, SLOW)
    with pytest.raises(LeaseLost, match="taken over by another driver"):
        study.tell(trials[1], {"accuracy": 1.0})


def test_a_driver_cannot_begin_meanwhile(storage: Storage, definition: StudyDefinition) -> None:
    run_study(storage, definition, FIRST)
    lease = Lease(storage.database, "s")
    storage.database.write(lambda connection: lease.take(connection, Study.open(storage, "s").id))
    with pytest.raises(StudyLocked, match="study 's' is being driven"):
        open_study(storage, definition, FIRST)


def test_a_failure_on_the_way_changes_nothing(
    storage: Storage, definition: StudyDefinition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_study(storage, definition, FIRST)
    before = exported(storage, tmp_path)
    monkeypatch.setattr("search.recosting.read_history", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        again(storage, definition, SLOW)
    assert exported(storage, tmp_path) == before
    open_study(storage, definition, FIRST).close()


def test_one_that_is_killed_on_the_way_changes_nothing_and_may_be_run_again(
    definition: StudyDefinition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_storage(f"sqlite:///{tmp_path}/a.db") as storage:
        run_study(storage, definition, FIRST)
        before = exported(storage, tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr("search.recosting.read_history", lambda *_: os._exit(9))
            storage.close()
            in_child(lambda: again(storage, definition, SLOW))
        assert exported(storage, tmp_path) == before
        assert again(storage, definition, SLOW).changed == 14


def test_another_space_is_refused(storage: Storage, definition: StudyDefinition) -> None:
    run_study(storage, definition, FIRST)
    known = known_of(definition, {"phone": SLOW})
    with pytest.raises(SpaceChanged, match="study 's' is stored with another space"):
        recost(storage, "s", device="phone", space=SPACE, known=known, facts=facts_of(SLOW), algorithm=Random())


def extended(tmp_path: Path, algorithm: str, max_trials: int) -> StudyDefinition:
    return load_study_file(write_study(tmp_path), {"algorithm": algorithm, "max_trials": str(max_trials)})


def test_a_later_launch_goes_on_with_the_new_latencies(storage: Storage, tmp_path: Path) -> None:
    first = extended(tmp_path, "{'name': 'regularized_evolution', 'population': 6, 'tournament': 3}", 14)
    run_study(storage, first, FIRST)
    again(storage, first, SLOW)
    later = extended(tmp_path, "{'name': 'regularized_evolution', 'population': 6, 'tournament': 3}", 20)
    now = {**FIRST, "phone": SLOW}
    study = run_study(storage, later, now)
    table = study.trials()
    assert table.metrics["latency_ms@phone"].tolist() == predicted(later, study, now)["latency_ms@phone"]
    assert len(table) == 20
    assert study.front().numbers.tolist() == study.front(["accuracy", "latency_ms@phone"]).numbers.tolist()


EVOLUTION_LIKE = ("regularized_evolution", "truncation_evolution", "nsga2", "local_search", "hill_climb")


@pytest.mark.parametrize("name", [*EVOLUTION_LIKE, "reinforce", "ppo", "separate", "factorized"])
def test_a_resumed_algorithm_knows_the_scores_as_they_are_now(tmp_path: Path, name: str) -> None:
    definition = extended(tmp_path, name, 14)
    with open_storage(f"sqlite:///{tmp_path}/a.db") as storage:
        run_study(storage, definition, FIRST)
        again(storage, definition, SLOW)
        algorithm = extended(tmp_path, name, 14).algorithm
        with open_study(storage, extended(tmp_path, name, 24), {**FIRST, "phone": SLOW}) as study:
            state, proposed = study._algorithm.state(), study.ask(4)
        with storage.database.read() as connection:
            past = read_history(connection, study.id, study.objectives, (), definition.space.width, np.uint8)
    algorithm.start(Problem(definition.space, 2, definition.seed))
    if algorithm.learning_changes_state:
        algorithm.learn(past.results)
        learnt = {key: value for key, value in algorithm.state().items() if key not in ("random", "listing")}
        assert {key: state[key] for key in learnt} == learnt
    else:
        algorithm.restore(state, past.genotypes[:14], past.results)
        expected = algorithm.propose(4)
        assert [trial.genotype.tolist() for trial in proposed] == expected.tolist()


def test_unfinished_trials_are_run_with_the_new_latency(storage: Storage, definition: StudyDefinition) -> None:
    with open_study(storage, definition, FIRST) as study:
        study.put_back(study.ask(3), "interrupted")
    assert again(storage, definition, SLOW).trials == 0
    now = {**FIRST, "phone": SLOW}
    with open_study(storage, definition, now) as study:
        drive(study, definition)
        expected = predicted(definition, study, now)
    assert study.trials().metrics["latency_ms@phone"].tolist() == expected["latency_ms@phone"]


def test_a_launch_that_read_the_study_before_it_was_recosted_is_refused(
    storage: Storage, definition: StudyDefinition
) -> None:
    run_study(storage, definition, FIRST)
    again(storage, definition, SLOW)
    with pytest.raises(StudyChanged, match="study 's' was costed anew while this launch was being prepared"):
        Study.create_or_resume(
            storage, "s", definition.space, definition.algorithm, definition.objectives, max_trials=14,
            settings={"recosts": []},
        )  # fmt: skip


def test_an_exported_study_takes_all_its_table_versions_along(
    storage: Storage, definition: StudyDefinition, tmp_path: Path
) -> None:
    for table in (*FIRST.values(), SLOW, device_table("watch")):
        store(storage, table)
    run_study(storage, definition, FIRST)
    again(storage, definition, SLOW)
    text = exported(storage, tmp_path)
    with open_storage(f"sqlite:///{tmp_path}/other.db") as other:
        other.import_study(tmp_path / "s.jsonl")
        kept = {table.sha256 for table in other.latency_tables()}
        assert exported(other, tmp_path) == text
    assert kept == {facts_of(table)["sha256"] for table in (*FIRST.values(), SLOW)}
