"""How a running search is stopped: the first Ctrl-C or SIGTERM cleanly, a second one at once, or by the clock."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType, TracebackType
from typing import Self

GRACE_S = 7.0
"""How long work at hand may go on after the first signal, so that the process has ended 10 s after it."""

INTERRUPTED = "interrupted"
TIME_IS_UP = "time is up"


class Interrupted(KeyboardInterrupt):
    """Raised in the main thread when the work at hand outlives the grace given to it."""


class Interruption:
    """Watches for SIGINT, SIGTERM and the end of `max_time_s` while it is entered; call it to ask whether to stop."""

    def __init__(self, max_time_s: float | None = None) -> None:
        self._deadline = time.monotonic() + max_time_s if max_time_s is not None else None
        self.signal: int | None = None

    def __call__(self) -> str | None:
        """Return why no more work may be handed out, or None."""
        if self.signal is not None:
            return INTERRUPTED
        return TIME_IS_UP if self._deadline is not None and time.monotonic() >= self._deadline else None

    @property
    def exit_code(self) -> int:
        """The shell's code for the signal that came: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + (self.signal or signal.SIGINT)

    def __enter__(self) -> Self:
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_alarm)
        if self._deadline is not None:
            signal.setitimer(signal.ITIMER_REAL, max(self._deadline - time.monotonic(), 0.0) + GRACE_S)
        return self

    def check(self) -> None:
        """Raise Interrupted if it is time to stop: for work that nobody else asks."""
        if self() is not None:
            raise Interrupted

    def disarm(self) -> None:
        """Let the work at hand go on however long it takes, unless a signal has come."""
        if self.signal is None:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h\n")
            os._exit(128 + number)
        self.signal = number
        os.write(2, b"\nstopping: no more work is handed out, what is finished is saved (again: stop at once)\n")
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    def _on_alarm(self, _number: int, _frame: FrameType | None) -> None:
        raise Interrupted
