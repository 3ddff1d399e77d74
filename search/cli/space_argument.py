"""`--space`: a space of this installation by its name, or that of a study file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace

space_option = click.option(
    "--space", required=True, metavar="STUDY|SPACE", help="The networks' space: its name, or a study's or its file."
)


def named_space(what: str) -> GenotypeSpace:
    """Return the space called `what`, else that of the study or study file. Raises ValueError for neither."""
    from importlib import import_module

    from search.cli.catalog import modules_of
    from search.study_file import load_study_file, shipped_studies
    from spaces.genotype import GenotypeSpace

    own = {entry.name for entry in modules_of("spaces", "nas_search.spaces") if entry.source == f"spaces.{entry.name}"}
    if what in own and what not in shipped_studies():
        return GenotypeSpace(getattr(import_module(f"spaces.{what}"), what)())
    return load_study_file(what).space
