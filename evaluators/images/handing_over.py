"""A data set as arrays that another process can map into its memory, and back without a copy."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluators.images._base import Images, Normalisation, Part

if TYPE_CHECKING:
    from torch import Tensor

PARTS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class HandedOver:
    """A data set that this process need not load, because it was handed the arrays; called, it returns the images.

    Attributes:
      source: what the data set is by its name or its settings.
      images: what it holds.
    """

    source: object
    images: Images

    def __call__(self) -> Images:
        """Return the images."""
        return self.images


def to_arrays(images: Images) -> dict[str, np.ndarray]:
    """Return everything that a data set holds: each part's images as (n, height, width, channels), and the numbers."""
    arrays = {"classes": np.array(images.classes)}
    for name in PARTS:
        part: Part = getattr(images, name).to("cpu")
        arrays[f"{name}.images"] = part.images.permute(0, 2, 3, 1).numpy()
        arrays[f"{name}.labels"] = part.labels.numpy()
        if part.normalisation is not None:
            arrays[f"{name}.normalisation"] = np.array([part.normalisation.mean, part.normalisation.std])
    return arrays


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Images:
    """Return the data set, its tensors in the memory of `arrays`, which may be read-only: nobody may write to them."""
    return Images(int(arrays["classes"]), *(_part(arrays, name) for name in PARTS))


def _part(arrays: Mapping[str, np.ndarray], name: str) -> Part:
    numbers = arrays.get(f"{name}.normalisation")
    normalisation = None if numbers is None else Normalisation(*(tuple(map(float, row)) for row in numbers))
    images = _tensor(arrays[f"{name}.images"]).permute(0, 3, 1, 2)
    return Part(images, _tensor(arrays[f"{name}.labels"]), normalisation)


def _tensor(array: np.ndarray) -> Tensor:
    """Return an array as a tensor of the same memory.

    PyTorch has no read-only tensors and warns of an array that is one. Training reads a part by index, which copies,
    and never writes to it.
    """
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(array)
