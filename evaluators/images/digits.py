"""The handwritten digits that scikit-learn ships (Alpaydin and Kaynak, UCI, 1998)."""

from __future__ import annotations

from functools import cache

import numpy as np

from evaluators.images._base import Images, Normalisation, Part
from evaluators.images.split import stratified


@cache
def digits() -> Images:
    """Return the 1,797 handwritten digits of 8x8, as float32.

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
    mean, std = images[train].mean(), images[train].std()
    images, how = (images - mean) / std, Normalisation((float(mean) / 16,), (float(std) / 16,))  # white is 16
    return Images(10, *(_part(images[rows], labels[rows], how) for rows in (train, val, test)))


def _part(images: np.ndarray, labels: np.ndarray, how: Normalisation) -> Part:
    import torch

    return Part(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)), how)
