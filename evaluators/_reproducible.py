"""What makes a training give the same numbers again: its device, its images there, its seeds, its threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch

from evaluators.datasets import Dataset, Images, load


def device_of(name: str) -> str:
    """Return the device of this name; of `auto` CUDA where there is one, else the CPU."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


@cache
def images_on(dataset: Dataset, device: str) -> Images:
    """Return a data set on a device, the same object at each call; it is read once for all devices."""
    return load(dataset).to(device) if device == "cpu" else images_on(dataset, "cpu").to(device)


@contextmanager
def reproducible(device: str, threads: int, *seeds: int) -> Iterator[None]:
    """Give PyTorch random numbers of these seeds, threads and deterministic kernels, and its own back afterwards.

    With the epoch among the seeds, a checkpoint need not hold a generator.
    """
    devices = [torch.device(device)] if torch.device(device).type == "cuda" else []
    before = torch.get_num_threads()
    with torch.random.fork_rng(devices), torch.backends.cudnn.flags(enabled=True, deterministic=True):
        torch.manual_seed(seed_of(*seeds))
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def seed_of(*seeds: int) -> int:
    """Return one seed of several, for a generator of PyTorch."""
    return int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> 1)
