"""PyGlove programs on the backend "sql": the interface of `pg.sample`, kept in a database."""

from __future__ import annotations

import math
import uuid
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest
from stored_study import make_study

import search.backend
from search.algorithms.random import Random
from search.backend import SqlBackend
from search.errors import SpaceChanged, StorageCorrupt, StudyChanged, StudyLocked, StudyNotFound
from search.storage import open_storage
from search.study_view import StudyView
from spaces.genotype import GenotypeSpace

SPACE = pg.Dict(x=pg.oneof([1, 2, 3]), y=pg.floatv(0.0, 1.0))
GRID = pg.Dict(x=pg.oneof([1, 2, 3]), y=pg.oneof([10, 20, 30]))


@pytest.fixture
def sampled(url: str) -> dict[str, str]:
    """The arguments that make `pg.sample` keep a study of its own."""
    return {"name": f"s-{uuid.uuid4().hex[:8]}", "backend": "sql", "storage": url}


def poll(sampled: dict[str, str]) -> Any:
    """Return the result of a sampling."""
    return pg.poll_result(sampled["name"], backend="sql", storage=sampled["storage"])


def sweep(sampled: dict[str, str], **options: Any) -> list[tuple[int, int]]:
    """Sample the grid in order, and return what was tried."""
    tried = []
    for example, feedback in pg.sample(GRID, pg.geno.Sweeping(), **{**sampled, **options}):
        tried.append((example.x, example.y))
        feedback(float(example.x * example.y))
    return tried


def test_the_backend_is_known_to_pyglove() -> None:
    assert "sql" in pg.tuning.available_backends()
    search.backend.register("sql-again")
    assert "sql-again" in pg.tuning.available_backends()


def test_a_loop_is_kept_trial_by_trial(sampled: dict[str, str]) -> None:
    assert sweep(sampled) == [(x, y) for x in (1, 2, 3) for y in (10, 20, 30)]
    result = poll(sampled)
    assert [trial.id for trial in result.trials] == list(range(1, 10))
    assert [trial.final_measurement.reward for trial in result.trials] == [10, 20, 30, 20, 40, 60, 30, 60, 90]
    assert (result.best_trial.id, result.best_trial.dna) == (9, pg.DNA([2, 2]))
    assert (result.is_active, StudyView(open_storage(sampled["storage"]), sampled["name"]).reason) == (
        False,
        "space exhausted",
    )


def test_a_result_is_formatted_as_pyglove_does(sampled: dict[str, str]) -> None:
    sweep(sampled, num_examples=2)
    text = str(poll(sampled))
    assert "'COMPLETED': '2/2'" in text
    assert "'reward': 20.0" in text


def test_a_larger_number_of_examples_goes_on_where_the_last_loop_ended(sampled: dict[str, str]) -> None:
    assert sweep(sampled, num_examples=4) == [(1, 10), (1, 20), (1, 30), (2, 10)]
    assert sweep(sampled, num_examples=4) == []
    assert sweep(sampled, num_examples=6) == [(2, 20), (2, 30)]


def test_metadata_and_links_are_kept(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=1, **sampled):
        feedback.set_metadata("seen", {"files": ["a", "b"], "shape": (3, 4)})
        feedback.set_metadata("note", "for all", per_trial=False)
        feedback.add_link("board", "http://board/1")
        assert feedback.get_metadata("seen") == {"files": ["a", "b"], "shape": (3, 4)}
        assert (feedback.get_metadata("note", per_trial=False), feedback.get_metadata("none")) == ("for all", None)
        feedback(1.0, metadata={"epochs": 3}, related_links={"log": "http://log/1"})
    trial = poll(sampled).trials[0]
    assert trial.metadata == {"epochs": 3, "seen": {"files": ["a", "b"], "shape": (3, 4)}}
    assert trial.related_links == {"board": "http://board/1", "log": "http://log/1"}
    assert poll(sampled).metadata == {"note": "for all"}


def test_metadata_that_would_have_to_be_made_an_object_of_is_refused(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=1, **sampled):
        with pytest.raises(ValueError, match=r"cannot be kept: expected numbers, texts, lists"):
            feedback.set_metadata("dna", pg.DNA([1, 2]))
        feedback.skip()


def test_a_skipped_trial_keeps_its_reason_and_is_not_fed_back(sampled: dict[str, str]) -> None:
    generator = pg.evolution.regularized_evolution(population_size=2, tournament_size=2)
    for _, feedback in pg.sample(SPACE, generator, num_examples=3, **sampled):
        feedback.skip("too large") if feedback.id == 2 else feedback(1.0)
    trial = poll(sampled).trials[1]
    assert (trial.status, trial.infeasible, trial.description) == ("COMPLETED", True, "too large")
    assert [trial.infeasible for trial in poll(sampled).trials] == [False, True, False]
    assert generator.num_feedbacks == 1


def test_exceptions_can_be_skipped(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=1, **sampled):
        with feedback.skip_on_exceptions((ZeroDivisionError,)):
            feedback(1 / 0)
    assert "ZeroDivisionError" in poll(sampled).trials[0].description


@pytest.mark.parametrize("reward", [math.nan, math.inf])
def test_a_reward_that_is_not_finite_fails_its_trial_and_no_other(sampled: dict[str, str], reward: float) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=2, **sampled):
        feedback(reward if feedback.id == 1 else 0.5)
    first, second = poll(sampled).trials
    assert (first.infeasible, first.description) == (True, f"metric 'reward' is {reward}: expected a finite number")
    assert second.final_measurement.reward == 0.5


def test_measurements_are_kept_with_step_time_and_checkpoint(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=1, **sampled):
        feedback.add_measurement(0.5, metrics={"loss": 2.0}, step=10, checkpoint_path="/c/10", elapse_secs=1.5)
        feedback.add_measurement(0.25, step=20, elapse_secs=3.0)
        assert feedback.checkpoint_to_warm_start_from == "/c/10"
        feedback.done()
    trial = poll(sampled).trials[0]
    assert [(m.step, m.reward, m.elapse_secs) for m in trial.measurements] == [(10, 0.5, 1.5), (20, 0.25, 3.0)]
    assert trial.measurements[0].metrics == {"loss": 2.0}
    assert trial.final_measurement.reward == 0.25


def test_done_needs_a_measurement(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=1, **sampled):
        with pytest.raises(ValueError, match="trial 1 has no measurement"):
            feedback.done()
        feedback(1.0)


def test_a_trial_is_given_again_until_it_is_done(sampled: dict[str, str]) -> None:
    seen = []
    for example, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=2, **sampled):
        seen.append((feedback.id, example.y))
        if len(seen) > 2:
            feedback(1.0)
    assert [number for number, _ in seen] == [1, 1, 1, 2]
    assert len({y for _, y in seen[:3]}) == 1


def test_what_comes_after_the_end_of_a_trial_is_not_accepted(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=1, **sampled):
        feedback(1.0)
        with pytest.raises(pg.tuning.RaceConditionError, match="trial 1 has ended"):
            feedback.add_measurement(2.0, step=1)
        with feedback.ignore_race_condition():
            feedback(3.0)
        feedback.skip("late")
    assert poll(sampled).trials[0].final_measurement.reward == 1.0


def test_a_group_works_on_one_trial_together(sampled: dict[str, str]) -> None:
    def loop(group: str) -> Any:
        return pg.sample(SPACE, generator, num_examples=2, group=group, **sampled)

    generator = pg.geno.Random(seed=1)
    (one, first), (two, second), (_, other) = next(loop("a")), next(loop("a")), next(loop("b"))
    assert (first.id, second.id, other.id) == (1, 1, 2)
    assert one == two
    first.set_metadata("half", 1)
    assert second.get_metadata("half") == 1
    second(0.5)
    assert first.status == "COMPLETED"


def test_ending_the_loop_ends_it_for_all(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), **sampled):
        feedback(1.0)
        if feedback.id == 3:
            feedback.end_loop()
    assert (len(poll(sampled).trials), poll(sampled).is_active) == (3, False)
    assert list(pg.sample(SPACE, pg.geno.Random(seed=1), **sampled)) == []


def test_a_request_to_stop_ends_the_loop(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), **sampled):
        feedback(1.0)
        if feedback.id == 2:
            open_storage(sampled["storage"]).request(sampled["name"], "stop")
    assert len(poll(sampled).trials) == 2


def test_several_metrics_make_a_front(sampled: dict[str, str]) -> None:
    for example, feedback in pg.sample(
        GRID, pg.evolution.nsga2(population_size=4), num_examples=20, metrics_to_optimize=["a", "b"], **sampled
    ):
        feedback((float(example.x), float(-example.x)))
    view = StudyView(open_storage(sampled["storage"]), sampled["name"])
    assert [(o.metric, o.direction) for o in view.objectives] == [("a", "maximize"), ("b", "maximize")]
    assert len(view.front()) == 20
    assert poll(sampled).trials[0].final_measurement.reward is None


def test_a_generator_for_one_metric_refuses_two(sampled: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="optimizes one objective, and there are 2"):
        next(pg.sample(GRID, pg.evolution.hill_climb(), metrics_to_optimize=["a", "b"], **sampled))


def test_our_algorithms_are_taken_by_instance_and_by_name(sampled: dict[str, str]) -> None:
    for algorithm in (Random(), "random"):
        for _, feedback in pg.sample(GRID, algorithm, num_examples=9, **sampled):
            feedback(1.0)
    assert len({str(trial.dna) for trial in poll(sampled).trials}) == 9
    with pytest.raises(ValueError, match="seed is -1: expected an integer from 0"):
        next(pg.sample(GRID, "random", seed=-1, **{**sampled, "name": "another"}))
    with pytest.raises(ValueError, match=r"algorithm is 3: expected a pg\.DNAGenerator"):
        next(pg.sample(GRID, 3, **{**sampled, "name": "another"}))


def test_an_early_stopping_policy_is_asked(sampled: dict[str, str]) -> None:
    policy = pg.early_stopping.early_stop_by_value([(1, 0.5)])()
    stopped = []
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), 3, policy, **sampled):
        assert not feedback.should_stop_early()
        feedback.add_measurement(0.3 * feedback.id, step=1)
        if feedback.should_stop_early():
            stopped.append(feedback.id)
            feedback.skip("hopeless")
        else:
            feedback.done()
    assert stopped == [1]


def test_a_broken_constraint_stops_a_trial(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(SPACE, "random", num_examples=1, constraints=["latency_ms <= 5"], **sampled):
        feedback.add_measurement(0.5, metrics={"latency_ms": 6.0})
        assert feedback.should_stop_early()
    assert poll(sampled).trials[0].description == "latency_ms is 6: expected latency_ms <= 5.0"


def test_a_reward_of_the_generators_own_needs_no_evaluation(sampled: dict[str, str]) -> None:
    inner = pg.evolution.regularized_evolution(population_size=4, tournament_size=2)
    generator = pg.geno.Deduping(inner, hash_fn=lambda dna: dna.value, auto_reward_fn=lambda past: past[0])
    tried = [feedback(float(x)) or x for x, feedback in pg.sample(pg.oneof([1, 2, 3]), generator, 30, **sampled)]
    skipped = [trial for trial in poll(sampled).trials if trial.metadata.get("client_evaluation_skipped")]
    assert sorted(tried) == [1, 2, 3]
    assert (len(skipped), len(poll(sampled).trials)) == (27, 30)


def test_another_space_or_algorithm_is_refused_while_the_loop_runs(sampled: dict[str, str]) -> None:
    loop = pg.sample(SPACE, pg.geno.Random(seed=1), **sampled)
    held = next(loop)
    with pytest.raises(StudyChanged, match="is being sampled with another space, algorithm or metrics"):
        next(pg.sample(GRID, pg.geno.Random(seed=1), **sampled))
    held[1](1.0)


def test_another_space_is_refused_later(sampled: dict[str, str]) -> None:
    sweep(sampled, num_examples=1)
    with pytest.raises(SpaceChanged, match="is stored with another space"):
        next(pg.sample(SPACE, pg.geno.Sweeping(), **sampled))


def test_a_study_that_has_a_driver_cannot_be_sampled(sampled: dict[str, str]) -> None:
    space = GenotypeSpace(pg.dna_spec(GRID))
    driver = make_study(
        open_storage(sampled["storage"]), sampled["name"], space=space, objectives={"reward": "maximize"}
    )
    with driver, pytest.raises(StudyLocked, match="is being driven by process"):
        next(pg.sample(GRID, Random(), **sampled))


def test_results_of_nothing_and_of_other_studies_are_refused(sampled: dict[str, str]) -> None:
    with pytest.raises(StudyNotFound, match="there is no study"):
        poll(sampled)
    make_study(open_storage(sampled["storage"]), sampled["name"]).close()
    with pytest.raises(StorageCorrupt, match=r"expected one of pg\.sample"):
        poll(sampled)


def test_a_sampling_without_a_name_is_kept_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCH_STORAGE", f"sqlite:///{tmp_path}/unnamed.db")
    for _, feedback in pg.sample(SPACE, pg.geno.Random(seed=1), num_examples=1, backend="sql"):
        feedback(1.0)
    (summary,) = open_storage(f"sqlite:///{tmp_path}/unnamed.db").studies()
    assert summary.name.startswith("unnamed-")


def test_a_traced_function_and_a_specification_can_be_sampled(sampled: dict[str, str]) -> None:
    def program() -> float:
        return float(pg.oneof([1, 2]) + sum(pg.manyof(2, [10, 20, 30])))

    for example, feedback in pg.sample(pg.hyper.trace(program), pg.geno.Sweeping(), num_examples=2, **sampled):
        with example():
            feedback(program())
    assert [trial.final_measurement.reward for trial in poll(sampled).trials] == [31.0, 41.0]
    for dna, feedback in pg.sample(pg.dna_spec(GRID), pg.geno.Sweeping(), 1, **{**sampled, "name": "spec"}):
        feedback(float(dna.children[0].value))


def test_the_class_is_what_is_registered() -> None:
    assert pg.tuning.backend.get_backend_cls("sql") is SqlBackend


def test_a_sampling_is_exported_and_imported_whole(sampled: dict[str, str], tmp_path: Path) -> None:
    generator = pg.evolution.regularized_evolution(population_size=4, tournament_size=2)
    for _, feedback in pg.sample(GRID, generator, num_examples=6, **sampled):
        feedback.set_metadata("all", [1, (2,)], per_trial=False)
        feedback.add_measurement(0.1, step=1, checkpoint_path="/c")
        feedback(1.0, step=2, metadata={"a": 1}, related_links={"log": "http://log"})
    storage = open_storage(sampled["storage"])
    storage.export_study(sampled["name"], tmp_path / "study.jsonl")
    storage.import_study(tmp_path / "study.jsonl", "copy")
    first, copy = poll(sampled), poll({**sampled, "name": "copy"})
    assert first.trials == copy.trials
    assert copy.metadata == {"all": [1, (2,)]}


def test_hostile_annotations_are_refused(sampled: dict[str, str], tmp_path: Path) -> None:
    sweep(sampled, num_examples=1)
    storage, file = open_storage(sampled["storage"]), tmp_path / "study.jsonl"
    storage.export_study(sampled["name"], file)
    for wrong in ('{"annotations": {"number": 7}}', '{"annotations": {"number": null, "metadata": {"a": "{"}}}'):
        file.write_text("\n".join([*file.read_text().splitlines()[:2], wrong]))
        with pytest.raises(ValueError, match=r"study\.jsonl, line 3: "):
            storage.import_study(file, "copy")


def test_a_study_that_is_being_sampled_is_neither_driven_nor_deleted(sampled: dict[str, str]) -> None:
    storage, space = open_storage(sampled["storage"]), GenotypeSpace(pg.dna_spec(GRID))
    _, feedback = next(pg.sample(GRID, Random(), **sampled))
    with pytest.raises(StudyLocked, match="is being driven by process"):
        make_study(storage, sampled["name"], space=space, objectives={"reward": "maximize"})
    with pytest.raises(StudyLocked, match="is being driven by process"):
        storage.delete(sampled["name"])
    feedback(1.0)
    storage.delete(sampled["name"])


def test_a_driver_goes_on_with_what_was_sampled(sampled: dict[str, str]) -> None:
    for _, feedback in pg.sample(GRID, Random(), num_examples=4, **sampled):
        feedback(1.0)
    storage, space = open_storage(sampled["storage"]), GenotypeSpace(pg.dna_spec(GRID))
    made = make_study(storage, sampled["name"], space=space, objectives={"reward": "maximize"}, max_trials=9)
    with made as study:
        while trials := study.ask(1):
            study.tell(trials[0], {"reward": 1.0})
    assert len(space.unique(StudyView(storage, sampled["name"]).trials().genotypes)) == 9
