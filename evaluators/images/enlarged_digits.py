"""A data set of small grey images for networks that are made for larger ones of three channels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evaluators.images._base import Images, Part
from evaluators.images.digits import digits


@dataclass(frozen=True)
class EnlargedDigits:
    """The `digits` of 8x8, each pixel repeated `times` by `times`, in `channels` equal channels.

    It adds nothing to what there is to see: a stand-in to try spaces of larger images on, in seconds.
    """

    times: int = 2
    channels: int = 3

    def __post_init__(self) -> None:
        if min(self.times, self.channels) < 1:
            raise ValueError(f"times and channels must be at least 1, got {self.times} and {self.channels}")

    def __call__(self) -> Images:
        """Return the data set: float32 images (n, channels, 8 times, 8 times)."""
        small = digits()
        return Images(small.classes, *(self._larger(part) for part in (small.train, small.val, small.test)))

    def _larger(self, part: Part) -> Part:
        larger = part.images.repeat_interleave(self.times, 2).repeat_interleave(self.times, 3)
        return replace(part, images=larger).in_channels(self.channels)
