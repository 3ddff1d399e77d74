"""Whether the four import names are ours: PyPI also has packages that own `spaces` and `evaluators`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from search.cli.failures import ExitCode, Failure

LANDMARKS = {
    "search": "algorithms/_base.py",
    "spaces": "genotype.py",
    "evaluators": "_base.py",
    "hardware_models": "op.py",
}
"""A file that our package of each name has."""


def strangers() -> list[str]:
    """Return what is wrong with the import names, one line each; empty when all four are ours and lie together."""
    here = Path(__file__).resolve().parents[2]
    return [line for name in LANDMARKS if (line := _stranger(name, here))]


def _stranger(name: str, here: Path) -> str:
    """Return what is wrong with one import name, or an empty string. Imports nothing."""
    found = importlib.util.find_spec(name)
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        return f"the package {name!r} is missing beside {here / 'search'}: install this project again"
    folder = Path(places[0]).resolve()
    if folder.parent == here and (folder / LANDMARKS[name]).is_file():
        return ""
    remedy = f"use an environment of its own for this project, or `pip uninstall {name}`"
    return f"`import {name}` finds {folder}, which is another project's: {remedy}"


def check_owners() -> None:
    """Raise a Failure when one of the four import names belongs to another package."""
    lines = strangers()
    if lines:
        raise Failure("; ".join(lines), ExitCode.FAILED)


def owners() -> dict[str, list[str]]:
    """Return the distributions that claim each of the four import names; none for a plain checkout. Takes 0.3 s."""
    from importlib.metadata import packages_distributions

    claimed = packages_distributions()
    return {name: sorted(set(claimed.get(name, ()))) for name in LANDMARKS}
