"""Who worked when: each trial as a bar in its worker's row."""

from __future__ import annotations

from typing import Any

import numpy as np

from search.dashboard.store import Opened
from search.dashboard.study_columns import STATES
from search.trials import TrialState

RUNNING = STATES.index(TrialState.RUNNING)


def timeline(study: Opened, limit: int) -> dict[str, Any]:
    """Return the last `limit` trials that have begun, in the order of their beginning, as columns.

    A trial's own time is its `elapsed_s`, before its end: where many are handed out in one call, they begin together.
    """
    columns, sequence = study.columns, study.sequence
    started, finished = columns.times("started_at", sequence), columns.times("finished_at", sequence)
    elapsed, states = columns.times("elapsed_s", sequence), columns.states(sequence)
    begun = np.fmax(started, finished - elapsed)
    rows = np.flatnonzero(np.isfinite(begun) & (np.isfinite(finished) | (states == RUNNING)))
    rows = rows[np.argsort(begun[rows], kind="stable")]
    shown = rows[max(len(rows) - limit, 0) :]
    workers = columns.worker_codes(sequence)[shown]
    return {
        "total": len(rows),
        "now": study.row["now"],
        "workers": columns.workers,
        "number": shown.tolist(),
        "worker": workers.tolist(),
        "state": [STATES[state] for state in states[shown]],
        "begin": begun[shown].tolist(),
        "end": [None if np.isnan(end) else end for end in finished[shown].tolist()],
    }
