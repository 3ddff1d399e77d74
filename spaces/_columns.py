"""A PyGlove DNA specification compiled into columns: one column for each decision point, in depth-first order."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyglove as pg

from spaces._sizes import product, selections

Cells = np.ndarray
"""Genotypes, shape (n, width), in the layout's dtype."""


@dataclass(frozen=True, slots=True)
class Column:
    """One decision of a space.

    Attributes:
      name: readable dotted path, unique in the space, e.g. `layers[3].kernel`.
      kind: `choice` or `float`.
      cardinality: the number of candidates; 0 for a float.
      choices: the candidates' readable labels; empty for a float.
      low, high: the inclusive bounds of a float; 0 and `cardinality - 1` for a choice.
      scale: `linear`, `log` or `rlog` for a float; empty for a choice.
      parent: index of the column that this one depends on; -1 where there is none.
      parent_choice: the choice of `parent` under which this column is active; -1 where there is no parent.
      group: index into the layout's groups, for a position of a `manyof`; -1 otherwise.
    """

    name: str
    kind: str
    cardinality: int
    choices: tuple[str, ...]
    low: float
    high: float
    scale: str
    parent: int
    parent_choice: int
    group: int


@dataclass(frozen=True, slots=True)
class Group:
    """A `manyof`: `count` positions, each a block of `stride` columns that starts with the position's own choice."""

    start: int
    stride: int
    count: int
    cardinality: int
    distinct: bool
    sorted: bool

    @property
    def stop(self) -> int:
        """The column after the group's last."""
        return self.start + self.stride * self.count

    @property
    def choices(self) -> slice:
        """The columns of the positions' own choices."""
        return slice(self.start, self.stop, self.stride)


@dataclass(frozen=True, slots=True)
class FloatNode:
    """A float of the decision tree; its size is 1 if its bounds are equal and None otherwise."""

    column: int
    size: int | None


@dataclass(frozen=True, slots=True)
class ChoiceNode:
    """A single or multiple choice of the decision tree.

    Columns are those of position 0: position i lies `i * stride` further on, with all that is below it. `sizes` are the
    numbers of values that each candidate stands for, None if it holds an open float; `size` is that of the whole.
    """

    column: int
    stride: int
    count: int
    distinct: bool
    sorted: bool
    candidates: tuple[Nodes, ...]
    sizes: tuple[int | None, ...]
    size: int | None


Node = FloatNode | ChoiceNode
Nodes = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """Columns of equal depth, and what must hold one level up for each of them to be active."""

    columns: np.ndarray
    parents: np.ndarray
    choices: np.ndarray


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a space and what the operations on arrays need to know of them.

    Attributes:
      columns, groups, nodes: the columns; the `manyof`s; the tree of decisions.
      levels: conditional columns, by depth.
      dtype: of genotypes.
      cardinalities: shape (width,), float64, 0 for floats.
      defaults, highs: shape (width,), the lowest values, which inactive columns hold, and the highest.
      firsts: shape (width,), the lowest values that keep the groups' rules.
      floats: indices of the float columns.
      movable: shape (width,) bool, whether an active column can take another value.
      ruled: the groups whose positions depend on each other.
      units: shape (width,), equal for columns that are inherited together.
    """

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    nodes: Nodes
    levels: tuple[Level, ...]
    dtype: np.dtype
    cardinalities: np.ndarray
    defaults: np.ndarray
    highs: np.ndarray
    firsts: np.ndarray
    floats: np.ndarray
    movable: np.ndarray
    ruled: tuple[Group, ...]
    units: np.ndarray

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.columns)


def compile_spec(spec: pg.DNASpec) -> Layout:
    """Return the layout of `spec`. Raises ValueError for custom decision points, which have no columns."""
    columns: list[Column] = []
    groups: list[Group] = []
    elements = spec.elements if spec.is_space else [spec]
    nodes = _walk(elements, -1, -1, columns, groups)
    columns = _with_unique_names(columns)
    defaults = np.array([column.low for column in columns], np.float64)
    firsts = defaults.copy()
    movable = np.array([column.high > column.low for column in columns], bool)
    for group in groups:
        if group.distinct:
            firsts[group.choices] = np.arange(group.count)
            movable[group.choices] &= not group.sorted or group.cardinality > group.count
    dtype = _dtype(columns)
    return Layout(
        columns=tuple(columns),
        groups=tuple(groups),
        nodes=nodes,
        levels=_levels(columns),
        dtype=dtype,
        cardinalities=np.array([column.cardinality for column in columns], np.float64),
        defaults=defaults.astype(dtype),
        highs=np.array([column.high for column in columns], dtype),
        firsts=firsts.astype(dtype),
        floats=np.array([index for index, column in enumerate(columns) if column.kind == "float"], np.intp),
        movable=movable,
        ruled=tuple(group for group in groups if group.distinct or group.sorted),
        units=_units(len(columns), groups),
    )


def _walk(elements: list[pg.DNASpec], parent: int, choice: int, columns: list[Column], groups: list[Group]) -> Nodes:
    """Append the columns and groups of `elements`, depth first, and return their nodes."""
    return tuple(
        _walk_choices(element, parent, choice, columns, groups)
        if element.is_categorical
        else _walk_float(element, parent, choice, columns)
        for element in elements
    )


def _walk_float(spec: pg.DNASpec, parent: int, choice: int, columns: list[Column]) -> FloatNode:
    if not spec.is_numerical:
        raise ValueError(
            f"decision {str(spec.id)!r} is a custom decision point ({type(spec).__name__}), which cannot be compiled "
            "into columns; express it with pg.oneof, pg.manyof or pg.floatv"
        )
    low, high = float(spec.min_value), float(spec.max_value)
    if not np.isfinite([low, high]).all():
        raise ValueError(f"float {str(spec.id)!r} has bounds {low} and {high}; both must be finite")
    scale = spec.scale or "linear"
    columns.append(Column(_name(spec), "float", 0, (), low, high, scale, parent, choice, -1))
    return FloatNode(len(columns) - 1, 1 if low == high else None)


def _walk_choices(spec: pg.DNASpec, parent: int, choice: int, columns: list[Column], groups: list[Group]) -> ChoiceNode:
    start, count, cardinality = len(columns), spec.num_choices, len(spec.candidates)
    index = -1
    if count > 1:
        index = len(groups)
        groups.append(Group(start, 0, count, cardinality, spec.distinct, spec.sorted))
    labels = tuple(str(value) for value in spec.literal_values or range(cardinality))
    candidates: list[Nodes] = []
    for position in spec.choice_specs:
        own = len(columns)
        columns.append(
            Column(_name(position), "choice", cardinality, labels, 0.0, cardinality - 1.0, "", parent, choice, index)
        )
        for value, candidate in enumerate(position.candidates):
            candidates.append(_walk(candidate.elements, own, value, columns, groups))
    stride = (len(columns) - start) // count
    if count > 1:
        groups[index] = Group(start, stride, count, cardinality, spec.distinct, spec.sorted)
    sizes = tuple(product(node.size for node in candidate) for candidate in candidates[:cardinality])
    finite = [size for size in sizes if size is not None]
    size = selections(finite, count, distinct=spec.distinct, ordered=spec.sorted) if len(finite) == len(sizes) else None
    return ChoiceNode(start, stride, count, spec.distinct, spec.sorted, tuple(candidates[:cardinality]), sizes, size)


def _name(spec: pg.DNASpec) -> str:
    return str(spec.id).lstrip(".") or spec.name or "value"


def _with_unique_names(columns: list[Column]) -> list[Column]:
    """Return `columns` with the index appended to names that are not unique (specifications made without locations)."""
    counts = Counter(column.name for column in columns)
    return [
        column if counts[column.name] == 1 else dataclasses.replace(column, name=f"{column.name}#{index}")
        for index, column in enumerate(columns)
    ]


def _dtype(columns: list[Column]) -> np.dtype:
    if any(column.kind == "float" for column in columns):
        return np.dtype(np.float64)
    return np.min_scalar_type(max((column.cardinality - 1 for column in columns), default=0))


def _levels(columns: list[Column]) -> tuple[Level, ...]:
    """Return the conditional columns in the order of their depth, so that parents come first."""
    depths: list[int] = []
    levels: dict[int, list[int]] = {}
    for index, column in enumerate(columns):
        depths.append(0 if column.parent < 0 else depths[column.parent] + 1)
        if depths[-1]:
            levels.setdefault(depths[-1], []).append(index)
    return tuple(
        Level(
            np.array(members, np.intp),
            np.array([columns[index].parent for index in members], np.intp),
            np.array([columns[index].parent_choice for index in members], np.int64),
        )
        for _, members in sorted(levels.items())
    )


def _units(width: int, groups: list[Group]) -> np.ndarray:
    """Return a number for each column, equal for the positions of one group."""
    units = np.arange(width)
    for group in groups:
        units[group.choices] = group.start
    return np.unique(units, return_inverse=True)[1].reshape(width)
