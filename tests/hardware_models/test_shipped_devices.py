"""The models that come with the project fit the spaces that come with it."""

from __future__ import annotations

from importlib import import_module

import pytest

from hardware_models.documents import load_model
from hardware_models.latency_table import LatencyTable
from hardware_models.shipped_devices import shipped_documents
from spaces.genotype import GenotypeSpace

MODELS = [model for model in map(load_model, shipped_documents()) if not isinstance(model, LatencyTable)]


def test_there_are_twenty_settings():
    assert len({model.origin.device for model in MODELS}) == 20


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.origin.device)
def test_a_model_is_of_the_space_as_it_is_now(model):  # type: ignore[no-untyped-def]
    module = import_module(f"spaces.{model.space.name}")
    space = GenotypeSpace(getattr(module, model.space.name)())
    model.space.check(space)
    assert model.costs(space.enumerate(0, 15_625)).min() > 0
    assert model.validation.networks == 15625
