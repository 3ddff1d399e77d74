"""A dashboard in a process of its own, and pages of it in a browser that note whatever goes wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "tests/dashboard/demo_study.py"
SPACE = {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A dashboard that listens.

    Attributes:
      address: of its first page, without the last slash.
    """

    address: str

    def get(self, path: str) -> Any:
        """Return what the API answers."""
        with urllib.request.urlopen(f"{self.address}/api/v1{path}") as answer:
            return json.load(answer)

    def wait_for(self, path: str) -> Any:
        """Return what the API answers, once it does."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.get(path)
            except urllib.error.URLError as error:
                if getattr(error, "code", 0) == 401:  # it is there, and asks for its token
                    return None
                assert time.monotonic() < end, f"{path} does not come"
                time.sleep(0.1)


@dataclass(slots=True)
class Opened:
    """A page in the browser.

    Attributes:
      page: Playwright's.
      errors: what the console and the page complained of.
      foreign: addresses that were asked for elsewhere.
    """

    page: Any
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def demo_database(folder: Path) -> str:
    """Make the database of the demo in a folder; return its address."""
    made = subprocess.run(
        [sys.executable, str(DEMO), str(folder / "search.db")],
        cwd=folder, env=os.environ | SPACE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return f"sqlite:///{folder}/search.db"


@contextmanager
def serve(storage: str, *options: str) -> Iterator[Served]:
    """Run the command `dashboard` at a free port."""
    command = [sys.executable, "-m", "search", "dashboard", "--storage", storage, "--port", "0", *options]
    process = subprocess.Popen(command, env=os.environ | SPACE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        found = re.search(r"http://[^\s?]+", process.stdout.readline())
        assert found is not None, "the dashboard did not say where it listens"
        served = Served(found.group().rstrip("/"))
        served.wait_for("/session")
        yield served
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def opened(browser: Any, served: Served, path: str, *, width: int = 1440, dark: bool = False) -> Iterator[Opened]:
    """Open a page in a fresh context and wait until it shows its content."""
    context = browser.new_context(
        viewport={"width": width, "height": 900 if width > 600 else 844}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(30_000)
    seen = Opened(context.new_page())
    seen.page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    seen.page.on("request", lambda request: _note(seen, served, request.url))
    seen.page.goto(served.address + path)
    seen.page.wait_for_selector("#page:not(:has(> .skeleton))")
    try:
        yield seen
    finally:
        context.close()


def _note(seen: Opened, served: Served, url: str) -> None:
    if not url.startswith((served.address, "blob:", "data:")):
        seen.foreign.append(url)
