"""`preparations`: the jobs whose results many trials share, how far they are, and which studies use them."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search.cli.command import command, json_option, output, storage_option
from search.cli.output import Column, Output
from search.cli.stored import existing_storage, not_made_yet
from search.metric_names import ago, number

if TYPE_CHECKING:
    from search.database import Database

SHORT = 12
"""Letters of a key that are shown."""

METRICS = 3
"""How many of the last metrics stand in a line."""


@command("preparations", example="preparations\npreparations fbnet_study\npreparations 4f1d2c3b5a69 --json")
@click.argument("name", required=False)
@storage_option
@json_option
def preparations(name: str | None, storage: str, json: bool) -> None:
    """List trained supernets and learned distributions: all, those of a study, or one by how its key begins."""
    out = output(json=json)
    found: list[dict[str, Any]] = []
    if not not_made_yet(storage):
        with existing_storage(storage) as store:
            found = _facts(store.database)
    if name is not None:
        found = [facts for facts in found if facts["key"].startswith(name) or name in facts["studies"]]
        if not found:
            raise LookupError(f"no preparation's key begins with {name!r}, and no study of that name uses one")
    out.document({"preparations": found})
    if not found:
        out.line("no preparations yet; a study file names them: preparations = [...]")
    elif name is not None and len(found) == 1:
        _print_one(out, found[0])
    else:
        _print_all(out, found)


def _facts(database: Database) -> list[dict[str, Any]]:
    """Return each preparation as plain values, with its measurements and the studies that use it.

    One that is RUNNING is `active` if a process of any machine that shares its folder works on it.
    """
    from search.launchers.preparing import is_worked_on
    from search.preparations import load_preparations, measured, users

    studies = users(database)
    return [
        {
            **asdict(row),
            "active": row.state == "RUNNING" and is_worked_on(Path(row.path)),
            "measurements": {
                metric: [{"step": step, "value": value} for step, value in values]
                for metric, values in measured(database, row.key).items()
            },
            "studies": studies.get(row.key, []),
        }
        for row in load_preparations(database)
    ]


def _print_all(out: Output, found: list[dict[str, Any]]) -> None:
    columns = [Column("preparation"), Column("kind"), Column("state"), Column("done", True), Column("last metrics"),
               Column("studies"), Column("changed")]  # fmt: skip
    rows = [
        [facts["key"][:SHORT], _kind(facts), _state(facts), f"{facts['progress']:.0%}", _last(facts, METRICS),
         ", ".join(facts["studies"]), ago(time.time() - facts["updated_at"])]
        for facts in found
    ]  # fmt: skip
    out.table(columns, rows)


def _print_one(out: Output, facts: dict[str, Any]) -> None:
    out.line(f"{facts['key']}: {_kind(facts)}, {_state(facts)}, {facts['progress']:.0%} done")
    settings = facts["settings"].get("settings") or {}
    out.line(f"made from: {', '.join(f'{name}={value}' for name, value in settings.items() if name != 'class')}")
    out.line(f"seed {facts['settings'].get('seed')}, space {str(facts['settings'].get('space'))[:SHORT]}")
    out.line(f"folder: {facts['path'] or 'none yet'}")
    out.line(f"studies: {', '.join(facts['studies']) or 'none'}")
    if facts["measurements"]:
        last = max(values[-1]["step"] for values in facts["measurements"].values())
        out.line(f"step {last}: {_last(facts, None)}")
    if facts["reason"]:
        out.line(f"failed: {facts['reason'].rstrip()}")


def _state(facts: dict[str, Any]) -> str:
    return "interrupted" if facts["state"] == "RUNNING" and not facts["active"] else str(facts["state"]).lower()


def _kind(facts: dict[str, Any]) -> str:
    cost = facts["settings"].get("cost")
    return facts["kind"] if cost is None else f"{facts['kind']} for {cost}"


def _last(facts: dict[str, Any], most: int | None) -> str:
    """Return the newest value of each metric."""
    last = [f"{name} {number(values[-1]['value'], 4)}" for name, values in facts["measurements"].items()]
    return ", ".join(last[:most])
