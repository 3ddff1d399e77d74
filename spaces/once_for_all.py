"""The once-for-all spaces of elastic MobileNetV3 and ProxylessNAS networks (Cai et al., ICLR 2020, section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models import blocks
from hardware_models.op import Op, Shape
from spaces._once_for_all_nets import NETS
from spaces._once_for_all_supernets import SUPERNETS, Activation
from spaces._published import find

if TYPE_CHECKING:
    from torch import nn

RESOLUTIONS = tuple(range(128, 225, 4))
"""The sides of images that the published supernets were trained on."""

PLACES = 4
"""Where a stage of the published supernets may have blocks."""


class Block(pg.Object):  # type: ignore[misc]
    """An inverted residual: 1x1 expansion, depthwise kernel x kernel, linear 1x1 projection; `then` follows it."""

    kernel: int
    expansion: int
    then: Block | None = None


class Stage(pg.Object):  # type: ignore[misc]
    """Blocks of one width; the first has the stage's stride, the others add their input to their output."""

    width: int
    stride: int
    activation: Activation
    squeeze: bool
    first: Block


class OnceForAll(pg.Object):  # type: ignore[misc]
    """One network: a 3x3 stem, a fixed block without expansion, stages of inverted residuals and a head.

    Attributes:
      stem, first: channels of the stem and of the fixed block, which has a shortcut where they are equal.
      stages: the elastic part.
      head: channels of a 1x1 convolution before the pooling and, in MobileNetV3, of one without norm after it.
      activation: of stem and head.
      first_activation: of the fixed block.
      norm_eps: what each norm adds to a variance.
      resolution: the side of the images.
      classes: the number of classes.
    """

    stem: int
    first: int
    stages: list[Stage]
    head: list[int]
    activation: Activation
    first_activation: Activation
    norm_eps: float
    resolution: int
    classes: int = 1000

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (3, resolution, resolution)."""
        return 3, self.resolution, self.resolution

    @property
    def depths(self) -> tuple[int, ...]:
        """The number of blocks in each stage."""
        return tuple(sum(1 for _ in _chain(stage)) for stage in self.stages)

    @property
    def kernels(self) -> tuple[int, ...]:
        """The kernel of each block that is present, in the order they run."""
        return tuple(block.kernel for stage in self.stages for block in _chain(stage))

    @property
    def expansions(self) -> tuple[int, ...]:
        """The expansion of each block that is present, in the order they run."""
        return tuple(block.expansion for stage in self.stages for block in _chain(stage))

    def layers(self) -> Iterator[tuple[Block, Stage, int]]:
        """Yield each block that is present with its stage and its stride, in the order they run."""
        for stage in self.stages:
            for position, block in enumerate(_chain(stage)):
                yield block, stage, 1 if position else stage.stride

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.once_for_all import Network

        return Network(self)

    def ops(self) -> tuple[Op, ...]:
        """Return the operators that the built network runs, in order: one a block, its addition included."""
        ops = [blocks.conv_bn(self.input_shape, self.stem, 3, 2, activation=self.activation)]
        ops.append(
            blocks.inverted_residual(
                ops[0].output, self.first, 3, middle=self.stem, activation=self.first_activation,
                shortcut=self.first == self.stem,
            )
        )  # fmt: skip
        for block, stage, stride in self.layers():
            ops.append(_op(ops[-1].output, block, stage, stride))
        ops.append(blocks.conv_bn(ops[-1].output, self.head[0], 1, activation=self.activation))
        if len(self.head) > 1:
            ops.append(blocks.global_pool(ops[-1].output))
            ops.append(blocks.conv_act(ops[-1].output, self.head[1], 1, activation=self.activation))
        return (*ops, blocks.classifier(ops[-1].output, self.classes))


def once_for_all(
    supernet: str = "mobilenetv3",
    *,
    width: float | None = None,
    resolutions: Sequence[int] = RESOLUTIONS,
    kernels: Sequence[int] = (3, 5, 7),
    expansions: Sequence[int] = (3, 4, 6),
    depths: Sequence[int] = (2, 3, 4),
    classes: int = 1000,
) -> Any:
    """Return the space. Open are the resolution, each stage's depth, and each block's kernel and expansion.

    A block's successor is a choice between none and one more block, so that absent blocks have no decisions: every
    genotype is another network. With MobileNetV3's five stages the defaults hold, at each of the 25 resolutions,
    (9^2 + 9^3 + 9^4)^5 = 21,758,655,492,572,485,851 networks.

    Args:
      supernet: `mobilenetv3` or `proxylessnas`.
      width: what all channels are multiplied by, then rounded to multiples of 8; None for the published one.
      resolutions: sides of the images.
      kernels: odd sides of a depthwise convolution.
      expansions: factors, of at least 2, by which a block widens its input.
      depths: the numbers of blocks that a stage may have; the last stage of `proxylessnas` always has one.
      classes: the number of classes.

    Raises:
      ValueError: for another supernet, an empty choice, an even kernel or a number that is too small.
    """
    if supernet not in SUPERNETS:
        raise ValueError(f"supernet must be {' or '.join(SUPERNETS)}, got {supernet!r}")
    made = SUPERNETS[supernet]
    choices = {"resolutions": resolutions, "kernels": kernels, "expansions": expansions, "depths": depths}
    _check(choices, classes)
    firsts = [_blocks(depths, kernels, expansions) for _ in made.widths]
    if made.single:
        firsts[-1] = _blocks([1], kernels, expansions)
    return _network(supernet, made.width if width is None else width, firsts, pg.oneof(list(resolutions)), classes)


def published(name: str) -> OnceForAll:
    """Return a specialised network that was published with the supernets, by its published name.

    `NETS[name]` tells its supernet, width and resolution: its genotype is
    `GenotypeSpace(once_for_all(net.supernet, width=net.width, resolutions=[net.resolution])).encode(published(name))`.

    Raises:
      ValueError: for another name; the message lists them.
    """
    net = find(NETS, name)
    firsts = [_fixed(stage) for stage in net.stages]
    network: OnceForAll = _network(net.supernet, net.width, firsts, net.resolution, 1000)
    return network


def from_lists(
    kernels: Sequence[int],
    expansions: Sequence[int],
    depths: Sequence[int],
    resolution: int,
    supernet: str = "mobilenetv3",
    *,
    width: float | None = None,
    classes: int = 1000,
) -> OnceForAll:
    """Return the network of the three lists that the authors' code calls `ks`, `e` and `d`.

    Args:
      kernels, expansions: of each block; or, as the authors have them, of each place where a block may be, four a stage
        and one in the last of `proxylessnas`, of which those beyond a stage's depth do not count.
      depths: the blocks of each stage; that of the last stage of `proxylessnas` is 1 whatever is given.
      resolution: the side of the images.
      supernet, width, classes: as of `once_for_all`.

    Raises:
      ValueError: for another supernet, or lists of other lengths.
    """
    if supernet not in SUPERNETS:
        raise ValueError(f"supernet must be {' or '.join(SUPERNETS)}, got {supernet!r}")
    made = SUPERNETS[supernet]
    stages = len(made.widths)
    depths = [*depths[: stages - 1], 1] if made.single else list(depths)
    places = [PLACES] * (stages - 1) + [1 if made.single else PLACES]
    given = next((each for each in (depths, places) if len(kernels) == len(expansions) == sum(each)), None)
    if len(depths) != stages or given is None or not all(1 <= a <= b for a, b in zip(depths, places, strict=True)):
        raise ValueError(
            f"expected {stages} depths of at most {places}, and kernels and expansions of {sum(depths)} blocks or of "
            f"all {sum(places)} places; got {depths}, {len(kernels)} and {len(expansions)}"
        )
    starts = accumulate(given[:-1], initial=0)
    cut = [slice(start, start + depth) for start, depth in zip(starts, depths, strict=True)]
    firsts = [_fixed(list(zip(kernels[part], expansions[part], strict=True))) for part in cut]
    network: OnceForAll = _network(supernet, made.width if width is None else width, firsts, resolution, classes)
    return network


def _network(supernet: str, width: float, firsts: Sequence[Any], resolution: Any, classes: int) -> Any:
    """Return the network of a family whose stages begin with these blocks, which may be open."""
    if not width > 0:
        raise ValueError(f"width must be above 0, got {width}")
    made = SUPERNETS[supernet]
    fixed = zip(made.widths, made.strides, made.activations, made.squeeze, strict=True)
    stages = [
        Stage(blocks.divisible(channels * width), stride, activation, squeeze, first)
        for (channels, stride, activation, squeeze), first in zip(fixed, firsts, strict=True)
    ]
    return OnceForAll(
        stem=blocks.divisible(made.stem * width),
        first=blocks.divisible(made.first * width),
        stages=stages,
        head=[blocks.divisible(channels * width) for channels in made.head],
        activation=made.activation,
        first_activation=made.first_activation,
        norm_eps=made.norm_eps,
        resolution=resolution,
        classes=classes,
    )


def _check(choices: dict[str, Sequence[int]], classes: int) -> None:
    """Raise ValueError for settings that make no space."""
    for name, values in choices.items():
        least = 2 if name == "expansions" else 1
        if not values or min(values) < least:
            raise ValueError(f"{name} must hold whole numbers of at least {least}, got {tuple(values)}")
    if any(kernel % 2 == 0 for kernel in choices["kernels"]):
        raise ValueError(f"kernels must be odd, got {tuple(choices['kernels'])}")
    if classes < 1:
        raise ValueError(f"classes must be at least 1, got {classes}")


def _fixed(chosen: Sequence[tuple[int, int]]) -> Block | None:
    """Return the chain of blocks with these kernels and expansions."""
    if not chosen:
        return None
    return Block(kernel=chosen[0][0], expansion=chosen[0][1], then=_fixed(chosen[1:]))


def _blocks(depths: Sequence[int], kernels: Sequence[int], expansions: Sequence[int], place: int = 1) -> Any:
    """Return the block at `place` with all that may follow it."""
    then = _blocks(depths, kernels, expansions, place + 1) if place < max(depths) else None
    if then is not None and place in depths:
        then = pg.oneof([None, then])
    return Block(kernel=pg.oneof(list(kernels)), expansion=pg.oneof(list(expansions)), then=then)


def _chain(stage: Stage) -> Iterator[Block]:
    block: Block | None = stage.first
    while block is not None:
        yield block
        block = block.then


def _op(inputs: Shape, block: Block, stage: Stage, stride: int) -> Op:
    return blocks.inverted_residual(
        inputs, stage.width, block.kernel, stride, middle=blocks.divisible(inputs[0] * block.expansion),
        activation=stage.activation, squeeze=stage.squeeze, shortcut=stride == 1 and inputs[0] == stage.width,
    )  # fmt: skip
