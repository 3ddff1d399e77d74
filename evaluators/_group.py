"""Workers that train the same weights on different images: at each step they average their gradients and losses.

Synchronous data-parallel training as PyTorch does it (Li et al., VLDB 2020), but without its wrapper of a module: that
one counts on one network's own parameters at every step, and here each step runs other networks on views of them. So
all gradients are averaged as one tensor when the last is there, and none while others are still computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from evaluators._base import Member
from evaluators._reproducible import device_of
from evaluators.datasets import Part

JOIN, ANSWER = timedelta(minutes=5), timedelta(minutes=10)
"""How long workers wait for each other at first, and then at each exchange, before they give up."""


@dataclass(frozen=True, slots=True)
class Group:
    """The workers of a training, as one of them sees it. A group of one changes nothing.

    Attributes:
      rank, size: as of `evaluators._base.Member`.
      device: this worker's.
    """

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def seeds(self) -> tuple[int, ...]:
        """What tells this worker's random numbers from others'; nothing for the first."""
        return (self.rank,) if self.rank else ()

    def part(self, batch: Part) -> Part:
        """Return this worker's images of a batch, as many as any other's; those that are too many are left."""
        each = len(batch.labels) // self.size
        rows = slice(self.rank * each, (self.rank + 1) * each)
        return Part(batch.images[rows], batch.labels[rows], batch.normalisation)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace gradients by their means over the workers, all of which must have those of the same parameters."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if self.size > 1:
            vector_to_parameters(self.mean(parameters_to_vector(gradients)), gradients)

    def mean(self, values: Tensor) -> Tensor:
        """Return means over the workers, of the values' shape; these are overwritten.

        Raises ConnectionError where a worker is no more.
        """
        if self.size == 1:
            return values
        try:
            distributed.all_reduce(values)
        except RuntimeError as error:
            raise _lost(self.rank, self.size, error) from error
        return values / self.size

    def agree(self, number: int, what: str) -> None:
        """Raise ValueError unless all workers found the same number of what they have read."""
        if self.mean(torch.tensor(float(number), device=self.device)) != number:
            raise ValueError(
                f"worker {self.rank} of {self.size} found {number} {what}, others another number: the preparation's "
                f"folder must lie on a file system that all machines share"
            )


ALONE = Group()


@contextmanager
def joined(member: Member | None, workers: int, device: str) -> Iterator[Group]:
    """Join the other workers, one GPU each where `device` is CUDA, and leave them at the end.

    Raises:
      ValueError: where nobody has started that many, or there are not as many GPUs.
      ConnectionError: where they do not come, or no longer answer.
    """
    device, size = device_of(device), 1 if member is None else member.size
    if size != workers:
        raise ValueError(f"workers={workers}: expected a job that a launcher runs in {workers} processes, got {size}")
    if member is None or size == 1:
        yield Group(device=device)
        return
    device = _own_device(device, member)
    gpu = None if device == "cpu" else torch.device(device)
    host, _, port = member.address.rpartition(":")
    try:
        store = distributed.TCPStore(host, int(port), size, member.rank == 0, JOIN)  # type: ignore[attr-defined]
        distributed.init_process_group(
            "nccl" if gpu else "gloo", store=store, rank=member.rank, world_size=size, timeout=ANSWER, device_id=gpu
        )
    except RuntimeError as error:
        raise _lost(member.rank, size, error) from error
    try:
        yield Group(member.rank, size, device)
    finally:
        distributed.destroy_process_group()


def _own_device(device: str, member: Member) -> str:
    """Return a worker's own GPU, or the CPU."""
    kind = torch.device(device).type
    if kind == "cpu":
        return device
    if kind != "cuda":
        raise ValueError(f"device {device!r}: {member.size} workers train on CPUs or on CUDA; use one worker there")
    found = torch.cuda.device_count()
    if found < member.sharing:
        raise ValueError(f"{member.sharing} workers on this machine need a GPU each, and there are {found}")
    return f"cuda:{member.rank % member.sharing}"


def _lost(rank: int, size: int, error: RuntimeError) -> ConnectionError:
    """Return what says that others no longer answer; PyTorch's errors are several lines long."""
    return ConnectionError(f"worker {rank} of {size} does not hear from the others: {str(error).splitlines()[0][:200]}")
