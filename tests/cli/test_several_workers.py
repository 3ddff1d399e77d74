"""Launches whose supernet two workers train: on two nodes of Ray and serial, killed, and where there is no room."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import ray
from drivers import ENVIRONMENT, ROOT, rows
from prepared_study import ended, wait_until
from ray.cluster_utils import Cluster
from several_workers import Training

from search.launchers._base import LauncherError
from search.launchers.cluster import Demand, Room
from search.launchers.ray import RayLauncher
from search.launchers.ray_preparing import prepare_on_ray

STUDY = '''"""Which of nine networks reads digits best with the weights of a supernet that two workers train?"""
import os, time
from dataclasses import dataclass

from evaluators.inherited_accuracy import InheritedAccuracy
from evaluators.nested_supernet import NestedSupernet
from small_nested import small_nested

pause_s = 0.0


@dataclass(frozen=True, kw_only=True)
class Noted(NestedSupernet):
    """Notes in `done` which process of which rank has done which epoch."""

    def __call__(self, job):
        for step in super().__call__(job):
            with open(job.folder.parent / "done", "a") as done:
                done.write(f"{job.member.rank} {os.getpid()} {step.share:.2f}\\n")
            time.sleep(pause_s)
            yield step


space = small_nested()
preparations = [Noted(epochs=4, batch=256, workers=2)]
evaluator = InheritedAccuracy()
objectives = {"accuracy": "maximize"}
max_trials = 2
'''


def arguments(folder: Path, *options: str) -> list[str]:
    (folder / "pair.py").write_text(STUDY)
    return ["launch", str(folder / "pair.py"), "--storage", f"sqlite:///{folder}/search.db", *options]


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    tokens = {name: value for name, value in os.environ.items() if name == "RAY_AUTH_MODE"}  # set by a local Ray before
    command = [sys.executable, "-m", "search", *arguments(folder, *options)]
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT | paths | tokens, stderr=subprocess.PIPE, text=True)


def done(folder: Path) -> list[tuple[int, int, float]]:
    path = folder / "runs" / "preparations" / "done"
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [(int(rank), int(process), float(share)) for rank, process, share in lines]


def losses(folder: Path) -> list[tuple[object, ...]]:
    query = "SELECT step, value FROM preparation_measurements WHERE name = 'loss_largest' ORDER BY step"
    return rows(f"sqlite:///{folder}/search.db", query)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    node = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=node)
    try:
        nodes.add_node(num_cpus=1, object_store_memory=100_000_000)
        yield nodes.address
    finally:
        ray.shutdown()
        nodes.shutdown()


@pytest.mark.ray
@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_on_two_nodes_and_serial_a_killed_training_comes_to_the_same_losses(address: str, tmp_path: Path) -> None:
    on_ray, serial = tmp_path / "ray", tmp_path / "serial"
    on_ray.mkdir()
    serial.mkdir()
    driver = start(on_ray, "--launcher", "ray", "--address", address, "--set", "pause_s=1.0")
    wait_until(lambda: driver.poll() is not None or any(rank == 1 for rank, *_ in done(on_ray)), 240)
    assert driver.poll() is None, ended(driver)[1]
    os.kill(next(process for rank, process, _ in done(on_ray) if rank == 1), signal.SIGKILL)
    assert ended(driver)[0] == 0
    assert len({process for rank, process, _ in done(on_ray) if rank == 1}) == 2
    driver = start(serial, "--launcher", "serial", "--set", "pause_s=1.0")
    wait_until(lambda: losses(serial), 240)
    driver.kill()
    driver.communicate()
    wait_until(lambda: not any(alive(process) for _, process, _ in done(serial)), 60)
    code, err = ended(start(serial, "--launcher", "serial"))
    assert (code, "going on at" in err) == (0, True), err
    assert len(losses(serial)) == 4
    assert losses(on_ray) == losses(serial)


@pytest.mark.ray
def test_a_cluster_that_has_no_room_in_time_is_told(address: str, tmp_path: Path) -> None:
    launcher = RayLauncher(workers=3, address=address, start_timeout_s=1.0)
    message = "no room for 3 workers of 1 CPUs within 1 s; is the cluster busy"
    with (
        closing(launcher.prepare([Training(str(tmp_path), workers=3)], lambda: None)) as events,  # type: ignore[type-var]
        pytest.raises(LauncherError, match=message),
    ):
        list(events)


@pytest.mark.parametrize(
    ("demand", "room", "message"),
    [
        (
            Demand(),
            1,
            "a preparation of 2 workers, each of 1 CPUs, needs them all at once, and there are 1: launch with",
        ),
        (Demand(1, 0.5), 2, "workers that train together need a GPU each: gpus_per_worker is 0.5, not 1"),
    ],
)
def test_a_cluster_without_room_for_all_is_told_at_once(
    demand: Demand, room: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(LauncherError, match=message):
        next(prepare_on_ray([Training(str(tmp_path))], lambda: None, Room(room, {}), demand, 60.0))
