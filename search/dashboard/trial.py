"""`/studies/{study}/trials/{number}`: one trial in full."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import sqlalchemy as sa
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op
from search.annotations import Annotations
from search.dashboard.answers import answer, tag
from search.dashboard.asked import StoreOf, StudyOf
from search.dashboard.documents import trials as documents
from search.dashboard.documents.document import UNCHANGED
from search.dashboard.named_columns import front_numbers
from search.dashboard.network import network_document
from search.dashboard.recosts import operator_tables, table_of
from search.dashboard.refusal import not_found
from search.dashboard.store import Opened, Store
from search.genotype_text import genotypes_of
from search.schema import metrics, trial_links, trials
from search.study_tables import metric_of, tables_used
from search.study_view import TABLE_COLUMNS

router = APIRouter(tags=["trials"], responses=UNCHANGED)

Number = Annotated[int, Path(ge=0, lt=2**31, description="The trial's number.")]


@router.get("/studies/{study}/trials/{number}", response_model=documents.Trial)
def trial(request: Request, study: StudyOf, store: StoreOf, number: Number) -> Response:
    """Return a trial: its metrics, decisions, curve, what was kept with it, and its network where that is known.

    `network` needs the study's program: a shipped study's, or one given as `--study FILE`; else `why_no_network`.
    """
    etag = tag(study.view.id, study.sequence, study.row["updated_at"], study.row["lease_number"], number)
    return answer(request, etag, lambda: _document(store, study, number))


def _document(store: Store, study: Opened, number: int) -> dict[str, Any]:
    row, values = _read(study, number)
    dtype = str(study.view.space.get("dtype", "float64"))
    genotype = genotypes_of([row["genotype"]], len(study.columns.decisions), dtype)[0]
    notes = Annotations(study.database, study.view.id)

    network, why = network_of(store, study, genotype)
    return {
        **{name: row[name] for name in TABLE_COLUMNS},
        "losses": row["losses"],
        "seed": row["seed"],
        "metrics": values,
        "on_front": number in front_numbers(study),
        "decisions": decisions_of(study, genotype),
        "genotype": genotype.tolist(),
        "parent": _parent(row["note"]),
        "curve": _curve(study, number),
        "log": study.view.log(number),
        "links": notes.of_trials(trial_links, number).get(number, {}),
        "metadata": notes.metadata(number),
        "network": network,
        "why_no_network": why,
    }


def _read(study: Opened, number: int) -> tuple[sa.RowMapping, dict[str, float]]:
    same = (trials.c.study_id == study.view.id, trials.c.number == number)
    values = sa.select(metrics.c.name, metrics.c.value)
    values = values.where(metrics.c.study_id == study.view.id, metrics.c.number == number).order_by(metrics.c.name)
    with study.database.read() as connection:
        row = connection.execute(sa.select(trials).where(*same)).mappings().one_or_none()
        found: dict[str, float] = {item.name: item.value for item in connection.execute(values)}
    if row is None:
        raise not_found(f"study {study.view.name!r} has no trial {number}")
    return row, found


def decisions_of(study: Opened, genotype: np.ndarray) -> list[dict[str, Any]]:
    """Return a genotype's decisions in order; one that hangs on a choice that was not made is not active."""
    found: list[dict[str, Any]] = []
    for index, (decision, value) in enumerate(zip(study.columns.decisions, genotype.tolist(), strict=True)):
        hangs = 0 <= decision.parent < index
        active = not hangs or (
            found[decision.parent]["active"] and int(genotype[decision.parent]) == decision.parent_choice
        )
        known = decision.choices and 0 <= int(value) < len(decision.choices)
        label = decision.choices[int(value)] if known else f"{value:.6g}"
        found.append(
            {
                "name": decision.name,
                "label": label,
                "value": value,
                "choices": len(decision.choices),
                "active": active,
                "parent": decision.parent,
            }
        )
    return found


def network_of(store: Store, study: Opened, genotype: np.ndarray) -> tuple[dict[str, Any] | None, str]:
    """Return a genotype's network, or None and why there is none, in one line."""
    why = store.programs.why_not(study.view)
    if why:
        return None, why
    try:
        ops = store.programs.ops(study.view, genotype)
        models = {**store.programs.estimates(study.view), **tables_for(store, study, ops)}
        return network_document(ops, models), ""
    except (ValueError, TypeError, LookupError) as error:
        return None, f"its operators cannot be listed: {' '.join(str(error).split())}"


def tables_for(store: Store, study: Opened, ops: Sequence[Op]) -> dict[str, LatencyTable]:
    """Return the tables that cost a network, by metric: those that the study used, and of other devices the newest."""
    used = {
        metric_of(name): table_of(store, facts["sha256"]) for name, facts in tables_used(study.view.settings).items()
    }
    others = {metric_of(name): table for name, table in operator_tables(store).items()}
    found = {metric: table for metric, table in (others | used).items() if table is not None}
    return {
        metric: table for metric, table in found.items() if metric in used or all(op in table.entries for op in ops)
    }


def _curve(study: Opened, number: int) -> list[dict[str, Any]]:
    """Return what the trial measured on its way, a row a step."""
    steps: dict[int, dict[str, Any]] = defaultdict(lambda: {"metrics": {}})
    for step, name, value, at in study.view.measurements(number):
        steps[step] |= {"step": step, "at": at}
        steps[step]["metrics"][name] = value
    return [steps[step] for step in sorted(steps)]


def _parent(note: str | None) -> int | None:
    """Return the number of the trial that this one was bred from, where the algorithm says so."""
    try:
        found = json.loads(note) if note else None
    except ValueError:
        return None
    parent = found.get("parent") if isinstance(found, dict) else None
    return parent if isinstance(parent, int) and not isinstance(parent, bool) else None
