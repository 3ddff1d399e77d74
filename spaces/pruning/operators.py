"""The operators of a network and of every smaller one: their shapes follow from how much of each group stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import fx

from hardware_models.graph import Graph
from hardware_models.op import Op, Shape, chain
from spaces.pruning import kinds
from spaces.pruning.attended import Attended, attended
from spaces.pruning.channels import Channels
from spaces.pruning.learned_values import LearnedValues
from spaces.pruning.settings import SKIPPED, kind_and_settings

ACTIVATIONS = (
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "mish",
    "sigmoid",
    "tanh",
    "hardswish",
    "hardsigmoid",
)


@dataclass(frozen=True, slots=True)
class Size:
    """The side of an axis: `constant` + the sum of `times` x the width of `group` over `terms`."""

    constant: int
    terms: tuple[tuple[int, int], ...] = ()

    def at(self, widths: Sequence[int]) -> int:
        """Return the side where the groups have these widths."""
        return self.constant + sum(times * widths[group] for group, times in self.terms)


ATTENTION = "scaled_dot_product_attention"

Sizes = tuple[Size, ...]
"""Of a value, without the batch axis."""


@dataclass(slots=True)
class Template:
    """An operator whose shapes hang on the widths of groups.

    Attributes:
      kind: its kind.
      inputs, output: the sizes of what it reads and makes.
      settings: all else of the operator; a `Size` for a number that hangs on the widths.
      depthwise: whether it has as many groups as input channels.
      then: templates that run right behind it, as one operator with it.
    """

    kind: str
    inputs: tuple[Sizes, ...]
    output: Sizes
    settings: dict[str, Any] = field(default_factory=dict)
    depthwise: bool = False
    then: list[Template] = field(default_factory=list)
    made: dict[tuple[int, ...], Op] = field(default_factory=dict)

    def op(self, widths: Sequence[int]) -> Op:
        """Return the operator where the groups have these widths."""
        decisive = tuple([widths[group] for group in self._groups()])
        if decisive not in self.made:
            self.made[decisive] = self._make(widths)
        return self.made[decisive]

    def _groups(self) -> list[int]:
        sizes = [size for value in (*self.inputs, self.output) for size in value]
        sizes += [value for value in self.settings.values() if isinstance(value, Size)]
        own = {group for size in sizes for group, _ in size.terms}
        return sorted(own.union(*(part._groups() for part in self.then)))

    def op_alone(self, widths: Sequence[int]) -> Op:
        """Return the operator without what runs behind it."""
        inputs = tuple(_shape(sizes, widths) for sizes in self.inputs)
        settings: dict[str, Any] = {
            name: value.at(widths) if isinstance(value, Size) else value for name, value in self.settings.items()
        }
        op = Op(self.kind, inputs, _shape(self.output, widths), **settings)
        return replace(op, groups=inputs[0][0]) if self.depthwise else op

    def _make(self, widths: Sequence[int]) -> Op:
        op = self.op_alone(widths)
        if not self.then:
            return op
        others = [part.op(widths) for part in self.then]
        names = {"batch_norm2d": "bn", "conv2d": "conv"}
        return chain("_".join(names.get(one.kind, one.kind) for one in (op, *others)), op, *others)


def _side_by_side(sizes: Sizes) -> Sizes:
    """Return the sizes of tokens whose heads are side by side, of those with heads apart or tokens."""
    if len(sizes) == 2:
        return sizes
    heads, tokens, each = sizes
    return tokens, Size(heads.constant * each.constant, tuple((group, n * each.constant) for group, n in heads.terms))


def _shape(sizes: Sizes, widths: Sequence[int]) -> Shape:
    return tuple([size.at(widths) for size in sizes])


class Operators:
    """The operators of all networks that pruning makes of one.

    A convolution whose output alone a norm, or a norm and an activation, reads is one operator with them; an attention
    is one with the views that take heads apart and put them together. What else only moves numbers (reshapes, slices,
    paddings) is an `identity` from shape to shape.

    Attributes:
      templates: the operators, in the order they run.
    """

    def __init__(self, found: Channels) -> None:
        """Take a network's channels.

        Raises:
          ValueError: for a network with an operator of no kind of `hardware_models.kinds`.
        """
        self._sizes = _all_sizes(found)
        self.templates: list[Template] = []
        self._wiring: list[tuple[int, ...]] = []
        self._values: dict[str, int] = {}
        self._made_by: dict[int, Template] = {}
        nodes = list(found.traced.graph.nodes)
        self._learned = LearnedValues(found)
        self._attended = {node: attended(node, found) for node in nodes if kinds.target_name(node) == ATTENTION}
        self._views = {node for each in self._attended.values() for node in each.views}
        for node in nodes:
            self._add(node, found)
        self._inputs = self._sizes[nodes[0].name]

    def graph(self, widths: Sequence[int]) -> Graph:
        """Return the operators of the network whose groups have these widths, as a graph."""
        ops = [template.op(widths) for template in self.templates]
        return Graph(ops, (_shape(self._inputs, widths),), tuple(self._wiring), len(ops))

    def _add(self, node: fx.Node, found: Channels) -> None:
        sources = [source.name for source in node.all_input_nodes if source.name in self._values]
        if node.op == "placeholder":
            self._values[node.name] = 0
        elif node in self._attended:
            self._attend(self._attended[node], self._sizes[node.name], found)
        elif node in self._views or node in self._learned:
            return
        elif node.op == "output" or node.name not in found.shapes:
            if node.name in found.parts:  # its parts are read from what was split
                self._values[node.name], self._sizes[node.name] = self._values[sources[0]], self._sizes[sources[0]]
        else:
            given = any(source in self._learned for source in node.all_input_nodes)
            kind, settings = (self._learned.kind(node), {}) if given else kind_and_settings(node, found)
            if self._is_displaced(node, kind, found):
                self._values[node.name], self._sizes[node.name] = self._values[sources[0]], self._sizes[sources[0]]
            elif kind in SKIPPED:
                self._values[node.name] = self._values[sources[0]]
            elif kinds.target_name(node) == "view_as":
                self._run(node, kind, settings, sources[:1])
            else:
                self._run(node, kind, settings, sources)

    @staticmethod
    def _is_displaced(node: fx.Node, kind: str, found: Channels) -> bool:
        """Return whether a view puts another axis before that of the images: it is one with what turns it back."""
        batch = found.shapes[next(iter(found.traced.graph.nodes)).name][0]
        if found.shapes[node.name][0] == batch:
            return False
        if kind not in ("identity", "flatten", "batch_norm1d"):
            raise ValueError(f"{node.name}: its first axis is not that of images, so that it cannot be costed")
        return kind == "identity"

    def _attend(self, call: Attended, heads: Sizes, found: Channels) -> None:
        """Add an attention; `heads` are the sizes of its own value."""
        apart = heads[0] if len(heads) == 3 else Size(1)
        keys = found.shapes[call.sources[-1].name][-2]
        whole = apart.at([group.width for group in found.groups])
        bias = call.mask is not None and self._learned.is_position_bias(call.mask, whole, keys)
        settings: dict[str, Any] = {"heads": apart, "bias": bias}
        reads = [self._as_tokens(source.name) for source in call.sources]
        after = self._sizes[call.end.name]
        self._put(Template("attention", tuple(sizes for _, sizes in reads), _side_by_side(after), settings), reads)
        if len(after) == 3:
            self._put(Template("identity", (_side_by_side(after),), after), [(len(self.templates), after)])
        self._values[call.end.name] = len(self.templates)

    def _as_tokens(self, name: str) -> tuple[int, Sizes]:
        """Return a value and its sizes, brought to tokens with their heads side by side."""
        value, sizes = self._values[name], self._sizes[name]
        if len(sizes) == 3:
            self._put(Template("identity", (sizes,), _side_by_side(sizes)), [(value, sizes)])
            return len(self.templates), _side_by_side(sizes)
        return value, sizes

    def _put(self, template: Template, reads: Sequence[tuple[int, Sizes]]) -> None:
        self._wiring.append(tuple(value for value, _ in reads))
        self.templates.append(template)

    def _run(self, node: fx.Node, kind: str, settings: dict[str, Any], sources: list[str]) -> None:
        depthwise = settings.get("groups") == "depthwise"
        if depthwise:
            settings = {**settings, "groups": 1}
        sizes = tuple(self._sizes[source] for source in sources)
        template = Template(kind, sizes, self._sizes[node.name], settings, depthwise)
        before = self._made_by.get(self._values[sources[0]])
        alone = next(source for source in node.all_input_nodes if source.name in self._values).users
        if before is not None and len(alone) == 1 and len(sources) == 1 and _follows(before, kind):
            before.then.append(template)
            self._values[node.name] = self._values[sources[0]]
            return
        self._wiring.append(tuple(self._values[source] for source in sources))
        self.templates.append(template)
        self._values[node.name] = len(self.templates)
        if kind == "conv2d":
            self._made_by[len(self.templates)] = template


def _follows(before: Template, kind: str) -> bool:
    """Return whether an operator of this kind is one with the convolution and what runs behind it already."""
    kinds = [part.kind for part in before.then]
    return (kind == "batch_norm2d" and not kinds) or (kind in ACTIVATIONS and kinds == ["batch_norm2d"])


def _all_sizes(found: Channels) -> dict[str, Sizes]:
    places = np.full(1 + max(int(group.atoms.max()) for group in found.groups), -1)
    for number, group in enumerate(found.groups):
        places[group.atoms] = number
    return {name: _sizes(found, name, places) for name in found.shapes}


def _sizes(found: Channels, name: str, places: np.ndarray) -> Sizes:
    labels, shape = found.labels[name], found.shapes[name]
    if not isinstance(labels, np.ndarray):
        return ()
    sizes = []
    for axis in range(1, len(shape)):
        if labels.shape[axis] == 1:
            sizes.append(Size(shape[axis]))
            continue
        atoms = labels.reshape(-1)
        owners = np.where(atoms < len(places), places[np.minimum(atoms, len(places) - 1)], -1)
        counts = [(number, int((owners == number).sum())) for number in np.unique(owners).tolist() if number >= 0]
        terms = tuple((number, count // found.groups[number].width) for number, count in counts)
        sizes.append(Size(int((owners < 0).sum()), terms))
    return tuple(sizes)
