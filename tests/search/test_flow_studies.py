"""The shipped studies of the PyGlove paper's search flows: what they propose, on any launcher, killed or not."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from drivers import ENVIRONMENT, durable, table

from search.cli.application import application
from search.storage import open_storage
from search.study_view import StudyView

TRAINING = [2, 5, 6]
NETWORK = [0, 1, 3, 4, 7, 8]
DEFAULT = [2, 1, 1]
"""Batches of 32, a learning rate of 0.001, kept constant."""


def launch(folder: Path, study: str, trials: int, *options: str) -> tuple[str, np.ndarray]:
    """Launch a study in this process; return its storage and the genotypes of its trials, all of them completed."""
    url = f"sqlite:///{folder}/search.db"
    arguments = ("launch", study, "--storage", url, "--max-trials", str(trials), *options)
    done = CliRunner().invoke(application, arguments)
    assert done.exit_code == 0, done.output
    with open_storage(url) as storage:
        trials_ = StudyView(storage, study).trials()
    assert set(trials_.states.tolist()) == {"COMPLETED"}
    return url, trials_.genotypes


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_joint_search_changes_both(tmp_path: Path) -> None:
    _, genotypes = launch(tmp_path, "flow_joint", 40, "--launcher", "serial")
    assert len(np.unique(genotypes[:, NETWORK], axis=0)) > 5
    assert len(np.unique(genotypes[:, TRAINING], axis=0)) > 5


def test_separate_search_holds_the_default_training_and_then_the_best_network(tmp_path: Path) -> None:
    url, genotypes = launch(tmp_path, "flow_separate", 20, "--launcher", "serial", "--set", "trials=10")
    with open_storage(url) as storage:
        losses = StudyView(storage, "flow_separate").trials().metrics["loss"]
    assert (genotypes[:10, TRAINING] == DEFAULT).all()
    assert (genotypes[10:, NETWORK] == genotypes[losses[:10].argmin(), NETWORK]).all()


def test_factorized_search_trains_each_network_in_several_ways(tmp_path: Path) -> None:
    _, genotypes = launch(tmp_path, "flow_factorized", 12, "--launcher", "serial", "--set", "trials=3")
    networks, counts = np.unique(genotypes[:, NETWORK], axis=0, return_counts=True)
    assert counts.tolist() == [3] * 4
    assert (genotypes[:, NETWORK].reshape(4, 3, 6) == genotypes[::3, None, NETWORK]).all()
    assert sorted(networks.tolist()) == sorted(genotypes[::3, NETWORK].tolist())


@pytest.mark.parametrize("study", ["flow_joint", "flow_separate", "flow_factorized"])
def test_a_study_that_was_ended_early_goes_on_as_if_it_had_not_been(tmp_path: Path, study: str) -> None:
    options = () if study == "flow_joint" else ("--set", "trials=4")
    for folder, budgets in (("whole", (30,)), ("parts", (7, 18, 30))):
        (tmp_path / folder).mkdir()
        for budget in budgets:
            url, _ = launch(tmp_path / folder, study, budget, "--launcher", "serial", *options)
    assert len(table(url)) == 90
    assert table(url) == table(f"sqlite:///{tmp_path}/whole/search.db")


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("study", ["flow_separate", "flow_factorized"])
def test_a_killed_driver_loses_nothing_and_changes_nothing(tmp_path: Path, study: str) -> None:
    (tmp_path / "whole").mkdir()
    options = ("--launcher", "serial", "--set", "trials=20")
    whole, _ = launch(tmp_path / "whole", study, 150, *options)
    url = f"sqlite:///{tmp_path}/search.db"
    command = [sys.executable, "-m", "search", "launch", study, "--storage", url, "--max-trials", "150", *options]
    for least in (10, 60):
        driver = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while len(durable(url)) < least and driver.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert driver.poll() is None, "the study had ended before the driver was killed"
        driver.kill()
        driver.wait()
    assert 60 <= len(durable(url)) < 150
    assert subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False).returncode == 0
    assert table(url) == table(whole)


@pytest.mark.ray
@pytest.mark.slow
def test_on_ray_each_network_has_its_trials(tmp_path: Path) -> None:
    options = ("--launcher", "ray", "--workers", "2", "--set", "trials=3")
    _, genotypes = launch(tmp_path, "flow_factorized", 24, *options)
    assert np.unique(genotypes[:, NETWORK], axis=0, return_counts=True)[1].tolist() == [3] * 8
