"""The channel groups of a network: what can be pruned at a rate of its own, found from the network itself.

Channels that are added to each other, or go through a depthwise convolution, can only be removed together. Those of
which the same is true in all places form a group: of a plain chain of layers one group a layer, of a stage of residual
blocks one for what the shortcuts carry and one a block for what lies between its two convolutions; of an attention one
whose units are heads.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import fx, nn

from hardware_models.tracing import trace
from spaces.pruning.atoms import FIXED
from spaces.pruning.attending_walk import AttendingWalk
from spaces.pruning.loose_walk import tied_by_attention
from spaces.pruning.split_attention import split, to_split
from spaces.pruning.walk import Labels, Layer, Walk


@dataclass(frozen=True, slots=True)
class Group:
    """Channels that are pruned at one rate.

    Attributes:
      name: the path of the first layer that makes them.
      atoms: the units that stay or go, int64 (width,): each may be several channels of several layers.
    """

    name: str
    atoms: np.ndarray

    @property
    def width(self) -> int:
        """How many units there are."""
        return len(self.atoms)


@dataclass(frozen=True, slots=True)
class Channels:
    """What is known of a network's channels; all arrays hold the atoms that stand for those joined with them.

    Attributes:
      traced: the network as a graph.
      groups: what can be pruned.
      labels, shapes, parts: of the values, by node, as `spaces.pruning.walk` describes.
      layers, norms, parameters: by the path of the module or of what the network itself uses.
      kept: what had to be left whole and why, by node.
      split: the paths of PyTorch's attention modules, in whose place the network has `SplitAttention`.
      count: how many atoms there are.
    """

    traced: fx.GraphModule
    groups: tuple[Group, ...]
    labels: dict[str, Labels]
    shapes: dict[str, tuple[int, ...]]
    parts: dict[str, tuple[tuple[int, ...], ...]]
    layers: dict[str, Layer]
    norms: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray]
    kept: dict[str, str]
    split: tuple[str, ...]
    count: int

    def keep(self, atoms: np.ndarray) -> np.ndarray:
        """Return which atoms stay, bool, indexed by atom, where of all groups only `atoms` do."""
        stays = np.ones(self.count, bool)
        for group in self.groups:
            stays[group.atoms] = False
        stays[atoms] = True
        return stays


def channels(model: nn.Module, input_shape: Sequence[int]) -> Channels:
    """Return the channels of `model`, which takes one batch of tensors of `input_shape` (without the batch axis).

    The model is left as it is. It is run once, in evaluation mode, on zeros.

    Raises:
      ValueError: for a model that cannot run on such a tensor, or returns none, that `torch.fx` cannot trace, or that
        has nothing to prune.
    """
    traced = _traced(model)
    attentions = to_split(traced)
    if attentions:
        model = split(model, attentions)
        traced = _traced(model)
    batch, running = torch.zeros(2, *input_shape), copy.deepcopy(traced).eval()
    with torch.no_grad(), torch.random.fork_rng([]):
        try:
            walk = AttendingWalk(running, tied_by_attention(running, batch))
            made = walk.run(batch)
        except Exception:
            _check_runs(model, input_shape)
            raise
    if not isinstance(made, torch.Tensor):
        raise ValueError(
            f"{type(model).__name__} returns a {type(made).__name__}; pruning needs one that returns a tensor"
        )
    _keep_shared_weights(walk, model)
    labels = {name: _resolved(walk, found) for name, found in walk.labels.items()}
    layers = {
        path: Layer(walk.atoms.roots(layer.inputs), walk.atoms.roots(layer.outputs))
        for path, layer in walk.layers.items()
    }
    groups = _groups(labels, layers)
    if not groups:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in walk.kept.items())
        raise ValueError(f"{type(model).__name__} has no channels that could be pruned ({reasons})")
    norms = {path: walk.atoms.roots(atoms) for path, atoms in walk.norms.items()}
    parameters = {path: walk.atoms.roots(atoms) for path, atoms in walk.parameters.items()}
    return Channels(
        traced,
        groups,
        labels,
        walk.shapes,
        walk.parts,
        layers,
        norms,
        parameters,
        walk.kept,
        attentions,
        walk.atoms.count,
    )


def _check_runs(model: nn.Module, input_shape: Sequence[int]) -> None:
    """Raise ValueError, with PyTorch's words, where the model itself cannot run on such inputs."""
    try:
        copy.deepcopy(model).eval()(torch.zeros(2, *input_shape))
    except Exception as error:  # it runs the network's own forward, which may fail in any way
        raise ValueError(
            f"{type(model).__name__} cannot run on inputs of shape {tuple(input_shape)} (one input, without its "
            f"batch): {error}"
        ) from error


def _traced(model: nn.Module) -> fx.GraphModule:
    try:
        return trace(model)
    except Exception as error:  # tracing runs the network's own forward, which may fail in any way
        raise ValueError(
            f"the forward of {type(model).__name__} cannot be traced by torch.fx ({error}); pruning needs one whose "
            "steps do not depend on the values or, by `if` and `for`, on the shapes of tensors"
        ) from error


def _keep_shared_weights(walk: Walk, model: nn.Module) -> None:
    """Leave layers whole that share a parameter with another module."""
    owners: dict[int, set[str]] = defaultdict(set)
    for path, parameter in model.named_parameters(remove_duplicate=False):
        owners[id(parameter)].add(path.rpartition(".")[0])
    for paths in owners.values():
        for path in paths if len(paths) > 1 else ():
            if path in walk.layers:
                walk.kept[path] = "it shares weights"
                walk.atoms.fix(np.concatenate([walk.layers[path].inputs, walk.layers[path].outputs]))


def _resolved(walk: Walk, labels: Labels) -> Labels:
    if isinstance(labels, tuple):
        return tuple(walk.atoms.roots(part) for part in labels)
    return None if labels is None else walk.atoms.roots(labels)


def _groups(labels: dict[str, Labels], layers: dict[str, Layer]) -> tuple[Group, ...]:
    """Put atoms together that stand equally often in the same values; leave out those that no layer makes."""
    makers: dict[int, str] = {}
    for path, layer in layers.items():
        for atom in np.unique(layer.outputs).tolist():
            makers.setdefault(atom, path)
    places: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for name, found in labels.items():
        parts = found if isinstance(found, tuple) else () if found is None else (found,)
        for number, part in enumerate(parts):
            for atom, count in zip(*(each.tolist() for each in np.unique(part, return_counts=True)), strict=True):
                places[atom].append((name, number, count))
    members: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for atom in sorted(makers):
        if atom != FIXED:
            members[tuple(places[atom])].append(atom)
    found_groups = [(makers[atoms[0]], np.array(atoms)) for atoms in members.values()]
    return tuple(Group(name, atoms) for name, atoms in _named(found_groups))


def _named(groups: list[tuple[str, np.ndarray]]) -> list[tuple[str, np.ndarray]]:
    """Tell groups of one layer apart by a number."""
    seen: dict[str, int] = defaultdict(int)
    named = []
    for name, atoms in groups:
        seen[name] += 1
        named.append((name if seen[name] == 1 else f"{name}#{seen[name]}", atoms))
    return named
