"""Checkpoints: tensors and plain values in one file, replaced at once, read without running anything."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

log = logging.getLogger(__name__)


def write_checkpoint(path: Path, contents: Mapping[str, Any]) -> None:
    """Put a checkpoint in the place of an older one; a reader finds either of them whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    torch.save(dict(contents), unfinished)
    os.replace(unfinished, path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's contents, tensors on the CPU; nothing when there is none, or none that can be read."""
    if not path.exists():
        return {}
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in many ways
        log.warning("the checkpoint %s cannot be read, training starts anew: %s", path, error)
        return {}
    return kept
