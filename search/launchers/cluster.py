"""The Ray cluster that a study runs on: one that is there already, or one of our own that ends with the run."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray

import search
from search.launchers._base import LauncherError

OBJECT_STORE_BYTES = 100_000_000
"""Enough for a cluster of our own, beside what all workers share: what is sent is small."""

REACH_S = 10.0
"""How long an address may take to answer."""

QUIET: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}


class AddressError(LauncherError):
    """What is given is not the address of any cluster."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What each worker holds for itself."""

    cpus: float = 1.0
    gpus: float = 0.0

    def __str__(self) -> str:
        return f"{self.cpus:g} CPUs" + (f" and {self.gpus:g} GPUs" if self.gpus else "")

    @property
    def bundle(self) -> dict[str, float]:
        """What it is called in a placement group, which takes no zeros."""
        return {"CPU": self.cpus} | ({"GPU": self.gpus} if self.gpus else {})

    def fit(self, resources: dict[str, float]) -> int:
        """Return how many workers a node with these resources can hold."""
        room = math.floor(resources.get("CPU", 0) / self.cpus + 1e-6)
        return min(room, math.floor(resources.get("GPU", 0) / self.gpus + 1e-6)) if self.gpus else room


@dataclass(frozen=True, slots=True)
class Room:
    """What a cluster offers.

    Attributes:
      workers: how many to start.
      environment: the variables that each must be given, because it does not inherit them from its node.
      shared: the arrays that Ray holds for all of them, one copy a node; None where there are none.
    """

    workers: int
    environment: dict[str, str]
    shared: Any = None


@contextlib.contextmanager
def cluster(
    address: str | None, workers: int | None, demand: Demand, shared: Mapping[str, np.ndarray] | None = None
) -> Iterator[Room]:
    """Connect to Ray and yield the room for workers; disconnect at the end.

    Uses the connection that this process has, else joins the cluster at `address` or `$RAY_ADDRESS`, else starts one on
    this machine, with room for `shared`, which is put into the object store once for all workers.
    `workers` None: as many as the cluster holds now.
    Raises AddressError for what is none, LauncherError where it does not answer, or no node can hold a worker.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = address or os.environ.get("RAY_ADDRESS") or None
    environment = worker_environment(demand)
    ours = not ray.is_initialized()
    if ours and address:
        _join(address)
    elif ours:
        _start(
            workers, demand, environment, OBJECT_STORE_BYTES + sum(array.nbytes for array in (shared or {}).values())
        )
        environment = {}
    try:
        nodes = _nodes()
        fitting = sum(demand.fit(resources) for resources in nodes)
        if not fitting:
            raise LauncherError(f"no node can hold a worker of {demand}; the cluster has {_described(nodes)}")
        handed = ray.put(dict(shared)) if shared else None
        del shared  # the store's copy is enough
        yield Room(workers or fitting, environment, handed)
    finally:
        if ours:
            ray.shutdown()


def worker_environment(demand: Demand) -> dict[str, str]:
    """Return the environment variables that a worker's process starts with.

    Numerical libraries get as many threads as the worker has CPUs, before they are imported. Folders that this process
    imports from, other than the interpreter's own, are passed on, so that a source checkout works like an installation.
    """
    threads = str(max(1, int(demand.cpus)))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {"PYTHONPATH": os.pathsep.join(_import_folders()), **dict.fromkeys(names, threads)}


def _import_folders() -> list[str]:
    own = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)}
    folders = [*(str(Path(path).parent) for path in search.__path__), *sys.path]
    resolved = dict.fromkeys(Path(folder).resolve() for folder in folders)
    return [str(folder) for folder in resolved if folder.is_dir() and own.isdisjoint({folder, *folder.parents})]


def _start(workers: int | None, demand: Demand, environment: dict[str, str], store_bytes: int) -> None:
    """Start Ray with an environment that its workers inherit: those it keeps ready can then be used as they are."""
    cpus = math.ceil(workers * demand.cpus) if workers else len(os.sched_getaffinity(0))
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        ray.init(address="local", num_cpus=cpus, include_dashboard=False, object_store_memory=store_bytes, **QUIET)
    except (OSError, RuntimeError, ValueError) as error:
        raise LauncherError(f"Ray does not start on this machine: {_first_line(error)}") from error
    finally:
        for name in environment:
            os.environ.pop(name)
        os.environ.update({name: before[name] for name in environment if name in before})


def _join(address: str) -> None:
    reach(address)
    try:
        ray.init(address=address, **QUIET)
    except Exception as error:  # Ray raises many kinds here, from ConnectionError to its own
        raise LauncherError(
            f"the Ray cluster at {address!r} cannot be joined: {_first_line(error)}; are RAY_AUTH_MODE and "
            f"RAY_AUTH_TOKEN those of its head, and Ray and Python of its versions?"
        ) from error


def reach(address: str) -> None:
    """See, unless this process has a connection, that Ray listens at an address; Ray itself would wait much longer.

    Raises AddressError for what is none, and within `REACH_S` LauncherError where nothing answers.
    """
    if address in ("auto", "local") or ray.is_initialized():
        return
    if address.startswith(("http://", "https://")):
        raise AddressError(
            f"{address!r} is where jobs are submitted (`ray job submit`); a launch needs the head's own address, e.g. "
            f"'HEAD:6379', 'ray://HEAD:10001' or 'auto'"
        )
    host, _, port = address.removeprefix("ray://").partition("/")[0].rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise AddressError(f"address {address!r} is not one; expected 'HEAD:6379', 'ray://HEAD:10001' or 'auto'")
    try:
        found = _speaks_http2(host.strip("[]"), int(port))
    except OSError as error:
        raise LauncherError(
            f"nothing answers at {address!r} ({error}); is the cluster up? `ray start --head` prints its address"
        ) from None
    if not found:
        raise LauncherError(f"what answers at {address!r} is not Ray; `ray start --head` prints the address to use")


def _speaks_http2(host: str, port: int) -> bool:
    """Return whether a server greets as every gRPC server does: with a SETTINGS frame (RFC 9113, section 3.4)."""
    with socket.create_connection((host, port), timeout=REACH_S) as connection:
        if os.environ.get("RAY_USE_TLS", "0") not in ("0", ""):
            return True
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        greeting = connection.recv(4)
        return len(greeting) == 4 and greeting[3] == 4


def _nodes() -> list[dict[str, float]]:
    """Return the resources of every node that is alive."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["Resources"] for node in nodes if node["Alive"]]


def _described(nodes: list[dict[str, float]]) -> str:
    held = (f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes[:8])
    return "; ".join(held) if nodes else "no node"


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
