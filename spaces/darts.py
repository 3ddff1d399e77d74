"""The DARTS space of convolutional cells (Liu et al. 2018, arXiv 1806.09055) and the networks stacked from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import pyglove as pg

from hardware_models.graph import Graph, Tape
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, pool2d
from spaces import _cell_operators as operators

if TYPE_CHECKING:
    from torch import nn

Operation = Literal[
    "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"
]

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
"""What an edge may be. `none` stands in the continuous relaxation alone: a discrete node keeps two other edges."""

NODES = 4
"""Of each cell, beside its two inputs."""

LEAST_RESOLUTION = {"cifar": 4, "imagenet": 32}

NodeCode = tuple[tuple[int, Operation], ...]
"""The edges of one node: a source and an operation each."""

Edges = Sequence[tuple[str, int]]
"""A cell as it is published: operation and source of two edges for each node, in the order of the nodes."""

CELLS: dict[str, tuple[Edges, Edges]] = {
    "DARTS-v1": (
        (
            ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 0), ("sep_conv_3x3", 1),
            ("skip_connect", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 2),
        ),
        (
            ("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 0),
            ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("avg_pool_3x3", 0),
        ),
    ),
    "DARTS-v2": (
        (
            ("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
            ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2),
        ),
        (
            ("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
            ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1),
        ),
    ),
}  # fmt: skip
"""Normal and reduction cell of the first- and of the second-order search (the authors' code, `genotypes.py`)."""

CIFAR: dict[str, Any] = {"cells": 20, "filters": 36, "resolution": 32, "classes": 10, "stem": "cifar"}
IMAGENET: dict[str, Any] = {"cells": 14, "filters": 48, "resolution": 224, "classes": 1000, "stem": "imagenet"}

STACKS = {name + ending: stack for name in CELLS for ending, stack in (("", CIFAR), (" ImageNet", IMAGENET))}
"""The settings of `darts` that a published network's space has."""


class Node(pg.Object):  # type: ignore[misc]
    """The sum of two edges.

    Attributes:
      inputs: two distinct earlier states, ascending: 0 is the output before the last, 1 the last, 2 and on the nodes.
      operations: on the first and on the second.
    """

    inputs: list[int]
    operations: list[Operation]


class Cell(pg.Object):  # type: ignore[misc]
    """Four nodes, whose concatenation is the output."""

    nodes: list[Node]

    @property
    def code(self) -> tuple[NodeCode, ...]:
        """The cell as plain tuples, which can be hashed."""
        return tuple(tuple(zip(node.inputs, node.operations, strict=True)) for node in self.nodes)


class Place(NamedTuple):
    """Where a cell stands: whether it is a reduction cell, and whether the output before the last is twice as high."""

    reduction: bool
    filters: int
    after_reduction: bool


class DARTS(pg.Object):  # type: ignore[misc]
    """One network: a stem, cells of which those at one and two thirds are reduction cells, and a head.

    An auxiliary head, which helps training alone, is no part of it.

    Attributes:
      normal, reduction: the two cells, stacked with weights of their own at each place.
      cells: in all, reduction cells included.
      filters: of the first cells' operations; each reduction cell doubles them.
      stem: `cifar`, a 3x3 convolution to three times the filters; or `imagenet`, three of stride 2.
      resolution: the side of the images.
      classes: the number of classes.
      image_channels: 3, or 1 of grey images.
    """

    normal: Cell
    reduction: Cell
    cells: int
    filters: int
    stem: Literal["cifar", "imagenet"]
    resolution: int
    classes: int
    image_channels: int

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (image_channels, resolution, resolution)."""
        return self.image_channels, self.resolution, self.resolution

    def places(self) -> Iterator[Place]:
        """Yield each cell's place, in the order they run."""
        filters, after = self.filters, self.stem == "imagenet"
        reductions = (self.cells // 3, 2 * self.cells // 3)
        for cell in range(self.cells):
            filters *= 2 if cell in reductions else 1
            yield Place(cell in reductions, filters, after)
            after = cell in reductions

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.darts import Network

        return Network(self)

    def ops(self) -> Graph:
        """Return the operators that the built network runs, in order; a skip connection without stride is none."""
        tape = Tape(self.input_shape)
        codes = self.normal.code, self.reduction.code
        before, last = self._run_stem(tape)
        for place in self.places():
            cell = _cell(codes[place.reduction], place.filters, place.reduction, tape.shape(before), tape.shape(last))
            before, last = last, tape.replay(cell, before, last)
        tape.run(operators.head(tape.shape(last), self.classes, relu=False), last)
        return tape.graph()

    def _run_stem(self, tape: Tape) -> tuple[int, int]:
        if self.stem == "cifar":
            value = tape.run(operators.conv_bn(self.input_shape, 3 * self.filters, 3), 0)
            return value, value
        first = tape.run(_double_stem(self.input_shape, self.filters), 0)
        return first, tape.run(operators.relu_conv_bn(tape.shape(first), self.filters, 3, 2), first)


def darts(
    cells: int = 20,
    filters: int = 36,
    resolution: int = 32,
    classes: int = 10,
    stem: Literal["cifar", "imagenet"] = "cifar",
    *,
    image_channels: int = 3,
) -> Any:
    """Return the space: (1 x 3 x 6 x 10 x 7^8)^2 = 1,076,746,950,455,072,400 genotypes, two cells of four nodes.

    Args:
      cells, filters, resolution, classes, stem, image_channels: see `DARTS`; by default those of the published network.

    Raises:
      ValueError: for an unknown stem, or numbers out of bounds.
    """
    if stem not in LEAST_RESOLUTION:
        raise ValueError(f"stem must be 'cifar' or 'imagenet', got {stem!r}")
    if cells < 3 or filters < 2 or resolution < LEAST_RESOLUTION[stem] or min(classes, image_channels) < 1:
        raise ValueError(
            f"cells must be at least 3, filters 2, resolution {LEAST_RESOLUTION[stem]}, classes and image_channels 1, "
            f"got {cells}, {filters}, {resolution}, {classes} and {image_channels}"
        )
    return DARTS(_open_cell(), _open_cell(), cells, filters, stem, resolution, classes, image_channels)


def published(name: str) -> DARTS:
    """Return `DARTS-v1` or `DARTS-v2`, 20 cells of 36 filters for CIFAR-10; with ` ImageNet` 14 cells of 48 filters.

    Its genotype is `GenotypeSpace(darts(**STACKS[name])).encode(published(name))`.

    Raises:
      ValueError: for another name.
    """
    if name not in STACKS:
        raise ValueError(f"no published network is called {name!r}; there are {', '.join(STACKS)}")
    return from_edges(*CELLS[name.removesuffix(" ImageNet")], **STACKS[name])


def from_edges(normal: Edges, reduction: Edges, **settings: Any) -> DARTS:
    """Return the network of two cells as papers publish them, e.g. `[("sep_conv_3x3", 1), ("skip_connect", 0), ...]`.

    Args:
      normal, reduction: operation and source of eight edges each, two for each node; their order within it is free.
      settings: those of `darts`.

    Raises:
      ValueError: for another number of edges, unknown operations, sources that are none or twice the same.
    """
    network: DARTS = darts(**settings)
    network.rebind({"normal": _closed_cell(normal), "reduction": _closed_cell(reduction)})
    return network


def _open_cell() -> Cell:
    return Cell([_open_node(place + 2) for place in range(NODES)])


def _open_node(states: int) -> Node:
    inputs = pg.manyof(2, range(states), distinct=True, sorted=True) if states > 2 else [0, 1]
    return Node(inputs, pg.manyof(2, OPERATIONS, distinct=False, sorted=False))


def _closed_cell(edges: Edges) -> Cell:
    if len(edges) != 2 * NODES:
        raise ValueError(f"a cell has {2 * NODES} edges, two for each of its nodes; got {len(edges)}")
    pairs = [sorted(edges[start : start + 2], key=itemgetter(1)) for start in range(0, len(edges), 2)]
    for node, pair in enumerate(pairs, start=2):
        sources, names = [source for _, source in pair], [name for name, _ in pair]
        if not 0 <= sources[0] < sources[1] < node or not set(names) <= set(OPERATIONS):
            raise ValueError(
                f"node {node} needs two different sources from 0 to {node - 1} and operations of "
                f"{', '.join(OPERATIONS)}; got {pair}"
            )
    return Cell([Node([source for _, source in pair], [name for name, _ in pair]) for pair in pairs])


@lru_cache(maxsize=1024)
def _cell(code: tuple[NodeCode, ...], filters: int, reduction: bool, before: Shape, last: Shape) -> Graph:
    """Return the operators of one cell on the output before the last and on the last."""
    tape = Tape(before, last)
    first = operators.relu_conv_bn if before[1:] == last[1:] else operators.factorized_reduction
    states = [tape.run(first(before, filters), 0), tape.run(operators.relu_conv_bn(last, filters), 1)]
    for edges in code:
        parts = []
        for source, name in edges:
            value = states[source]
            for op in _edge(name, tape.shape(value), 2 if reduction and source < 2 else 1):
                value = tape.run(op, value)
            parts.append(value)
        states.append(tape.run(elementwise("add", tape.shape(parts[0]), 2), *parts))
    return tape.graph(operators.concat(tape, *states[2:]))


@lru_cache(maxsize=4096)
def _edge(name: Operation, inputs: Shape, stride: int) -> tuple[Op, ...]:
    channels = inputs[0]
    match name:
        case "max_pool_3x3":
            return (pool2d("max_pool2d", inputs, 3, stride),)
        case "avg_pool_3x3":
            return (pool2d("avg_pool2d", inputs, 3, stride),)
        case "sep_conv_3x3" | "sep_conv_5x5":
            return (operators.separable_conv(inputs, channels, int(name[-1]), stride),)
        case "dil_conv_3x3" | "dil_conv_5x5":
            return (operators.dilated_conv(inputs, channels, int(name[-1]), stride),)
    return (operators.factorized_reduction(inputs, channels),) if stride == 2 else ()


@lru_cache
def _double_stem(image: Shape, filters: int) -> Op:
    """Return the first two convolutions of the ImageNet stem."""
    first = conv2d(image, filters // 2, 3, 2)
    second = conv2d(first.output, filters, 3, 2)
    norm, relu = elementwise("batch_norm2d", first.output), elementwise("relu", first.output)
    return chain("stem", first, norm, relu, second, elementwise("batch_norm2d", second.output))
