"""CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009), as published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from evaluators.images._base import Images, Normalisation
from evaluators.images.cifar_files import Files
from evaluators.images.cifar_pickle import read_batch
from evaluators.images.split import Labelled, assemble

SIDE = 32
PIXELS = 3 * SIDE * SIDE


@dataclass(frozen=True, slots=True)
class Cifar10:
    """CIFAR-10: ten classes of colour images, 50,000 to train and 10,000 to test.

    Attributes:
      path: `cifar-10-binary.tar.gz`, `cifar-10-python.tar.gz`, or the folder that either unpacks to. The python files
        are pickles, which are parsed without running anything: see `evaluators.images.cifar_pickle`.
      val: how many of the training images validate.
      limit: how many of the others train, as many of each class; None for all.
      normalisation: None for the mean and deviation of the images that train.
    """

    path: str | Path
    val: int = 5000
    limit: int | None = None
    normalisation: Normalisation | None = None

    classes: ClassVar[int] = 10
    train_files: ClassVar[tuple[str, ...]] = tuple(f"data_batch_{number}" for number in range(1, 6))
    test_file: ClassVar[str] = "test_batch"
    label_key: ClassVar[str] = "labels"
    label_bytes: ClassVar[int] = 1

    def __call__(self) -> Images:
        """Read the files. Raises FileNotFoundError or ValueError, naming the file, for what is missing or wrong."""
        files = Files(Path(self.path).expanduser(), (*self.train_files, self.test_file))
        batches = [self._read(files, name) for name in self.train_files]
        train = Labelled(
            np.concatenate([batch.pixels for batch in batches]), np.concatenate([batch.labels for batch in batches])
        )
        test = self._read(files, self.test_file)
        return assemble(self.classes, train, test, val=self.val, limit=self.limit, normalisation=self.normalisation)

    def _read(self, files: Files, name: str) -> Labelled:
        try:
            content = files.contents.pop(name)
            rows = self._binary(content) if files.binary else self._python(content)
            if not len(rows.labels) or rows.labels.min() < 0 or rows.labels.max() >= self.classes:
                raise ValueError(f"expected labels from 0 to {self.classes - 1}")
        except ValueError as error:
            raise ValueError(f"{files.path}: {files.names[name]}: {error}") from None
        return rows

    def _binary(self, content: bytes) -> Labelled:
        """Return the records of a file: the label's bytes, the last of which counts, then the planes of a picture."""
        width = self.label_bytes + PIXELS
        if not content or len(content) % width:
            raise ValueError(f"{len(content)} bytes are no whole number of {width}-byte images; is it truncated?")
        rows = np.frombuffer(content, np.uint8).reshape(-1, width)
        return _labelled(rows[:, self.label_bytes :], rows[:, self.label_bytes - 1])

    def _python(self, content: bytes) -> Labelled:
        data, labels = read_batch(content, self.label_key, PIXELS)
        return _labelled(data, labels)


@dataclass(frozen=True, slots=True)
class Cifar100(Cifar10):
    """CIFAR-100: a hundred classes, the fine ones; otherwise as `Cifar10`, from `cifar-100-binary.tar.gz` or so."""

    classes: ClassVar[int] = 100
    train_files: ClassVar[tuple[str, ...]] = ("train",)
    test_file: ClassVar[str] = "test"
    label_key: ClassVar[str] = "fine_labels"
    label_bytes: ClassVar[int] = 2


def _labelled(planes: np.ndarray, labels: np.ndarray) -> Labelled:
    pixels = planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return Labelled(np.ascontiguousarray(pixels), labels.astype(np.int64))
