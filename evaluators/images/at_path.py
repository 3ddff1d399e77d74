"""Whatever images lie at a path - MNIST, CIFAR, archives of JPEGs, folders - as colour images of one side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators.images._base import Images, Part
from evaluators.images.cifar import Cifar10, Cifar100
from evaluators.images.image_folder import ImageFolder
from evaluators.images.jpeg_archive import JpegArchives
from evaluators.images.mnist import Mnist
from evaluators.images.pictures import check_memory

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = 3
CHUNK = 4096
"""Images that are resized at a time."""


@dataclass(frozen=True, slots=True)
class AtPath:
    """The data set at a path, told by its files, resized to `side` x `side` x 3: one setting serves a study for any.

    MNIST's folder, CIFAR's archive or folder, a folder of two `.npz` of JPEGs with `train` and with `test` or `val` in
    their names, and otherwise an `ImageFolder`. Grey images get three equal channels. Parts are those of each set.

    Attributes:
      path: the file or folder.
      side: of the square images, in pixels.
      limit: how many images train, as many of each class; None for all.
      memory_mb: how many million bytes all images may take.
    """

    path: str | Path
    side: int
    limit: int | None = None
    memory_mb: float = 2000.0

    def __call__(self) -> Images:
        """Read the files. Raises FileNotFoundError or ValueError, naming the file, for what is missing or wrong."""
        images = self.source()()
        parts = images.train, images.val, images.test
        count, shape = sum(len(part.labels) for part in parts), (self.side, self.side, CHANNELS)
        check_memory(count, shape, self.memory_mb, str(self.path), "lower side or limit")
        return Images(images.classes, *(self._resized(part) for part in parts))

    def source(self) -> Callable[[], Images]:
        """Return what reads the files."""
        path = Path(self.path).expanduser()
        if path.is_file():
            kind = Cifar100 if "100" in path.name else Cifar10
            return kind(path, limit=self.limit)
        names = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
        archives = {part: _one(path, names, part) for part in ("train", "test", "val")}
        test = archives["test"] or archives["val"]
        if archives["train"] and test:
            return JpegArchives(archives["train"], test, limit=self.limit)
        if any(name.startswith("train-images") for name in names):
            return Mnist(path, limit=self.limit)
        if names & {"data_batch_1", "data_batch_1.bin"}:
            return Cifar10(path, limit=self.limit)
        if "train.bin" in names or ({"train", "meta"} <= names and (path / "train").is_file()):
            return Cifar100(path, limit=self.limit)
        return ImageFolder(path, side=self.side, limit=self.limit)

    def _resized(self, part: Part) -> Part:
        import torch

        pixels = torch.cat([_resize(chunk, self.side) for chunk in torch.split(part.images, CHUNK)])
        return replace(part, images=pixels).in_channels(CHANNELS)


def _one(folder: Path, names: set[str], part: str) -> Path | None:
    """Return the one `.npz` with `part` in its name; None where there is none, or several."""
    found = [name for name in names if name.endswith(".npz") and part in name]
    return folder / found[0] if len(found) == 1 else None


def _resize(pixels: Tensor, side: int) -> Tensor:
    """Return uint8 images (n, channels, side, side), bilinear and, where they shrink, without aliases."""
    from torch.nn import functional

    if tuple(pixels.shape[2:]) == (side, side):
        return pixels
    larger = functional.interpolate(pixels.float(), (side, side), mode="bilinear", antialias=True)
    return larger.round().clamp(0, 255).byte()
