"""`studies`, `spaces`, `algorithms`, `devices`: what can be named on the command line or in a study file."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from search.cli.command import command, json_option, output
from search.cli.output import Column


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that there is: its name, what it is in a line, and where it comes from."""

    name: str
    description: str
    source: str


def modules_of(package: str, group: str) -> list[Entry]:
    """Return the public modules of a package and what other distributions add to an entry point group, by name.

    Nothing is imported but the package itself: descriptions are read from the files' opening lines.
    """
    own = list(_own_modules(package))
    outside = [
        Entry(point.name, point.value, point.dist.name if point.dist else "") for point in entry_points(group=group)
    ]
    return sorted([*own, *outside], key=lambda entry: entry.name)


def _own_modules(package: str) -> Iterator[Entry]:
    """Yield the package's modules that define something of their own name: a function, or a class named alike."""
    for folder in importlib.import_module(package).__path__:
        for path in sorted(Path(folder).glob("[!_]*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            named = path.stem.replace("_", "")
            defined = {
                node.name.lower().replace("_", "")
                for node in tree.body
                if isinstance(node, ast.FunctionDef | ast.ClassDef)
            }
            if named in defined:
                description = (ast.get_docstring(tree) or "").partition("\n")[0]
                yield Entry(path.stem, description, f"{package}.{path.stem}")


def _show(entries: list[Entry], kind: str, empty: str, *, json: bool) -> None:
    out = output(json=json)
    out.document(
        {kind: [{"name": item.name, "description": item.description, "source": item.source} for item in entries]}
    )
    if entries:
        columns = [Column("name"), Column("what it is"), Column("from")]
        out.table(columns, [[entry.name, entry.description, entry.source] for entry in entries])
    else:
        out.line(empty)


@command("studies", example="studies")
@json_option
def studies(json: bool) -> None:
    """List the shipped studies, each ready to be launched."""
    from search.study_source import shipped_studies

    entries = [Entry(name, text, f"search/studies/{name}.py") for name, text in shipped_studies().items()]
    _show(entries, "studies", "no studies are shipped with this installation", json=json)


@command("spaces", example="spaces")
@json_option
def spaces(json: bool) -> None:
    """List the search spaces that a study file can import."""
    _show(modules_of("spaces", "nas_search.spaces"), "spaces", "no spaces are installed", json=json)


@command("algorithms", example="algorithms")
@json_option
def algorithms(json: bool) -> None:
    """List the search algorithms, by the names a study file uses."""
    entries = modules_of("search.algorithms", "nas_search.algorithms")
    _show(entries, "algorithms", "no algorithms are installed", json=json)
