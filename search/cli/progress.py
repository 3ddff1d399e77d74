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

BAR = 20


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
            self._text = f"{_bar(fraction)} {text}"
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
        parts = [f"{done:,}/{budget:,} trials"]
        parts += [f"{number(rate, 3)}/s"] if rate > 0 else []
        parts += _best(study)
        parts += [f"{duration((budget - done) / rate)} left"] if rate > 0 and done < budget else []
        if failed:
            parts.insert(1, f"{failed:,} failed")
        if study.requested() == "pause":
            parts.insert(0, "paused")
        line = " · ".join(parts)
        return f"{_bar(done / budget)} {line}" if self._live else line

    def _redraw(self) -> None:
        width = shutil.get_terminal_size().columns
        sys.stderr.write("\r\x1b[2K" + self._text[: width - 1])
        sys.stderr.flush()


def _bar(fraction: float) -> str:
    filled = round(min(max(fraction, 0.0), 1.0) * BAR)
    return f"{'━' * filled}{'╺' if filled < BAR else ''}{'─' * max(BAR - filled - 1, 0)}"


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
