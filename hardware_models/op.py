"""The operator record: what a latency table is keyed by and what costs are counted from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hardware_models.wiring import check_wiring, in_sequence

Shape = tuple[int, ...]
"""A tensor's shape without the batch axis: `(channels, height, width)`, `(tokens, channels)` or `(channels,)`."""

Wiring = tuple[tuple[int, ...], ...]
"""The values that each operator reads, by number: the inputs first, then each operator's output in order."""

DTYPE_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
"""The bytes of one number of each dtype."""


@dataclass(frozen=True, slots=True)
class Op:
    """One operator of a network, or a named composite of operators that run as one.

    Shapes leave the batch out: the batch is a property of the table that times the operator.
    Two operators that compare equal cost the same on a device.

    Attributes:
      kind: what it computes, one of `hardware_models.kinds`; a composite's own name, e.g. `relu_conv_bn`.
      inputs: the shape of each input.
      output: the shape of the output.
      kernel: the side of a square kernel; 0 where there is none.
      stride, padding, dilation: as in `torch.nn.Conv2d`, the same in both directions.
      groups: as in `torch.nn.Conv2d`, `torch.nn.GroupNorm` and the shuffling of channels.
      bias: whether a convolution or linear layer adds a bias, or an attention one of positions to its scores.
      dtype: of the inputs, weights and output, one of `DTYPE_BYTES`.
      inner: a composite's operators, in the order they run; empty for a plain operator.
      along: the direction in which kernel, stride, padding and dilation extend: `both`, `height` or `width`. A kernel
        of 7 along the width is 1x7; along the height, stride and dilation are then 1 and the padding 0.
      heads: of an attention.
      window: the tokens of one window of an attention; 0 where all attend to all.
      wiring: which values each of `inner` reads; empty where each reads the output of the one before.

    Raises:
      ValueError: for a wiring that does not fit `inputs` and `inner`.
    """

    kind: str
    inputs: tuple[Shape, ...]
    output: Shape
    kernel: int = 0
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    bias: bool = False
    dtype: str = "float32"
    inner: tuple[Op, ...] = ()
    along: str = "both"
    heads: int = 1
    window: int = 0
    wiring: Wiring = ()

    def __post_init__(self) -> None:
        if not self.wiring:
            return
        check_wiring(self.inputs, self.inner, self.wiring)
        if len(self.inputs) == 1 and self.wiring == tuple((number,) for number in range(len(self.inner))):
            object.__setattr__(self, "wiring", ())  # a sequence is written in one way: operators are keys of tables

    def __str__(self) -> str:
        """Return the operator as a person would write it: `conv2d 3x32x32 -> 16x32x32 (kernel 3, padding 1)`."""
        inputs = " + ".join("x".join(map(str, shape)) for shape in self.inputs)
        told = [f"{name} {value}" for name, value, plain in self._details() if value != plain]
        if self.inner:
            told.append(" > ".join(map(_kind_and_kernel, self.inner)))
        details = f" ({', '.join(told)})" if told else ""
        return f"{self.kind} {inputs} -> {'x'.join(map(str, self.output))}{details}"

    def _details(self) -> tuple[tuple[str, object, object], ...]:
        """Return the name, the value and the value not worth telling of what modifies the operator."""
        return (
            ("kernel", self.kernel, 0),
            ("stride", self.stride, 1),
            ("padding", self.padding, 0),
            ("dilation", self.dilation, 1),
            ("groups", self.groups, 1),
            ("bias", self.bias, False),
            ("along", self.along, "both"),
            ("heads", self.heads, 1),
            ("window", self.window, 0),
            ("dtype", self.dtype, "float32"),
        )


def conv2d(
    inputs: Shape,
    channels: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    dilation: int = 1,
    bias: bool = False,
    padding: int | None = None,
    along: str = "both",
) -> Op:
    """Return a convolution of `inputs` (channels, height, width) to `channels` output channels.

    The padding is "same", dilation * (kernel - 1) // 2, unless it is given: an embedding of patches has none.
    """
    padding = dilation * (kernel - 1) // 2 if padding is None else padding
    plain = Op("conv2d", (inputs,), (channels,), kernel, stride, padding, dilation, groups, bias, along=along)
    return _with_output(plain)


def pool2d(kind: str, inputs: Shape, kernel: int, stride: int = 1, padding: int | None = None) -> Op:
    """Return a pooling, `avg_pool2d` or `max_pool2d`, of an image, "same"-padded unless the padding is given."""
    padding = (kernel - 1) // 2 if padding is None else padding
    return _with_output(Op(kind, (inputs,), (inputs[0],), kernel, stride, padding))


def linear(inputs: Shape, features: int, *, bias: bool = True) -> Op:
    """Return a linear layer on the last axis of `inputs`."""
    return Op("linear", (inputs,), (*inputs[:-1], features), bias=bias)


def elementwise(kind: str, shape: Shape, count: int = 1) -> Op:
    """Return an operator that keeps the shape of its `count` equal inputs: a norm, an activation, an addition."""
    return Op(kind, (shape,) * count, shape)


def chain(kind: str, *inner: Op) -> Op:
    """Return a composite named `kind` whose operators run one after another, each on the output of the one before.

    A gate may stand among them: see `hardware_models.wiring.in_sequence`.

    Raises:
      ValueError: for another operator of several inputs; make the composite by `hardware_models.graph.Tape`.
    """
    plain = all(len(op.inputs) == 1 for op in inner)
    wiring = () if plain else in_sequence(inner)
    return Op(kind, inner[0].inputs, inner[-1].output, dtype=inner[0].dtype, inner=inner, wiring=wiring)


def kernel_area(op: Op) -> int:
    """Return how many positions the operator's kernel covers."""
    return op.kernel**2 if op.along == "both" else op.kernel


def directions(op: Op) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Return kernel, stride, padding and dilation, each as (height, width).

    Raises:
      ValueError: for an unknown value of `along`.
    """
    if op.along not in ("both", "height", "width"):
        raise ValueError(f"{op.kind}: along is {op.along!r}; expected both, height or width")
    return (
        _direction(op.kernel, 1, op.along),
        _direction(op.stride, 1, op.along),
        _direction(op.padding, 0, op.along),
        _direction(op.dilation, 1, op.along),
    )


def _direction(value: int, across: int, along: str) -> tuple[int, int]:
    return (across if along == "width" else value), (across if along == "height" else value)


def _with_output(op: Op) -> Op:
    """Return a convolution or pooling whose output so far has the channels alone, with its height and width."""
    settings = zip(op.inputs[0][1:], *directions(op), strict=True)
    sides = (
        (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1 for size, kernel, stride, pad, dilation in settings
    )
    return replace(op, output=(*op.output, *sides))


def _kind_and_kernel(op: Op) -> str:
    height, width = directions(op)[0]
    return f"{op.kind} {height}x{width}" if op.kernel else op.kind
