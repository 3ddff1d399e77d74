"""Pictures of a study: its Pareto front, or its best result over trials where there is one objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from search.metric_names import heading, number, split_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8A8F98", "#222222"
"""Okabe-Ito's colours for categories, safe for the colour-blind, and two greys."""

CATEGORIES = (BLUE, VERMILION, GREEN, "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "<", ">")
DASHES: tuple[Any, ...] = ("solid", (0, (4, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))

SUFFIXES = (".png", ".svg", ".pdf")

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": "#9AA0A6",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E8EAED",
    "grid.linewidth": 0.7,
    "xtick.color": "#5F6368",
    "ytick.color": "#5F6368",
    "svg.hashsalt": "search",
}


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: the metric on it, whether less of it is better, and the bound that a constraint sets on it, if any."""

    metric: str
    minimised: bool
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class FrontPicture:
    """What a picture of a front shows.

    Attributes:
      title: the study and what its numbers are of.
      x, y: the axes.
      points: shape (n, 2), float64: x and y of every trial that has both.
      on_front: shape (n,), bool: not dominated.
      feasible: shape (n,), bool: meets every constraint.
      measured: shape (m, 3): x as predicted, x as measured directly, y; empty where nothing was measured.
    """

    title: str
    x: Axis
    y: Axis
    points: np.ndarray
    on_front: np.ndarray
    feasible: np.ndarray
    measured: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))


def check_picture_path(path: Path) -> None:
    """Raise ValueError when `path` does not end in a kind of picture that can be written, or its folder is missing."""
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"the picture {str(path)!r} must end in one of {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise ValueError(f"the picture's folder {str(path.parent)!r} does not exist: make it first")


def draw_front(picture: FrontPicture, path: Path) -> None:
    """Write the picture of a front to `path`; an empty study gives empty axes. Raises ValueError for a bad path."""
    check_picture_path(path)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.0, 5.0), dpi=160, layout="constrained")
        axes = figure.subplots()
        _draw_cloud(axes, picture)
        _draw_steps(axes, picture, f"Pareto front ({picture.on_front.sum()})")
        _draw_measured(axes, picture)
        _frame(axes, picture)
        _draw_bounds(axes, picture)
        _legend(figure)
        _save(figure, path)


def front_looks(places: Sequence[int]) -> list[dict[str, Any]]:
    """Return the colour, marker and dashes of fronts: the colour is that of the device's place among all devices.

    Markers differ within a picture; devices that share a colour there differ in their dashes.
    """
    colours = [CATEGORIES[place % len(CATEGORIES)] for place in places]
    return [
        {
            "color": colour,
            "marker": MARKERS[index % len(MARKERS)],
            "dashes": DASHES[colours[:index].count(colour) % len(DASHES)],
        }
        for index, colour in enumerate(colours)
    ]


def draw_fronts(pictures: Mapping[str, FrontPicture], places: Sequence[int], path: Path) -> None:
    """Write several fronts of the same trials to `path`, by the name of each one's device, on common axes.

    `places` are the devices' among all devices, which their colours follow. The axes and the title are the first
    picture's. Raises ValueError for a bad path.
    """
    check_picture_path(path)
    import matplotlib
    from matplotlib.figure import Figure

    every = list(pictures.values())
    common = replace(
        every[0],
        points=np.concatenate([picture.points for picture in every]),
        on_front=np.concatenate([picture.on_front for picture in every]),
    )
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.0, 5.0), dpi=160, layout="constrained")
        axes = figure.subplots()
        for (name, picture), look in zip(pictures.items(), front_looks(places), strict=True):
            others = picture.points[picture.feasible & ~picture.on_front]
            size = float(np.clip(6000 / max(len(common.points), 1), 3, 16))
            axes.scatter(others[:, 0], others[:, 1], size, color=look["color"], alpha=0.2, linewidths=0)
            _draw_steps(axes, picture, f"{name} ({picture.on_front.sum()})", **look)
        _frame(axes, common, "points")
        _legend(figure)
        _save(figure, path)


def _draw_cloud(axes: Axes, picture: FrontPicture) -> None:
    """Draw what is dominated small and grey, what breaks a constraint hollow."""
    dominated = picture.points[picture.feasible & ~picture.on_front]
    infeasible = picture.points[~picture.feasible]
    size = float(np.clip(6000 / max(len(picture.points), 1), 3, 16))
    if len(dominated):
        look: dict[str, Any] = {"color": GREY, "alpha": 0.45, "linewidths": 0}
        axes.scatter(dominated[:, 0], dominated[:, 1], size, label=f"dominated ({len(dominated):,})", **look)
    if len(infeasible):
        look = {"facecolors": "none", "edgecolors": GREY, "alpha": 0.6, "linewidths": 0.6}
        label = f"breaks a constraint ({len(infeasible):,})"
        axes.scatter(infeasible[:, 0], infeasible[:, 1], size + 4, label=label, **look)


def _draw_steps(
    axes: Axes, picture: FrontPicture, label: str, *, color: str = BLUE, marker: str = "o", dashes: Any = "solid"
) -> None:
    """Draw the front as the border of what is attained: steps through its points."""
    front = picture.points[picture.on_front]
    x, y = front[np.argsort(front[:, 0], kind="stable")].T
    steps = "steps-post" if picture.x.minimised else "steps-pre"
    look: dict[str, Any] = {"marker": marker, "markersize": 5.8, "markeredgecolor": "white", "markeredgewidth": 0.8}
    axes.plot(x, y, drawstyle=steps, color=color, linewidth=1.4, linestyle=dashes, label=label, zorder=4, **look)


def _draw_measured(axes: Axes, picture: FrontPicture) -> None:
    """Draw what was measured directly as diamonds, each joined to what had been predicted."""
    if not len(picture.measured):
        return
    predicted, measured, y = picture.measured.T
    axes.hlines(y, predicted, measured, color=VERMILION, linewidth=1.2, zorder=5)
    axes.scatter(
        measured, y, s=34, marker="D", facecolors="white", edgecolors=VERMILION, linewidths=1.3, zorder=6,
        label=f"{heading(picture.x.metric)} measured directly ({len(y)})",
    )  # fmt: skip


def _draw_bounds(axes: Axes, picture: FrontPicture) -> None:
    """Draw constraints as thin lines that say what they are, where they lie within the range that is shown."""
    line: dict[str, Any] = {"color": INK, "linewidth": 0.8, "linestyle": (0, (4, 3))}
    if picture.x.bound is not None and _within(picture.x.bound, axes.get_xlim()):
        axes.axvline(picture.x.bound, **line)
        text = _limit(picture.x.metric, picture.x.bound)
        axes.text(
            picture.x.bound, 0.06, text, transform=axes.get_xaxis_transform(), rotation=90, fontsize=8, ha="right",
            va="bottom", in_layout=False,
        )  # fmt: skip
    if picture.y.bound is not None and _within(picture.y.bound, axes.get_ylim()):
        axes.axhline(picture.y.bound, **line)
        text = _limit(picture.y.metric, picture.y.bound)
        axes.text(
            0.99, picture.y.bound, text, transform=axes.get_yaxis_transform(), fontsize=8, ha="right", va="bottom",
            in_layout=False,
        )  # fmt: skip


def _limit(metric: str, bound: float) -> str:
    """Return a constraint in words, e.g. "latency limit 14 ms"."""
    quantity, unit = split_unit(metric)
    return f"{quantity} limit {number(bound)} {unit}".rstrip()


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _frame(axes: Axes, picture: FrontPicture, what: str = "trials") -> None:
    """Name the axes and say which way is better; show the part of the plane where the front is."""
    axes.set_title(picture.title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel(f"{heading(picture.x.metric)}   {'← better' if picture.x.minimised else 'better →'}")
    axes.set_ylabel(f"{heading(picture.y.metric)}   {'← better' if picture.y.minimised else 'better →'}")
    if len(picture.points):
        low, high = window(picture)
        shown = (picture.points[:, 1] >= low) & (picture.points[:, 1] <= high)
        axes.set_ylim(low, high)
        measured = picture.measured[(picture.measured[:, 2] >= low) & (picture.measured[:, 2] <= high), 1]
        _set_scale(axes, np.concatenate([picture.points[shown, 0], measured]))
        if not shown.all():
            note = f"{int((~shown).sum()):,} of {len(shown):,} {what} lie outside this range"
            axes.annotate(
                note, (0.995, 0.01), xycoords="axes fraction", fontsize=8, color=GREY, ha="right", va="bottom"
            )


def _legend(figure: Figure) -> None:
    """Put the legend below the axes, where it hides nothing, with marks large enough to tell apart."""
    legend = figure.legend(loc="outside lower left", ncols=4, frameon=False, fontsize=8.5, columnspacing=1.6)
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([26])
            handle.set_alpha(1.0)


def _set_scale(axes: Axes, x: np.ndarray) -> None:
    """Show the range of x, on a logarithmic axis where positive values span a decade, with plain numbers on it."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = float(x.min()), float(x.max())
    if low > 0 and high / low >= 10:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.15, high * 1.15)
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    elif high > low:
        axes.set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))


def _tick(value: float) -> str:
    return f"{value:g}" if value < 1e5 else number(value, 3)


def window(picture: FrontPicture) -> tuple[float, float]:
    """Return the range of y to show: the better half of the trials and most of the front, so that a tail of failures
    does not press the front flat. All of them where they lie close together."""
    y = picture.points[:, 1]
    sign = 1.0 if picture.y.minimised else -1.0
    worse = sign * y
    best, front = worse.min(), worse[picture.on_front]
    limit = max(np.quantile(worse, 0.6), np.quantile(front, 0.75) if len(front) else best)
    worst = min(worse.max(), best + 1.5 * (limit - best))
    margin = 0.05 * (worst - best) or 0.05 * abs(best) or 1.0
    ends = sorted((sign * (best - margin), sign * (worst + margin)))
    return float(ends[0]), float(ends[1])


def draw_progress(title: str, axis: Axis, values: np.ndarray, path: Path) -> None:
    """Write the picture of a study with one objective to `path`: each result and the best so far, over trials."""
    check_picture_path(path)
    import matplotlib
    from matplotlib.figure import Figure

    y = np.asarray(values, dtype=float)
    best = (np.fmin if axis.minimised else np.fmax).accumulate(y) if len(y) else y
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.0, 5.0), dpi=160, layout="constrained")
        axes = figure.subplots()
        axes.scatter(np.arange(len(y)), y, s=8, color=GREY, alpha=0.5, linewidths=0, label=f"trials ({len(y):,})")
        axes.step(np.arange(len(y)), best, where="post", color=BLUE, linewidth=1.6, label="best so far")
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
        axes.set_xlabel("trials finished")
        axes.set_ylabel(f"{heading(axis.metric)}   {'← better' if axis.minimised else 'better →'}")
        _legend(figure)
        _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    """Write the figure beside `path` and move it there, so that a broken picture never stands in its place."""
    kind = path.suffix.lower().lstrip(".")
    metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {}
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, format=kind, metadata=metadata)
    partial.replace(path)
