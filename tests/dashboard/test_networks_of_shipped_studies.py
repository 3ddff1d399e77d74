"""Networks of shipped studies as a trial's page draws them: as the other decisions change them, with estimates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware_models.counts import macs
from search.algorithms.random import Random
from search.cli.programs import StudyPrograms
from search.dashboard.security import Access
from search.dashboard.store import Store
from search.known_metrics import KnownMetrics
from search.objectives import parse_objectives
from search.storage import open_storage
from search.study import Study
from search.study_file import load_study_file
from tests.dashboard.asking import Asking


def drawn(folder: Path, name: str, **overrides: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the genotype of a shipped study's one random trial, and its network as the API gives it."""
    url, space = f"sqlite:///{folder}/search.db", load_study_file(name, overrides).space
    settings = {"study": name, "overrides": overrides}
    with open_storage(url) as storage:
        aims = parse_objectives({"accuracy": "maximize"})
        study = Study.create_or_resume(storage, name, space, Random(), aims, max_trials=1, settings=settings)
        given = study.ask(1)[0]
        study.tell(given, {"accuracy": 1.0})
        study.close()
    store = Store(url, programs=StudyPrograms())
    network = Asking(store, Access()).json(f"/studies/{name}/trials/0")["network"]
    store.close()
    return given.genotype, network


def test_a_pruned_network_is_drawn_pruned(tmp_path: Path) -> None:
    genotype, network = drawn(tmp_path, "digits_pruned")
    candidate = load_study_file("digits_pruned").space.decode(genotype)
    pruned = candidate.pruning.applied_to(candidate.architecture)
    assert sum(layer["repeats"] * (layer["macs"] or 0) for layer in network["layers"]) == macs(pruned.ops())
    assert macs(pruned.ops()) != macs(candidate.architecture.ops())


def test_numbers_that_were_set_are_set_again(tmp_path: Path) -> None:
    genotype, network = drawn(tmp_path, "digits_joint", epochs="2", max_trials="8", launcher="'serial'")
    candidate = load_study_file("digits_joint", {"epochs": "2"}).space.decode(genotype)
    layers = [layer["repeats"] * (layer["macs"] or 0) for layer in network["layers"]]
    assert sum(layers) == macs(candidate["architecture"].ops()) > 0


def test_estimated_latencies_are_told_by_layer(tmp_path: Path) -> None:
    genotype, network = drawn(tmp_path, "elasticvit")
    study = load_study_file("elasticvit")
    known = KnownMetrics(study.space, study.hardware_models)
    costs = dict(zip(known.names, known(genotype[None])[0], strict=True))
    estimated = [metric for metric in costs if metric.endswith("-estimated")]
    assert list(network["latency"]) == estimated
    assert len(estimated) == 4
    for metric in estimated:
        layers = [layer["repeats"] * layer["latency"][metric] for layer in network["layers"]]
        assert sum(layers) == pytest.approx(costs[metric])
