"""What the dashboard costs on a study of 100,000 trials: CPU, bytes and memory of each call, time in a real browser.

python benchmarks/dashboard.py [--trials 100000] [--peer PYTHON]

Each call is made once cold, of a server that has just started and answered nothing else of the study, where that is
said, else `REPEATS` times; CPU seconds are those of the server's process, from /proc (Linux). `--peer` names the Python
of an environment with optuna-dashboard: it serves an equal study of at most 10,000 trials.
The pages are opened where there are Playwright and Chromium; their times depend on what else the machine does, so that
the load is printed beside them.
The exit code is 1 where a goal is missed: 300 ms of CPU a call, 10 ms for a poll with nothing new, 500 MB, 3 MB of
answers for a study's page, 2 s of CPU for the first view from a cold start; 2 s until front and table stand when a
server that has just started is first asked, 50 ms for a step of a brush.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sqlalchemy as sa
from dashboard_pages import chromium, measure_pages
from large_study import ROOT, fill

from search.schema import progress
from search.storage import open_storage

REPEATS = 5
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
BINARY = {"Accept": "application/octet-stream", "Accept-Encoding": "gzip"}
STUDY = "/api/v1/studies/large"
FIRST_VIEW = {
    "page": ("/studies/large", {}),
    "study": (STUDY, {}),
    "columns (4, binary)": (f"{STUDY}/columns?names=number,state,accuracy,latency_ms", BINARY),
    "front": (f"{STUDY}/front", {}),
    "first page of trials": (f"{STUDY}/trials?limit=50", {}),
}
FILTER = quote('accuracy > 72 and latency_ms < 9 and d:[3] != "4"', safe="")
CALLS = {
    **FIRST_VIEW,
    "studies": ("/api/v1/studies", {}),
    "front in other metrics": (f"{STUDY}/front?x=accuracy:minimize&y=latency_ms:maximize", {}),
    "trials, filter and sort": (f"{STUDY}/trials?where={FILTER}&sort=accuracy&order=desc", {}),
    "100,000 trials in Arrow": (f"{STUDY}/trials?limit=100000&format=arrow&columns=accuracy,latency_ms", {}),
    "one trial": (f"{STUDY}/trials/99", {}),
    "columns (3 decisions)": (f"{STUDY}/columns?names=d:[0],d:[1],d:[2]", BINARY),
    "effects": (f"{STUDY}/effects?metric=accuracy", {}),
    "choices": (f"{STUDY}/choices", {}),
    "timeline": (f"{STUDY}/timeline", {}),
    "changes": (f"{STUDY}/changes?since=99000", {}),
    "importance": (f"{STUDY}/importance?metric=accuracy", {}),
}
PAGE_GOALS_MS = {"front": 2000, "table": 2000, "a brush's step, front": 50, "a brush's step, parallel": 50}
GOALS = {"call": 0.3, "poll": 0.010, "first view": 2.0}
PAGE_BYTES, MEMORY_MB = 3_000_000, 500
PEER_STUDY = """
import datetime, sys, numpy as np, optuna
from optuna.distributions import CategoricalDistribution, distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import TrialState
optuna.logging.set_verbosity(optuna.logging.ERROR)
count, rng, now = int(sys.argv[2]), np.random.default_rng(0), datetime.datetime.now()
storage = optuna.storages.RDBStorage(sys.argv[1])
optuna.create_study(storage=storage, study_name="large", directions=["maximize", "minimize"])
kind = distribution_to_json(CategoricalDistribution(list(range(9))))
finite = models.TrialValueModel.TrialValueType.FINITE
with storage.engine.begin() as connection:
    def insert(model, rows): connection.execute(model.__table__.insert(), rows)
    ids = range(1, count + 1)
    insert(models.TrialModel, [dict(trial_id=i, number=i - 1, study_id=1, state=TrialState.COMPLETE, datetime_start=now,
                                    datetime_complete=now) for i in ids])
    insert(models.TrialValueModel, [dict(trial_id=i, objective=o, value=float(rng.normal(70, 2)), value_type=finite)
                                    for i in ids for o in (0, 1)])
    insert(models.TrialParamModel, [dict(trial_id=i, param_name=f"x{d}", param_value=float(rng.integers(9)),
                                         distribution_json=kind) for i in ids for d in range(22)])
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost: CPU seconds of the server, seconds on the clock, bytes of the body, its status and ETag."""

    cpu_s: float
    wall_s: float
    size: int
    status: int
    etag: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server at a port of this machine, by its process."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the CPU seconds that its process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def memory_mb(self) -> float:
        """Return the most memory that it has had at a time."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else float("nan")

    def get(self, path: str, headers: dict[str, str]) -> Cost:
        """Ask once."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1200)
        before, began = self.cpu_s(), time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        wall_s, cpu_s = time.perf_counter() - began, self.cpu_s() - before
        connection.close()
        return Cost(cpu_s, wall_s, len(body), answer.status, answer.getheader("etag", ""))

    def poll(self, path: str, headers: dict[str, str], times: int) -> Cost:
        """Ask many times, of which the mean cost is returned: one costs less than a clock tick."""
        before, began = self.cpu_s(), time.perf_counter()
        last = [self.get(path, headers) for _ in range(times)][-1]
        return Cost((self.cpu_s() - before) / times, (time.perf_counter() - began) / times, last.size, last.status, "")


@contextmanager
def served(command: list[str], port: int) -> Iterator[Server]:
    """Run a server until it is no longer needed."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(port, process.pid)
    try:
        while True:
            try:
                server.get("/", {})
                break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit(f"{' '.join(command)} ended with {process.returncode}") from None
                time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        process.wait()


def ours(url: str, port: int) -> list[str]:
    """Return the command that serves our dashboard."""
    return [sys.executable, "-m", "search", "dashboard", "--storage", url, "--port", str(port)]


def measure(url: str) -> list[str]:
    """Print what each call costs; return the goals that are missed."""
    missed = []
    with served(ours(url, 8391), 8391) as server:
        first = {name: server.get(*call) for name, call in FIRST_VIEW.items()}
        cold_s, size = sum(cost.cpu_s for cost in first.values()), sum(cost.size for cost in first.values())
        wall_s = sum(cost.wall_s for cost in first.values())
        print(f"first view, cold: {cold_s:.2f} s CPU, {wall_s:.2f} s on the clock, {size / 1e6:.2f} MB")
        print(f"\n{'call':<26}{'CPU ms':>9}{'spread':>16}{'cold CPU ms':>13}{'kB':>9}")
        for name, call in CALLS.items():
            cold = first.get(name) or server.get(*call)
            costs = [server.poll(*call, times=4) for _ in range(REPEATS)]
            times = [1000 * cost.cpu_s for cost in costs]
            middle = statistics.median(times)
            spread = f"{min(times):.1f} to {max(times):.1f}"
            print(f"{name:<26}{middle:>9.1f}{spread:>16}{1000 * cold.cpu_s:>13.0f}{cold.size / 1e3:>9.1f}")
            if cold.status != 200 or max(middle / 1000, cold.cpu_s) > GOALS["call"]:
                missed.append(f"{name}: status {cold.status}, {1000 * cold.cpu_s:.0f} ms of CPU cold")
        etag = server.get(f"{STUDY}/changes?since=1", {}).etag
        poll = server.poll(f"{STUDY}/changes?since=1", {"If-None-Match": etag}, 100)
        print(f"{'poll, nothing new':<26}{1000 * poll.cpu_s:>9.1f}{'':>16}{'':>13}{poll.size / 1e3:>9.1f}")
        memory = server.memory_mb()
    print(f"memory of the server at most: {memory:.0f} MB")
    missed += [f"poll: {1000 * poll.cpu_s:.1f} ms, {poll.status}"] * (poll.cpu_s > GOALS["poll"] or poll.status != 304)
    missed += [f"first view: {cold_s:.2f} s of CPU"] * (cold_s > GOALS["first view"])
    missed += [f"bytes: {size}"] * (size > PAGE_BYTES) + [f"memory: {memory:.0f} MB"] * (memory > MEMORY_MB)
    return missed


def measure_browser(url: str) -> list[str]:
    """Print what the study's page takes in a browser; return the goals that are missed."""
    if chromium() is None or find_spec("playwright") is None:
        print("no Chromium or no Playwright: the pages are not opened")
        return []
    with served(ours(url, 8394), 8394) as server:
        found = measure_pages(f"http://127.0.0.1:{server.port}/studies/large")
    print(f"load average of the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    return [f"{name}: {ms:.0f} ms" for name, ms in found.items() if ms > PAGE_GOALS_MS[name]]


def beside(url: str, peer_url: str, peer: str) -> None:
    """Print our costs and those of optuna-dashboard, each on its own equal study."""
    script = "from optuna_dashboard._cli import main; main()"
    theirs = [peer, "-c", script, peer_url, "--port", "8393", "--server", "wsgiref"]
    print(f"\n{'':<18}{'cold view CPU s':>16}{'MB':>8}{'poll CPU ms':>13}{'memory MB':>11}")
    with served(ours(url, 8392), 8392) as server:
        first = [server.get(*call) for call in FIRST_VIEW.values()]
        etag = server.get(f"{STUDY}/changes?since=1", {}).etag
        poll = server.poll(f"{STUDY}/changes?since=1", {"If-None-Match": etag}, 100)
        _row("this dashboard", first, poll, server)
    with served(theirs, 8393) as server:
        first = [server.get("/api/studies/1", {})]
        count = int(re.sub(r"\D", "", peer_url.rpartition("-")[2]))
        _row("optuna-dashboard", first, server.poll(f"/api/studies/1?after={count}", {}, 3), server)


def _row(name: str, first: list[Cost], poll: Cost, server: Server) -> None:
    cpu_s, size = sum(cost.cpu_s for cost in first), sum(cost.size for cost in first) / 1e6
    print(f"{name:<18}{cpu_s:>16.2f}{size:>8.2f}{1000 * poll.cpu_s:>13.1f}{server.memory_mb():>11.0f}")


def make(url: str, count: int) -> None:
    """Make a study of `count` completed trials that has ended."""
    fill(url, count)
    with open_storage(url) as storage, storage.database.engine.begin() as connection:
        ended = {"state": "ended", "reason": "budget reached", "completed": count, "change_seq": count}
        connection.execute(sa.update(progress).values(**ended))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--peer", help="the Python of an environment with optuna-dashboard")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/large.db"
        make(url, given.trials)
        print(f"{given.trials:,} trials, 22 decisions, 2 metrics, SQLite")
        missed = measure(url) + measure_browser(url)
        if given.peer:
            count = min(given.trials, 10_000)
            small, peer_url = f"sqlite:///{folder}/small.db", f"sqlite:///{folder}/peer-{count}.db"
            make(small, count)
            subprocess.run([given.peer, "-c", PEER_STUDY, peer_url, str(count)], check=True)
            print(f"\n{count:,} trials on both:", end="")
            beside(small, peer_url, given.peer)
    for goal in missed:
        print(f"missed: {goal}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
