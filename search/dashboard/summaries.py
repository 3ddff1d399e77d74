"""How a study stands, in a few numbers: state, best values, rate, time left, devices, what people noted on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from search.dashboard.store import Opened
from search.launch_command import DONE
from search.metric_names import split_unit
from search.objectives import Objective
from search.schema import fronts, metrics, trials
from search.study_notes import StudyNotes, read_notes
from search.study_tables import device_names, tables_used
from search.study_view import study_state
from search.trials import FINISHED, TrialState

RECENT = 200
"""How many of the last changed trials tell the rate."""


def state_of(row: sa.RowMapping) -> str:
    """Return a study's state in one word.

    `running`; `pausing` and `stopping` while trials finish, then `paused` and `stopped`; `done`, with nothing left to
    do; `interrupted`, where the driver went without a word.
    """
    state = study_state(row)
    if state == "running" and row["request"] == "pause":
        return "pausing" if row["running"] else "paused"
    if state == "running" and row["request"] == "stop":
        return "stopping"
    if state != "ended":
        return state
    return "done" if row["reason"] in DONE else "paused" if row["reason"] == "paused" else "stopped"


def stamp(row: sa.RowMapping) -> tuple[Any, ...]:
    """Return what differs whenever anything that is said of a study does."""
    return row["study_id"], row["name"], row["change_seq"], row["updated_at"], row["request"], state_of(row)


def summary(study: Opened) -> dict[str, Any]:
    """Return a study in one line of the list."""
    row, view = study.row, study.view
    counts = {str(state).lower(): row[state.lower()] for state in TrialState}
    done = sum(row[state.lower()] for state in FINISHED)
    best, per_minute, notes = study.columns.known.get("summary", stamp(row), lambda: _read(study))
    state = state_of(row)
    left = max(view.max_trials - done, 0) if state in ("running", "pausing", "paused") else 0
    return {
        "name": view.name,
        "description": str(view.settings.get("description", "")),
        "state": state,
        "reason": row["reason"],
        "objectives": [_objective(item) for item in view.objectives],
        "constraints": [str(constraint) for constraint in view.constraints],
        "counts": counts,
        "max_trials": view.max_trials,
        "best": best,
        "trials_per_minute": per_minute,
        "eta_s": 60 * left / per_minute if state == "running" and per_minute else None,
        "devices": devices_of(view.settings),
        "created_at": view.created_at,
        "updated_at": row["updated_at"],
        "driver_host": row["lease_host"],
        "driver_seen_at": max((row["lease_renewed_at"] or 0, row["shared_at"] or 0)) or None,
        "tags": list(notes.tags),
        "archived": notes.archived,
        "change_seq": row["change_seq"],
    }


def _objective(item: Objective) -> dict[str, Any]:
    quantity, unit = split_unit(item.metric)
    return {"metric": item.metric, "direction": item.direction, "quantity": quantity, "unit": unit}


def devices_of(settings: Mapping[str, Any]) -> list[str]:
    """Return the devices that a study's trials are costed on, by the names that the study gives them."""
    tables = tables_used(settings)
    plain = [str(tables[""].get("device", ""))] if "" in tables else []
    return [name for name in dict.fromkeys([*plain, *device_names(settings)]) if name]


def _read(study: Opened) -> tuple[dict[str, float | None], float | None, StudyNotes]:
    with study.database.read() as connection:
        best = _best(connection, study)
        per_minute = _per_minute(connection, study)
    return best, per_minute, read_notes(study.database, study.view.id)


def _best(connection: sa.Connection, study: Opened) -> dict[str, float | None]:
    """Return the best value of each objective, which some trial of the front has."""
    names = [objective.metric for objective in study.view.objectives]
    front = sa.select(fronts.c.number).where(fronts.c.study_id == study.view.id)
    query = sa.select(metrics.c.name, sa.func.min(metrics.c.value), sa.func.max(metrics.c.value))
    query = query.where(metrics.c.study_id == study.view.id, metrics.c.number.in_(front), metrics.c.name.in_(names))
    query = query.group_by(metrics.c.name)
    found = {name: (low, high) for name, low, high in connection.execute(query).all()}
    return {o.metric: found[o.metric][o.sign > 0] if o.metric in found else None for o in study.view.objectives}


def _per_minute(connection: sa.Connection, study: Opened) -> float | None:
    """Return how many trials end in a minute: of the last ones while it runs, of all when it has ended."""
    if state_of(study.row) == "running":
        query = sa.select(trials.c.finished_at).where(trials.c.study_id == study.view.id)
        last = connection.scalars(query.order_by(trials.c.change_seq.desc()).limit(RECENT)).all()
        times = [time for time in last if time is not None]
        return _rate(len(times) - 1, max(times) - min(times)) if times else None
    done = sum(study.row[state.lower()] for state in FINISHED)
    return _rate(done, study.row["updated_at"] - study.view.created_at)


def _rate(count: int, seconds: float) -> float | None:
    return 60 * count / seconds if count > 0 and seconds > 0 else None
