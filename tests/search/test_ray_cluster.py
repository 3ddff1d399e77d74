"""Joining and starting Ray clusters, and losing a node of one."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import ray
from launched_study import LaunchedStudy
from ray.cluster_utils import Cluster

from search.launchers._base import LauncherError
from search.launchers.cluster import OBJECT_STORE_BYTES, Demand, cluster, worker_environment
from search.launchers.ray import RayLauncher

pytestmark = pytest.mark.ray


@contextlib.contextmanager
def two_nodes(cpus: int = 1) -> Iterator[Cluster]:
    """A cluster of a node of one CPU and one of `cpus`."""
    node = {"num_cpus": 1, "object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=node)
    try:
        nodes.add_node(num_cpus=cpus, object_store_memory=OBJECT_STORE_BYTES)
        yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()


@pytest.mark.faults
def test_a_lost_node_costs_nothing_but_time(tmp_path: Path) -> None:
    launched = LaunchedStudy(tmp_path, "time.sleep(0.3)\nyield {'x': number}", max_trials=30)
    with two_nodes() as nodes, contextlib.closing(launched):
        lost = list(nodes.worker_nodes)

        def lose_a_node(study: Any) -> None:
            if lost and study.counts()["COMPLETED"] >= 6:
                nodes.remove_node(lost.pop(), allow_graceful=False)

        launcher = RayLauncher(workers=2, address=nodes.address)
        assert launcher.run(launched.study, launched.recipe, lambda: None, lose_a_node) == "budget reached"
    assert not lost
    assert launched.states() == ["COMPLETED"] * 30
    assert sorted(launched.attempts())[-2:] == [1, 2]


@pytest.mark.faults
def test_a_study_without_any_worker_ends_after_a_while_and_goes_on_with_one(tmp_path: Path) -> None:
    launched = LaunchedStudy(tmp_path, "time.sleep(0.3)\nyield {'x': number}", max_trials=12)
    with two_nodes(cpus=2) as nodes, contextlib.closing(launched):
        lost = list(nodes.worker_nodes)

        def lose_the_node(study: Any) -> None:
            if lost and study.counts()["COMPLETED"] >= 4:
                nodes.remove_node(lost.pop(), allow_graceful=False)

        launcher = RayLauncher(workers=1, cpus_per_worker=2, address=nodes.address, start_timeout_s=3.0)
        with pytest.raises(LauncherError, match="no worker of 2 CPUs was there for 3 s"):
            launcher.run(launched.study, launched.recipe, lambda: None, lose_the_node)
        nodes.add_node(num_cpus=2, object_store_memory=OBJECT_STORE_BYTES)
        launcher = RayLauncher(workers=1, cpus_per_worker=2, address=nodes.address)
        assert launcher.run(launched.study, launched.recipe, lambda: None) == "budget reached"
    assert launched.states() == ["COMPLETED"] * 12
    assert sorted(launched.attempts())[-2:] == [1, 2]


def test_a_cluster_of_our_own_ends_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    launched = LaunchedStudy(tmp_path, "yield {'x': float(os.environ['OMP_NUM_THREADS'])}")
    with contextlib.closing(launched):
        assert launched.run(RayLauncher(workers=1)) == "budget reached"
        assert launched.study.trials().metrics["x"].tolist() == [1.0] * 6
    assert not ray.is_initialized()
    assert os.environ["OMP_NUM_THREADS"] == "7"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "nothing answers at '127.0.0.1:1' .*ray start --head"),
        ("ray://127.0.0.1:1", "nothing answers at 'ray://127.0.0.1:1'"),
        ("no-such-host.invalid:6379", "nothing answers at 'no-such-host.invalid:6379'"),
        ("http://127.0.0.1:8265", "is where jobs are submitted"),
        ("head", "address 'head' is not one; expected 'HEAD:6379', 'ray://HEAD:10001' or 'auto'"),
        ("head:99999", "address 'head:99999' is not one"),
    ],
)
def test_an_address_that_does_not_answer_is_refused_soon(address: str, message: str) -> None:
    began = time.monotonic()
    with pytest.raises(LauncherError, match=message), cluster(address, None, Demand()):
        pass
    assert time.monotonic() - began < 15


def test_a_server_that_says_nothing_is_refused_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(LauncherError, match=f"nothing answers at '{address}' "), cluster(address, None, Demand()):
            pass
    assert time.monotonic() - began < 15


def test_a_server_of_another_kind_is_refused() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        wrong = f"what answers at '{address}' is not Ray"
        with pytest.raises(LauncherError, match=wrong), cluster(address, None, Demand()):
            pass


def test_a_cluster_that_cannot_be_joined_is_told_with_what_may_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def unauthenticated(**_: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster")

    monkeypatch.setattr(ray, "init", unauthenticated)
    wrong = (
        "'auto' cannot be joined: Failed to connect to Ray cluster; are RAY_AUTH_MODE and RAY_AUTH_TOKEN those of its"
    )
    with pytest.raises(LauncherError, match=wrong), cluster("auto", None, Demand()):
        pass


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(LauncherError, match=r"nothing answers at '127.0.0.1:1'"), cluster(None, None, Demand()):
        pass


def test_a_node_holds_what_both_cpus_and_gpus_allow() -> None:
    assert Demand(0.5).fit({"CPU": 2.0}) == 4
    assert Demand(1, 0.25).fit({"CPU": 16.0, "GPU": 1.0}) == 4
    assert Demand(1, 0.25).fit({"CPU": 2.0, "GPU": 1.0}) == 2
    assert Demand(1, 1).fit({"CPU": 2.0}) == 0


def test_workers_import_from_where_this_process_does() -> None:
    environment = worker_environment(Demand(2.0))
    assert environment["OMP_NUM_THREADS"] == "2"
    assert str(Path(ray.__file__).parents[1]) not in environment["PYTHONPATH"].split(":")
