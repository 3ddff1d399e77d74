"""The NASNet space of convolutional cells (Zoph et al. 2017, arXiv 1707.07012) and the networks stacked from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import pyglove as pg

from hardware_models.graph import Graph, Tape
from hardware_models.op import Op, Shape
from spaces import _cell_operators as operators
from spaces._nasnet_cells import CellCode, cell_graph
from spaces._nasnet_nets import NORMAL, REDUCTION, STACKS, TITLES, BlockCode

if TYPE_CHECKING:
    from torch import nn

Operation = Literal[
    "identity", "conv_1x3_3x1", "conv_1x7_7x1", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "max_pool_5x5",
    "max_pool_7x7", "conv_1x1", "conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7",
]  # fmt: skip

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
"""What may be done to a state: each gives `filters` channels, and halves the side of a reduction cell's inputs."""

Combination = Literal["add", "concat"]

BLOCKS = 5
"""Of each cell."""

LEAST_RESOLUTION = {"cifar": 4, "imagenet": 32}


class Block(pg.Object):  # type: ignore[misc]
    """Five choices in the paper's order: two states, an operation on each, and how the two results are combined.

    Attributes:
      first, second: two states by number: 0 the cell's input, 1 the output of the cell before, 2 and on the earlier
        blocks. The same may be chosen twice.
      first_operation, second_operation: what is done to each.
      combine: `add`, or `concat` along the channels, which makes a state of twice the filters.
    """

    first: int
    second: int
    first_operation: Operation
    second_operation: Operation
    combine: Combination


class Cell(pg.Object):  # type: ignore[misc]
    """Blocks one after another; states that no block reads are concatenated to the cell's output.

    Attributes:
      blocks: each makes one more state.
      kept: states that are concatenated although blocks read them; the paper's rule has none, NASNet-A one a cell.
    """

    blocks: list[Block]
    kept: tuple[int, ...] = ()

    @property
    def code(self) -> CellCode:
        """The cell as plain tuples."""
        blocks = tuple(
            ((block.first, block.second), (block.first_operation, block.second_operation), block.combine)
            for block in self.blocks
        )
        return CellCode(blocks, tuple(self.kept))


class Place(NamedTuple):
    """Where a cell stands in a network.

    Attributes:
      reduction: whether it is a reduction cell.
      filters: of its operations.
      back: how many outputs back the one before its input is: 2, or 3; 1 where there is none, and the input serves.
    """

    reduction: bool
    filters: int
    back: int


class NASNet(pg.Object):  # type: ignore[misc]
    """One network: a stem, normal cells with reduction cells before those at one and two thirds, and a head.

    Attributes:
      normal, reduction: the two cells, stacked with weights of their own at each place.
      cells: normal cells in all: the paper's N is a third of it.
      filters: of the first cells' operations; each reduction cell doubles them.
      stem: `cifar`, a 3x3 convolution; or `imagenet`, one of stride 2 without padding and two reduction cells of a
        quarter and half the filters.
      stem_filters: of the stem's convolution.
      skip_reduction: whether the cell after a reduction cell takes the output before the reduction cell's input, and
        not that input, as the cell before it.
      resolution: the side of the images.
      classes: the number of classes.
      image_channels: 3, or 1 of grey images.
      drop_path_keep: what the last cell's paths are kept with at the end of training (ScheduledDropPath); 1: none drop.
      dropout: before the classifier.
    """

    normal: Cell
    reduction: Cell
    cells: int
    filters: int
    stem: Literal["cifar", "imagenet"]
    stem_filters: int
    skip_reduction: bool
    resolution: int
    classes: int
    image_channels: int
    drop_path_keep: float
    dropout: float

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (image_channels, resolution, resolution)."""
        return self.image_channels, self.resolution, self.resolution

    def places(self) -> Iterator[Place]:
        """Yield each cell's place, in the order they run."""
        filters, made = self.filters, 1
        if self.stem == "imagenet":
            yield Place(True, filters // 4, 1)
            yield Place(True, filters // 2, 2)
            made = 3
        reductions = (self.cells // 3, 2 * self.cells // 3)
        for cell in range(self.cells):
            skipped = 0
            if cell in reductions:
                filters *= 2
                yield Place(True, filters, min(2, made))
                made, skipped = made + 1, int(self.skip_reduction)
            yield Place(False, filters, 2 + skipped if 2 + skipped <= made else 1)
            made += 1

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes).

        It has `at_progress(share)`, which tells ScheduledDropPath how much of the training is done.
        """
        from spaces.networks.nasnet import Network

        return Network(self)

    def ops(self) -> Graph:
        """Return the operators that the built network runs, in order; an identity is none."""
        tape = Tape(self.input_shape)
        codes = self.normal.code, self.reduction.code
        outputs = [tape.run(self._stem(), 0)]
        for place in self.places():
            read = (outputs[-1],) if place.back == 1 else (outputs[-1], outputs[-place.back])
            shapes = tuple(tape.shape(value) for value in read)
            outputs.append(
                tape.replay(cell_graph(codes[place.reduction], place.filters, place.reduction, *shapes), *read)
            )
        tape.run(operators.head(tape.shape(outputs[-1]), self.classes, relu=True), outputs[-1])
        return tape.graph()

    def _stem(self) -> Op:
        if self.stem == "cifar":
            return operators.conv_bn(self.input_shape, self.stem_filters, 3)
        return operators.conv_bn(self.input_shape, self.stem_filters, 3, 2, padding=0)


def nasnet(
    cells: int = 6,
    filters: int = 32,
    resolution: int = 32,
    classes: int = 10,
    stem: Literal["cifar", "imagenet"] = "cifar",
    *,
    stem_filters: int | None = None,
    skip_reduction: bool = False,
    image_channels: int = 3,
    normal_kept: Sequence[int] = (),
    reduction_kept: Sequence[int] = (),
    drop_path_keep: float = 1.0,
    dropout: float = 0.0,
) -> Any:
    """Return the space: two cells of five blocks of five choices, (13^10 x (6!)^2 x 2^5)^2, about 5.2e36 genotypes.

    As in the paper, the two halves of a block are ordered, though exchanging them makes the same network.

    Args:
      cells, filters, resolution, classes, stem, skip_reduction, image_channels, drop_path_keep, dropout: see `NASNet`.
      stem_filters: by default three times the filters for `cifar`, and 32 for `imagenet`.
      normal_kept, reduction_kept: states of the cells that are put out although blocks read them; NASNet-A's space has
        `(1,)` and `(3,)`, see `STACKS`.

    Raises:
      ValueError: for an unknown stem, or numbers out of bounds.
    """
    if stem not in LEAST_RESOLUTION:
        raise ValueError(f"stem must be 'cifar' or 'imagenet', got {stem!r}")
    network = NASNet(
        normal=_open_cell(normal_kept),
        reduction=_open_cell(reduction_kept),
        cells=cells,
        filters=filters,
        stem=stem,
        stem_filters=(3 * filters if stem == "cifar" else 32) if stem_filters is None else stem_filters,
        skip_reduction=skip_reduction,
        resolution=resolution,
        classes=classes,
        image_channels=image_channels,
        drop_path_keep=drop_path_keep,
        dropout=dropout,
    )
    _check(network)
    return network


def published(name: str) -> NASNet:
    """Return a NASNet-A: `nasnet_a_mobile`, `nasnet_a_large` or `nasnet_a_cifar`, or by a title in `TITLES`.

    Its genotype is `GenotypeSpace(nasnet(**STACKS[name])).encode(published(name))`.

    Raises:
      ValueError: for another name.
    """
    key = TITLES.get(name, name)
    if key not in STACKS:
        raise ValueError(f"no published network is called {name!r}; there are {', '.join([*STACKS, *TITLES])}")
    network: NASNet = nasnet(**STACKS[key])
    network.rebind(
        {"normal": _closed_cell(NORMAL, network.normal), "reduction": _closed_cell(REDUCTION, network.reduction)}
    )
    return network


def _check(network: NASNet) -> None:
    least = LEAST_RESOLUTION[network.stem]
    others = network.classes, network.stem_filters, network.image_channels
    if network.cells < 2 or network.resolution < least or min(others) < 1:
        raise ValueError(
            f"cells must be at least 2, resolution {least}, classes, stem_filters and image_channels 1, "
            f"got {network.cells}, {network.resolution} and {others}"
        )
    filters = network.filters
    if filters < 2 or (network.stem == "imagenet" and (filters < 8 or filters % 4)):
        raise ValueError(f"filters must be at least 2, with an imagenet stem a multiple of 4 from 8 on, got {filters}")
    if not 0 < network.drop_path_keep <= 1 or not 0 <= network.dropout < 1:
        raise ValueError(
            "drop_path_keep must be in (0, 1] and dropout in [0, 1), "
            f"got {network.drop_path_keep} and {network.dropout}"
        )


def _open_cell(kept: Sequence[int]) -> Cell:
    if any(state not in range(BLOCKS + 2) for state in kept):
        raise ValueError(f"states that are kept must be from 0 to {BLOCKS + 1}, got {tuple(kept)}")
    return Cell([_open_block(place + 2) for place in range(BLOCKS)], tuple(kept))


def _open_block(states: int) -> Block:
    return Block(
        first=pg.oneof(range(states)),
        second=pg.oneof(range(states)),
        first_operation=pg.oneof(OPERATIONS),
        second_operation=pg.oneof(OPERATIONS),
        combine=pg.oneof(get_args(Combination)),
    )


def _closed_cell(code: Sequence[BlockCode], made: Cell) -> Cell:
    return Cell([Block(*inputs, *names, combine) for inputs, names, combine in code], made.kept)
