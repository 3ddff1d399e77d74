"""Real driver processes of the counted study, and what they left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

ROOT = Path(__file__).resolve().parents[1]
STUDY = ROOT / "tests/faults/counted_study.py"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}


def command(folder: Path, url: str, *options: str) -> list[str]:
    """Return the command line that launches the counted study, its executions noted in `folder`."""
    settings = ["--name", "counted", "--storage", url, "--set", f"executions={folder / 'executions.txt'}"]
    return [sys.executable, "-m", "search", "launch", str(STUDY), *settings, *options]


def launch(folder: Path, url: str, *options: str) -> subprocess.Popen[bytes]:
    """Start a driver; what it prints goes to `log.txt`."""
    log = (folder / "log.txt").open("ab")
    return subprocess.Popen(command(folder, url, *options), cwd=folder, env=ENVIRONMENT, stdout=log, stderr=log)


def printed(folder: Path, *arguments: str) -> str:
    """Return what Python prints, started in `folder` with these arguments; it has to end well."""
    line = [sys.executable, *arguments]
    done = subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    """Return a query's rows; none while the database has no tables yet."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    except DBAPIError:
        return []
    finally:
        engine.dispose()


def durable(url: str) -> set[int]:
    """Return the numbers of the trials whose result is in the database."""
    return {int(str(row[0])) for row in rows(url, "SELECT number FROM trials WHERE state = 'COMPLETED'")}


def executions(folder: Path) -> Counter[int]:
    """Return how often each trial was run."""
    path = folder / "executions.txt"
    return Counter(map(int, path.read_text().split())) if path.exists() else Counter()


def table(url: str) -> list[tuple[object, ...]]:
    """Return the study's trials and their final metrics, row for row."""
    return rows(
        url,
        "SELECT t.number, t.genotype, t.state, t.seed, m.name, m.value FROM trials t LEFT JOIN metrics m "
        "ON m.study_id = t.study_id AND m.number = t.number ORDER BY t.number, m.name",
    )
