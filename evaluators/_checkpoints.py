"""What a job leaves in its folder: tensors or plain values in one file, replaced at once, read without running it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from evaluators._preparation import Job

log = logging.getLogger(__name__)


def write_checkpoint(path: Path, contents: Mapping[str, Any]) -> None:
    """Put a checkpoint in the place of an older one; a reader finds either of them whole."""
    _replace(path, lambda unfinished: torch.save(dict(contents), unfinished))


def write_document(path: Path, contents: Mapping[str, Any]) -> None:
    """Put a JSON document in the place of an older one; a reader finds either of them whole."""
    document = json.dumps(contents, allow_nan=False)
    _replace(path, lambda unfinished: unfinished.write_text(document))


def read_document(path: Path, what: str) -> dict[str, Any]:
    """Return a JSON document. Raises FileNotFoundError, saying `what` is missing, where there is none."""
    if not path.exists():
        raise FileNotFoundError(f"no {what} in {path.parent}: expected {path.name} there")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    write(unfinished)
    os.replace(unfinished, path)


def identity(preparation: Any, job: Job, **written: object) -> str:
    """Return what a checkpoint must have been made of to be gone on from: the preparation's kind and settings, the job.

    Settings that do not count (`compare=False`) are left out; `written` stands for those whose `repr` would not do.
    """
    settings = {each.name: getattr(preparation, each.name) for each in fields(preparation) if each.compare}
    costs = job.costs and (job.costs.metric, job.costs.constant, [terms.tolist() for terms in job.costs.terms])
    made_of = (preparation.kind, settings | written, torch.__version__, job.space.fingerprint, costs, job.seed)
    return hashlib.sha256(repr(made_of).encode()).hexdigest()


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
