"""`studies`, `spaces`, `algorithms`: what can be named on the command line or in a study file."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.cli.command import command, json_option, output
from search.cli.output import Column

if TYPE_CHECKING:
    from search.algorithms._base import Algorithm


OWN = ("search/", "search.", "spaces.")
"""How the source of what comes with this project begins."""


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
        others = any(not entry.source.startswith(OWN) for entry in entries)
        columns = [Column("name"), Column("what it is"), Column("from")][: 3 if others else 2]
        rows = [[entry.name, entry.description, entry.source] for entry in entries]
        out.table(columns, [row[: len(columns)] for row in rows])
    else:
        out.line(empty)


@command("studies", example="studies")
@json_option
def studies(json: bool) -> None:
    """List the shipped studies, each ready to be launched."""
    from search.study_source import shipped_studies

    entries = [Entry(name, text, f"search/studies/{name}.py") for name, text in shipped_studies().items()]
    _show(entries, "studies", "no studies are shipped with this installation", json=json)
    if entries:
        output(json=json).line("launch one: python -m search launch nasbench201")


@command("spaces", example="spaces")
@json_option
def spaces(json: bool) -> None:
    """List the search spaces that a study file can import."""
    _show(modules_of("spaces", "nas_search.spaces"), "spaces", "no spaces are installed", json=json)


@command("algorithms", example="algorithms")
@json_option
def algorithms(json: bool) -> None:
    """List the search algorithms, by the names a study file uses, and what each can be asked to do."""
    out = output(json=json)
    entries = modules_of("search.algorithms", "nas_search.algorithms")
    rows = [(entry, _own_algorithm(entry)) for entry in entries]
    out.document({"algorithms": [_algorithm_document(*row) for row in rows]})
    headings = ("obj.", "constr.", "cond.", "floats", "batch", "resume")
    said = [(entry.name, _what_it_is(entry.description)) for entry in entries]
    able = [[entry.name, *_abilities(own)] for entry, own in rows]
    if out.rich:  # what it is would be broken into scraps beside all that it can do
        out.table([Column("name"), Column("what it is")], said)
        out.table([Column("name"), *map(Column, headings)], able)
    else:
        columns = [Column("name"), Column("what it is"), *map(Column, headings)]
        out.table(columns, [[*some, *more[1:]] for some, more in zip(said, able, strict=True)])
    out.line(LEGEND)


LEGEND = """
obj.: the most objectives
constr.: `known`, if violations that only an evaluation shows are ignored
cond.: spaces in which a decision exists only under a choice of another
floats: open floats
batch: several proposals before the first result
resume: with the very proposals that would have been made"""


def _what_it_is(description: str) -> str:
    """Return a description up to its first colon that is in no bracket."""
    return str(re.findall(r"(?:\([^)]*\)|[^:])*", description)[0]).rstrip(".")


def _own_algorithm(entry: Entry) -> type[Algorithm] | None:
    """Return a shipped algorithm's class; None for another package's, which would have to be imported."""
    from search.algorithms.registry import algorithm_class

    return algorithm_class(entry.name) if entry.source == f"search.algorithms.{entry.name}" else None


def _algorithm_document(entry: Entry, own: type[Algorithm] | None) -> dict[str, Any]:
    return {
        "name": entry.name,
        "description": entry.description,
        "source": entry.source,
        "reference": own.source if own else None,
        "supports": dataclasses.asdict(own.supports) if own else None,
    }


def _abilities(own: type[Algorithm] | None) -> list[str]:
    """Return what an algorithm supports as the cells of a table's row; `?` where that is not known."""
    if own is None:
        return ["?"] * 6
    most, supports = own.supports.objectives, own.supports
    flags = (supports.conditional, supports.floats, supports.batches, supports.exact_resume)
    objectives = "any" if most is None else "1" if most == 1 else f"1-{most}"
    return [objectives, supports.constraints, *("yes" if flag else "no" for flag in flags)]
