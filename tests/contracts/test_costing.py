"""Every space's known metrics, listed or compiled, are what its operators cost, on several devices at once."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

import spaces
from hardware_models.counts import Counts
from search.costing.compiled import CompiledCosts
from search.costing.domain import Domain, NotCompilableError
from search.costing.listed import ListedCosts, listable
from search.costing.one_by_one import OneByOne
from search.costing.operator_costs import OperatorCosts
from search.costing.probe import Probe
from spaces.genotype import GenotypeSpace
from tests.search.costing.made_up import devices

MODELS = (Counts(), *devices(3))
MOST_DECODED = 20_000

ONE_BY_ONE = {"nasnet"}
"""Spaces that cannot be compiled: NASNet's output is as wide as the states are many that no block of a cell reads."""

OF_ARGUMENTS = {"diffrate", "lapp"}
"""Spaces of a model that is given: `tests/spaces/test_lapp.py` and
`tests/search/costing/test_keyed.py` cost them."""

SMALLER = {"elasticvit": {"variant": "small"}}
"""What is tried in place of a space that takes more: the released one takes 29,000."""


def space_of(name: str) -> GenotypeSpace | None:
    """Return the space that a module of `spaces` holds under its own name; None where there is none with operators."""
    function = getattr(importlib.import_module(f"spaces.{name}"), name, None)
    if not callable(function) or name in OF_ARGUMENTS:
        return None
    space = GenotypeSpace(function(**SMALLER.get(name, {})))
    return space if hasattr(space.decode(space.sample(1, np.random.default_rng(0))[0]), "ops") else None


NAMES = [module.name for module in pkgutil.iter_modules(spaces.__path__) if not module.name.startswith("_")]


def genotypes_of(space: GenotypeSpace) -> np.ndarray:
    rng, domain = np.random.default_rng(11), Domain(space)
    return np.concatenate([space.sample(40, rng), np.stack([domain.draw_active(rng) for _ in range(20)])])


def test_spaces_are_found() -> None:
    assert {"mbconv", "nasbench201", "hpobench", "nasnet", "darts"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_space_costs_what_its_operators_do(name: str) -> None:
    space = space_of(name)
    if space is None:
        pytest.skip(f"{name} has no operators")
    single, rows = OneByOne(space, MODELS), genotypes_of(space)
    expected = single.costs(rows)
    if listable(space):
        listed = ListedCosts(space, single)
        listed(rows[::2])
        assert listed(rows).tolist() == expected.tolist()
        return
    probe = Probe(space, single.ops, MODELS)
    probe.budget = MOST_DECODED
    if name in ONE_BY_ONE:
        with pytest.raises(NotCompilableError, match=r"cells for .* genotypes are too many"):
            CompiledCosts(Domain(space), probe, MODELS, single.costs)
        assert OperatorCosts(space, MODELS)(rows).tolist() == expected.tolist()
        return
    costs = CompiledCosts(Domain(space), probe, MODELS, single.costs)  # every other shipped space can be compiled
    np.testing.assert_allclose(costs(rows), expected, rtol=1e-9)
    costs.pack()
    np.testing.assert_allclose(costs(rows), expected, rtol=1e-9)
