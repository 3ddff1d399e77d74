"""What pruning saved: a trial's network and the whole one it was made from, measured side by side on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from search.cli.latency import is_this_machine, network_of
from search.cli.tables import Table, run_with
from search.metric_names import number
from search.study_devices import LATENCY


@dataclass(frozen=True, slots=True)
class Saving:
    """Latencies in ms of the whole network and of what is left of it, as measured and as a table predicts them.

    `setup` is how they were measured; predictions are None where no table of the study is of this machine, or it lacks
    an operator of the whole network.
    """

    setup: Mapping[str, Any]
    whole_ms: float
    left_ms: float
    predicted_whole_ms: float | None = None
    predicted_left_ms: float | None = None

    def __str__(self) -> str:
        saved = f"{self.left_ms / self.whole_ms - 1:+.1%}"
        told = f"{number(self.left_ms)} ms, the whole network {number(self.whole_ms)} ms: {saved}"
        ways = ", ".join([str(self.setup["engine"]), *run_with(self.setup["threads"], self.setup["batch"])])
        if self.predicted_whole_ms is None or self.predicted_left_ms is None:
            return f"{told} (measured here with {ways})"
        foreseen = f"{self.predicted_left_ms / self.predicted_whole_ms - 1:+.1%}"
        return f"{told}; the latency table predicts {foreseen} (measured here with {ways})"

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def savings(architecture: Any, usual: Mapping[str, Any], tables: Mapping[str, Table]) -> list[Saving]:
    """Measure an architecture that has a `whole` one beside that, once for each table of this machine.

    Without such a table, once with the `usual` engine, threads and batch. Nothing for one that has no whole one.
    """
    from hardware_models.profiler import measure

    whole = getattr(architecture, "whole", None)
    if whole is None:
        return []
    networks = [network for network in map(network_of, (whole, architecture)) if network is not None]
    if len(networks) < 2:
        return []
    here: list[Table | None] = [table for table in tables.values() if is_this_machine(table.origin["device"])]
    found = []
    for table in here or [None]:
        setup = {field: (table.origin if table else usual)[field] for field in ("engine", "threads", "batch")}
        left_ms, whole_ms = (_predicted(table, one) for one in (architecture, whole))
        measured = [one.latency_ms for one in measure(networks, **setup)]
        found.append(Saving(setup, measured[0], measured[1], whole_ms, left_ms))
    return found


def _predicted(table: Table | None, architecture: Any) -> float | None:
    """Return what a table predicts; None where there is none, or it lacks an operator."""
    try:
        return None if table is None else float(table.model(architecture.ops())[LATENCY])
    except (LookupError, ValueError):
        return None
