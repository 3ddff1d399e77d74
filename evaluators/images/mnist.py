"""MNIST (LeCun et al., "Gradient-based learning applied to document recognition", 1998), and what has its layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluators.images._base import Images, Normalisation
from evaluators.images.idx import read_idx
from evaluators.images.split import Labelled, assemble


@dataclass(frozen=True, slots=True)
class Mnist:
    """A folder with the four IDX files of MNIST, Fashion-MNIST or KMNIST: ten classes of grey images.

    Attributes:
      path: the folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same of `t10k`; each plain
        or with `.gz`, with `-idx` or `.idx` in its name.
      val: how many of the training images validate.
      limit: how many of the others train, as many of each class; None for all.
      normalisation: None for the mean and deviation of the images that train.
    """

    path: str | Path
    val: int = 5000
    limit: int | None = None
    normalisation: Normalisation | None = None

    def __call__(self) -> Images:
        """Read the files. Raises FileNotFoundError or ValueError, naming the file, for what is missing or wrong."""
        train, test = self._read("train"), self._read("t10k")
        return assemble(10, train, test, val=self.val, limit=self.limit, normalisation=self.normalisation)

    def _read(self, part: str) -> Labelled:
        images, labels = self._file(f"{part}-images", 3), self._file(f"{part}-labels", 1)
        pixels, classes = read_idx(images, dimensions=3), read_idx(labels, dimensions=1)
        if len(pixels) != len(classes):
            raise ValueError(f"{labels}: {len(classes)} labels, but {images.name} has {len(pixels)} images")
        if not len(classes) or classes.max() > 9:
            raise ValueError(f"{labels}: expected labels from 0 to 9, got {set(classes.tolist()) or 'none'}")
        return Labelled(pixels[..., None].copy(), classes.astype(np.int64))

    def _file(self, stem: str, dimensions: int) -> Path:
        folder = Path(self.path).expanduser()
        names = [f"{stem}{sign}idx{dimensions}-ubyte{end}" for sign in "-." for end in ("", ".gz")]
        found = next((folder / name for name in names if (folder / name).is_file()), None)
        if found is None:
            raise FileNotFoundError(f"no {names[0]} (or .gz) in {folder}; MNIST's four IDX files belong there")
        return found
