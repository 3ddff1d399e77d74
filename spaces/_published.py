"""Published networks by name: written as their papers write them, upper or lower case, `-`, `_` or nothing between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Net = TypeVar("Net")


def find(nets: Mapping[str, Net], name: str) -> Net:
    """Return the network called `name`.

    Raises:
      ValueError: for a name that none has; the message lists them.
    """
    found = next((net for known, net in nets.items() if _letters(known) == _letters(name)), None)
    if found is None:
        raise ValueError(f"no published network is called {name!r}; there are {', '.join(nets)}")
    return found


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
