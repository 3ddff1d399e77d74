"""`--space`: a space of this installation by its name, or that of a study file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace

space_option = click.option(
    "--space", required=True, metavar="STUDY|SPACE", help="The networks' space: its name, or a study's or its file."
)


def own_space(name: str) -> Callable[..., Any] | None:
    """Return the function that makes this project's space `name`; None where it has no such space."""
    from importlib import import_module

    from search.cli.catalog import modules_of

    own = {entry.name for entry in modules_of("spaces", "nas_search.spaces") if entry.source == f"spaces.{entry.name}"}
    made: Callable[..., Any] | None = getattr(import_module(f"spaces.{name}"), name) if name in own else None
    return made


def named_space(what: str) -> GenotypeSpace:
    """Return the space called `what`, else that of the study or study file. Raises ValueError for neither."""
    from search.study_file import load_study_file, shipped_studies
    from spaces.genotype import GenotypeSpace

    make = None if what in shipped_studies() else own_space(what)
    return load_study_file(what).space if make is None else GenotypeSpace(make())
