"""Candidates that hold an architecture and its training: known metrics and coverage ask the architecture."""

from __future__ import annotations

import numpy as np
import pyglove as pg

from hardware_models.counts import Counts
from search.coverage import cover, ops_of
from search.known_metrics import KnownMetrics
from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import hyperparameters
from spaces.nasbench201 import nasbench201

ALONE = GenotypeSpace(nasbench201())
JOINT = GenotypeSpace(pg.Dict(architecture=nasbench201(), training=hyperparameters()))


def joined(cell: list[int]) -> np.ndarray:
    rows = JOINT.sample(1, np.random.default_rng(0))
    rows[:, :6] = cell
    return rows


def test_known_metrics_are_those_of_the_architecture() -> None:
    cell = [4, 2, 1, 2, 1, 1]
    alone, joint = KnownMetrics(ALONE, [Counts()]), KnownMetrics(JOINT, [Counts()])
    assert joint(joined(cell)).tolist() == alone(np.array([cell], np.uint8)).tolist()


def test_operators_are_those_of_the_architecture() -> None:
    cell = [3, 3, 3, 0, 0, 3]
    assert ops_of(JOINT, joined(cell)[0]) == ops_of(ALONE, np.array(cell, np.uint8))


def test_a_joint_space_has_no_operators_of_its_own() -> None:
    alone, joint = (set(cover(space, np.random.default_rng(0)).ops) for space in (ALONE, JOINT))
    assert joint == alone


class Doubled(pg.Object):  # type: ignore[misc]
    """A change of an architecture: it runs twice."""

    times: int

    def applied_to(self, architecture: object) -> pg.Dict:
        return pg.Dict(ops=lambda: list(architecture.ops()) * self.times)  # type: ignore[attr-defined]


def test_what_changes_an_architecture_is_applied_and_costed() -> None:
    changes = pg.oneof([None, Doubled(times=2), Doubled(times=pg.oneof([3, 4]))])
    space = GenotypeSpace(pg.Dict(training=pg.oneof([1, 2, 3]), architecture=nasbench201(), again=changes))
    rows = np.array([[2, 4, 2, 1, 2, 1, 1, choice, times] for choice, times in ((0, 0), (1, 0), (2, 1))], space.dtype)
    once, twice, four = KnownMetrics(space, [Counts(("macs",))])(rows)[:, 0]
    assert (twice, four) == (2 * once, 4 * once)
