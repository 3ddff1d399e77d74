"""Data sets as a pair of NumPy archives of JPEGs: `jpeg`, all pictures end to end, `offsets` and `labels`."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluators.images._base import Images, Normalisation
from evaluators.images.pictures import check_memory, decode
from evaluators.images.split import Labelled, assemble

KEYS = ("jpeg", "offsets", "labels")


@dataclass(frozen=True, slots=True)
class JpegArchives:
    """Two `.npz` files of JPEGs of one size: picture i is `jpeg[offsets[i]:offsets[i + 1]]`, its class `labels[i]`.

    Attributes:
      train, test: the paths of the files.
      val: how many of the training images validate.
      limit: how many of the others train, as many of each class; None for all.
      memory_mb: how many million bytes either file's images may take.
      normalisation: None for the mean and deviation of the images that train.
    """

    train: str | Path
    test: str | Path
    val: int = 1000
    limit: int | None = None
    memory_mb: float = 2000.0
    normalisation: Normalisation | None = None

    def __call__(self) -> Images:
        """Decode the pictures. Raises FileNotFoundError or ValueError, naming the file, for one missing or wrong."""
        train, test = (_read(Path(path).expanduser(), self.memory_mb) for path in (self.train, self.test))
        if train.pixels.shape[1:] != test.pixels.shape[1:]:
            sizes = f"{train.pixels.shape[1:]} and {test.pixels.shape[1:]}"
            raise ValueError(f"{self.test}: its pictures have another size than the training images: {sizes}")
        classes = int(max(train.labels.max(), test.labels.max())) + 1
        return assemble(classes, train, test, val=self.val, limit=self.limit, normalisation=self.normalisation)


def _read(path: Path, memory_mb: float) -> Labelled:
    jpeg, offsets, labels = _arrays(path)
    first = _picture(path, jpeg, offsets, 0)
    check_memory(len(labels), first.shape, memory_mb, str(path), "choose a smaller set")
    pixels = np.empty((len(labels), *first.shape), np.uint8)
    for number in range(len(labels)):
        picture = _picture(path, jpeg, offsets, number)
        if picture.shape != first.shape:
            raise ValueError(f"{path}: picture {number} has shape {picture.shape}, the first {first.shape}")
        pixels[number] = picture
    return Labelled(pixels, labels.astype(np.int64))


def _arrays(path: Path) -> list[np.ndarray]:
    """Return a file's arrays, checked to fit each other; what would have to be unpickled is refused."""
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}; expected a NumPy archive of JPEGs")
    try:
        with np.load(path, allow_pickle=False) as archive:
            jpeg, offsets, labels = arrays = [archive[key] for key in KEYS]
    except (KeyError, ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: not a NumPy archive with {', '.join(KEYS)}: {error}") from None
    if any(array.ndim != 1 or array.dtype.kind not in "ui" for array in arrays) or jpeg.dtype != np.uint8:
        raise ValueError(f"{path}: expected flat arrays of whole numbers, jpeg of uint8")
    if not len(labels) or len(offsets) != len(labels) + 1:
        raise ValueError(
            f"{path}: {len(labels)} labels need {len(labels) + 1} offsets (and one picture), got {len(offsets)}"
        )
    ends = offsets.astype(np.int64)
    if ends[0] != 0 or ends[-1] != len(jpeg) or (np.diff(ends) <= 0).any():
        raise ValueError(f"{path}: the offsets do not rise from 0 to the {len(jpeg)} bytes of jpeg")
    if labels.min() < 0 or labels.max() >= len(labels):
        raise ValueError(f"{path}: labels from {labels.min()} to {labels.max()} are no classes of {len(labels)} images")
    return [jpeg, ends, labels]


def _picture(path: Path, jpeg: np.ndarray, offsets: np.ndarray, number: int) -> np.ndarray:
    source = io.BytesIO(jpeg[offsets[number] : offsets[number + 1]].tobytes())
    return decode(source, f"{path}: picture {number}", lambda picture: picture)
