"""A trial whose decisions are more than a network's: what is drawn is the network as the others change it."""

from __future__ import annotations

from pathlib import Path

from hardware_models.counts import macs
from search.algorithms.random import Random
from search.cli.programs import StudyPrograms
from search.dashboard.security import Access
from search.dashboard.store import Store
from search.objectives import parse_objectives
from search.storage import open_storage
from search.study import Study
from search.study_file import load_study_file
from tests.dashboard.asking import Asking


def test_a_pruned_network_is_drawn_pruned(tmp_path: Path) -> None:
    url, space = f"sqlite:///{tmp_path}/search.db", load_study_file("digits_pruned").space
    with open_storage(url) as storage:
        aims = parse_objectives({"accuracy": "maximize"})
        study = Study.create_or_resume(
            storage, "joint", space, Random(), aims, max_trials=1, settings={"study": "digits_pruned"}
        )
        given = study.ask(1)[0]
        study.tell(given, {"accuracy": 1.0})
        study.close()
    candidate = space.decode(given.genotype)
    pruned = candidate.pruning.applied_to(candidate.architecture)
    store = Store(url, programs=StudyPrograms())
    layers = Asking(store, Access()).json("/studies/joint/trials/0")["network"]["layers"]
    store.close()
    assert sum(layer["repeats"] * (layer["macs"] or 0) for layer in layers) == macs(pruned.ops())
    assert macs(pruned.ops()) != macs(candidate.architecture.ops())
