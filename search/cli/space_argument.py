"""`--space`: a space of this installation by its name, or that of a study file."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from search.study_file import StudyDefinition
    from spaces.genotype import GenotypeSpace

space_option = click.option(
    "--space",
    required=True,
    metavar="STUDY|SPACE",
    help="The networks' space: its name, with settings or without, or a study's or its file.",
)


def own_space(what: str) -> Callable[..., Any] | None:
    """Return the function that makes this project's space, with the settings that `what` gives; None for no such space.

    `what` is a name, or a call of it with literal settings: `fbnet("cifar")`. Raises ValueError for other settings.
    """
    from importlib import import_module

    name, bracket, _ = what.partition("(")
    if name not in _names():
        return None
    made: Callable[..., Any] = getattr(import_module(f"spaces.{name}"), name)
    return _with_settings(made, what if bracket else f"{name}()")


def _with_settings(made: Callable[..., Any], what: str) -> Callable[..., Any]:
    """Return `made` with the arguments of the call `what`, which are read as data."""
    from inspect import signature

    try:
        call = ast.parse(what, mode="eval").body
        if not isinstance(call, ast.Call):
            raise ValueError("that is no call")
        places = [ast.literal_eval(value) for value in call.args]
        named = {str(item.arg): ast.literal_eval(item.value) for item in call.keywords}
        signature(made).bind(*places, **named)
    except (SyntaxError, TypeError, ValueError, MemoryError, RecursionError) as error:
        why = error if isinstance(error, TypeError) else "expected a call with numbers, texts and lists of them"
        known = ", ".join(signature(made).parameters)
        raise ValueError(f"space {what!r} is not understood: {why}; its settings are {known}") from None
    return partial(made, *places, **named)


def _names() -> list[str]:
    from search.cli.catalog import modules_of

    return [entry.name for entry in modules_of("spaces", "nas_search.spaces") if entry.source == f"spaces.{entry.name}"]


def study_of(what: str) -> StudyDefinition:
    """Return the study called `what`, or that of a file, where a space was looked for, too. Raises StudyFileError."""
    from search.study_file import StudyFileError, load_study_file, shipped_studies

    if what not in shipped_studies() and not Path(what).is_file():
        known = f"spaces: {', '.join(_names())}; shipped studies: {', '.join(shipped_studies())}"
        raise StudyFileError(what, None, f"no such space or study; {known}; or give the path of a study file")
    return load_study_file(what)


def named_space(what: str) -> GenotypeSpace:
    """Return the space called `what`, else that of the study or study file. Raises ValueError for neither."""
    from search.study_file import shipped_studies
    from spaces.genotype import GenotypeSpace

    make = None if what in shipped_studies() else own_space(what)
    return study_of(what).space if make is None else GenotypeSpace(make())
