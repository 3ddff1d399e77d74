"""The launch command as a Ray job on a cluster with token authentication; submitted again, it goes on where it was."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from drivers import ROOT, command, durable, executions

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]

RAY = Path(sys.executable).with_name("ray")
TOKEN = "a-token-of-at-least-thirty-two-letters"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Start a head node; yield the environment in which its jobs are submitted."""
    environment = os.environ | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
    }
    dashboard = free_port()
    start = ["start", "--head", "--block", f"--port={free_port()}", f"--dashboard-port={dashboard}", "--num-cpus=2"]
    settings = ["--object-store-memory=100000000", "--disable-usage-stats", "--dashboard-host=127.0.0.1"]
    settings += [f"--dashboard-agent-listen-port={free_port()}", "--include-dashboard=true"]
    log = (tmp_path / "head.txt").open("wb")
    head = subprocess.Popen([RAY, *start, *settings], env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield environment | {"RAY_ADDRESS": f"http://127.0.0.1:{dashboard}"}
    finally:
        os.killpg(head.pid, signal.SIGTERM)
        head.wait()


def submit(environment: dict[str, str], entrypoint: list[str]) -> str:
    """Submit a job as soon as the cluster takes one, wait for its end, and return what it printed."""
    arguments = [RAY, "job", "submit", "--", *entrypoint]
    deadline = time.monotonic() + 120
    while True:
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False, timeout=240)
        starting = "No available agent" in done.stderr or "Failed to connect" in done.stderr
        if not starting or time.monotonic() > deadline:
            break
        time.sleep(1)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_job_submitted_again_goes_on_where_it_was(tmp_path: Path, cluster: dict[str, str]) -> None:
    url = f"sqlite:///{tmp_path}/search.db"
    for budget in (20, 50):
        submit(cluster, command(tmp_path, url, "--max-trials", str(budget)))
        assert durable(url) == set(range(budget))
    assert set(executions(tmp_path).values()) == {1}
