"""A supernet of any chain-structured space: every choice of every layer once, with weights that all networks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from evaluators._chain_decisions import SHARED, Decisions, decisions_of
from spaces.genotype import GenotypeSpace

Paths = Callable[[int, Sequence[nn.Module], Tensor], Tensor]
"""What a layer makes of its inputs: (the deciding column, its choices, features) to features; `evaluators.paths`."""


class Choices(nn.Module):
    """A layer that a decision makes: one module a choice. Which of them run is up to whoever runs the supernet."""

    choices: nn.ModuleList

    def __init__(self, choices: Sequence[nn.Module]) -> None:
        super().__init__()
        self.choices = nn.ModuleList(choices)


class Supernet(nn.Module):
    """`head(layers(stem(images)))` with all choices of a layer side by side.

    A weight is called as in a single network, with its choice in between: `layers.3.choices.5.depthwise.0.weight`; in
    layers that no decision changes, in the stem and in the head it is called as there.

    Attributes:
      columns: of each layer the column that decides it, or -1; int64, (layers,), part of the state.
      heads: of further tasks on the same features, by name; a search may add some, and `inherit` leaves them out.
    """

    columns: Tensor
    heads: nn.ModuleDict

    def __init__(self, space: GenotypeSpace) -> None:
        """Build it, from a few networks of the space. Raises ValueError for a space that is no chain."""
        super().__init__()
        found = decisions_of(space)
        self.stem = found.chains[0].stem
        self.layers = nn.ModuleList(_layer(found, space, index) for index in range(len(found.columns)))
        self.head = found.chains[0].head
        self.heads = nn.ModuleDict()
        self.register_buffer("columns", torch.tensor(found.columns, dtype=torch.int64))
        self._deciding = found.columns

    def forward(self, images: Tensor, paths: Paths) -> Tensor:
        """Return the head's output of images (n, channels, height, width), each layer run as `paths` says."""
        outputs: Tensor = self.head(self.features(images, paths))
        return outputs

    def trained(self) -> list[nn.Parameter]:
        """Return the weights that are open to training."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def features(self, images: Tensor, paths: Paths) -> Tensor:
        """Return what the head is handed."""
        features: Tensor = self.stem(images)
        for column, layer in zip(self._deciding, self.layers, strict=True):
            features = paths(column, list(layer.choices), features) if isinstance(layer, Choices) else layer(features)
        return features


def supernet_on(space: GenotypeSpace, device: str) -> Supernet:
    """Return an untrained supernet on a device, in the channels-last layout."""
    supernet = Supernet(space)
    supernet.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return supernet


def inherit(state: Mapping[str, Tensor], genotype: np.ndarray) -> dict[str, Tensor]:
    """Return one network's weights out of a supernet's: what `candidate.build().load_state_dict` takes.

    Args:
      state: of a `Supernet`.
      genotype: (width,), of the supernet's space.

    Raises:
      ValueError: for a state that is not a supernet's.
    """
    if "columns" not in state:
        raise ValueError("not the state of a supernet: expected an entry `columns`")
    columns = state["columns"].tolist()
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        part, *path = name.split(".", 4)
        column = columns[int(path[0])] if part == "layers" else SHARED
        if column == SHARED and part not in ("columns", "heads"):
            found[name] = tensor
        elif part == "layers" and int(path[2]) == genotype[column]:
            found[".".join((part, path[0], *path[3:]))] = tensor
    return found


def _layer(found: Decisions, space: GenotypeSpace, index: int) -> nn.Module:
    column = found.columns[index]
    if column == SHARED:
        return found.layer(index, 0)
    return Choices([found.layer(index, choice) for choice in range(space.columns[column].cardinality)])
