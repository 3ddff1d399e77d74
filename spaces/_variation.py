"""Random and neighbouring genotypes: sampling, mutation, uniform crossover and one-change neighbours on arrays."""

from __future__ import annotations

import numpy as np

from spaces._canonical import active, canonical, reorder
from spaces._columns import Cells, Group, Layout


def sample(layout: Layout, count: int, rng: np.random.Generator) -> Cells:
    """Return `count` genotypes, each decision uniform over its candidates, floats uniform on their scale."""
    return canonical(layout, _draw(layout, count, rng))


def _draw(layout: Layout, count: int, rng: np.random.Generator) -> Cells:
    """Return values for all columns as if all were active."""
    uniform = rng.random((count, layout.width))
    genotypes: Cells = (uniform * layout.cardinalities).astype(layout.dtype)
    if len(layout.floats):
        np.floor(genotypes, out=genotypes)
        for column in layout.floats:
            genotypes[:, column] = _on_scale(layout, column, uniform[:, column])
    for group in layout.ruled:
        if group.distinct:
            order = rng.random((count, group.cardinality)).argsort(axis=1)[:, : group.count]
            genotypes[:, group.choices] = np.sort(order, axis=1) if group.sorted else order
        else:
            genotypes[:, group.choices] = np.sort(genotypes[:, group.choices], axis=1)
    return genotypes


def _on_scale(layout: Layout, index: int, uniform: np.ndarray) -> np.ndarray:
    """Return values of a float column at `uniform` positions in [0, 1) of its scale (PyGlove's formulas, inverted)."""
    column = layout.columns[index]
    low, high = column.low, column.high
    if column.scale == "log":
        values = low * np.exp(uniform * np.log(high / low))
    elif column.scale == "rlog":
        values = high + low - low * np.exp((1.0 - uniform) * np.log(high / low))
    else:
        values = low * (1.0 - uniform) + high * uniform
    result: np.ndarray = np.clip(values, low, high)
    return result


def mutate(layout: Layout, genotypes: Cells, rng: np.random.Generator) -> Cells:
    """Return `genotypes` with one active decision of each row changed, and newly activated columns drawn."""
    changed = genotypes.copy()
    if not layout.movable.any() or not len(changed):
        return changed
    known = active(layout, changed)
    columns = _pick(known & layout.movable, rng)
    _assign(layout, changed, known, columns, _other_values(layout, changed, columns, rng))
    if not layout.levels:
        return changed
    return canonical(layout, np.where(known, changed, _draw(layout, len(changed), rng)))


def _pick(allowed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one allowed column for each row, uniformly."""
    ranks = (rng.random(len(allowed)) * allowed.sum(axis=1)).astype(np.intp)
    picked: np.ndarray = (allowed.cumsum(axis=1) > ranks[:, None]).argmax(axis=1)
    return picked


def _other_values(layout: Layout, genotypes: Cells, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a value for each row's column, uniformly from those that are allowed and differ from the present one."""
    uniform = rng.random(len(columns))
    present = genotypes[np.arange(len(columns)), columns].astype(np.float64)
    cardinalities = np.maximum(layout.cardinalities[columns], 1)
    values: np.ndarray = (present + 1 + np.floor(uniform * (cardinalities - 1))) % cardinalities
    for column in layout.floats:
        at = (columns == column).nonzero()[0]
        if at.size:
            drawn = _on_scale(layout, column, uniform[at])
            low, high = layout.columns[column].low, layout.columns[column].high
            values[at] = np.where(drawn != present[at], drawn, np.where(present[at] == low, high, low))
    for group in layout.ruled:
        if group.distinct and group.sorted:
            at = _members(group, columns).nonzero()[0]
            if at.size:
                used = np.zeros((at.size, group.cardinality), bool)
                np.put_along_axis(used, genotypes[at, group.choices].astype(np.intp), True, axis=1)
                free = (uniform[at] * (group.cardinality - group.count)).astype(np.intp)
                values[at] = used.argsort(axis=1, kind="stable")[np.arange(at.size), free]
    return values


def _members(group: Group, columns: np.ndarray) -> np.ndarray:
    """Return which of `columns` are choices of the group's positions."""
    offset = columns - group.start
    result: np.ndarray = (offset >= 0) & (columns < group.stop) & (offset % group.stride == 0)
    return result


def _assign(layout: Layout, genotypes: Cells, known: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
    """Set one column of each row to a value, in place, keeping the rules of groups.

    In a distinct group a value that another position holds is exchanged with it, with all that is nested below; a
    sorted group is sorted again. `known` marks the columns whose values mean something, and moves along.
    """
    everyone = np.arange(len(columns))
    members = [(group, _members(group, columns).nonzero()[0]) for group in layout.ruled]
    for group, rows in members:
        if rows.size and group.distinct and not group.sorted:
            _exchange(group, rows, columns[rows], values[rows], (genotypes, known))
    genotypes[everyone, columns] = values
    for group, rows in members:
        if rows.size and group.sorted:
            reorder(group, rows, genotypes, known)


def _exchange(
    group: Group, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, arrays: tuple[np.ndarray, ...]
) -> None:
    """Exchange the positions at `columns` with those that hold `values`, if there are any, in `rows` of `arrays`."""
    holds = arrays[0][rows, group.choices] == values[:, None]
    taken = holds.any(axis=1)
    block = np.arange(group.stride)
    here = columns[taken, None] + block
    there = group.start + holds[taken].argmax(axis=1)[:, None] * group.stride + block
    at = rows[taken, None]
    for array in arrays:
        array[at, here], array[at, there] = array[at, there], array[at, here]


def crossover(
    layout: Layout, first: Cells, second: Cells, rng: np.random.Generator, share: float | np.ndarray
) -> Cells:
    """Return children that take each decision from one parent, and all choices of a `manyof` from one.

    `share` is how probable the first one is, broadcast to (n, width); of a `manyof` that of its first choice counts.
    The result is valid without repair: a column that is active in the child is active in at least one parent, since
    the choice that it depends on came from there.
    """
    heads = np.unique(layout.units, return_index=True)[1]
    shares = np.broadcast_to(share, first.shape)[:, heads]
    from_first = (rng.random(shares.shape) < shares)[:, layout.units]
    if layout.levels:
        first_active, second_active = active(layout, first), active(layout, second)
        from_first = (from_first & first_active) | ~second_active
    return canonical(layout, np.where(from_first, first, second))


def neighbours(layout: Layout, genotype: np.ndarray) -> Cells:
    """Return all genotypes one choice from `genotype`, (width,); newly activated columns take their first values."""
    single = genotype[None, :]
    columns, values = _other_choices(layout, genotype, active(layout, single)[0])
    changed = np.repeat(single, len(columns), axis=0)
    known = active(layout, changed)
    _assign(layout, changed, known, columns, values)
    return canonical(layout, np.where(known, changed, layout.firsts))


def _other_choices(layout: Layout, genotype: np.ndarray, in_force: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns and values of all single changes of active choices."""
    banned = {
        column: set(genotype[group.choices].tolist())
        for group in layout.ruled
        if group.distinct and group.sorted
        for column in range(group.start, group.stop, group.stride)
    }
    changes = [
        (index, value)
        for index, column in enumerate(layout.columns)
        if in_force[index]
        for value in range(column.cardinality)
        if value != genotype[index] and value not in banned.get(index, ())
    ]
    table = np.array(changes, np.intp).reshape(-1, 2)
    return table[:, 0], table[:, 1]
