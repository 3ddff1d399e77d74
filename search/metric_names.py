"""How metrics are shown: the unit at the end of a metric's name, and numbers with few digits."""

from __future__ import annotations

import math

UNITS = {
    "ns": "ns",
    "us": "µs",
    "ms": "ms",
    "s": "s",
    "mj": "mJ",
    "percent": "%",
    "bytes": "bytes",
    "mb": "MB",
    "mib": "MiB",
}
"""What a name's last part means as a unit."""

COUNTS = {"macs": "MACs", "params": "parameters", "flops": "FLOPs"}
"""Metrics that count things, and the counted thing."""


def split_unit(metric: str) -> tuple[str, str]:
    """Return a metric's quantity and unit, e.g. `latency_ms` -> ("latency", "ms"); "" where it names no unit."""
    name, _, device = metric.partition("@")
    where = f" on {device}" if device else ""
    if name in COUNTS:
        return COUNTS[name] + where, ""
    quantity, _, last = name.rpartition("_")
    if quantity and last in UNITS:
        return quantity.replace("_", " ") + where, UNITS[last]
    return name.replace("_", " ") + where, ""


def measured(metric: str) -> str:
    """Return the name under which a predicted metric stands when it was measured directly."""
    return f"measured_{metric}"


def is_cost(metric: str) -> bool:
    """Return whether a metric's name says that less of it is better: a time, an energy, a size, or a count."""
    return metric.partition("@")[0] in COUNTS or split_unit(metric)[1] not in ("", UNITS["percent"])


def heading(metric: str) -> str:
    """Return a column's heading or an axis label, e.g. "latency (ms)"."""
    quantity, unit = split_unit(metric)
    return f"{quantity} ({unit})" if unit else quantity


def number(value: float | None, digits: int = 4) -> str:
    """Return `value` with `digits` significant digits, large counts with k, M, G, T; "-" for None and NaN."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value) or value == 0:
        return f"{value:g}"
    if abs(value) < 1e5:
        return _plain(value, digits)
    power = min(int(math.log10(abs(value)) // 3), 4)
    return _plain(value / 1000**power, digits) + " kMGT"[power]


def _plain(value: float, digits: int) -> str:
    """Return `value` with `digits` significant digits and no exponent; integers below 100,000 whole."""
    if value == int(value) and abs(value) < 1e5:
        return str(int(value))
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{places}f}" if places < 9 else f"{value:.{digits - 1}e}"


def duration(seconds: float | None) -> str:
    """Return a time span as a person says it: "8.4 s", "3 min 05 s", "2 h 10 min"; "-" for None and NaN."""
    if seconds is None or math.isnan(seconds):
        return "-"
    if round(seconds) < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def ago(seconds: float) -> str:
    """Return how long ago something was, as a person says it: "just now", "22 min ago", "3.5 h ago", "2 days ago"."""
    if seconds < 5:
        return "just now"
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3600:.1f} h ago" if seconds < 172800 else f"{seconds / 86400:.0f} days ago"
