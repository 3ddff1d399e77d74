"""Results of analyses that are kept until their study changes, each computed once however many ask at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

Found = TypeVar("Found")

KEPT = 32


class KnownResults:
    """Results by key; the least used leave. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._computing: dict[Hashable, threading.Lock] = {}
        self._found: OrderedDict[Hashable, tuple[object, object]] = OrderedDict()

    def get(self, key: Hashable, stamp: object, compute: Callable[[], Found]) -> Found:
        """Return the result under `key` that was computed at this `stamp`; compute it if there is none."""
        with self._lock:
            mine = self._computing.setdefault(key, threading.Lock())
        with mine:
            with self._lock:
                held = self._found.get(key)
            if held is None or held[0] != stamp:
                held = (stamp, compute())
            with self._lock:
                self._found[key] = held
                self._found.move_to_end(key)
                while len(self._found) > KEPT:
                    old, _ = self._found.popitem(last=False)
                    self._computing.pop(old, None)
        return cast("Found", held[1])
