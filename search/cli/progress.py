"""One line that says how a running study does: done of budget, rate, best of each objective, time left."""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

import click

from search.metric_names import duration, number, split_unit

if TYPE_CHECKING:
    from search.study import Study

PLAIN_INTERVAL_S = 5.0
"""How often a line is printed where it cannot be redrawn."""

WINDOW = 40
"""How many looks back the rate is taken over."""

BAR, SHORTEST_BAR = 20, 6
"""Characters of the bar, where there is room."""


class ProgressLine:
    """Shows a study's progress on stderr: redrawn in place on a terminal, else a plain line every few seconds."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._looks: deque[tuple[float, int]] = deque(maxlen=WINDOW)
        self._printed = time.monotonic()
        self._text = ""

    def __call__(self, study: Study) -> None:
        """Show the study as it is now."""
        counts = {str(state): count for state, count in study.counts().items()}
        done = sum(count for state, count in counts.items() if state not in ("PENDING", "RUNNING"))
        now = time.monotonic()
        self._looks.append((now, done))
        if self._live:
            self._text = self._line(study, done, counts.get("FAILED", 0))
            self._redraw()
        elif now - self._printed >= PLAIN_INTERVAL_S:
            self._printed = now
            click.echo(self._line(study, done, counts.get("FAILED", 0)), err=True)

    def message(self, text: str, fraction: float) -> None:
        """Show how far a step before or after the search has come."""
        if self._live:
            self._text = f"{_bar(fraction, _width() - len(text) - 1)} {text}".lstrip()
            self._redraw()
        elif time.monotonic() - self._printed >= PLAIN_INTERVAL_S:
            self._printed = time.monotonic()
            click.echo(f"{text} {fraction:.0%}", err=True)

    def close(self) -> None:
        """Wipe the line, so that what is printed next stands in its place."""
        if self._live and self._text:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._text = ""

    @property
    def rate(self) -> float:
        """Finished trials a second over the last looks; NaN before there are two."""
        if len(self._looks) < 2:
            return float("nan")
        (since, before), (until, after) = self._looks[0], self._looks[-1]
        return (after - before) / (until - since) if until > since else float("nan")

    def _line(self, study: Study, done: int, failed: int) -> str:
        budget, rate = study.max_trials, self.rate
        parts = ["paused"] if study.requested() == "pause" else []
        parts += [f"{done:,}/{budget:,} trials"]
        parts += [f"{failed:,} failed"] if failed else []
        parts += [f"{number(rate, 3)}/s"] if rate > 0 else []
        left = [f"{duration((budget - done) / rate)} left"] if rate > 0 and done < budget else []
        line = fitted(parts, _best(study), left, _width() if self._live else None)
        return f"{_bar(done / budget, _width() - len(line) - 1)} {line}".lstrip() if self._live else line

    def _redraw(self) -> None:
        sys.stderr.write("\r\x1b[2K" + self._text[: _width()])
        sys.stderr.flush()


def _width() -> int:
    """Return how many characters a line may have without being broken."""
    return shutil.get_terminal_size().columns - 1


def fitted(first: list[str], best: list[str], last: list[str], width: int | None) -> str:
    """Return one line of all parts; of those in the middle the last ones are left out where they do not fit."""
    while True:
        line = " · ".join([*first, *best, *last])
        if not best or width is None or len(line) <= width:
            return line
        best = best[:-1]


def _bar(fraction: float, room: int) -> str:
    """Return a bar as wide as there is room for; "" where it would say nothing."""
    wide = min(BAR, room)
    if wide < SHORTEST_BAR:
        return ""
    filled = round(min(max(fraction, 0.0), 1.0) * wide)
    return f"{'━' * filled}{'╺' if filled < wide else ''}{'─' * max(wide - filled - 1, 0)}"


def _best(study: Study) -> list[str]:
    """Return the best of each objective among the trials of the front, and how many there are."""
    front = study.front()
    if not len(front):
        return []
    shown = []
    for objective in study.objectives:
        values = front.metrics[objective.metric]
        best = values.max() if objective.direction == "maximize" else values.min()
        quantity, unit = split_unit(objective.metric)
        shown.append(f"{quantity} {number(best)}{' ' + unit if unit else ''}")
    return [*shown, f"front {len(front)}"] if len(study.objectives) > 1 else shown
