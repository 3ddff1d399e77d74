"""Names of estimated metrics, which no measured metric can have: `latency_ms@a100-estimated`."""

from __future__ import annotations

_SUFFIX = "-estimated"


def estimated(quantity: str, device: str) -> str:
    """Return the name of a metric that is computed for a device instead of measured on it.

    Args:
      quantity: with its unit, e.g. `latency_ms`.
      device: what it is computed for, e.g. `a100-float16`.
    """
    return f"{quantity}@{device}{_SUFFIX}"
