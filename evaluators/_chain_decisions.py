"""Which decision of a space chooses which layer of its networks: found by building a few of them and comparing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from hardware_models.architecture import architecture_of
from spaces.genotype import GenotypeSpace

FEWEST_ROUNDS = 3
"""Each builds every choice of every decision once; one alone would not tell decisions of as many choices apart."""

MOST_ROUNDS = 20

SHARED = -1
"""Stands for "no decision", where a layer is the same in all networks."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One network that was built, in parts; `row` is its genotype."""

    row: np.ndarray
    stem: nn.Module
    layers: tuple[nn.Module, ...]
    head: nn.Module

    def structures(self) -> tuple[str, ...]:
        """Return the `structure` of the stem, of each layer and of the head."""
        return tuple(structure(part) for part in (self.stem, *self.layers, self.head))


@dataclass(frozen=True, slots=True)
class Decisions:
    """Of each layer the deciding column, or `SHARED`; and `chains`, networks in which every choice occurs."""

    columns: tuple[int, ...]
    chains: tuple[Chain, ...]

    def layer(self, index: int, choice: int) -> nn.Module:
        """Return the module that a choice makes of a layer, untrained."""
        column = self.columns[index]
        return next(chain.layers[index] for chain in self.chains if column < 0 or chain.row[column] == choice)


def decisions_of(space: GenotypeSpace) -> Decisions:
    """Find out which decision chooses which layer, from three networks a choice or a few more.

    Raises:
      ValueError: for a space that is no chain of independent choices: open floats, decisions that depend on others,
        networks without `stem`, `layers` and `head`, a layer of several decisions, a decision of several layers or of
        the stem, the head or nothing. The message says which.
    """
    _refuse_dependent(space)
    rng = np.random.default_rng(0)
    rows = _latin_rows(space, rng)
    chains = tuple(_build(space, row) for row in rows)
    structures = [chain.structures() for chain in chains]
    possible = _possible(space, rows, structures)
    for rounds in range(1, MOST_ROUNDS):
        if rounds >= FEWEST_ROUNDS and all(len(columns) <= 1 for columns in possible):
            break
        more = _latin_rows(space, rng)
        rows = np.concatenate([rows, more])
        structures += [_build(space, row).structures() for row in more]
        possible = _possible(space, rows, structures)
    _refuse_tangled(space, rows[0], possible)
    return Decisions(tuple(columns[0] for columns in possible[1:-1]), chains)


ADVICE = "a supernet needs decisions that each choose one entry of `layers` and nothing else: fix the others"


def structure(module: nn.Module) -> str:
    """Return all that tells an untrained module from another: types, plain attributes, names and shapes of weights."""
    found = [
        (name, type(part).__qualname__, part.extra_repr(), sorted(_plain(part).items()))
        for name, part in module.named_modules()
    ]
    shapes = [(name, tuple(tensor.shape), str(tensor.dtype)) for name, tensor in module.state_dict().items()]
    return repr((found, shapes))


def _plain(module: nn.Module) -> dict[str, str]:
    """Return a module's own settings as text: numbers, strings, tuples, functions by name."""
    return {
        name: getattr(value, "__qualname__", repr(value))
        for name, value in vars(module).items()
        if not name.startswith("_") and name != "training"
        and (isinstance(value, bool | int | float | str | tuple | None) or hasattr(value, "__qualname__"))
    }  # fmt: skip


def _build(space: GenotypeSpace, row: np.ndarray) -> Chain:
    network: Any = architecture_of(space.decode(row)).build()
    if not all(hasattr(network, name) for name in ("stem", "layers", "head")):
        raise ValueError(
            f"a supernet needs networks that are chains with `stem`, `layers` and `head`; "
            f"this space builds {type(network).__qualname__}"
        )
    return Chain(row, network.stem, tuple(network.layers), network.head)


def _latin_rows(space: GenotypeSpace, rng: np.random.Generator) -> np.ndarray:
    """Return as many genotypes as the largest decision has choices, in which every choice of every decision occurs."""
    count = max((column.cardinality for column in space.columns), default=1)
    rows = np.zeros((count, space.width), space.dtype)
    for index, column in enumerate(space.columns):
        rows[:, index] = rng.permutation(np.resize(rng.permutation(column.cardinality), count))
    return rows


def _possible(space: GenotypeSpace, rows: np.ndarray, structures: Sequence[tuple[str, ...]]) -> list[list[int]]:
    """Return of each part of a chain the columns that it may be a function of; [SHARED] where it never changes."""
    if len({len(found) for found in structures}) > 1:
        raise ValueError(f"the number of layers changes with {_names(space, rows[0], None)}; {ADVICE}")
    return [_columns(rows, seen) for seen in zip(*structures, strict=True)]


def _columns(rows: np.ndarray, seen: Sequence[str]) -> list[int]:
    if len(set(seen)) == 1:
        return [SHARED]
    pairs = [set(zip(choices, seen, strict=True)) for choices in rows.T.tolist()]
    return [column for column, of in enumerate(pairs) if len(of) == len({choice for choice, _ in of})]


def _refuse_dependent(space: GenotypeSpace) -> None:
    for column in space.columns:
        if column.kind == "float":
            raise ValueError(f"decision {column.name!r} is an open float; {ADVICE}")
        if column.parent >= 0:
            raise ValueError(f"decision {column.name!r} depends on {space.columns[column.parent].name!r}; {ADVICE}")
    if not space.valid(_latin_rows(space, np.random.default_rng(0))).all():
        raise ValueError(f"choices of a distinct or sorted `manyof` depend on each other; {ADVICE}")


def _refuse_tangled(space: GenotypeSpace, row: np.ndarray, possible: Sequence[Sequence[int]]) -> None:
    """Refuse a stem or head that any decision changes, and decisions and layers that are not one to one."""
    for name, part in (("stem", 0), ("head", -1)):
        if list(possible[part]) != [SHARED]:
            raise ValueError(f"the {name} changes with {_names(space, row, part)}; {ADVICE}")
    deciding: dict[int, int] = {}
    for layer, columns in enumerate(possible[1:-1]):
        if len(columns) != 1:
            raise ValueError(f"layer {layer} changes with {_names(space, row, layer + 1)}; {ADVICE}")
        if columns[0] in deciding:
            layers = f"layers {deciding[columns[0]]} and {layer}"
            raise ValueError(f"decision {space.columns[columns[0]].name!r} changes {layers}; {ADVICE}")
        if columns[0] != SHARED:
            deciding[columns[0]] = layer
    for index, column in enumerate(space.columns):
        if index not in deciding and column.cardinality > 1:
            raise ValueError(f"decision {column.name!r} changes no layer; {ADVICE}")


def _names(space: GenotypeSpace, row: np.ndarray, part: int | None) -> str:
    """Return the decisions that change a part of a network (None: how many layers it has), one at a time, as text."""

    def seen(genotype: np.ndarray) -> str:
        parts = _build(space, genotype).structures()
        return str(len(parts)) if part is None else parts[part]

    changing, before = [], seen(row)
    for index, column in enumerate(space.columns):
        others = [np.where(np.arange(space.width) == index, choice, row) for choice in range(column.cardinality)]
        if any(seen(other.astype(space.dtype)) != before for other in others):
            changing.append(repr(column.name))
    if len(changing) == 1:
        return f"decision {changing[0]}"
    return f"decisions {' and '.join(changing)}" if changing else "several decisions"
