"""A study file as text: where it lies, what it assigns, and `--set` overrides written into its syntax tree."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import search.studies

Node = TypeVar("Node", bound=ast.AST)


class StudyFileError(ValueError):
    """What is wrong with a study file, in one line that starts with the file and, where it has one, the line."""

    def __init__(self, path: str, line: int | None, message: str) -> None:
        place = path if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {' '.join(message.split())}")


@dataclass(frozen=True, slots=True)
class StudySource:
    """A study file's path and text, and the `--set` overrides to be applied to it. Plain strings: safe to send."""

    path: str
    text: str
    overrides: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The file's name without its folder and ending."""
        return Path(self.path).stem


def shipped_studies() -> dict[str, str]:
    """Return the shipped studies' names and descriptions (the first line of each docstring), without running them."""
    return {name: describe(path.read_text("utf-8")) for name, path in sorted(_shipped().items())}


def describe(text: str) -> str:
    """Return the first line of the file's docstring, or "" where it has none or does not parse."""
    try:
        return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    except (SyntaxError, ValueError):
        return ""


def find_study(name_or_path: str, overrides: Mapping[str, str] | None = None) -> StudySource:
    """Return the shipped study of that name, or the file at that path. Raises StudyFileError where there is none."""
    path = _shipped().get(name_or_path, Path(name_or_path))
    if not path.is_file():
        raise StudyFileError(name_or_path, None, _not_found(name_or_path))
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyFileError(str(path), None, f"cannot be read as UTF-8 text: {error}") from None
    return StudySource(str(path.resolve()), text, tuple((overrides or {}).items()))


def parse(source: StudySource, settable: Collection[str]) -> ast.Module:
    """Return the file's syntax tree with its overrides applied.

    An override replaces the right side of a top-level assignment: any of a name in `settable`, else one whose right
    side is a literal. A name in `settable` that the file does not assign is assigned at its end.
    Raises StudyFileError for a syntax error, and for an override that names or holds the wrong thing.
    """
    try:
        tree = ast.parse(source.text, source.path)
    except SyntaxError as error:
        raise StudyFileError(source.path, error.lineno, f"syntax error: {error.msg}") from None
    except ValueError as error:
        raise StudyFileError(source.path, None, f"is not Python: {error}") from None
    for name, text in source.overrides:
        _override(source.path, tree, name, text, settable)
    return ast.fix_missing_locations(tree)


def assigned_lines(tree: ast.Module) -> dict[str, int]:
    """Return the line of each name's last plain assignment at the top level."""
    return {name: node.lineno for node in tree.body if (name := _target(node))}


def misspelt(tree: ast.Module, known: Collection[str]) -> tuple[str, str] | None:
    """Return the first (name, key it seems to mean), or None.

    Only a public name that the file never reads, and that is close to a key which it does not assign, is suspect:
    users' own variables are welcome.
    """
    lines = assigned_lines(tree)
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    free = [key for key in known if key not in lines]
    for name in lines:
        if name in known or name in read or name.startswith("_") or not name.islower():
            continue
        close = get_close_matches(name, free, n=1, cutoff=0.75)
        if close:
            return name, close[0]
    return None


def _shipped() -> dict[str, Path]:
    files = (path for folder in search.studies.__path__ for path in Path(folder).glob("*.py"))
    return {path.stem: path for path in files if not path.stem.startswith("_")}


def _not_found(name_or_path: str) -> str:
    names = sorted(_shipped())
    close = get_close_matches(Path(name_or_path).stem, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"no such study; {hint}shipped studies: {', '.join(names) or 'none'}; or give the path of a study file"


def _target(node: ast.stmt) -> str | None:
    """Return the name that a statement assigns, if it is a plain `name = value` (annotated or not)."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return node.target.id
    return None


def _override(path: str, tree: ast.Module, name: str, text: str, settable: Collection[str]) -> None:
    nodes = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and _target(node) == name]
    nodes = nodes if name in settable else [node for node in nodes if node.value and _is_literal(node.value)]
    if not nodes and name not in settable:
        names = sorted({*settable, *(key for node in tree.body if (key := _literal_target(node)))})
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        wrong = f"--set {name}={text}: nothing of that name can be set"
        raise StudyFileError(path, None, f"{wrong}; {hint}these can: {', '.join(names)}")
    for node in nodes:
        if node.value is not None:
            after = _replacement(path, name, text, node.value)
            if name not in settable:
                _check_kind(path, name, text, node.value, after)
            node.value = _placed(after, node.value)
    if not nodes:
        added = ast.Assign([ast.Name(name, ast.Store())], _literal(text))
        tree.body.append(_placed(added, tree.body[-1]) if tree.body else added)


def _placed(node: Node, where: ast.AST) -> Node:
    """Return `node`, all of it said to stand where `where` stands."""
    for part in ast.walk(node):
        ast.copy_location(part, where)
    return node


def _literal_target(node: ast.stmt) -> str | None:
    value = getattr(node, "value", None)
    name = _target(node)
    return name if name and not name.startswith("_") and value is not None and _is_literal(value) else None


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _literal(text: str) -> ast.expr:
    """Return the expression that `text` spells if it is a literal, else the text itself as a string."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ast.Constant(text)
    return node if _is_literal(node) else ast.Constant(text)


def _replacement(path: str, name: str, text: str, before: ast.expr) -> ast.expr:
    """Return the new right side; its kind (number, truth value, string) must be that of a literal it replaces."""
    after = _literal(text)
    if not _is_literal(before):
        return after
    old, new = ast.literal_eval(before), ast.literal_eval(after)
    if isinstance(old, str) and not isinstance(new, str):
        return after if isinstance(new, dict | list | tuple) else ast.Constant(text)
    if isinstance(old, bool) and isinstance(new, str) and new.lower() in ("true", "false"):
        return ast.Constant(new.lower() == "true")
    kind = "True or False" if isinstance(old, bool) else "a number" if isinstance(old, int | float) else ""
    fits = isinstance(new, bool) if isinstance(old, bool) else _is_number(new)
    if kind and not fits and new is not None:
        raise StudyFileError(path, before.lineno, f"--set {name}={text}: expected {kind}, like {old!r} in the file")
    return after


def _check_kind(path: str, name: str, text: str, before: ast.expr, after: ast.expr) -> None:
    """Raise StudyFileError where a variable of the file's own is a list or a mapping, and would be no more."""
    old, new = ast.literal_eval(before), ast.literal_eval(after)
    for kinds, what in (((list, tuple), "a list"), ((dict,), "a mapping")):
        if isinstance(old, kinds) and not isinstance(new, kinds) and new is not None:
            raise StudyFileError(path, before.lineno, f"--set {name}={text}: expected {what}, like {old!r} in the file")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) != math.inf
