"""The commands `dashboard`, `pause`, `resume` and `stop`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from search.storage import open_storage
from tests.dashboard.demo_study import mixed_study


def command(*arguments: str) -> list[str]:
    """Return how a command is run."""
    return [sys.executable, "-m", "search", *arguments]


def failed(*arguments: str) -> tuple[int, str]:
    """Return a command's exit code and its one line on stderr."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.returncode, done.stderr


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with one study that has ended."""
    with open_storage(f"sqlite:///{tmp_path}/search.db") as storage, mixed_study(storage, trials=3):
        return f"sqlite:///{tmp_path}/search.db"


def test_another_address_asks_for_a_token_which_is_printed(url: str) -> None:
    arguments = command("dashboard", "--storage", url, "--host", "127.0.0.2", "--port", "0", "--read-only")
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"(http://127\.0\.0\.2:\d+)/\?token=(\S{20,})", process.stdout.readline())
        assert found is not None
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{found[1]}/api/v1/studies")
        asked = urllib.request.Request(f"{found[1]}/api/v1/studies", headers={"Authorization": f"Bearer {found[2]}"})
        assert b'"mixed"' in urllib.request.urlopen(asked).read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_a_read_only_dashboard_makes_no_database(tmp_path: Path) -> None:
    code, line = failed("dashboard", "--storage", f"sqlite:///{tmp_path}/none.db", "--read-only", "--port", "0")
    assert (code, "there is no such file" in line) == (4, True)
    assert not (tmp_path / "none.db").exists()


def test_an_address_that_is_not_here_is_told(url: str) -> None:
    code, line = failed("dashboard", "--storage", url, "--host", "192.0.2.1")
    assert (code, line.startswith("error: cannot listen at 192.0.2.1 port 8090")) == (2, True)


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_a_study_without_a_driver_cannot_be_controlled(url: str, action: str) -> None:
    code, line = failed(action, "mixed", "--storage", url)
    assert (code, f"has no driver that could {action}: it is ended (budget reached)" in line) == (2, True)


def test_a_driver_is_asked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/search.db"
    with open_storage(url) as storage, mixed_study(storage, trials=3, finish=False) as study:
        for action, wish in (("pause", "pause"), ("resume", None), ("stop", "stop")):
            done = subprocess.run(
                command(action, "mixed", "--storage", url), capture_output=True, text=True, check=True
            )
            assert done.stdout.startswith(f"mixed: asked to {action}; ")
            study._asked_at = -float("inf")
            assert study.requested() == wish
