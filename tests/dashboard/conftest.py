"""A browser, and dashboards of real databases, for the tests of pages; screenshots are left in a temporary folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_server import postgres, postgres_url

from tests.dashboard.asking import api, demo_folder, own
from tests.dashboard.served import Served, demo_database, serve

__all__ = ["api", "demo_folder", "own", "postgres", "postgres_url"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless Chromium for all tests of pages."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the path: the pages are not opened")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: the pages are not opened")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard of the studies mixed, perceptrons and nasbench201."""
    folder = tmp_path_factory.mktemp("demo")
    with serve(demo_database(folder), "--study", str(folder / "perceptrons.py")) as served:
        yield served


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard of a study that a driver is running: a trial a second, for two minutes."""
    folder = tmp_path_factory.mktemp("running")
    url = f"sqlite:///{folder}/search.db"
    from tests.tiny_study import write_tiny_study

    path = write_tiny_study(folder)
    options = ["--storage", url, "--name", "slow", "--set", "pause_s=1.0", "--max-trials", "120"]
    with (folder / "driver.log").open("w") as log, serve(url) as served:
        driver = subprocess.Popen(
            [sys.executable, "-m", "search", "launch", str(path), *options], cwd=folder, stdout=log, stderr=log
        )
        served.wait_for("/studies/slow")
        yield served
        driver.terminate()
        driver.wait(30)


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are left to be looked at."""
    return tmp_path_factory.mktemp("pages")
