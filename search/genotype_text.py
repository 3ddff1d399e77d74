"""Genotypes as they are stored: a JSON list of numbers a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def text_of(genotype: np.ndarray) -> str:
    """Return one genotype as text, exactly; its numbers are finite, so that Python writes them as JSON does."""
    return str(genotype.tolist()).replace(" ", "")


def genotypes_of(texts: Sequence[str], width: int, dtype: npt.DTypeLike) -> np.ndarray:
    """Return stored genotypes as an array (n, width). Raises ValueError for texts that are none of this width."""
    if np.dtype(dtype).kind == "f":
        found: Any = json.loads(f"[{','.join(texts)}]")
    else:  # several times as fast, but for integers alone
        found = np.fromstring(",".join(texts).replace("[", "").replace("]", ""), np.int64, sep=",")
    return np.array(found, dtype).reshape(len(texts), width)
