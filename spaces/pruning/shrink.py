"""A smaller network: what is left of a model when channels are removed from its weights, checked each time."""

from __future__ import annotations

import copy
import operator
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, fx, nn

from spaces.pruning import kinds
from spaces.pruning.channels import Channels
from spaces.pruning.masked import masked
from spaces.pruning.split_attention import split

AGREEMENT = 1e-4
"""How far the smaller network's outputs may be from the masked one's, relative to the largest of those."""


def shrink(model: nn.Module, found: Channels, atoms: np.ndarray, *, check: bool = True) -> nn.Module:
    """Return a copy of `model` without the channels that are not among `atoms`; what is not in a group stays.

    It computes what the model does whose removed channels are zero wherever a layer reads them. Where the forward
    itself names numbers of channels (paddings, reshapes, splits), the copy is a traced one, else of the model's class.

    Args:
      model: one of the architecture that `found` is of, with any weights.
      found: its channels.
      atoms: the units that stay, of all groups together; at least one of each.
      check: whether to run both on random numbers, which compares their outputs.

    Raises:
      ValueError: where a group would lose all channels.
      RuntimeError: where the smaller network does not run, or computes something else.
    """
    model, keep = split(model, found.split), found.keep(atoms)
    for group in found.groups:
        if not keep[group.atoms].any():
            raise ValueError(f"the group {group.name!r} would lose all its {group.width} channels; keep at least one")
    edits = {name: args for name, args in _edits(found, keep).items() if args is not None}
    smaller = _edited(model, found.traced, edits) if edits else copy.deepcopy(model)
    _shrink_modules(smaller, found, keep)
    if check:
        _check(model, smaller, found, atoms)
    return smaller


def _shrink_modules(smaller: nn.Module, found: Channels, keep: np.ndarray) -> None:
    for path, layer in found.layers.items():
        module: Any = smaller.get_submodule(path)
        inputs, outputs = keep[layer.inputs], keep[layer.outputs]
        if isinstance(module, nn.Linear):
            _cut(module, "weight", outputs, inputs)
            module.in_features, module.out_features = int(inputs.sum()), int(outputs.sum())
        else:
            _shrink_convolution(module, inputs, outputs)
        _cut(module, "bias", outputs)
    for path, atoms in found.norms.items():
        norm: Any = smaller.get_submodule(path)
        for name in ("weight", "bias", "running_mean", "running_var"):
            _cut(norm, name, keep[atoms])
        norm.num_features = int(keep[atoms].sum())
    for path, atoms in found.parameters.items():
        parent, _, name = path.rpartition(".")
        axis = int(np.argmax(atoms.shape))
        before = [np.ones(1, bool)] * axis if 1 in atoms.shape[:axis] else []
        _cut(smaller.get_submodule(parent), name, *before, keep[atoms.reshape(-1)])


def _shrink_convolution(module: Any, inputs: np.ndarray, outputs: np.ndarray) -> None:
    within = inputs.reshape(module.groups, -1)
    depthwise = within.shape[1] == 1
    _cut(module, "weight", outputs, np.ones(1, bool) if depthwise else within[0])
    module.groups = int(inputs.sum()) if depthwise else module.groups
    module.in_channels, module.out_channels = int(inputs.sum()), int(outputs.sum())


def _cut(module: nn.Module, name: str, *keep: np.ndarray) -> None:
    """Keep parts of a parameter or buffer along its first axes; leave one that is absent or loses nothing."""
    tensor = getattr(module, name)
    if tensor is None or all(mask.all() for mask in keep):
        return
    rest = tensor.detach()
    for axis, mask in enumerate(keep):
        rest = rest.index_select(axis, torch.from_numpy(np.flatnonzero(mask)).to(rest.device))
    wrapped = nn.Parameter(rest, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else rest
    setattr(module, name, wrapped)


def _edits(found: Channels, keep: np.ndarray) -> dict[str, tuple[Any, ...] | None]:
    """Return new arguments for each call that names numbers of channels, by node."""
    edits: dict[str, tuple[Any, ...] | None] = {}
    for node in found.traced.graph.nodes:
        if node.op not in ("call_function", "call_method"):
            continue
        name = kinds.target_name(node)
        if name in _EDITORS:
            edits[node.name] = _EDITORS[name](node, found, keep)
    return edits


def _kept(found: Channels, node: fx.Node, axis: int, keep: np.ndarray) -> np.ndarray | None:
    """Return which places along one axis of a value stay; None where all do."""
    labels, shape = found.labels[node.name], found.shapes.get(node.name, ())
    if not isinstance(labels, np.ndarray) or labels.shape[axis] == 1:
        return None
    stays = keep[labels.reshape(-1)]
    return None if stays.all() else np.broadcast_to(stays, shape[axis])


def _reshape(node: fx.Node, found: Channels, keep: np.ndarray) -> tuple[Any, ...] | None:
    sizes = node.args[1:] if not isinstance(node.args[1], tuple | list) else node.args[1]
    if len(sizes) == 1 and _shape_of(sizes[0]) is not None:  # another value's
        sizes = (-1, *found.shapes[node.name][1:])
    new = _resized(node, found, keep, sizes)
    return None if new is None else (node.args[0], new)


def _unflatten(node: fx.Node, found: Channels, keep: np.ndarray) -> tuple[Any, ...] | None:
    dim, sizes = kinds.argument(node, 1, "dim"), kinds.argument(node, 2, "sizes")
    new = _resized(node, found, keep, sizes, dim % len(found.shapes[node.all_input_nodes[0].name]))
    return None if new is None else (node.args[0], dim, new)


def _resized(
    node: fx.Node, found: Channels, keep: np.ndarray, sizes: Sequence[Any], first: int = 0
) -> tuple[Any, ...] | None:
    """Return sizes of axes from `first` on that fit what stays; None where those that are given do."""
    new, changed = list(sizes), False
    for axis, size in enumerate(sizes):
        stays = _kept(found, node, first + axis, keep)
        if stays is not None and size != -1 and _side(size, found, keep) not in (None, int(stays.sum())):
            new[axis], changed = int(stays.sum()), True
    return tuple(new) if changed else None


def _side(size: Any, found: Channels, keep: np.ndarray) -> int | None:
    """Return what a size will be in the smaller network; None where that is not understood."""
    if not isinstance(size, fx.Node):
        return int(size)
    name, args = kinds.function_name(size.target), size.args
    if name in ("floordiv", "mul", "add", "sub"):
        sides = [_side(part, found, keep) for part in args]
        return None if None in sides else int(getattr(operator, name)(*sides))
    whole = args[0] if name == "getitem" else size
    source, axis = _shape_of(whole), args[1] if name == "getitem" else kinds.argument(size, 1, "dim")
    if source is None or not isinstance(axis, int):
        return None
    stays = _kept(found, source, axis, keep)
    return int(found.shapes[source.name][axis] if stays is None else stays.sum())


def _shape_of(value: Any) -> fx.Node | None:
    """Return the tensor whose shape, or a side of it, a value is; None where it is something else."""
    if isinstance(value, fx.Node) and (value.target == "size" or value.args[1:] == ("shape",)):
        return cast(fx.Node, value.args[0])
    return None


def _pad(node: fx.Node, found: Channels, keep: np.ndarray) -> tuple[Any, ...] | None:
    stays = _kept(found, node, 1, keep)
    if stays is None:
        return None
    amounts = list(kinds.pads(node, found.traced) or ())
    place = 2 * (len(found.shapes[node.name]) - 2)
    before, after = amounts[place : place + 2]
    amounts[place : place + 2] = int(stays[:before].sum()), int(stays[len(stays) - after :].sum())
    return (node.args[0], tuple(amounts))


def _split(node: fx.Node, found: Channels, keep: np.ndarray) -> tuple[Any, ...] | None:
    """Return sizes for a split or chunk along the channels, one a part."""
    labels, dim = cast(tuple[np.ndarray, ...], found.labels[node.name]), kinds.argument(node, 2, "dim") or 0
    sides = [shape[dim] for shape in found.parts[node.name]]
    parts = [keep[np.broadcast_to(part.take(0, 0).reshape(-1), side)] for part, side in zip(labels, sides, strict=True)]
    if any(part.shape[dim] == 1 for part in labels) or all(stays.all() for stays in parts):
        return None
    return (node.args[0], [int(stays.sum()) for stays in parts], dim)


def _getitem(node: fx.Node, found: Channels, keep: np.ndarray) -> tuple[Any, ...] | None:
    """Return the bounds of a slice of channels, counted in what is left before them."""
    source, index = node.all_input_nodes[0], node.args[1]
    labels = found.labels[source.name]
    if not isinstance(labels, np.ndarray) or not isinstance(index, tuple):
        return None
    new = list(index)
    for axis, part in enumerate(index):
        stays = _kept(found, source, axis, keep)
        if stays is not None and isinstance(part, slice) and part != slice(None):
            start, stop, _ = part.indices(len(stays))
            new[axis] = slice(int(stays[:start].sum()), int(stays[:stop].sum()))
    return (source, tuple(new)) if new != list(index) else None


_EDITORS = {
    "view": _reshape, "reshape": _reshape, "expand": _reshape, "unflatten": _unflatten, "pad": _pad, "split": _split,
    "chunk": _split, "getitem": _getitem,
}  # fmt: skip


def _edited(model: nn.Module, traced: fx.GraphModule, edits: dict[str, tuple[Any, ...]]) -> fx.GraphModule:
    """Return a copy of `model` that runs the traced graph with these arguments."""
    graph, copied = fx.Graph(), dict[fx.Node, fx.Node]()
    graph.output(graph.graph_copy(traced.graph, copied))
    for old, node in copied.items():
        if old.name in edits:
            node.args = fx.node.map_arg(edits[old.name], copied.__getitem__)
            if kinds.function_name(node.target) == "chunk":
                node.target, node.kwargs = (torch.split if node.op == "call_function" else "split"), {}
    return fx.GraphModule(copy.deepcopy(model), graph)


@torch.no_grad()
def _check(model: nn.Module, smaller: nn.Module, found: Channels, atoms: np.ndarray) -> None:
    """Raise RuntimeError unless the smaller network computes what the masked one does."""
    device = next(model.parameters()).device
    shape = next(found.shapes[node.name] for node in found.traced.graph.nodes if node.op == "placeholder")
    images = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)
    expected: Tensor = masked(model, found, atoms).eval()(images)
    try:
        computed: Tensor = copy.deepcopy(smaller).eval()(images)
    except Exception as error:
        raise RuntimeError(f"the pruned {type(model).__name__} does not run: {error}") from error
    if not torch.allclose(computed, expected, rtol=0, atol=AGREEMENT * float(expected.abs().max().clamp(min=1e-6))):
        difference = float((computed - expected).abs().max())
        raise RuntimeError(f"the pruned {type(model).__name__} computes something else, by up to {difference:.3g}")
