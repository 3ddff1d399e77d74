"""`/studies`: the list of studies, and one study in full."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from search.dashboard.answers import answer, tag
from search.dashboard.asked import StoreOf, StudyOf
from search.dashboard.convergence import hypervolumes
from search.dashboard.documents import studies as documents
from search.dashboard.documents.document import UNCHANGED
from search.dashboard.named_columns import front_numbers
from search.dashboard.recosts import recostable
from search.dashboard.store import Opened, Store
from search.dashboard.summaries import stamp, summary
from search.decisions import Decision
from search.launch_command import launch_words
from search.metric_names import COUNTS, is_cost, split_unit
from search.pareto import knee
from search.study_notes import read_notes
from search.study_tables import device_names, metric_of, recosts_of, tables_used

router = APIRouter(tags=["studies"], responses=UNCHANGED)


@router.get("/studies", response_model=documents.Studies)
def studies(request: Request, store: StoreOf) -> Response:
    """Return a line on every study, the oldest first."""
    rows = store.standing()
    etag = tag(*(stamp(row) for row in rows))
    return answer(request, etag, lambda: {"studies": [summary(store.opened(row)) for row in rows]})


@router.get("/studies/{study}", response_model=documents.Study)
def study(request: Request, study: StudyOf, store: StoreOf) -> Response:
    """Return what a study is and how it stands."""
    return answer(request, tag(stamp(study.row)), lambda: {**summary(study), **_in_full(store, study)})


def _in_full(store: Store, study: Opened) -> dict[str, Any]:
    view = study.view
    front = front_numbers(study)
    words = launch_words(view.name, view.settings)
    return {
        "note": read_notes(study.database, view.id).note,
        "algorithm": view.algorithm_settings,
        "seed": view.seed,
        "settings": view.settings,
        "metrics": [_metric(study, name) for name in study.columns.metric_names(study.sequence)],
        "decisions": [
            _decision(decision, described)
            for decision, described in zip(study.columns.decisions, view.space["columns"], strict=True)
        ],
        "front": front.tolist(),
        "knee": knee_of(study, front),
        "hypervolume": study.columns.known.get("hypervolume", study.sequence, lambda: hypervolumes(study)),
        "tables": [
            {"metric": metric_of(name), "device": name or facts.get("device"), **facts, "name": name}
            for name, facts in tables_used(view.settings).items()
        ],
        "recosts": recosts_of(view.settings),
        "recostable": recostable(store, study),
        "has_program": not store.programs.why_not(view),
        "why_no_program": store.programs.why_not(view),
        "launch": f"python -m search {words}{store.option}" if words else "",
    }


def knee_of(study: Opened, front: np.ndarray) -> int | None:
    """Return the number of the trial at the knee of the study's own front; None of an empty one."""
    if not len(front):
        return None
    values = [o.sign * study.columns.metric(o.metric, study.sequence)[front] for o in study.view.objectives]
    found = knee(np.stack(values, axis=1))
    return None if found is None else int(front[found])


def direction_of(study: Opened, metric: str) -> str | None:
    """Return which way a metric is better: as an objective, else a cost by its name; None where nobody said."""
    own = {objective.metric: objective.direction for objective in study.view.objectives}
    return own.get(metric, "minimize" if is_cost(metric) else None)


def _metric(study: Opened, name: str) -> dict[str, Any]:
    quantity, unit = split_unit(name)
    settings = study.view.settings
    latencies = {metric_of(device) for device in (*tables_used(settings), *device_names(settings))}
    return {
        "name": name,
        "quantity": quantity,
        "unit": unit,
        "device": name.partition("@")[2] or None,
        "direction": direction_of(study, name),
        "known": name in latencies or name.partition("@")[0] in COUNTS,
    }


def _decision(decision: Decision, described: dict[str, Any]) -> dict[str, Any]:
    domain = (
        {"kind": "choice", "labels": list(decision.choices)}
        if decision.choices
        else {"kind": "float", "low": described["low"], "high": described["high"], "scale": described["scale"]}
    )
    return {"name": decision.name, **domain, "conditional": decision.parent >= 0}
