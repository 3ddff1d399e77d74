"""Follows channels through a network: its traced graph is run once, and each value's labels are worked out beside it.

A value's labels are an integer array that says which atom each of its numbers belongs to. It has the value's axes, and
side 1 along those on which nothing changes, so that the labels of an image are (1, channels, 1, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, fx, nn

from spaces.pruning import kinds
from spaces.pruning.atoms import FIXED, Atoms
from spaces.pruning.heads import Tied

Labels = np.ndarray | tuple[np.ndarray, ...] | None
"""Of a tensor, of each of several (`chunk`), or of what is no tensor."""


Shaped = tuple[np.ndarray, tuple[int, ...]]
"""Labels, and the shape of their value."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution or linear layer: the atoms of its input and output channels, int64 (inputs,) and (outputs,)."""

    inputs: np.ndarray
    outputs: np.ndarray


class Walk(fx.Interpreter):
    """One run of a traced network.

    Attributes:
      atoms: the channels.
      labels: of each node's value, by the node's name.
      shapes, parts: of single tensors, and of each of several.
      layers: by the module's path.
      norms: the atoms (channels,) of each batch norm, by path.
      parameters: the atoms of parameters that the network itself uses, in the parameter's axes, by path.
      kept: what had to be fixed and why, by the node's name.
    """

    def __init__(self, traced: fx.GraphModule, tied: Tied | None = None) -> None:
        """Take a network, and which outputs of its layers go together whatever else is found."""
        super().__init__(traced)
        self.atoms = Atoms()
        self._tied = tied
        self.labels: dict[str, Labels] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.parts: dict[str, tuple[tuple[int, ...], ...]] = {}
        self.layers: dict[str, Layer] = {}
        self.norms: dict[str, np.ndarray] = {}
        self.parameters: dict[str, np.ndarray] = {}
        self.kept: dict[str, str] = {}
        self._values: dict[fx.Node, Any] = {}
        self._called = {str(node.target) for node in traced.graph.nodes if node.op == "call_module"}
        self._constant: set[fx.Node] = set()

    def run_node(self, n: fx.Node) -> Any:
        """Run one node; label its value."""
        value = super().run_node(n)
        self._values[n] = value
        if isinstance(value, Tensor):
            self.shapes[n.name] = tuple(value.shape)
        elif _holds_tensors(value):
            self.parts[n.name] = tuple(tuple(part.shape) for part in value)
        self.labels[n.name] = self._label(n)
        return value

    def _label(self, node: fx.Node) -> Labels:
        value = self._values[node]
        if node.op == "output":
            self._fix(node, "it is returned")
            return None
        if not _holds_tensors(value):
            return None
        if node.op == "placeholder":
            return _unchanging(value)
        if node.op == "get_attr":
            self._constant.add(node)
            return self._parameter(str(node.target), value)
        tensors = self._tensors(node)
        if tensors and self._constant.issuperset(tensors):
            self._constant.add(node)
        return self._rule(node)(node)

    def _rule(self, node: fx.Node) -> Callable[[fx.Node], Labels]:
        """Return what labels the values of a node."""
        if node.op == "call_module":
            module = self.module.get_submodule(str(node.target))
            rule = next((rule for kind, rule in _MODULES if isinstance(module, kind)), "unknown")
        else:
            rule = kinds.FUNCTIONS.get(kinds.target_name(node), "unknown")
        found: Callable[[fx.Node], Labels] = getattr(self, f"_{rule}")
        return found

    def _unknown(self, node: fx.Node) -> Labels:
        return self._fixed(node, "its operator is not understood")

    def _fixed(self, node: fx.Node, reason: str) -> Labels:
        self._fix(node, reason)
        return _unchanging(self._values[node])

    def _fix(self, node: fx.Node, reason: str) -> None:
        self.kept[node.name] = reason
        for source in node.all_input_nodes:
            for labels in _each(self.labels[source.name]):
                self.atoms.fix(labels)

    def _first(self, node: fx.Node) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return labels and shape of a node's first input."""
        source = node.all_input_nodes[0]
        return cast(np.ndarray, self.labels[source.name]), self.shapes[source.name]

    def _same(self, node: fx.Node) -> Labels:
        """A function of each number."""
        return self._first(node)[0]

    def _parameter(self, path: str, value: Any) -> Labels:
        """A parameter that no layer holds: it may have channels along the only axis that it has, or else the first."""
        owner = path.rpartition(".")[0]
        held = owner in self._called
        sides = [axis for axis, side in enumerate(value.shape) if side > 1] if isinstance(value, nn.Parameter) else []
        axis = sides[0] if len(sides) == 1 else 0
        if held or axis not in sides:
            return _unchanging(value)
        if path not in self.parameters:
            along = [-1 if place == axis else 1 for place in range(value.ndim)]
            self.parameters[path] = self.atoms.fresh(value.shape[axis]).reshape(along)
        return self.parameters[path]

    def _window(self, node: fx.Node) -> Labels:
        """A pooling or resizing, which mixes all that lies along the axes behind the channels."""
        labels, _ = self._first(node)
        if any(side > 1 for side in labels.shape[2:]):
            return self._fixed(node, "it mixes different channels")
        return labels

    def _along(self, node: fx.Node) -> Labels:
        """A softmax, which mixes what lies along one axis."""
        labels, _ = self._first(node)
        module = self.module.get_submodule(str(node.target)) if node.op == "call_module" else None
        dim = getattr(module, "dim", None) if module is not None else kinds.argument(node, 1, "dim")
        if dim is None or labels.shape[dim] > 1:
            return self._fixed(node, "it mixes different channels")
        return labels

    def _reduced(self, node: fx.Node) -> Labels:
        """A mean, sum or maximum over some axes."""
        labels, shape = self._first(node)
        dims = kinds.argument(node, 1, "dim")
        dims = range(len(shape)) if dims is None else dims if isinstance(dims, list | tuple) else [dims]
        if any(labels.shape[dim] > 1 for dim in dims):
            return self._fixed(node, "it mixes different channels")
        axes = {dim % len(shape) for dim in dims}
        if kinds.argument(node, 2, "keepdim"):
            return labels
        return labels.reshape([side for axis, side in enumerate(labels.shape) if axis not in axes])

    def _conv(self, node: fx.Node) -> Labels:
        labels, shape = self._first(node)
        conv: Any = self.module.get_submodule(str(node.target))
        if any(side > 1 for side in labels.shape[2:]):
            return self._fixed(node, "it mixes different channels")
        inputs = np.broadcast_to(labels.reshape(-1), shape[1])
        layer = self._layer(str(node.target), inputs, conv.out_channels)
        self._couple(layer, conv.groups)
        return layer.outputs.reshape(1, -1, *[1] * (len(shape) - 2))

    def _couple(self, layer: Layer, groups: int) -> None:
        """Join what a grouped convolution must lose at once: as much of each group, so that they stay alike."""
        if groups == 1:
            return
        inputs, outputs = layer.inputs.reshape(groups, -1), layer.outputs.reshape(groups, -1)
        if inputs.shape[1] == 1:
            self.atoms.join(outputs, inputs)
        else:
            self.atoms.join(inputs, inputs[:1])
            self.atoms.join(outputs, outputs[:1])

    def _linear(self, node: fx.Node) -> Labels:
        labels, shape = self._first(node)
        linear: Any = self.module.get_submodule(str(node.target))
        if any(side > 1 for side in labels.shape[:-1]):
            return self._fixed(node, "it mixes different channels")
        inputs = np.broadcast_to(labels.reshape(-1), shape[-1])
        layer = self._layer(str(node.target), inputs, linear.out_features)
        return layer.outputs.reshape(*[1] * (len(shape) - 1), -1)

    def _layer(self, path: str, inputs: np.ndarray, outputs: int) -> Layer:
        """Return the layer at `path`; one that runs twice has the same channels both times."""
        if path not in self.layers:
            self.layers[path] = Layer(inputs, self.atoms.fresh(outputs))
            if self._tied is not None:
                self.atoms.join(*self._tied.known(path, self.layers[path].outputs))
        self.atoms.join(self.layers[path].inputs, inputs)
        return self.layers[path]

    def _norm(self, node: fx.Node) -> Labels:
        labels, shape = self._first(node)
        if any(side > 1 for axis, side in enumerate(labels.shape) if axis != 1):
            return self._fixed(node, "it mixes different channels")
        atoms = self.norms.setdefault(str(node.target), np.broadcast_to(labels.reshape(-1), shape[1]))
        self.atoms.join(atoms, labels.reshape(-1))
        return labels

    def _elementwise(self, node: fx.Node) -> Labels:
        """A sum or product."""
        value = self._values[node]
        return self._together([self._behind(source, value.ndim) for source in self._tensors(node)])

    def _tensors(self, node: fx.Node) -> list[fx.Node]:
        return [source for source in node.all_input_nodes if source.name in self.shapes]

    def _together(self, values: Sequence[Shaped]) -> np.ndarray:
        """What is broadcast along the channels stays, the others' channels go together; all have as many axes."""
        sides = np.max([labels.shape for labels, _ in values], axis=0)
        joined: np.ndarray | None = None
        for labels, shape in values:
            if any(side > 1 and own == 1 for side, own in zip(sides, shape, strict=True)):
                self.atoms.fix(labels)
            elif joined is None:
                joined = labels
            else:
                self._join(joined, labels)
                joined = np.broadcast_arrays(joined, labels)[0]
        return np.full((1,) * len(sides), FIXED) if joined is None else joined

    def _join(self, one: np.ndarray, other: np.ndarray) -> None:
        self.atoms.join(one, other)

    def _behind(self, source: fx.Node, axes: int) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return labels and shape with axes of side 1 in front, as broadcasting adds them."""
        labels, shape = cast(np.ndarray, self.labels[source.name]), self.shapes[source.name]
        front = (1,) * (axes - len(shape))
        return labels.reshape(front + labels.shape), front + shape

    def _moved(self, node: fx.Node) -> Labels:
        """What only moves numbers: it moves their labels alike."""
        args = fx.node.map_arg(node.args, self._as_tensor)
        if kinds.function_name(node.target) == "getitem":  # an index is a value, also where that is a tensor
            args = (args[0], fx.node.map_arg(node.args[1], self._values.__getitem__))
        kwargs = fx.node.map_arg(node.kwargs, self._as_tensor)
        if node.op == "call_module":
            moved = self.module.get_submodule(str(node.target))(*args, **kwargs)
        elif node.op == "call_method":
            moved = getattr(args[0], str(node.target))(*args[1:], **kwargs)
        else:
            moved = node.target(*args, **kwargs)  # type: ignore[operator]
        batched = node not in self._constant
        if isinstance(moved, tuple | list):
            return tuple(self._compact(part.numpy(), batched=batched) for part in moved)
        return self._compact(moved.numpy(), batched=batched)

    def _as_tensor(self, source: fx.Node) -> Any:
        """Return the labels of a node's value in its full shape; the value itself where that is no tensor."""
        labels, value = self.labels[source.name], self._values[source]
        if isinstance(labels, np.ndarray):
            return torch.from_numpy(np.broadcast_to(labels, value.shape).copy())
        if labels is None:
            return value
        full = [np.broadcast_to(part, one.shape).copy() for part, one in zip(labels, value, strict=True)]
        return tuple(map(torch.from_numpy, full))

    def _compact(self, labels: np.ndarray, *, batched: bool) -> np.ndarray:
        """Return labels with side 1 where nothing changes; what changes along several axes is tied along all but one.

        The first of an image's channels in each of two heads can only go together, as a reshaped array has no gaps.
        """
        labels = squeezed(self.atoms.roots(labels))
        changing = [axis for axis, side in enumerate(labels.shape) if side > 1]
        for axis in changing[:-1]:
            self.atoms.join(labels, labels.take([0], axis))
        if batched and labels.shape[:1] > (1,):
            self.atoms.fix(labels)
        return squeezed(self.atoms.roots(labels)) if changing else labels

    def _padded(self, node: fx.Node) -> Labels:
        """Zeros around: new channels have atoms of their own, which a sum joins with what they are added to."""
        labels, shape = self._first(node)
        around = kinds.pads_by_axis(kinds.pads(node, self.module), len(shape))
        if around is None or any(
            pads != (0, 0) and axis != 1 and (axis == 0 or labels.shape[axis] > 1) for axis, pads in enumerate(around)
        ):
            return self._fixed(node, "its padding is not understood")
        if around[1] == (0, 0):
            return labels
        sides = [1, -1, *[1] * (len(shape) - 2)]
        before, after = (self.atoms.fresh(count).reshape(sides) for count in around[1])
        return np.concatenate([before, np.broadcast_to(labels, [1, shape[1], *labels.shape[2:]]), after], 1)


def _holds_tensors(value: Any) -> bool:
    parts = value if isinstance(value, tuple | list) else [value]
    return bool(len(parts)) and all(isinstance(part, Tensor) for part in parts)


def _unchanging(value: Any) -> Labels:
    if isinstance(value, Tensor):
        return np.full((1,) * value.ndim, FIXED)
    return tuple(np.full((1,) * part.ndim, FIXED) for part in value)


def squeezed(labels: np.ndarray) -> np.ndarray:
    """Return labels with side 1 along axes on which nothing changes."""
    for axis in range(labels.ndim):
        first = labels.take([0], axis)
        labels = first if (labels == first).all() else labels
    return labels


def _each(labels: Labels) -> tuple[np.ndarray, ...]:
    return () if labels is None else labels if isinstance(labels, tuple) else (labels,)


_MODULES: tuple[tuple[Any, str], ...] = (
    ((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), "unknown"),
    ((nn.Conv1d, nn.Conv2d, nn.Conv3d), "conv"),
    (nn.Linear, "linear"),
    ((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), "norm"),
    (kinds.ELEMENTWISE_MODULES, "same"),
    (kinds.WINDOW_MODULES, "window"),
    ((nn.LayerNorm, nn.RMSNorm), "normalised"),
    ((nn.Softmax, nn.LogSoftmax), "along"),
    ((nn.Flatten, nn.Unflatten, nn.ChannelShuffle, nn.PixelShuffle, nn.PixelUnshuffle), "moved"),
    (nn.ZeroPad2d, "padded"),
)
