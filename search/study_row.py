"""A study's row: made when its name is new, compared with what is asked for when it is not."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa

from search.database import Database
from search.errors import SpaceChanged, StudyChanged
from search.objectives import Constraint, Objective
from search.schema import progress, studies
from search.study_tables import RECOSTS, recosts_of
from search.trials import TrialState

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
LARGEST_TRIALS = 2**31 - 1
LARGEST_SEED = 2**63 - 1
LABEL_LIMIT = 200


def check_name(name: object) -> str:
    """Return `name` if it can name a study; raise ValueError otherwise."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(
            f"study name {str(name)[:140]!r} is not usable: expected a letter or digit, "
            f"then up to 127 letters, digits or . _ -"
        )
    return name


def check_number(name: str, value: object, least: int, most: int) -> int:
    """Return `value` if it is an integer from `least` to `most`; raise ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}: expected an integer from {least} to {most}")
    return value


def described_space(space: GenotypeSpace) -> dict[str, Any]:
    """Return a space's columns as plain JSON values, for those who show genotypes without the space."""
    fields = ("name", "kind", "cardinality", "choices", "low", "high", "scale", "parent", "parent_choice")
    columns = [{field: getattr(column, field) for field in fields} for column in space.columns]
    for column in columns:
        column["choices"] = [str(label)[:LABEL_LIMIT] for label in column["choices"]]
    return {"dtype": str(space.dtype), "columns": columns}


def study_row(  # noqa: PLR0917 - a study's parts
    name: str,
    space: GenotypeSpace,
    algorithm: Mapping[str, Any],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    max_trials: int,
    seed: int,
    retries: int,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the row of a new study. Raises ValueError for what cannot be one."""
    try:
        plain = json.loads(json.dumps(dict(settings), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"settings cannot be kept as JSON ({error}): expected text, finite numbers, lists, mappings"
        ) from error
    if not objectives:
        raise ValueError("a study needs at least one objective, e.g. parse_objectives({'accuracy': 'maximize'})")
    return {
        "name": check_name(name),
        "fingerprint": space.fingerprint,
        "space": described_space(space),
        "objectives": [[objective.metric, objective.direction] for objective in objectives],
        "constraints": [str(constraint) for constraint in constraints],
        "algorithm": json.loads(json.dumps(dict(algorithm), allow_nan=False)),
        "settings": plain,
        "seed": check_number("seed", seed, 0, LARGEST_SEED),
        "max_trials": check_number("max_trials", max_trials, 1, LARGEST_TRIALS),
        "retries": check_number("retries", retries, 0, 1000),
        "created_at": time.time(),
    }


class TakesPart(Protocol):
    """What says, within the transaction that opens a study, whether this process may."""

    def take(self, connection: sa.Connection, study_id: int) -> None:
        """Raise where it may not."""


def open_row(database: Database, row: Mapping[str, Any], lease: TakesPart) -> None:
    """Make the study, or check that the stored one is the same and update what may change; take its lease.

    Raises SpaceChanged, StudyChanged, StudyLocked.
    """

    def work(connection: sa.Connection) -> None:
        connection.execute(database.insert(studies).values(**row).on_conflict_do_nothing(index_elements=["name"]))
        stored = connection.execute(sa.select(studies).where(studies.c.name == row["name"])).mappings().one()
        _check_same(stored, row)
        first: dict[str, Any] = {name.lower(): 0 for name in TrialState}
        first |= {"study_id": stored["id"], "change_seq": 0, "updated_at": time.time(), "lease_number": 0}
        first |= {"state": "running", "reason": "", "algorithm_state": "{}"}
        connection.execute(
            database.insert(progress).values(**first).on_conflict_do_nothing(index_elements=["study_id"])
        )
        lease.take(connection, stored["id"])
        changed = {name: row[name] for name in ("algorithm", "max_trials", "retries")}
        changed["settings"] = {**stored["settings"], **row["settings"]}
        connection.execute(sa.update(studies).where(studies.c.id == stored["id"]).values(**changed))
        begun: dict[str, Any] = {"state": "running", "reason": "", "request": None}
        if stored["algorithm"] != row["algorithm"]:
            begun["algorithm_state"] = "{}"  # of no use to another algorithm, which starts from the trials
        connection.execute(sa.update(progress).where(progress.c.study_id == stored["id"]).values(**begun))

    database.write(work)


def _check_same(stored: sa.RowMapping, row: Mapping[str, Any]) -> None:
    """Raise where a study would go on with another space, other objectives or constraints, or another seed."""
    name = row["name"]
    if stored["fingerprint"] != row["fingerprint"]:
        were, are = len(stored["space"]["columns"]), len(row["space"]["columns"])
        raise SpaceChanged(
            f"study {name!r} is stored with another space ({stored['fingerprint'][:12]}, {were} decisions) "
            f"than this one ({row['fingerprint'][:12]}, {are} decisions); use another study name, or restore the space"
        )
    if RECOSTS in row["settings"] and row["settings"][RECOSTS] != recosts_of(stored["settings"]):
        raise StudyChanged(f"study {name!r} was costed anew while this launch was being prepared; launch it again")
    for field in ("objectives", "constraints", "seed"):
        if stored[field] != row[field]:
            raise StudyChanged(
                f"study {name!r} is stored with {field} {stored[field]}, not {row[field]}; "
                f"use another study name, or the stored {field}"
            )
