"""Folders of pictures, one a class: ImageNet's layout (Deng et al. 2009; Russakovsky et al. 2015), for small sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluators.images._base import Images, Normalisation
from evaluators.images.pictures import check_memory, decode
from evaluators.images.split import Labelled, assemble, balanced, check_counts, stratified

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".jpg", ".jpeg", ".png")

Listed = tuple[list[Path], np.ndarray]
"""Pictures' paths, and the class of each."""


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """`PATH/train/CLASS/*.jpg` and `PATH/val/CLASS/*.jpg`, or `PATH/CLASS/*.jpg` alone; JPEG or PNG, at one size.

    Classes are numbered in the order of their names. As is usual with ImageNet, the folder `val` is what tests, and
    what validates is set aside from `train`; with a third folder, `test`, each serves as it is called. Class folders
    alone are split by class. A picture's shorter side is resized to `resize`, bilinearly, and its centre is cut out.

    Attributes:
      path: the folder.
      side: of the square images, in pixels.
      resize: None for side / 0.875, as 256 is to 224.
      val: the share of the training pictures that validates.
      test: the share that tests, of class folders alone.
      limit: how many of the others train, as many of each class; None for all. Only these are read.
      memory_mb: how many million bytes all images may take; an image takes 3 * side * side.
      normalisation: None for the mean and deviation of the images that train; else e.g. `IMAGENET`.
    """

    path: str | Path
    side: int = 64
    resize: int | None = None
    val: float = 0.1
    test: float = 0.1
    limit: int | None = None
    memory_mb: float = 2000.0
    normalisation: Normalisation | None = None

    def __post_init__(self) -> None:
        if not 0 < self.val < 1 or not 0 < self.test < 1 or self.val + self.test >= 1:
            raise ValueError(f"expected shares above 0 whose sum is below 1, got val={self.val} and test={self.test}")
        if self.side < 1 or (self.resize is not None and self.resize < self.side):
            raise ValueError(f"expected a side of at least 1 and a resize of no less, got {self.side}, {self.resize}")
        check_counts(self.val, self.limit)

    def __call__(self) -> Images:
        """Decode the pictures. Raises FileNotFoundError or ValueError, naming the file, for one missing or wrong."""
        root = Path(self.path).expanduser()
        classes, parts = self._listed(root)
        count = sum(len(paths) for paths, _ in parts)
        check_memory(count, (self.side, self.side, 3), self.memory_mb, str(root), "lower side or limit")
        train, val, test = (self._read(*part) for part in parts)
        return assemble(len(classes), train, test, val=val, limit=None, normalisation=self.normalisation)

    def _listed(self, root: Path) -> tuple[list[str], list[Listed]]:
        """Return the names of the classes, and which pictures train, validate and test."""
        rng = np.random.default_rng(0)
        if not (root / "train").is_dir():
            classes = _folders(root)
            shares = (1 - self.val - self.test, self.val, self.test)
            return classes, self._limited(_divided(_pictures(root, classes), shares, rng), rng)
        classes = _folders(root / "train")
        train = _pictures(root / "train", classes)
        val = _pictures(root / "val", classes)
        if (root / "test").is_dir():
            return classes, self._limited([train, val, _pictures(root / "test", classes)], rng)
        return classes, self._limited([*_divided(train, (1 - self.val, self.val), rng), val], rng)

    def _limited(self, parts: list[Listed], rng: np.random.Generator) -> list[Listed]:
        train, val, test = parts
        return [train if self.limit is None else _chosen(train, balanced(train[1], self.limit, rng)), val, test]

    def _read(self, paths: list[Path], labels: np.ndarray) -> Labelled:
        pixels = np.empty((len(paths), self.side, self.side, 3), np.uint8)
        shape = partial(_cut, side=self.side, resize=self.resize or round(self.side / 0.875))
        for row, path in enumerate(paths):
            pixels[row] = decode(path, str(path), shape)
        return Labelled(pixels, labels)


def _folders(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {folder}; expected folders of pictures in it, one a class")
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(names) < 2:
        raise ValueError(f"{folder}: expected at least two folders of pictures, one a class; got {names}")
    return names


def _pictures(folder: Path, classes: list[str]) -> Listed:
    """Return the pictures of every class, in the order of their names. Each class must have one."""
    if _folders(folder) != classes:
        raise ValueError(f"{folder}: its classes are not those that there are to train on")
    found = [list(_of_class(folder / name)) for name in classes]
    for name, paths in zip(classes, found, strict=True):
        if not paths:
            raise ValueError(f"{folder / name}: holds no picture; expected {', '.join(ENDINGS)}")
    return list(chain(*found)), np.repeat(np.arange(len(classes)), [len(paths) for paths in found])


def _of_class(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS and path.is_file())


def _divided(listed: Listed, shares: tuple[float, ...], rng: np.random.Generator) -> list[Listed]:
    rows = stratified(listed[1], shares, rng)
    if not all(len(part) for part in rows):
        raise ValueError(f"{listed[0][0].parents[1]}: {len(listed[1])} pictures are too few for shares of {shares}")
    return [_chosen(listed, part) for part in rows]


def _chosen(listed: Listed, rows: np.ndarray) -> Listed:
    return [listed[0][row] for row in rows], listed[1][rows]


def _cut(picture: Image, *, side: int, resize: int) -> Image:
    """Return the centre of a picture, `side` x `side`, after its shorter side was resized to `resize`."""
    from PIL.Image import Resampling

    picture.draft("RGB", (resize, resize))  # decodes a JPEG at a half, quarter or eighth where that is still larger
    scale = resize / min(picture.size)
    width, height = (max(resize, round(length * scale)) for length in picture.size)
    left, top = (width - side) // 2, (height - side) // 2
    colours = picture.convert("RGB").resize((width, height), Resampling.BILINEAR)
    return colours.crop((left, top, left + side, top + side))
