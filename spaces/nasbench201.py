"""The NAS-Bench-201 space of 15,625 cells (Dong & Yang, ICLR 2020, sections 2.1-2.2 and figure 1)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import pyglove as pg

from hardware_models import counts
from hardware_models.graph import Graph, Tape
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear

if TYPE_CHECKING:
    from torch import nn

Operation = Literal["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]

OPERATIONS: tuple[Operation, ...] = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""What an edge may be, in the published order: a genotype's value is the published digit."""

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""Source and target node of each edge, in the published order. Node 0 is a cell's input, node 3 its output."""


class NasBench201(pg.Object):  # type: ignore[misc]
    """One network: a stem, three stages of equal cells with a residual reduction block between them, and a head.

    A cell's node is the sum of its incoming edges. An edge is *live* when it lies on a path from the cell's input to
    its output along edges other than `none`. The network holds the weights of every edge, as the published one does,
    but runs the live ones alone: a dead edge changes no output.
    """

    edge_01: Operation
    edge_02: Operation
    edge_12: Operation
    edge_03: Operation
    edge_13: Operation
    edge_23: Operation
    classes: int = 10
    channels: int = 16
    cells: int = 5
    resolution: int = 32

    @property
    def edges(self) -> tuple[Operation, ...]:
        """The six operations in the order of `EDGES`."""
        return self.edge_01, self.edge_02, self.edge_12, self.edge_03, self.edge_13, self.edge_23

    @property
    def code(self) -> str:
        """The published six-digit code, e.g. `421211` for the cell whose published index is 0."""
        return "".join(str(OPERATIONS.index(edge)) for edge in self.edges)

    @property
    def params(self) -> int:
        """The number of weights that `build()` holds, dead edges included: the published count.

        Of 150 cells the benchmark's files hold an equivalent cell's count, which their own MACs contradict.
        """
        return counts.params(self.ops(live_only=False))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image by the published convention: of `ops()`, dead edges included, plus biases.

        Convolutions and the linear layer count, the latter's `classes` bias additions too; normalisation, activation,
        pooling and additions do not. What really runs is `hardware_models.counts.macs(self.ops())`.
        """
        return counts.macs(self.ops(live_only=False)) + self.classes

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (3, resolution, resolution)."""
        return 3, self.resolution, self.resolution

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, 3, resolution, resolution) to logits (n, classes)."""
        from spaces.networks.nasbench201 import Network

        return Network(self.edges, self.classes, self.channels, self.cells)

    def ops(self, live_only: bool = True) -> Graph:
        """Return the operators that the built network runs, in order; with `live_only=False` those of dead edges too.

        Identities (`skip_connect`) and `none` are no operators; k inputs of a node make k - 1 additions.
        A cell whose input and output are not connected hands its input on, where the network makes zeros of it.
        """
        tape = Tape(self.input_shape)
        features = tape.run(_stem(self.input_shape, self.channels), 0)
        for stage in range(3):
            if stage:
                features = tape.replay(_reduction(tape.shape(features)), features)
            cell = _cell(self.edges, tape.shape(features), live_only)
            for _ in range(self.cells):
                features = tape.replay(cell, features)
        tape.run(_head(tape.shape(features), self.classes), features)
        return tape.graph()


def nasbench201(classes: int = 10, channels: int = 16, cells: int = 5, resolution: int = 32) -> Any:
    """Return the space: six open edges, 5^6 = 15,625 networks; a genotype's row is the published six-digit code.

    Args:
      classes: of the images: 10 for CIFAR-10, 100 for CIFAR-100, 120 for ImageNet16-120.
      channels: of the first stage; the other two have twice and four times as many.
      cells: in each of the three stages.
      resolution: the side of the images, a multiple of 4: 32, or 16 for ImageNet16-120.

    Raises:
      ValueError: for a number outside these bounds.
    """
    if min(classes, channels, cells) < 1:
        raise ValueError(f"classes, channels and cells must be at least 1, got {classes}, {channels}, {cells}")
    if resolution < 4 or resolution % 4:
        raise ValueError(f"resolution must be a positive multiple of 4, got {resolution}")
    edges = {f"edge_{source}{target}": pg.oneof(OPERATIONS) for source, target in EDGES}
    return NasBench201(**edges, classes=classes, channels=channels, cells=cells, resolution=resolution)


@lru_cache
def live_edges(edges: tuple[Operation, ...]) -> tuple[int, ...]:
    """Return the indices in `EDGES` of the live edges, ascending; none when input and output are not connected."""
    present = [index for index, edge in enumerate(edges) if edge != "none"]
    fed, used = {0}, {3}
    for _ in range(3):
        fed |= {EDGES[index][1] for index in present if EDGES[index][0] in fed}
        used |= {EDGES[index][0] for index in present if EDGES[index][1] in used}
    return tuple(index for index in present if EDGES[index][0] in fed and EDGES[index][1] in used)


@lru_cache
def _stem(image: Shape, channels: int) -> Op:
    conv = conv2d(image, channels, 3)
    return chain("conv_bn", conv, elementwise("batch_norm2d", conv.output))


@lru_cache(maxsize=1024)
def _cell(edges: tuple[Operation, ...], shape: Shape, live_only: bool) -> Graph:
    """Return the operators of one cell, node after node; a dead edge whose source has no value reads the input."""
    kept = live_edges(edges) if live_only else tuple(index for index, edge in enumerate(edges) if edge != "none")
    tape = Tape(shape)
    nodes = {0: 0}
    for index in kept:  # ordered by their target
        source, target = EDGES[index]
        value = nodes.get(source, 0)
        for op in _edge(edges[index], shape):
            value = tape.run(op, value)
        nodes[target] = tape.run(elementwise("add", shape, 2), nodes[target], value) if target in nodes else value
    return tape.graph(nodes.get(3, 0))


@lru_cache
def _edge(operation: Operation, shape: Shape) -> tuple[Op, ...]:
    if operation == "skip_connect":
        return ()
    if operation == "avg_pool_3x3":
        return (Op("avg_pool2d", (shape,), shape, kernel=3, padding=1),)
    return (_relu_conv_bn(shape, shape[0], kernel=1 if operation == "nor_conv_1x1" else 3),)


def _relu_conv_bn(shape: Shape, channels: int, kernel: int, stride: int = 1) -> Op:
    conv = conv2d(shape, channels, kernel, stride)
    return chain("relu_conv_bn", elementwise("relu", shape), conv, elementwise("batch_norm2d", conv.output))


@lru_cache
def _reduction(shape: Shape) -> Graph:
    """Return the residual block between two stages: twice the channels, half the side."""
    tape = Tape(shape)
    first = tape.run(_relu_conv_bn(shape, 2 * shape[0], 3, stride=2), 0)
    wide = tape.shape(first)
    second = tape.run(_relu_conv_bn(wide, wide[0], 3), first)
    pooled = tape.run(Op("avg_pool2d", (shape,), (shape[0], shape[1] // 2, shape[2] // 2), kernel=2, stride=2), 0)
    shortcut = tape.run(conv2d(tape.shape(pooled), wide[0], 1), pooled)
    tape.run(elementwise("add", wide, 2), second, shortcut)
    return tape.graph()


@lru_cache
def _head(shape: Shape, classes: int) -> Op:
    pool = Op("global_avg_pool", (shape,), (shape[0],))
    return chain(
        "head", elementwise("batch_norm2d", shape), elementwise("relu", shape), pool, linear(pool.output, classes)
    )
