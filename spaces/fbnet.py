"""The FBNet space of networks for phones (Wu et al., CVPR 2019, table 1, and the authors' model zoo)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyglove as pg

from hardware_models import blocks
from hardware_models.op import Op, Shape
from spaces._fbnet_nets import LAYOUTS, NETS, Layout
from spaces._published import find

if TYPE_CHECKING:
    from torch import nn

Operation = Literal["k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip", "k3_sep"]

OPERATIONS: tuple[Operation, ...] = get_args(Operation)[:-1]
"""What a layer may be, in the order of HW-NAS-Bench's codes. Released networks alone also hold `k3_sep`."""

ACTIVATION = "relu"


@dataclass(frozen=True, slots=True)
class Form:
    """An inverted residual: its kernel, expansion, groups of both 1x1 convolutions, and depthwise convolutions."""

    kernel: int
    expansion: int
    groups: int = 1
    depthwise: int = 1


FORMS = {
    "k3_e1": Form(3, 1),
    "k3_e1_g2": Form(3, 1, groups=2),
    "k3_e3": Form(3, 3),
    "k3_e6": Form(3, 6),
    "k5_e1": Form(5, 1),
    "k5_e1_g2": Form(5, 1, groups=2),
    "k5_e3": Form(5, 3),
    "k5_e6": Form(5, 6),
    "k3_sep": Form(3, 6, depthwise=2),
}
"""Of every operation but `skip`: nothing, or a 1x1 convolution with norm and ReLU where the shape changes."""


class Stage(pg.Object):  # type: ignore[misc]
    """Layers of one width; the first has the stage's stride, the others add their input to their output."""

    width: int
    stride: int
    blocks: list[Operation]


class FBNet(pg.Object):  # type: ignore[misc]
    """One network: a 3x3 stem, stages, a 1x1 convolution and a classifier.

    Attributes:
      stem, stem_stride: channels and stride of the first convolution.
      stages: the open part.
      head: channels of the last convolution.
      resolution: the side of the images.
      classes: the number of classes.
      expand: whether blocks of expansion 1 have their first 1x1 convolution also where it keeps the width, as in the
        paper; the zoo's release of 2020 leaves it out.
    """

    stem: int
    stem_stride: int
    stages: list[Stage]
    head: int
    resolution: int
    classes: int
    expand: bool = True

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (3, resolution, resolution)."""
        return 3, self.resolution, self.resolution

    @property
    def code(self) -> str:
        """The code in HW-NAS-Bench's and HELP's tables: a digit for each layer. ValueError where there is `k3_sep`."""
        operations = [operation for operation, _, _ in self.places()]
        if "k3_sep" in operations:
            raise ValueError("a network that holds k3_sep has no code: codes are of the nine operations of the space")
        return "".join(str(OPERATIONS.index(operation)) for operation in operations)

    def places(self) -> Iterator[tuple[Operation, int, int]]:
        """Yield the operation, the output channels and the stride of each layer, in the order they run."""
        for stage in self.stages:
            for place, operation in enumerate(stage.blocks):
                yield operation, stage.width, 1 if place else stage.stride

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.fbnet import network

        return network(self)

    def ops(self) -> tuple[Op, ...]:
        """Return the operators that the built network runs, in order: one a layer, its addition included."""
        ops = [blocks.conv_bn(self.input_shape, self.stem, 3, self.stem_stride, activation=ACTIVATION)]
        for operation, width, stride in self.places():
            if not absent(operation, ops[-1].output[0], width, stride):
                ops.append(_layer(ops[-1].output, operation, width, stride, self.expand))
        ops.append(blocks.conv_bn(ops[-1].output, self.head, 1, activation=ACTIVATION))
        return (*ops, blocks.classifier(ops[-1].output, self.classes))


def fbnet(
    variant: str = "imagenet",
    *,
    operations: Sequence[Operation] = OPERATIONS,
    width: float = 1.0,
    head: int | None = None,
    resolution: int | None = None,
    classes: int | None = None,
) -> Any:
    """Return the space: 22 layers of nine operations, 9^22 = 984,770,902,183,611,232,881 genotypes.

    With all nine operations, a genotype's row is its network's `code`. As in the paper the place of a skip within a
    stage counts, though the same blocks in the same order make the same network.

    Args:
      variant: `imagenet`, the paper's; `cifar`, HW-NAS-Bench's: 32x32 images, 100 classes, other strides and head.
      operations: some of `OPERATIONS`; single layers are narrowed by `rebind`.
      width: what the channels of stem and stages are multiplied by, then rounded to multiples of 8.
      head: channels of the last convolution; None for the variant's, 1984 (FBNet-B and -C) or 1504 (all others).
      resolution: the side of the images; None for the variant's, 224 or 32.
      classes: the number of classes; None for the variant's, 1000 or 100.

    Raises:
      ValueError: for another variant, other operations, or numbers that are too small.
    """
    if not operations or len(set(operations)) < len(operations) or not set(operations) <= set(OPERATIONS):
        raise ValueError(f"operations must be some of {', '.join(OPERATIONS)}, each once, got {tuple(operations)}")
    layout = _layout(variant, width, head, resolution, classes)
    return _network(layout, [[pg.oneof(list(operations)) for _ in range(depth)] for depth in layout.depths])


def published(name: str) -> FBNet:
    """Return a published network.

    `FBNet-A`, `-B`, `-C`, `-S8` and `-iPhoneX` are the paper's; the genotype of `FBNet-B` is
    `GenotypeSpace(fbnet()).encode(published("FBNet-B"))`, that of a network with a head of 1504 channels
    `GenotypeSpace(fbnet(head=1504)).encode(...)`. `FBNet-B-2019` and `-C-2019` are what the authors' model zoo released
    first, `FBNet-B1` and `-C1` the same with a head of 1504: they hold `k3_sep`, which the space does not offer.
    `FBNet-A-2020`, `-B-2020` and `-C-2020` are its later release, without the expansions that keep the width;
    `FBNet-96`, for images of 96x96, has channels of its own.

    Raises:
      ValueError: for another name; the message lists them.
    """
    net = find(NETS, name)
    layout = replace(net.layout, head=net.head)
    network: FBNet = _network(layout, [list(stage) for stage in net.stages], expand=net.expand)
    return network


def from_code(
    code: str,
    variant: str = "cifar",
    *,
    width: float = 1.0,
    head: int | None = None,
    resolution: int | None = None,
    classes: int | None = None,
) -> FBNet:
    """Return the network of a code of 22 digits, as tables of latencies have them; the settings are `fbnet`'s.

    Raises:
      ValueError: for another code, and as `fbnet` does.
    """
    layout = _layout(variant, width, head, resolution, classes)
    if len(code) != sum(layout.depths) or not set(code) <= set("012345678"):
        raise ValueError(f"a code must be {sum(layout.depths)} digits from 0 to 8, got {code!r}")
    operations = [OPERATIONS[int(digit)] for digit in code]
    bounds = pairwise(accumulate(layout.depths, initial=0))
    network: FBNet = _network(layout, [operations[start:stop] for start, stop in bounds])
    return network


def absent(operation: Operation, inputs: int, width: int, stride: int) -> bool:
    """Return whether a layer computes nothing: a skip where channels and sides stay."""
    return operation == "skip" and stride == 1 and inputs == width


def middle(channels: int, expansion: int) -> int:
    """Return the channels within a block: expanded ones at the nearest multiple of 8, at least 8."""
    return max(8, (channels * expansion + 4) // 8 * 8)


def _layout(variant: str, width: float, head: int | None, resolution: int | None, classes: int | None) -> Layout:
    if variant not in LAYOUTS:
        raise ValueError(f"variant must be {' or '.join(LAYOUTS)}, got {variant!r}")
    own = LAYOUTS[variant]
    made = replace(
        own,
        head=own.head if head is None else head,
        resolution=own.resolution if resolution is None else resolution,
        classes=own.classes if classes is None else classes,
    )
    if not width > 0 or min(made.head, made.resolution, made.classes) < 1:
        raise ValueError(
            f"width must be above 0, head, resolution and classes at least 1, got {width}, {made.head}, "
            f"{made.resolution} and {made.classes}"
        )
    widths = tuple(blocks.divisible(channels * width) for channels in own.widths)
    return replace(made, stem=blocks.divisible(own.stem * width), widths=widths)


def _network(layout: Layout, stages: Sequence[list[Any]], *, expand: bool = True) -> Any:
    made = [Stage(*fixed) for fixed in zip(layout.widths, layout.strides, stages, strict=True)]
    return FBNet(layout.stem, layout.stem_stride, made, layout.head, layout.resolution, layout.classes, expand=expand)


def _layer(inputs: Shape, operation: Operation, width: int, stride: int, expand: bool) -> Op:
    if operation == "skip":
        return blocks.conv_bn(inputs, width, 1, stride, activation=ACTIVATION)
    form = FORMS[operation]
    return blocks.inverted_residual(
        inputs, width, form.kernel, stride, middle=middle(inputs[0], form.expansion), activation=ACTIVATION,
        shortcut=stride == 1 and inputs[0] == width, expand=expand, groups=form.groups, depthwise=form.depthwise,
    )  # fmt: skip
