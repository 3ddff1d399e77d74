"""Reads the pickles that CIFAR's python archives are made of, without unpickling: nothing in them is ever called.

`pickletools.genops` tells the operations of a pickle. The ones that such a file needs (PEP 307's protocol 2, as Python
2 wrote it) are carried out on plain values; a global is a name and no more, and a call of the one allowed name makes an
inert record, whose bytes become an array here. Whatever else a file holds, it is refused at its first operation of
another kind.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from typing import Any

import numpy as np

ARRAY, DTYPE = "numpy.core.multiarray _reconstruct", "numpy dtype"
NAMES = frozenset({ARRAY, "numpy ndarray", DTYPE})
"""The globals that a file may name; the first and the last may be called."""

VALUES = frozenset(
    {"BININT", "BININT1", "BININT2", "BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "BINBYTES", "SHORT_BINBYTES"}
)
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, slots=True)
class Name:
    """A global of a pickle, by its name alone."""

    name: str


@dataclass(slots=True)
class Made:
    """What a call of a global would have made: the global, and the state that it was given."""

    name: str
    state: Any = None


def read_batch(content: bytes, label_key: str, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch's `data`, uint8 (n, width), and the labels under `label_key`, int64 (n,).

    Raises ValueError for a pickle that holds anything else than such a batch needs, or is damaged.
    """
    try:
        batch = _Machine().run(content)
        data = _pixels(batch["data"], width)
        labels = batch[label_key]
        if not isinstance(labels, list) or not all(type(label) is int for label in labels):
            raise ValueError(f"{label_key!r} is no list of whole numbers")
        if len(labels) != len(data):
            raise ValueError(f"{len(labels)} labels for {len(data)} images")
        return data, np.array(labels, np.int64)
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a batch of CIFAR's python version ({type(error).__name__}: {error})") from None


def _pixels(made: Any, width: int) -> np.ndarray:
    """Return the array of an inert record: its state is (version, shape, dtype, column by column, bytes)."""
    if not isinstance(made, Made) or made.name != ARRAY:
        raise ValueError("'data' is no array")
    _, shape, dtype, fortran, raw = made.state
    if not isinstance(dtype, Made) or dtype.name != DTYPE or not isinstance(raw, str | bytes):
        raise ValueError("'data' is no array of bytes")
    if len(shape) != 2 or shape[1] != width or shape[0] * width != len(raw):
        raise ValueError(f"'data' has shape {shape} and {len(raw)} bytes; expected (images, {width})")
    values = np.frombuffer(raw.encode("latin-1") if isinstance(raw, str) else raw, np.uint8)
    return values.reshape(shape, order="F" if fortran else "C")


class _Machine:
    """The stack and the memory of a pickle's operations."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memory: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        """Carry out every operation and return what is left at the end."""
        for operation, argument, place in pickletools.genops(content):
            name = operation.name
            if name == "STOP":
                return self._stack.pop()
            if not self._push(name, argument) and not self._change(name, argument):
                raise ValueError(f"the pickle has {name} at byte {place}, which no CIFAR file needs; it is not read")
        raise ValueError("the pickle does not end")

    def _push(self, name: str, argument: Any) -> bool:
        """Carry out an operation that adds a value; return whether it was one."""
        if name in VALUES:
            self._stack.append(argument)
        elif name in CONSTANTS:
            self._stack.append(CONSTANTS[name])
        elif name in ("EMPTY_LIST", "EMPTY_DICT"):
            self._stack.append([] if name == "EMPTY_LIST" else {})
        elif name in ("BINGET", "LONG_BINGET"):
            self._stack.append(self._memory[argument])
        elif name == "GLOBAL":
            if argument not in NAMES:
                raise ValueError(f"the pickle names {argument!r}, which no CIFAR file needs; it is not read")
            self._stack.append(Name(argument))
        else:
            return False
        return True

    def _change(self, name: str, argument: Any) -> bool:
        """Carry out an operation on what the stack holds; return whether it was one."""
        if name == "MARK":
            self._marks.append(len(self._stack))
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memory[argument] = self._stack[-1]
        elif name in ("TUPLE", *TUPLES):
            self._stack.append(tuple(self._take(TUPLES.get(name))))
        elif name in ("APPEND", "APPENDS"):
            values = self._take(1 if name == "APPEND" else None)
            self._stack[-1].extend(values)
        elif name in ("SETITEM", "SETITEMS"):
            pairs = self._take(2 if name == "SETITEM" else None)
            if not all(isinstance(key, str) for key in pairs[::2]):
                raise ValueError("the pickle has a key that is no text")
            self._stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))
        elif name in ("REDUCE", "BUILD"):
            self._make(name)
        elif name != "PROTO":
            return False
        return True

    def _take(self, count: int | None) -> list[Any]:
        """Remove and return the last `count` values, or None: all above the last mark."""
        start = self._marks.pop() if count is None else len(self._stack) - count
        if start < 0:
            raise IndexError("the stack is empty")
        taken = self._stack[start:]
        del self._stack[start:]
        return taken

    def _make(self, name: str) -> None:
        """Make an inert record of a call, or give one its state."""
        target, given = self._take(2)
        if name == "REDUCE":
            if not isinstance(target, Name) or target.name not in (ARRAY, DTYPE):
                raise ValueError("the pickle calls what no CIFAR file needs; it is not read")
            if target.name == DTYPE and given[0] != "u1":
                raise ValueError("the pickle has an array of something else than bytes")
            self._stack.append(Made(target.name))
        elif isinstance(target, Made):
            target.state = given
            self._stack.append(target)
        else:
            raise ValueError("the pickle sets the state of what is no array; it is not read")
