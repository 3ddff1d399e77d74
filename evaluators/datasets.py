"""Image data sets by name or by what reads them, held in memory, with fixed training, validation and test parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass

from evaluators.images._base import IMAGENET, Images, Normalisation, Part
from evaluators.images.at_path import AtPath
from evaluators.images.cifar import Cifar10, Cifar100
from evaluators.images.digits import digits
from evaluators.images.enlarged_digits import EnlargedDigits
from evaluators.images.handing_over import HandedOver
from evaluators.images.image_folder import ImageFolder
from evaluators.images.jpeg_archive import JpegArchives
from evaluators.images.mnist import Mnist
from evaluators.images.split import stratified

__all__ = [
    "DATASETS", "IMAGENET", "AtPath", "Cifar10", "Cifar100", "Dataset", "EnlargedDigits", "ImageFolder", "Images",
    "JpegArchives", "Mnist", "Normalisation", "Part", "described", "digits", "load", "stratified",
]  # fmt: skip

Dataset = str | Callable[[], Images]
"""A name in `DATASETS`; or a function of no arguments, or a frozen dataclass that is called like one."""

DATASETS: dict[str, Callable[[], Images]] = {"digits": digits}
"""The data sets that need no files, by name."""

FROM_FILES = {
    "mnist": "Mnist('FOLDER')", "cifar10": "Cifar10('cifar-10-binary.tar.gz')",
    "cifar100": "Cifar100('cifar-100-binary.tar.gz')", "imagenet": "ImageFolder('FOLDER', side=64)",
}  # fmt: skip


def load(dataset: Dataset) -> Images:
    """Return the data set of this name, or what a function of one's own returns. Raises ValueError for other names."""
    if callable(dataset):
        return dataset()
    if dataset in FROM_FILES:
        raise ValueError(f"the data set {dataset!r} is read from files: write dataset={FROM_FILES[dataset]}")
    if dataset not in DATASETS:
        raise ValueError(f"unknown data set {dataset!r}; there are {', '.join(sorted(DATASETS))}; or pass a function")
    return DATASETS[dataset]()


def described(part: object) -> str:
    """Return what tells a data set, or an augmentation, from others, and is the same in every process.

    That is a name; a dataclass with its settings; a function's name, for its repr would hold an address.
    """
    if isinstance(part, HandedOver):
        return described(part.source)
    if isinstance(part, str) or is_dataclass(part):
        return repr(part)
    return str(getattr(part, "__qualname__", type(part).__qualname__))
