"""What an evaluation writes to standard output and standard error: passed on, and the end of it kept for its trial."""

from __future__ import annotations

import logging
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

KEPT_CHARACTERS = 8_192
"""How much of the end is kept of a trial."""

HELD_CHARACTERS = 65_536
"""How much is held until then: of a progress line that is drawn over and over, little is left."""

CUT = "[...]\n"
"""Stands where more was written than is kept."""

SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])")
"""A terminal's colours, movements and titles (ECMA-48)."""

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SURROGATES = re.compile("[\ud800-\udfff]")


class Written:
    """Hears what Python code of this process writes while it listens.

    What other processes and C libraries write is not heard, nor what other threads write told apart.
    """

    def __init__(self) -> None:
        self._held: deque[str] = deque()
        self._length = 0
        self._listens = False
        self._lock = Lock()
        self._tees: dict[str, _Tee] = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what is written within; everything is passed on to where it went."""
        replaced = [(name, tee) for name in ("stdout", "stderr") if (tee := self._tee(name)) is not None]
        for name, tee in replaced:
            setattr(sys, name, tee)
        self._listens = True
        try:
            yield
        finally:
            self._listens = False
            for name, tee in replaced:
                if getattr(sys, name) is tee:
                    setattr(sys, name, tee.stream)

    def taken(self) -> str:
        """Return the end of what was heard since it was last taken, as plain text; "" for nothing."""
        if not self._held:
            return ""
        with self._lock:
            text = "".join(self._held)
            self._held.clear()
            self._length = 0
        return end_of(text)

    def _hear(self, written: Any) -> None:
        if not self._listens or not isinstance(written, str | bytes | bytearray | memoryview):
            return
        text = written if isinstance(written, str) else bytes(written).decode(errors="replace")
        text = text[-HELD_CHARACTERS:]
        with self._lock:
            self._held.append(text)
            self._length += len(text)
            while self._length - len(self._held[0]) >= HELD_CHARACTERS:
                self._length -= len(self._held.popleft())

    def _tee(self, name: str) -> _Tee | None:
        """Return what stands in for a stream of `sys`, the same for the same one; None where there is no stream."""
        stream = getattr(sys, name)
        tee = self._tees.get(name)
        if stream is not None and (tee is None or tee.stream is not stream):
            tee = self._tees[name] = _Tee(stream, self._hear)
            _lead_handlers(tee)
        return tee if stream is not None else None


class _Tee:
    """A stream that tells what is written to it, and is otherwise the one that it is passed on to."""

    def __init__(self, stream: Any, hear: Callable[[Any], None]) -> None:
        self.stream, self._hear = stream, hear

    def write(self, written: Any) -> Any:
        """Write a text, or bytes to a stream of bytes."""
        self._hear(written)
        return self.stream.write(written)

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write one after another."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> _Tee:
        """The stream of bytes below a stream of text."""
        return _Tee(self.stream.buffer, self._hear)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _lead_handlers(tee: _Tee) -> None:
    """Have loggers that write to a stream since before it was listened to write to what stands in for it."""
    known = [*logging.Logger.manager.loggerDict.values(), logging.getLogger()]
    for handler in (handler for logger in known if isinstance(logger, logging.Logger) for handler in logger.handlers):
        if isinstance(handler, logging.StreamHandler) and _own(handler.stream) is _own(tee):
            handler.setStream(tee)


def _own(stream: Any) -> Any:
    """Return the stream itself, whatever stands in for it."""
    while isinstance(stream, _Tee):
        stream = stream.stream
    return stream


def end_of(text: str) -> str:
    """Return the end of what a terminal would show of a text: no control characters but tabs and line feeds."""
    lines = SEQUENCES.sub("", text).split("\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    text = SURROGATES.sub("\ufffd", CONTROLS.sub("", text)).rstrip()
    if len(text) <= KEPT_CHARACTERS:
        return text
    tail = text[-KEPT_CHARACTERS:]
    return CUT + (tail.partition("\n")[2] or tail)
