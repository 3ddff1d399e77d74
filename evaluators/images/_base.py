"""What a data set of images is in memory: three parts, their pixels as they are stored, and how these become inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Turns pixels of 0 to 255 into inputs: (pixel / 255 - mean) / std, with one `mean` and one `std` a channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not self.mean or min(self.std) <= 0:
            raise ValueError(f"expected a mean and a std above 0 for each channel, got {self.mean} and {self.std}")

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return float32 inputs for uint8 `pixels` (n, channels, height, width), in the channels-last layout."""
        import torch

        scale = torch.tensor([1 / (255 * std) for std in self.std]).view(1, -1, 1, 1)
        shift = torch.tensor([mean / std for mean, std in zip(self.mean, self.std, strict=True)]).view(1, -1, 1, 1)
        inputs = pixels.to(torch.float32, memory_format=torch.channels_last)
        return inputs.mul_(scale.to(inputs.device)).sub_(shift.to(inputs.device))

    def pixels(self, inputs: Tensor) -> Tensor:
        """Return the pixels, uint8, that come nearest to float32 `inputs` (n, channels, height, width)."""
        import torch

        std, mean = (torch.tensor(each, device=inputs.device).view(1, -1, 1, 1) for each in (self.std, self.mean))
        return ((inputs * std + mean) * 255).round().clamp(0, 255).byte()


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""What networks with published ImageNet weights expect (torchvision's documentation of its models)."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a data set's images.

    Attributes:
      images: (n, channels, height, width); uint8, or float32 that are inputs already.
      labels: int64 (n,).
      normalisation: what turns uint8 images into inputs, or has made inputs of pixels; None where that is unknown.
    """

    images: Tensor
    labels: Tensor
    normalisation: Normalisation | None = None

    def to(self, device: str) -> Part:
        """Return the part on `device`, its images in the channels-last layout; nothing is copied that is so already."""
        import torch

        images = self.images.to(device, memory_format=torch.channels_last)
        return Part(images, self.labels.to(device), self.normalisation)

    def in_channels(self, count: int) -> Part:
        """Return the part with its one channel `count` times, without a copy; one of `count` channels as it is."""
        how = self.normalisation
        if how is not None and len(how.mean) == 1:
            how = Normalisation(how.mean * count, how.std * count)
        return Part(self.images.expand(-1, count, -1, -1), self.labels, how)

    def inputs(self, rows: Tensor | slice) -> Tensor:
        """Return the images of these rows as float32 inputs. A batch is normalised at a time: the rest stays uint8."""
        images = self.images[rows]
        return images if self.normalisation is None or images.is_floating_point() else self.normalisation(images)


@dataclass(frozen=True, slots=True)
class Images:
    """A data set: labels are 0 to `classes` - 1; a candidate is chosen on `val`, and `test` is left for the end."""

    classes: int
    train: Part
    val: Part
    test: Part

    def to(self, device: str) -> Images:
        """Return the data set on `device`; see `Part.to`."""
        return Images(self.classes, self.train.to(device), self.val.to(device), self.test.to(device))
