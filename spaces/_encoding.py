"""Encoding: a value of a space matched against the symbolic value, decision by decision.

PyGlove's own `encode` takes the first candidate that fits at each position of a `manyof`, and so fails where candidates
overlap; here a selection that also keeps the rules is looked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pyglove as pg
from pyglove.core import hyper

from spaces._columns import ChoiceNode, FloatNode, Node, Nodes
from spaces._decoding import DEPENDENT, UnusualValueError, holds_decisions
from spaces._settled import element_spec

Numbers = dict[int, int | float]
"""The numbers of a genotype's active columns."""

Matcher = Callable[[Any, int], Numbers]
"""Returns the numbers that stand for a value, columns moved by the second argument; raises ValueError if none do."""


def compile_encoder(value: Any, nodes: Nodes, path: str = "", spec: Any = None) -> Matcher:
    """Return the matcher of `value`, whose decisions are `nodes`. Raises UnusualValueError if only PyGlove can tell.

    `path` is where the value is, and `spec` what it will be converted to there.
    """
    remaining = iter(nodes)
    matcher = _compile(value, remaining, path, spec)
    if next(remaining, None) is not None:
        raise UnusualValueError("the value holds fewer decisions than its specification")
    return matcher


def _compile(value: Any, nodes: Iterator[Node], path: str, spec: Any) -> Matcher:
    if isinstance(value, hyper.HyperValue):
        return _compile_hyper(value, next(nodes, None), path, spec)
    if isinstance(value, DEPENDENT):
        raise UnusualValueError(f"{type(value).__name__} depends on more than its own decisions")
    if not holds_decisions(value):
        return _match_constant(value, path, spec)
    if isinstance(value, (pg.Object, pg.Dict)):
        kind: type = dict if isinstance(value, pg.Dict) else type(value)
        schema = value.__schema__ if isinstance(value, pg.Object) else value.value_spec and value.value_spec.schema
        children = {
            key: _compile(item, nodes, f"{path}.{key}".lstrip("."), schema and schema.get_field(key).value)
            for key, item in value.sym_items()
        }
        return _match_children(kind, children, path)
    if isinstance(value, pg.List):
        inner = element_spec(value.value_spec)
        items = [_compile(item, nodes, f"{path}[{index}]", inner) for index, item in enumerate(value.sym_values())]
        return _match_children(list, dict(enumerate(items)), path)
    raise UnusualValueError(f"{type(value).__name__} holds decisions in a way of its own")


def _match_constant(constant: Any, path: str, spec: Any) -> Matcher:
    """Return what matches a constant, as it stands or converted to `spec`."""
    expected = [constant]
    if spec is not None:
        with contextlib.suppress(Exception):  # what the field does not take will never be decoded
            expected.append(spec.apply(pg.clone(constant, deep=True)))

    def match(value: Any, _offset: int) -> Numbers:
        if not any(pg.eq(form, value) for form in expected):
            raise _mismatch(path, repr(constant), value)
        return {}

    return match


def _match_children(kind: type, children: dict[Any, Matcher], path: str) -> Matcher:
    """Return what matches an object of exactly `kind`, or any dict or list, with these children and no others."""

    def match(value: Any, offset: int) -> Numbers:
        if not (isinstance(value, kind) if kind in (dict, list) else type(value) is kind):
            raise _mismatch(path, kind.__name__, value)
        found = _children(value)
        if found.keys() != children.keys():
            raise _mismatch(path, f"{kind.__name__} with {list(children)}", value)
        return {column: number for key in children for column, number in children[key](found[key], offset).items()}

    return match


def _children(value: Any) -> dict[Any, Any]:
    if isinstance(value, (pg.Object, pg.Dict)):
        return dict(value.sym_items())
    return dict(value) if isinstance(value, dict) else dict(enumerate(value))


def _compile_hyper(value: Any, node: Node | None, path: str, spec: Any) -> Matcher:
    if isinstance(node, FloatNode) and type(value) is hyper.Float:
        return _match_float(node.column, value.min_value, value.max_value, path)
    if not isinstance(node, ChoiceNode) or type(value) not in (hyper.OneOf, hyper.ManyOf) or value.where is not None:
        raise UnusualValueError(f"{type(value).__name__} is not a plain oneof, manyof or floatv")
    candidates = list(value.sym_getattr("candidates").sym_values())
    inner = spec if type(value) is hyper.OneOf else element_spec(spec)
    matchers = [compile_encoder(*pair, path, inner) for pair in zip(candidates, node.candidates, strict=True)]
    if type(value) is hyper.OneOf:
        return lambda item, offset: _first(_selections(node, matchers, [item], offset), path, item)
    return _match_many(node, matchers, path)


def _match_float(column: int, low: float, high: float, path: str) -> Matcher:
    def match(value: Any, offset: int) -> Numbers:
        if not isinstance(value, float) or not low <= value <= high:
            raise _mismatch(path, f"a float from {low} to {high}", value)
        return {column + offset: value}

    return match


def _match_many(node: ChoiceNode, matchers: list[Matcher], path: str) -> Matcher:
    def match(value: Any, offset: int) -> Numbers:
        if not isinstance(value, list) or len(value) != node.count:
            raise _mismatch(path, f"a list of {node.count}", value)
        return _first(_selections(node, matchers, list(_children(value).values()), offset), path, value)

    return match


def _first(selections: Iterator[Numbers], path: str, value: Any) -> Numbers:
    found = next(selections, None)
    if found is None:
        raise _mismatch(path, "a value of one of the candidates", value)
    return found


def _selections(
    node: ChoiceNode, matchers: list[Matcher], items: list[Any], offset: int, taken: tuple[int, ...] = ()
) -> Iterator[Numbers]:
    """Yield the numbers of all selections that give `items` and keep the rules, the lowest candidates first."""
    position = len(taken)
    if position == len(items):
        yield {}
        return
    shift = offset + position * node.stride
    for choice, matcher in enumerate(matchers):
        if (node.distinct and choice in taken) or (node.sorted and taken and choice < taken[-1]):
            continue
        try:
            below = matcher(items[position], shift)
        except ValueError:
            continue
        for rest in _selections(node, matchers, items, offset, (*taken, choice)):
            yield {node.column + shift: choice, **below, **rest}


def _mismatch(path: str, expected: str, value: Any) -> ValueError:
    where = f" at {path!r}" if path else ""
    return ValueError(f"the space does not hold this value{where}: expected {expected}, got {value!r:.200}")
