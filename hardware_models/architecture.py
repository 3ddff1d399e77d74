"""Which part of a candidate is its network: all of it, or the member `architecture` of what is searched together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def architecture_of(candidate: Any) -> Any:
    """Return what has `ops()` and `build()`: `candidate["architecture"]` of a mapping that has it, else `candidate`.

    A space such as `pg.Dict(architecture=mbconv(), training=hyperparameters())` thereby costs what its networks cost.
    """
    if isinstance(candidate, Mapping) and "architecture" in candidate:
        return candidate["architecture"]
    return candidate
