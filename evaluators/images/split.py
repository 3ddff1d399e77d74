"""Which images go where: parts by class, the same in every process, and data sets put together from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluators.images._base import Images, Normalisation, Part


@dataclass(frozen=True, slots=True)
class Labelled:
    """Images as read: `pixels` uint8 (n, height, width, channels), `labels` int64 (n,)."""

    pixels: np.ndarray
    labels: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Labelled:
        return Labelled(self.pixels[rows], self.labels[rows])

    def part(self, normalisation: Normalisation) -> Part:
        """Return them as a part, whose images keep the memory of `pixels`: the channels-last layout."""
        import torch

        return Part(torch.from_numpy(self.pixels).permute(0, 3, 1, 2), torch.from_numpy(self.labels), normalisation)


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


def balanced(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` indices, ascending, with as many of each class as of any other, as far as a class has them.

    A smaller choice with an equal generator is part of a larger one. A `count` beyond all images chooses all.
    """
    order = rng.permutation(len(labels))
    rank, _ = _ranks(labels[order])
    return np.sort(order[np.argsort(rank, kind="stable")][:count])


def proportional(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` indices, ascending, with each class's share of them as near as can be to its share of all."""
    order = rng.permutation(len(labels))
    rank, size = _ranks(labels[order])
    return np.sort(order[np.argsort((rank + 0.5) / size, kind="stable")][:count])


def _ranks(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many of its class come before each label, and how many there are of its class."""
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = np.argsort(classes, kind="stable")
    rank = np.empty(len(labels), np.int64)
    rank[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rank, sizes[classes]


def assemble(
    classes: int,
    train: Labelled,
    test: Labelled,
    *,
    val: int | Labelled,
    limit: int | None,
    normalisation: Normalisation | None,
) -> Images:
    """Return the data set of these parts, each choice drawn from seed 0.

    `val` images are set aside from `train`, in its proportions of classes;
    of what remains, `limit` images train, as many of each class. The normalisation is by default that of these.
    Raises ValueError where `val` or `limit` leaves too little.
    """
    check_counts(0 if isinstance(val, Labelled) else val, limit)
    rng = np.random.default_rng(0)
    if not isinstance(val, Labelled):
        if val >= len(train.labels):
            raise ValueError(f"val={val} leaves nothing to train on: there are {len(train.labels)} training images")
        aside = proportional(train.labels, val, rng)
        train, val = train[np.delete(np.arange(len(train.labels)), aside)], train[aside]
    if limit is not None:
        train = train[balanced(train.labels, limit, rng)]
    how = normalisation or statistics(train.pixels)
    if len(how.mean) != train.pixels.shape[-1]:
        raise ValueError(f"the normalisation is of {len(how.mean)} channels, the images have {train.pixels.shape[-1]}")
    return Images(classes, train.part(how), val.part(how), test.part(how))


def check_counts(val: float, limit: int | None) -> None:
    """Raise ValueError for numbers of images that cannot be."""
    if val < 0 or (limit is not None and limit < 1):
        raise ValueError(f"expected val of 0 or more and limit of 1 or more images, got {val} and {limit}")


def statistics(pixels: np.ndarray) -> Normalisation:
    """Return each channel's mean and deviation over `pixels` (n, height, width, channels), on the scale of 0 to 1.

    They are exact, from histograms. A channel that never varies has the deviation of one step of 255.
    """
    values = np.arange(256) / 255
    mean, std = [], []
    blocks = [pixels[start : start + 1000] for start in range(0, len(pixels), 1000)]  # counting takes 8 bytes a value
    for channel in range(pixels.shape[-1]):
        counts = sum(np.bincount(block[..., channel].ravel(), minlength=256) for block in blocks)
        share = counts / pixels[..., channel].size
        mean.append(float(share @ values))
        std.append(max(float(np.sqrt(share @ (values - mean[-1]) ** 2)), 1 / 255))
    return Normalisation(tuple(mean), tuple(std))
