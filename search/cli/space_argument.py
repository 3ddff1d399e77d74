"""`--space`: a space of this installation by its name, or that of a study file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from search.study_file import StudyDefinition
    from spaces.genotype import GenotypeSpace

space_option = click.option(
    "--space", required=True, metavar="STUDY|SPACE", help="The networks' space: its name, or a study's or its file."
)


def own_space(name: str) -> Callable[..., Any] | None:
    """Return the function that makes this project's space `name`; None where it has no such space."""
    from importlib import import_module

    made: Callable[..., Any] | None = getattr(import_module(f"spaces.{name}"), name) if name in _names() else None
    return made


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
