"""Decoding without PyGlove's clone-and-rebind: a symbolic value is compiled once into a tree of builders.

Builders make objects as `pg.Object` clones itself, from attributes that are built first. PyGlove checks and converts
attributes each time (`spaces._settled` says where the result is known in advance, so that the check may be left out);
an object whose class runs code of its own while it is made is always made with checks on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyglove as pg
from pyglove.core import hyper, symbolic

from spaces._columns import ChoiceNode, FloatNode, Node, Nodes
from spaces._reuse import Builder, Remaining, remembering
from spaces._settled import SHARED, element_spec, keeps_float, keeps_list, keeps_object, settled_leaf, takes_anything

Row = Sequence[Any]
"""One genotype as Python numbers: int for a choice, float for a float (or for all, in a space with floats)."""

Compiled = tuple[Builder, bool]
"""What makes a value from a row, the second argument moving all columns, for what lies under a `manyof`'s positions;
and whether what it makes is already in the form that the place it is meant for would convert it to."""

DEPENDENT = (hyper.DerivedValue, symbolic.Inferential, pg.Ref, type(pg.MISSING_VALUE))

MAKING = ("_on_init", "_on_bound", "__new__", "__setattr__", "_set_raw_attr", "seal")
ATTACHING = ("_on_parent_change", "_on_path_change", "sym_setparent", "sym_setpath", "_update_children_paths")
"""Methods of `pg.Object` that run while an object is made, and while it is put into another."""


class UnusualValueError(ValueError):
    """A value that the compiled decoder does not know how to build as PyGlove would."""


def compile_decoder(value: Any, nodes: Nodes, *, reuse: bool = False) -> Callable[[Row], Any]:
    """Return what builds `value` from a row. Raises UnusualValueError where only PyGlove can decode.

    With `reuse`, objects inside of values are those of earlier ones where their decisions are the same: a value may be
    read until the next one is built.
    """
    build, _ = _compile_all(value, Remaining(nodes, reuse=reuse, whole=True), None)

    def decode(row: Row) -> Any:
        with pg.enable_type_check(False):
            return build(row, 0)

    return decode


def _compile_all(value: Any, nodes: Remaining, spec: Any) -> Compiled:
    """Compile a root or a candidate, which is to be converted to `spec` (None for anything) where it is put."""
    compiled = _compile(value, nodes, spec, fixed=False)
    if next(nodes, None) is not None:
        raise UnusualValueError("the value holds fewer decisions than its specification")
    return compiled


def _compile(value: Any, nodes: Remaining, spec: Any, *, fixed: bool) -> Compiled:
    """Compile any value. A `fixed` one was converted to `spec` when the template was made; a candidate was not."""
    if isinstance(value, hyper.HyperValue):
        return _compile_hyper(value, next(nodes, None), nodes, spec)
    if isinstance(value, DEPENDENT):
        raise UnusualValueError(f"{type(value).__name__} depends on more than its own decisions")
    if isinstance(value, pg.Object) and type(value)._sym_clone is pg.Object._sym_clone:
        return _compile_object(value, nodes), fixed or keeps_object(spec, value)
    if type(value) is pg.Dict:
        return _compile_dict(value, nodes), fixed or takes_anything(spec)
    if type(value) is pg.List:
        return _compile_list(value, nodes), fixed or takes_anything(spec)
    return _compile_leaf(value, spec, fixed=fixed)


def _compile_hyper(value: Any, node: Node | None, nodes: Remaining, spec: Any) -> Compiled:
    if isinstance(node, FloatNode) and type(value) is hyper.Float:
        column = node.column
        return (lambda row, offset: float(row[column + offset])), keeps_float(spec)
    if not isinstance(node, ChoiceNode) or type(value) not in (hyper.OneOf, hyper.ManyOf) or value.where is not None:
        raise UnusualValueError(f"{type(value).__name__} is not a plain oneof, manyof or floatv")
    candidates = list(value.sym_getattr("candidates").sym_values())
    if len(candidates) != len(node.candidates):
        raise UnusualValueError("the specification has other candidates than the value")
    many = type(value) is hyper.ManyOf
    kept = keeps_list(spec) if many else True
    inner = element_spec(spec) if many else spec
    pairs = zip(candidates, node.candidates, strict=True)
    compiled = [_compile_all(item, nodes.below(below), inner) for item, below in pairs]
    builders = [build for build, _ in compiled]
    settled = kept and all(done for _, done in compiled)
    if many:
        return _many_of(node, builders, spec if settled and inner is not None else None), settled
    return _one_of(node.column, builders), settled


def _one_of(column: int, builders: list[Builder]) -> Builder:
    return lambda row, offset: builders[int(row[column + offset])](row, offset)


def _many_of(node: ChoiceNode, builders: list[Builder], spec: Any) -> Builder:
    column, offsets = node.column, [position * node.stride for position in range(node.count)]

    def build(row: Row, offset: int) -> list[Any]:
        return [builders[int(row[column + offset + own])](row, offset + own) for own in offsets]

    return build if spec is None else lambda row, offset: pg.List(build(row, offset), value_spec=spec)


def _compile_leaf(value: Any, spec: Any, *, fixed: bool) -> Compiled:
    if isinstance(value, (pg.Symbolic, list, dict, tuple)) and holds_decisions(value):
        raise UnusualValueError(f"{type(value).__name__} has a way of its own to be cloned")
    if isinstance(value, SHARED):
        leaf, settled = (value, True) if fixed else settled_leaf(spec, value)
        return _constant(leaf), settled
    settled = fixed or takes_anything(spec)
    if isinstance(value, pg.Symbolic):
        return _checked(lambda _row, _offset: value.clone(deep=True)), settled
    return (lambda _row, _offset: copy.deepcopy(value)), settled


def holds_decisions(value: Any) -> bool:
    """Return whether something under `value` is not constant."""
    if isinstance(value, (hyper.HyperValue, *DEPENDENT)):
        return True
    if isinstance(value, pg.Symbolic):
        return any(holds_decisions(item) for item in value.sym_values())
    items: Iterable[Any] = value.values() if isinstance(value, dict) else value
    return isinstance(value, (list, dict, tuple)) and any(holds_decisions(item) for item in items)


def _constant(value: Any) -> Builder:
    return lambda _row, _offset: value


def _checked(build: Builder) -> Builder:
    """Return `build` with PyGlove's checks and conversions on."""

    def build_checked(row: Row, offset: int) -> Any:
        with pg.enable_type_check(True):
            return build(row, offset)

    return build_checked


def _compile_object(value: pg.Object, nodes: Remaining) -> Builder:
    """Return a builder that makes the object as `pg.Object._sym_clone` does, or takes the one that was made before."""
    reuse, nodes.whole, before = nodes.reuse and not nodes.whole, False, len(nodes.taken)
    build = _object_builder(value, nodes)
    return remembering(build, nodes.taken[before:]) if reuse else build


def _object_builder(value: pg.Object, nodes: Remaining) -> Builder:
    kind = type(value)
    if not _inherits(kind, ATTACHING):
        raise UnusualValueError(f"{kind.__name__} runs code of its own when it is put into another object")
    fixed: dict[str, Any] = {"allow_partial": value._allow_partial, "sealed": value._sealed}
    built: list[tuple[str, Builder]] = []
    all_settled = _inherits(kind, MAKING) and hasattr(kind.__init__, "__sym_generated_init__")
    for key, item in value.sym_items():
        field = kind.__schema__.get_field(key)
        if isinstance(item, SHARED):
            fixed[key] = item
            continue
        build_item, settled = _compile(item, nodes, field.value, fixed=True)
        built.append((key, build_item))
        all_settled &= settled

    def build(row: Row, offset: int) -> Any:
        return kind(**fixed, **{key: build_item(row, offset) for key, build_item in built})

    return build if all_settled else _making_checked(kind, fixed, built)


def _making_checked(kind: Any, fixed: dict[str, Any], built: list[tuple[str, Builder]]) -> Builder:
    """Return a builder whose attributes are built without checks, and the object itself with them."""

    def build(row: Row, offset: int) -> Any:
        attributes = {key: build_item(row, offset) for key, build_item in built}
        with pg.enable_type_check(True):
            return kind(**fixed, **attributes)

    return build


def _inherits(kind: type, names: tuple[str, ...]) -> bool:
    """Return whether a class leaves all these methods of `pg.Object` as they are."""
    return all(getattr(kind, name) is getattr(pg.Object, name) for name in names)


def _compile_dict(value: pg.Dict, nodes: Remaining) -> Builder:
    schema = value.value_spec.schema if value.value_spec is not None else None
    items = []
    for key, item in value.sym_items():
        field = schema.get_field(key) if schema is not None else None
        items.append((key, *_compile(item, nodes, field and field.value, fixed=True)))
    options = _container_options(value)

    def build(row: Row, offset: int) -> pg.Dict:
        return pg.Dict({key: build_item(row, offset) for key, build_item, _ in items}, **options)

    return build if all(settled for *_, settled in items) else _checked(build)


def _compile_list(value: pg.List, nodes: Remaining) -> Builder:
    spec = value.value_spec.element.value if value.value_spec is not None else None
    items = [_compile(item, nodes, spec, fixed=True) for item in value.sym_values()]
    options = _container_options(value)

    def build(row: Row, offset: int) -> pg.List:
        return pg.List([build_item(row, offset) for build_item, _ in items], **options)

    return build if all(settled for _, settled in items) else _checked(build)


def _container_options(value: Any) -> dict[str, Any]:
    if value._onchange_callback is not None:
        raise UnusualValueError(f"{type(value).__name__} calls back when it changes")
    return {
        "value_spec": value.value_spec,
        "allow_partial": value._allow_partial,
        "accessor_writable": value._accessor_writable,
        "sealed": value._sealed,
    }
