"""The pool of networks that a new device is learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyglove as pg
import pytest

from hardware_models.imported_table import plain_entry
from hardware_models.latency_table import LatencyTable
from hardware_models.learned_table import LearnedTable
from hardware_models.listed_table import ListedTable
from hardware_models.op import elementwise
from hardware_models.space_identity import identity_of
from search.device_pool import device_pool
from spaces.genotype import GenotypeSpace
from tests.hardware_models.genotype_tables import ORIGIN
from tests.hardware_models.tables import PROVENANCE


class Tower(pg.Object):
    layers: list[int]

    def ops(self):  # type: ignore[no-untyped-def]
        return tuple(elementwise("relu", (size,)) for size in self.layers)


def tower(decisions: int, choices: int = 3) -> GenotypeSpace:
    return GenotypeSpace(Tower(layers=[pg.oneof(list(range(1, choices + 1))) for _ in range(decisions)]))


def learned(space: GenotypeSpace, seed: int, device: str = "phone") -> LearnedTable:
    rng = np.random.default_rng(seed)
    identity = identity_of(space, "tower")
    costs = np.sort(rng.uniform(0.5, 3.0, len(identity.choices[0])))
    origin = replace(ORIGIN, device=device)
    return LearnedTable(identity, origin, 4.0, (tuple(costs.tolist()),) * identity.width)


def test_a_new_device_of_a_small_space_is_listed():
    space = tower(5)
    truth = learned(space, 9)
    pool = device_pool(space, "tower", [("a", learned(space, 1)), ("b", learned(space, 2))])
    rows = pool.suggest(8)
    model = pool.onboard(rows, truth.costs(rows)[:, 0], ORIGIN)
    assert isinstance(model, ListedTable)
    assert (model.origin.method, model.origin.networks) == ("onboarded", 8)
    assert model.latencies_ms == pytest.approx(truth.costs(pool.genotypes)[:, 0], rel=0.03)
    assert model.validation is not None


def test_of_a_large_space_a_table_is_learnt():
    space = tower(14)
    truth = learned(space, 9)
    rows = space.sample(10, np.random.default_rng(3)).astype(np.int64)
    pool = device_pool(space, "tower", [("a", learned(space, 1)), ("b", learned(space, 2))], rows)
    model = pool.onboard(rows, truth.costs(rows)[:, 0], ORIGIN)
    assert isinstance(model, LearnedTable)
    assert (model.origin.method, model.origin.networks) == ("onboarded", 10)
    others = space.sample(100, np.random.default_rng(4))
    assert model.costs(others) == pytest.approx(truth.costs(others), rel=0.05)


def test_a_table_of_operators_is_known_where_it_holds_them_all():
    space = tower(3)
    full = LatencyTable({elementwise("relu", (size,)): plain_entry(size) for size in (1, 2, 3)}, PROVENANCE)
    part = LatencyTable({elementwise("relu", (1,)): plain_entry(1.0)}, PROVENANCE)
    pool = device_pool(space, "tower", [("full", full), ("part", part)])
    assert list(pool.models) == ["full"]
    assert pool.knowledge.known[:, 0].tolist() == pytest.approx(((pool.genotypes + 1).sum(axis=1) / 6).tolist())


def test_models_of_other_spaces_and_onboarded_ones_are_left_out():
    space, other = tower(3), learned(tower(4), 1)
    derived = replace(learned(space, 1), origin=replace(ORIGIN, method="onboarded"))
    twice = [("mine", other), ("mine", learned(space, 2)), ("mine", learned(space, 3))]
    pool = device_pool(space, "tower", [("other", other), ("derived", derived), *twice])
    assert list(pool.models) == ["mine"]
    assert pool.models["mine"] == learned(space, 2)


def test_nothing_known_is_refused():
    with pytest.raises(ValueError, match="no other device is known for the space tower: import one"):
        device_pool(tower(3), "tower", [("other", learned(tower(4), 1))])
