"""The words that launch a stored study again, so that it goes on where it stopped."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DEFAULT_STORAGE = "sqlite:///search.db"
"""Where studies are kept when nobody says where."""


DONE = ("budget reached", "space exhausted")
"""The ends of a launch after which there is nothing to go on with."""


def launch_words(name: str, settings: Mapping[str, Any]) -> str:
    """Return `launch STUDY ...` as it goes on with a study: its file, its name, what was set.

    "" where `settings` name no study file: a program of the user's own made the study.
    """
    given = settings.get("study_file")
    if not isinstance(given, str):
        return ""
    file = Path(given)
    shipped = file.parent.parts[-2:] == ("search", "studies")
    words = ["launch", file.stem if shipped else given]
    words += [] if name == file.stem else ["--name", name]
    overrides = settings.get("overrides")
    for key, value in overrides.items() if isinstance(overrides, dict) else ():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)
