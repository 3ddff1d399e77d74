"""Compressed pictures, decoded by Pillow to arrays of one size; held in memory, so their number is bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG")
LARGEST_PIXELS = 2**26
"""How many a picture may have: 8192 x 8192."""


def decode(source: Any, name: str, shape: Callable[[Image], Image]) -> np.ndarray:
    """Return the picture that a path or a file holds as uint8 (height, width, 3), after `shape` gave it its size.

    Grey pictures become colour ones. Raises ValueError, with `name`, for no JPEG or PNG, or one that is truncated or
    too large; ModuleNotFoundError without Pillow.
    """
    pillow = _pillow()
    try:
        with pillow.open(source, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST_PIXELS:
                raise ValueError(f"{picture.width} x {picture.height} pixels; at most {LARGEST_PIXELS} are read")
            return np.asarray(shape(picture).convert("RGB"))
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as error:
        raise ValueError(f"{name}: not a readable JPEG or PNG: {error}") from None


def check_memory(count: int, shape: Sequence[int], memory_mb: float, name: str, remedy: str) -> None:
    """Raise ValueError where `count` images of `shape`, a byte a value, take more than `memory_mb` million bytes."""
    needed = count * int(np.prod(shape)) / 1e6
    if needed > memory_mb:
        sides = " x ".join(map(str, shape))
        raise ValueError(
            f"{name}: {count:,} images of {sides} take {needed:,.0f} MB of memory, more than memory_mb={memory_mb:g}; "
            f"raise it, or {remedy}"
        )


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("pictures need Pillow: pip install pillow", name=error.name) from error
    return Image
