"""Opening what is stored, for commands that only look at it or change it without running a search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.command import usual_storage

if TYPE_CHECKING:
    from search.storage import Storage
    from search.study_file import StudyDefinition
    from search.study_view import StudyView


file_option = click.option(
    "--study", "file", metavar="FILE", help="The study file, where it is needed; by default the one that was launched."
)


@contextmanager
def existing_storage(url: str) -> Iterator[Storage]:
    """Give the storage at `url`, which must be there: looking at studies makes no empty database."""
    from search.storage import open_storage

    with closing(open_storage(url, create=False)) as storage:
        yield storage


@contextmanager
def stored_study(url: str, name: str) -> Iterator[StudyView]:
    """Give a view of the study `name` at `url`; it takes no lease, so a running driver is not disturbed."""
    from search.study import Study

    with existing_storage(url) as storage, closing(Study.open(storage, name)) as study:
        yield study


def definition_of(study: StudyView, file: str | None = None) -> StudyDefinition:
    """Return the study's file, loaded again with its overrides. Raises ValueError where its space is another one."""
    from search.study_file import load_study_file

    named = file or study.settings.get("study_file") or study.settings.get("study")
    if not isinstance(named, str):
        raise ValueError(
            f"study {study.name!r} does not say which study file it was launched with: give it with --study"
        )
    overrides = study.settings.get("overrides")
    plain = {str(key): str(value) for key, value in overrides.items()} if isinstance(overrides, dict) else {}
    definition = load_study_file(named, plain)
    if definition.space.fingerprint != study.fingerprint:
        raise ValueError(
            f"the space of {named} is not the one that study {study.name!r} searched: name its file with --study"
        )
    return definition


def not_made_yet(url: str) -> bool:
    """Return whether `url` is of an SQLite file that the first launch will make: its folder is there, it is not."""
    path = Path(url.removeprefix("sqlite:///"))
    return url.startswith("sqlite:///") and not path.exists() and path.resolve().parent.is_dir()


def shown_storage(url: str) -> str:
    """Return the storage's URL as it may be shown: without its password."""
    from search.database import masked_address

    return masked_address(url).replace("+pysqlite:", ":", 1).replace("+psycopg:", ":", 1)


def storage_hint(url: str) -> str:
    """Return the option that makes another command use the same storage, after a space; "" for the usual one."""
    return "" if url == usual_storage() else f" --storage {shown_storage(url)}"
