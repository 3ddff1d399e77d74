"""The search algorithms that there are, found by name: this package's modules, then other packages' entry points."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import search.algorithms
from search.algorithms._base import Algorithm

ENTRY_POINTS = "nas_search.algorithms"
"""The entry point group of other packages' algorithms: `name = "package.module:ClassName"`."""


def algorithm_names() -> tuple[str, ...]:
    """Return every algorithm's name, sorted; an outside one is listed without importing its package."""
    own = (module.name for module in pkgutil.iter_modules(search.algorithms.__path__))
    return tuple(sorted({name for name in own if _own_class(name) is not None} | _outside().keys()))


def algorithm_class(name: str) -> type[Algorithm]:
    """Return the class of the algorithm `name`. Raises ValueError, with the names there are, for an unknown one."""
    found = _own_class(name) if name.isidentifier() else None
    if found is not None:
        return found
    if name not in _outside():
        names = algorithm_names()
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"unknown algorithm {name!r}; {hint}there are {', '.join(names)}")
    loaded = _outside()[name].load()
    if not (isinstance(loaded, type) and issubclass(loaded, Algorithm)):
        raise ValueError(f"entry point {name!r} of {ENTRY_POINTS} is {loaded!r}; expected a subclass of Algorithm")
    return loaded


def make_algorithm(name: str, **settings: Any) -> Algorithm:
    """Return a new algorithm `name` with these settings. Raises ValueError for an unknown name or setting."""
    made = algorithm_class(name)
    known = [field.name for field in dataclasses.fields(made) if field.init]
    unknown = sorted(settings.keys() - set(known))
    if unknown:
        raise ValueError(f"{name} has no setting {unknown[0]!r}; its settings: {', '.join(known) or 'none'}")
    return made(**settings)


def algorithm_of(given: Any) -> Algorithm:
    """Return an algorithm from an instance, a name, or a mapping with `name` and settings.

    Raises ValueError for anything else, and for an unknown name or setting.
    """
    if isinstance(given, Algorithm):
        return given
    if isinstance(given, str):
        return make_algorithm(given)
    if isinstance(given, Mapping) and isinstance(given.get("name"), str):
        return make_algorithm(**given)
    shown = repr(given)
    raise ValueError(
        f"expected an algorithm or one of the names {', '.join(algorithm_names())}; "
        f"got {shown if len(shown) <= 80 else f'{shown[:77]}...'}{_adapter(given)}"
    )


def _adapter(given: Any) -> str:
    """Return how other people's `given` becomes an algorithm, told by its class's ancestors; "" for what does not."""
    ancestors = {kind.__name__ for kind in type(given).__mro__}
    for theirs, ours in (("DNAGenerator", "pyglove import PyGlove"), ("BaseSampler", "optuna import Optuna")):
        if theirs in ancestors:
            return f"; wrap it: from search.algorithms.{ours}, then {ours.rpartition(' ')[2]}(...)"
    return ""


def _own_class(name: str) -> type[Algorithm] | None:
    """Return the class whose `name` is its module's, or None where this package has no such module or class."""
    path = f"{search.algorithms.__name__}.{name}"
    if name.startswith("_") or path == __name__ or importlib.util.find_spec(path) is None:
        return None
    for value in vars(importlib.import_module(path)).values():
        if isinstance(value, type) and issubclass(value, Algorithm) and getattr(value, "name", None) == name:
            return value
    return None


def _outside() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}
