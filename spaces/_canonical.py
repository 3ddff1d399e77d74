"""What makes a genotype canonical: which columns are active, what the others hold, the rules of `manyof`, the key."""

from __future__ import annotations

import numpy as np

from spaces._columns import Cells, Group, Layout


def active(layout: Layout, genotypes: Cells) -> np.ndarray:
    """Return which columns of valid `genotypes` are in force, shape (n, width), bool."""
    result = np.ones(genotypes.shape, bool)
    for level in layout.levels:
        result[:, level.columns] = result[:, level.parents] & (genotypes[:, level.parents] == level.choices)
    return result


def canonical(layout: Layout, genotypes: Cells) -> Cells:
    """Return `genotypes` with their inactive columns at their defaults."""
    if not layout.levels:
        return genotypes
    return np.where(active(layout, genotypes), genotypes, layout.defaults)


def repair(layout: Layout, values: np.ndarray) -> Cells:
    """Return the canonical valid genotypes nearest to `values`, shape (n, width), any numeric dtype."""
    return canonical(layout, in_bounds(layout, values))


def in_bounds(layout: Layout, values: np.ndarray) -> Cells:
    """Return the nearest rows within the bounds and rules of all columns, be they active or not.

    Choices are rounded and clipped, floats clipped, NaN becomes the lowest value. Of a distinct `manyof` the first of
    equal choices stays and the others take the lowest unused ones; a sorted one is sorted with all that is below it.
    """
    values = np.asarray(values)
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), layout.defaults, values)
        whole = np.rint(values)
        whole[:, layout.floats] = values[:, layout.floats]
        values = whole
    genotypes: Cells = np.clip(values, layout.defaults, layout.highs).astype(layout.dtype)
    everyone = np.arange(len(genotypes))
    for group in layout.ruled:
        if group.distinct:
            genotypes[:, group.choices] = _made_distinct(genotypes[:, group.choices].astype(np.intp), group)
        if group.sorted:
            reorder(group, everyone, genotypes)
    return genotypes


def _made_distinct(choices: np.ndarray, group: Group) -> np.ndarray:
    """Return `choices`, shape (n, count), with repeats replaced by the lowest unused candidates."""
    everyone = np.arange(len(choices))
    repeated = np.zeros(choices.shape, bool)
    for position in range(1, group.count):
        repeated[:, position] = (choices[:, :position] == choices[:, position : position + 1]).any(axis=1)
    if not repeated.any():
        return choices
    used = np.zeros((len(choices), group.cardinality), bool)
    np.put_along_axis(used, choices, True, axis=1)
    for position in range(1, group.count):
        free = np.where(repeated[:, position], used.argmin(axis=1), choices[:, position])
        choices[:, position] = free
        used[everyone, free] = True
    return choices


def reorder(group: Group, rows: np.ndarray, *arrays: np.ndarray) -> None:
    """Sort the positions of a sorted `group` in place, by the first of `arrays`, in `rows` of all of them.

    Equal choices keep their order, and what is nested under a position moves with it.
    """
    shape, width = (len(rows), group.count, group.stride), group.count * group.stride
    blocks = [array[rows, group.start : group.stop].reshape(shape) for array in arrays]
    order = blocks[0][:, :, 0].argsort(axis=1, kind="stable")[:, :, None]
    for array, block in zip(arrays, blocks, strict=True):
        array[rows, group.start : group.stop] = np.take_along_axis(block, order, axis=1).reshape(len(rows), width)


def valid(layout: Layout, values: np.ndarray) -> np.ndarray:
    """Return which rows of `values`, shape (n, width), are canonical genotypes in bounds, shape (n,), bool."""
    values = np.asarray(values)
    inside = (values >= layout.defaults) & (values <= layout.highs)
    if values.dtype.kind == "f":
        inside &= (layout.cardinalities == 0) | (values == np.floor(values))
    genotypes = np.where(inside, values, layout.defaults)
    in_force = active(layout, genotypes)
    result: np.ndarray = (inside & (in_force | (genotypes == layout.defaults))).all(axis=1)
    for group in layout.ruled:
        result &= ~in_force[:, group.start] | keeps_rules(group, genotypes[:, group.choices])
    return result


def keeps_rules(group: Group, choices: np.ndarray) -> np.ndarray:
    """Return which rows of `choices`, shape (n, count), are distinct and sorted as `group` demands."""
    result = np.ones(len(choices), bool)
    if group.sorted:
        result &= (choices[:, 1:] >= choices[:, :-1]).all(axis=1)
    if group.distinct:
        ordered = np.sort(choices, axis=1)
        result &= (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
    return result


def keys(layout: Layout, genotypes: Cells) -> list[bytes]:
    """Return each canonical row's exact identity: its bytes in the layout's dtype."""
    rows = np.ascontiguousarray(genotypes, layout.dtype)
    if len(layout.floats):
        rows = rows + 0.0  # -0.0 and 0.0 are one value and must be one key
    size = rows.itemsize * layout.width
    data = rows.tobytes()
    return [data[start : start + size] for start in range(0, len(data), size)] if size else [b""] * len(rows)
