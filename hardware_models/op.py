"""The operator record: what a latency table is keyed by and what costs are counted from."""

from __future__ import annotations

from dataclasses import dataclass

Shape = tuple[int, ...]
"""A tensor's shape without the batch axis, e.g. `(channels, height, width)`."""


@dataclass(frozen=True, slots=True)
class Op:
    """One operator of a network, or a named composite of operators that run as one.

    Shapes leave the batch out: the batch is a property of the table that times the operator.
    Two operators that compare equal cost the same on a device.

    Attributes:
      kind: `conv2d`, `linear`, `batch_norm2d`, `relu`, `relu6`, `hardswish`, `avg_pool2d`, `max_pool2d`,
        `global_avg_pool`, `add`, `concat`, `flatten`, ...; a composite's own name, e.g. `relu_conv_bn`.
      inputs: the shape of each input.
      output: the shape of the output.
      kernel: the side of a square kernel; 0 where there is none.
      stride, padding, dilation, groups: as in `torch.nn.Conv2d`.
      bias: whether a convolution or linear layer adds a bias.
      dtype: `float32`, `float16`, `bfloat16`, `int8`.
      inner: a composite's operators, in the order they run, each fed by the one before; empty for a plain operator.
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

    def __str__(self) -> str:
        """Return the operator as a person would write it: `conv2d 3x32x32 -> 16x32x32 (kernel 3, padding 1)`."""
        inputs = " + ".join("x".join(map(str, shape)) for shape in self.inputs)
        told = [f"{name} {value}" for name, value, plain in self._details() if value != plain]
        if self.inner:
            told.append(" > ".join(op.kind + (f" {op.kernel}x{op.kernel}" if op.kernel else "") for op in self.inner))
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
) -> Op:
    """Return a "same"-padded convolution of `inputs` (channels, height, width) to `channels` output channels."""
    padding = dilation * (kernel - 1) // 2
    side = tuple((size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 for size in inputs[1:])
    return Op("conv2d", (inputs,), (channels, *side), kernel, stride, padding, dilation, groups, bias)


def linear(inputs: Shape, features: int, *, bias: bool = True) -> Op:
    """Return a linear layer on the last axis of `inputs`."""
    return Op("linear", (inputs,), (*inputs[:-1], features), bias=bias)


def elementwise(kind: str, shape: Shape, count: int = 1) -> Op:
    """Return an operator that keeps the shape of its `count` equal inputs: a norm, an activation, an addition."""
    return Op(kind, (shape,) * count, shape)


def chain(kind: str, *inner: Op) -> Op:
    """Return a composite named `kind` whose operators run one after another."""
    return Op(kind, inner[0].inputs, inner[-1].output, dtype=inner[0].dtype, inner=inner)
