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
