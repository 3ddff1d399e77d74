"""Trained networks that a supernet's learn from: anyone's with its file of weights, or an exported trial's.

ElasticViT (Tang et al., ICCV 2023) has two ResNeXt-101, trained on a billion pictures. A file is read without running
what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from evaluators._checkpoints import read_document
from evaluators._early import classes_told
from evaluators._reproducible import images_on
from evaluators.datasets import Dataset, described
from evaluators.nested.scoring import Fitted, side_of
from hardware_models.architecture import architecture_of
from spaces.genotype import GenotypeSpace

WEIGHTS, CANDIDATE = "state_dict.pt", "candidate.json"
"""Files of a folder that `python -m search export` wrote."""


class Teacher(Protocol):
    """A frozen dataclass, equal ones of which read equal networks."""

    def read(self, space: GenotypeSpace) -> Fitted:
        """Return the trained network, for a supernet of this space. Raises OSError or ValueError where it cannot."""


@dataclass(frozen=True)
class TrainedNetwork:
    """Any network: what a function returns, with the weights of a file.

    Attributes:
      network: of no arguments; returns a module from images to logits of the same classes, in the same order.
      weights: a file of its state, as `torch.save(module.state_dict(), file)` writes it.
      side: the side of the images that it takes; None for any.
    """

    network: Callable[[], nn.Module]
    weights: str
    side: int | None = None

    def __repr__(self) -> str:
        return f"TrainedNetwork({described(self.network)}, {self.weights!r}, {self.side})"

    def read(self, space: GenotypeSpace) -> Fitted:
        """See `Teacher`."""
        del space
        return Fitted(_with_weights(self.network(), Path(self.weights)), self.side)


@dataclass(frozen=True)
class ExportedNetwork:
    """A trial of a study in the same space, which `python -m search export` wrote to `folder`."""

    folder: str

    def read(self, space: GenotypeSpace) -> Fitted:
        """See `Teacher`."""
        document = read_document(Path(self.folder) / CANDIDATE, "network that `python -m search export` wrote")
        if document.get("space_fingerprint") != space.fingerprint:
            raise ValueError(f"the network in {self.folder!r} is of another space than the supernet")
        candidate = architecture_of(space.decode(space.from_json(document["genotype"])))
        return Fitted(_with_weights(candidate.build(), Path(self.folder) / WEIGHTS), side_of(candidate))


class Teachers(nn.Module):
    """What networks learn of teachers: the mean of their softmax(logits / temperature)."""

    def __init__(self, networks: Sequence[Fitted], temperature: float) -> None:
        super().__init__()
        self.networks, self.temperature = nn.ModuleList(networks), temperature
        self.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities (n, classes) of images, which each network sees in its own size."""
        return torch.stack([(one(images).float() / self.temperature).softmax(1) for one in self.networks]).mean(0)


def check_teachers(teachers: Sequence[Teacher], dataset: Dataset, space: GenotypeSpace, classes: int) -> None:
    """Read teachers, show them two of a data set's images, and see that they tell `classes` classes apart.

    Raises OSError or ValueError for one that is no use.
    """
    for teacher in teachers:
        told = classes_told(teacher.read(space), images_on(dataset, "cpu").train.inputs(slice(0, 2)), repr(teacher))
        if told != classes:
            raise ValueError(f"{teacher} tells {told} classes apart, and the space's networks {classes}")


def _with_weights(network: nn.Module, path: Path) -> nn.Module:
    """Return the network with a file's weights. Raises OSError or ValueError, naming the file."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state.get("model", state))
    except OSError:
        raise
    except Exception as error:  # a file that is none of weights fails in many ways
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"the file {str(path)!r} holds no weights of the teacher's network: {first}") from error
    return network
