"""Image data sets, held in memory as tensors, with fixed training, validation and test parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a data set's images: `images` float32 (n, channels, height, width), `labels` int64 (n,)."""

    images: Tensor
    labels: Tensor

    def to(self, device: str) -> Part:
        """Return the part on `device`, its images in the channels-last layout."""
        import torch

        return Part(self.images.to(device, memory_format=torch.channels_last), self.labels.to(device))


@dataclass(frozen=True, slots=True)
class Images:
    """A data set: labels are 0 to `classes` - 1; a candidate is chosen on `val`, and `test` is left for the end."""

    classes: int
    train: Part
    val: Part
    test: Part


@cache
def digits() -> Images:
    """Return the 1,797 handwritten digits of 8x8 that scikit-learn ships (Alpaydin & Kaynak, UCI, 1998).

    In every class half the images train, a quarter validates and a quarter tests, the same ones in every process.
    Pixels are shifted and scaled to mean 0 and deviation 1 over the training part.

    Raises:
      ModuleNotFoundError: without scikit-learn; the message says how to get it.
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the digits data set needs scikit-learn: pip install 'symbolic-nas-search[digits]'", name=error.name
        ) from error
    pixels, labels = load_digits(return_X_y=True)
    images = pixels.astype(np.float32).reshape(-1, 1, 8, 8)
    train, val, test = stratified(labels, (0.5, 0.25, 0.25), np.random.default_rng(0))
    images = (images - images[train].mean()) / images[train].std()
    return Images(10, *(_part(images[rows], labels[rows]) for rows in (train, val, test)))


DATASETS: dict[str, Callable[[], Images]] = {"digits": digits}
"""The data sets that have a name."""


def load(dataset: str | Callable[[], Images]) -> Images:
    """Return the data set of this name, or what a function of one's own returns. Raises ValueError for other names."""
    if callable(dataset):
        return dataset()
    if dataset not in DATASETS:
        raise ValueError(f"unknown data set {dataset!r}; there are {', '.join(sorted(DATASETS))}; or pass a function")
    return DATASETS[dataset]()


def stratified(labels: np.ndarray, shares: tuple[float, ...], rng: np.random.Generator) -> list[np.ndarray]:
    """Return one array of indices a share, disjoint, together all of `labels`, each class split by the shares.

    Indices ascend within a part. Shares must sum to 1; each class's parts differ from them by less than one image.
    """
    bounds = np.cumsum(shares)[:-1]
    parts: list[list[np.ndarray]] = [[] for _ in shares]
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        for part, chosen in zip(parts, np.split(rows, np.round(bounds * len(rows)).astype(int)), strict=True):
            part.append(chosen)
    return [np.sort(np.concatenate(part)) for part in parts]


def _part(images: np.ndarray, labels: np.ndarray) -> Part:
    import torch

    return Part(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)))
