"""A few examples that scores are computed on: a function of yours that returns them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyglove as pg

if TYPE_CHECKING:
    from torch import Tensor

Batch = Callable[[], "tuple[Tensor, Tensor]"]
"""Returns float32 images (n, channels, height, width) and labels, int64 (n,): the same ones at each call."""


class Examples(pg.JSONConvertible):  # type: ignore[misc]
    """A `Batch` by its name, as a value of a space. It does not change."""

    def __init__(self, batch: Batch) -> None:
        """Take a function, which each process calls anew. Raises TypeError for what cannot be called."""
        if not callable(batch):
            raise TypeError(f"expected a function that returns images and labels, got {batch!r}")
        self.batch = batch
        self.space_identity = str(getattr(batch, "__qualname__", type(batch).__qualname__))

    def __deepcopy__(self, memo: object) -> Examples:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Examples, (self.batch,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Examples) and self.space_identity == other.space_identity

    def __hash__(self) -> int:
        return hash(self.space_identity)

    def __repr__(self) -> str:
        return f"Examples({self.space_identity})"

    def to_json(self, **options: Any) -> Any:
        """Return what it is as plain data, to be read by people: it cannot be made from that."""
        return self.to_json_dict({"batch": self.space_identity}, **options)

    def __call__(self) -> tuple[Tensor, Tensor]:
        """Return images and labels."""
        return self.batch()
