"""The picture of a latency table's validation: predicted against measured latencies of networks that it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from search.plots import BLUE, GREY, INK, STYLE, check_picture_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = {0.10: "#ECEEF0", 0.05: "#D3D7DC"}
"""The errors that are drawn as bands about the diagonal, and their colours."""


def draw_latencies(title: str, predicted_ms: np.ndarray, measured_ms: np.ndarray, note: str, path: Path) -> None:
    """Write a scatter plot of latencies, (n,) each and n at least 1, to `path`, with `note` in its corner.

    Raises ValueError for a path that is not a picture's.
    """
    check_picture_path(path)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.2, 6.2), dpi=160, layout="constrained")
        axes = figure.subplots()
        low, high = _range(np.concatenate([predicted_ms, measured_ms]))
        _draw_bands(axes, low, high)
        look: dict[str, Any] = {"color": BLUE, "edgecolors": "white", "linewidths": 0.7, "zorder": 4}
        axes.scatter(measured_ms, predicted_ms, 30, label=f"held-out networks ({len(measured_ms)})", **look)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
        axes.set_xlabel("measured latency (ms)")
        axes.set_ylabel("predicted latency (ms)")
        axes.text(0.98, 0.02, note, transform=axes.transAxes, fontsize=8.5, color=INK, ha="right", va="bottom")
        axes.legend(loc="upper left", frameon=False, fontsize=8.5)
        figure.savefig(path)


def _draw_bands(axes: Axes, low: float, high: float) -> None:
    """Draw the diagonal, on which predictions are exact, and the bands of small errors."""
    ends = np.array([low, high])
    for error, colour in BANDS.items():
        look: dict[str, Any] = {"color": colour, "linewidth": 0, "label": f"within {100 * error:.0f} %"}
        axes.fill_between(ends, ends * (1 - error), ends * (1 + error), **look)
    axes.plot(ends, ends, color=GREY, linewidth=1.0, zorder=2)


def _range(latencies: np.ndarray) -> tuple[float, float]:
    """Return the ends of both axes: all latencies and a margin, from zero where they span much."""
    low, high = float(latencies.min()), float(latencies.max())
    margin = 0.05 * (high - low) or 0.05 * high
    return (0.0 if low < 0.3 * high else low - margin), high + margin
