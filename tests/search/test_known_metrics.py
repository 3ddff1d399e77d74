"""Known metrics: computed once for a genotype, asked by the algorithm, kept with the trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyglove as pg
import pytest
from stored_study import make_study

from hardware_models._base import GenotypeModel
from hardware_models.counts import Counts
from hardware_models.op import Op, linear
from search.known_metrics import KnownMetrics, known_scores
from search.objectives import parse_constraints, parse_objectives
from search.storage import open_storage
from search.study import Study
from spaces.genotype import GenotypeSpace


class Perceptron(pg.Object):  # type: ignore[misc]
    """A candidate of one hidden layer."""

    hidden: int

    def ops(self) -> tuple[Op, ...]:
        """Return its operators."""
        return linear((8,), self.hidden, bias=False), linear((self.hidden,), 2, bias=False)


class Slow:
    """A hardware model that counts its calls, and gives what no operator has."""

    metrics: ClassVar[tuple[str, ...]] = ("latency_ms",)

    def __init__(self, latency_ms: float = 1.0) -> None:
        self.calls, self.latency_ms = 0, latency_ms

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        self.calls += 1
        return {"latency_ms": self.latency_ms * len(ops)}


SPACE = GenotypeSpace(Perceptron(hidden=pg.oneof([4, 8, 16, 32])))
ALL = SPACE.enumerate(0, 4)


def test_metrics_come_in_the_order_of_the_models() -> None:
    known = KnownMetrics(SPACE, [Counts(), Slow()])
    assert known.names == ("macs", "params", "latency_ms")
    assert known(ALL).tolist() == [[40.0, 40.0, 2.0], [80.0, 80.0, 2.0], [160.0, 160.0, 2.0], [320.0, 320.0, 2.0]]
    assert known(ALL[:0]).shape == (0, 3)


def test_a_genotype_is_costed_once() -> None:
    slow = Slow()
    known = KnownMetrics(SPACE, [slow])
    known(ALL[[0, 1, 0]])
    known(ALL[[1, 1]])
    assert slow.calls == 2


class Learnt:
    """A hardware model of genotypes, which needs no operators."""

    metrics: ClassVar[tuple[str, ...]] = ("energy_mj", "latency_ms@watch")

    def costs(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the choice, and its square."""
        return np.stack([genotypes[:, 0], genotypes[:, 0] ** 2.0], axis=1)


def test_models_of_genotypes_and_of_operators_stand_side_by_side() -> None:
    assert isinstance(Learnt(), GenotypeModel)
    known = KnownMetrics(SPACE, [Slow(), Learnt(), Counts()])
    assert known.names == ("latency_ms", "energy_mj", "latency_ms@watch", "macs", "params")
    assert known(ALL)[2:].tolist() == [[2.0, 2.0, 4.0, 160.0, 160.0], [2.0, 3.0, 9.0, 320.0, 320.0]]


def test_models_of_genotypes_alone_decode_nothing() -> None:
    space = GenotypeSpace(pg.List([pg.oneof([1, 2, 3])]))  # its candidates have no operators
    assert KnownMetrics(space, [Learnt()])(space.enumerate(0, 3)).tolist() == [[0.0, 0.0], [1.0, 1.0], [2.0, 4.0]]


def test_a_value_that_is_not_of_the_space_is_refused() -> None:
    known = KnownMetrics(SPACE, [Counts()])
    with pytest.raises(ValueError, match=r"genotype \[4\]: hidden is 4, expected 0 to 3"):
        known(np.array([[4]], np.uint8))
    with pytest.raises(ValueError, match=r"genotypes must have shape \(n, 1\), got \(4,\)"):
        known(ALL[:, 0])


def test_scores_and_violations_are_of_what_is_known() -> None:
    objectives = parse_objectives({"accuracy": "maximize", "params": "minimize"})
    score = known_scores(KnownMetrics(SPACE, [Counts()]), objectives, parse_constraints(["macs <= 160"]))
    assert score is not None
    scores, violations = score(ALL)
    assert np.isnan(scores[:, 0]).all()
    assert scores[:, 1].tolist() == [-40.0, -80.0, -160.0, -320.0]
    assert violations.tolist() == [0.0, 0.0, 0.0, 1.0]


def test_known_metrics_that_nothing_is_asked_of_do_not_reach_the_algorithm() -> None:
    assert known_scores(KnownMetrics(SPACE, [Counts()]), parse_objectives({"accuracy": "max"}), ()) is None


def test_trials_meet_known_constraints_and_keep_their_metrics(tmp_path: Path) -> None:
    objectives = {"accuracy": "maximize", "params": "minimize"}
    with open_storage(f"sqlite:///{tmp_path}/a.db") as storage:
        known = KnownMetrics(SPACE, [Counts()])
        given = {"space": SPACE, "objectives": objectives, "constraints": ["macs <= 160"], "known": known}
        with make_study(storage, max_trials=9, **given) as study:
            trials = study.ask(9)
            for trial in trials:
                study.tell(trial, {"accuracy": 1.0})
        table = Study.open(storage, "s").trials()
    assert sorted(trial.known["macs"] for trial in trials) == sorted(table.metrics["macs"]) == [40.0, 80.0, 160.0]
    assert set(table.states) == {"COMPLETED"}


def test_a_metric_of_two_models_is_refused() -> None:
    with pytest.raises(ValueError, match=r"metric 'latency_ms' is given by two hardware models; name them apart"):
        KnownMetrics(SPACE, [Slow(), Slow()])


def test_a_model_that_gives_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hardware models gave \{'latency_ms': nan\}: expected finite numbers"):
        KnownMetrics(SPACE, [Slow(float("nan"))])(ALL)


def test_candidates_without_operators_are_refused_with_what_to_do() -> None:
    known = KnownMetrics(GenotypeSpace(pg.Dict(width=pg.oneof([4, 8]))), [Counts()])
    with pytest.raises(ValueError, match=r"candidates with a method ops\(\), and Dict has none: give its class one"):
        known(np.zeros((1, 1), np.uint8))


def test_a_model_that_gives_other_metrics_than_it_says_is_named() -> None:
    slow = Slow()
    slow.metrics = ("energy_mj",)  # type: ignore[misc]
    with pytest.raises(ValueError, match="hardware model Slow gave latency_ms: expected its metrics, energy_mj"):
        KnownMetrics(SPACE, [Counts(), slow])(ALL)
