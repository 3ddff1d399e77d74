"""A bench: an engine with a batch and a seed, on which operators and networks are timed together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from hardware_models import torch_ops
from hardware_models.engines import open_engine
from hardware_models.fastest import estimate_ms, halves_ms, relative_differences, spreads
from hardware_models.measurement import Measurement
from hardware_models.op import Op, Shape
from hardware_models.sampling import SAMPLES_A_VISIT, Progress, TooNoisyError, Visits, Workload, visit_in_rounds
from hardware_models.settling import settled
from hardware_models.surroundings import Surrounded, Surroundings, seeds

if TYPE_CHECKING:
    from torch import nn

FEWEST_ROUNDS = 8
"""Rounds before which agreement is taken for chance."""

AGREEMENT = 0.01
"""A workload is visited no more once its two halves, and all visits that count, lie no further apart than this."""

MOST_COPIES = 16
"""Copies of an operator that take turns at most. One alone, always in the nearest cache, is 20 to 40 % too fast."""

FEWEST_ACCEPTED = 0.25
"""The share of a workload's samples that must not have been interrupted, where several threads compute."""


class Bench:
    """Prepares operators and networks for an engine, and times them in shared rounds.

    Attributes:
      engine: what runs them.
      clock: what times them.
      batch: the images in each call.
    """

    def __init__(
        self, engine: str, threads: int, batch: int, seed: int, *, moved_bytes: int = 0, weight_bytes: int = 0
    ) -> None:
        """Take, beside the settings, how much a network of the space moves for one image and weighs, if it is known."""
        if batch < 1:
            raise ValueError(f"batch must be at least 1, got {batch}")
        self.engine = open_engine(engine, threads)
        self.clock = self.engine.clock
        self.batch = batch
        self._seed = seed
        self._inputs = torch.Generator().manual_seed(seed)
        self._clean = _sweep(self.engine.swept_bytes)
        weights = weight_bytes if weight_bytes > self.engine.cache_bytes else 0  # else its copies fill these
        swept = max(min(batch * moved_bytes, self.engine.swept_bytes), min(weights, self.engine.far_cache_bytes))
        self._sweep = _sweep(swept)

    def operator(self, op: Op, visits: int = 1) -> Workload:
        """Return a workload that runs copies of `op` within its surroundings, visited so often in a round.

        Raises:
          ValueError: when PyTorch cannot run it, or what it computes is not of the shape that it declares.
        """
        module = torch_ops.build(op)
        example = torch_ops.example_inputs(op, self.batch, self._inputs)
        try:
            with torch.inference_mode():
                shape = tuple(module(*example).shape[1:])
        except (RuntimeError, TypeError) as error:
            raise ValueError(f"{op}: PyTorch cannot run it: {str(error).splitlines()[0]}") from error
        if shape != op.output:
            raise ValueError(f"{op}: declares the output {op.output}, but computes {shape}")
        dtype = torch_ops.DTYPES[op.dtype]
        held = sum(weight.nbytes for weight in module.parameters()) + self.batch * dtype.itemsize * touched(op)
        surrounded = Surrounded(op, module).to(dtype).eval()
        prepared = self.engine.prepare(surrounded, seeds(example, self._inputs), self._copies(held))
        return Workload(str(op), *prepared, visits=visits, before=self._sweep)

    def surroundings(self, shape: Shape, dtype: str, visits: int = 1) -> Workload:
        """Return a workload of what surrounds operators of this shape."""
        example = torch.empty(self.batch, *shape, dtype=torch_ops.DTYPES[dtype])
        surroundings = Surroundings(shape).to(example.dtype).eval()
        prepared = self.engine.prepare(surroundings, seeds((example,), self._inputs), self._copies(example.nbytes))
        return Workload(f"surroundings of {shape}", *prepared, visits=visits, before=self._sweep)

    def network(self, module: nn.Module, input_shape: Shape) -> Workload:
        """Return a workload that runs a whole network on standard normal inputs of its own floating type.

        Whatever was visited before, its warm-up finds the caches swept: with operators or among networks alone, its
        latency is the same.
        """
        dtype = next((weight.dtype for weight in module.parameters() if weight.is_floating_point()), torch.float32)
        images = torch.randn(self.batch, *input_shape, generator=self._inputs).to(dtype)
        prepared = self.engine.prepare(settled(module), (images,))
        return Workload(f"a {type(module).__name__}", *prepared, at_first=self._clean)

    def time(
        self, preparations: Sequence[Callable[[], Workload]], rounds: int, progress: Progress | None = None
    ) -> tuple[tuple[Measurement, ...], Visits]:
        """Return a measurement of what each preparation returns, and the visits that they rest on.

        `progress` takes what is prepared for as much as a round.

        Raises:
          ValueError: for fewer than two rounds: without two halves the noise would not be known.
          TooNoisyError: when too few samples were undisturbed.
        """
        if rounds < 2:
            raise ValueError(f"rounds must be at least 2, got {rounds}")
        visits, settled, count = Visits(), set[int](), len(preparations)
        say = progress or _say_nothing
        total = count * (rounds + 1)

        def visited(done: int, visits_in_all: int) -> None:
            say(count + count * rounds * done // visits_in_all, total)

        with self.engine.session():
            workloads = []
            for number, prepare in enumerate(preparations, 1):
                workloads.append(prepare())
                say(number, total)
            rng = np.random.default_rng(self._seed)
            for visits in visit_in_rounds(workloads, rounds, self.clock, rng, progress=visited, settled=settled):
                settled.update(_settled(visits, count))
        say(total, total)
        return _measurements(visits, workloads), visits

    def _copies(self, held_bytes: int) -> int:
        """Return how many copies take turns, so that an operator finds its weights as far away as in a network."""
        return max(1, min(MOST_COPIES, math.ceil(self.engine.cache_bytes / max(held_bytes, 1))))


def _sweep(size_bytes: int) -> Callable[[], object] | None:
    """Return what writes so much memory, or None for less than a page."""
    if size_bytes < 4096:
        return None
    swept = torch.zeros(size_bytes // 4)
    return partial(swept.add_, 1.0)


def _say_nothing(_done: int, _total: int) -> None:
    """Keep progress to oneself."""


def touched(op: Op) -> int:
    """Return how many numbers `op` reads and writes beside its weights, those between its parts included."""
    return sum(map(math.prod, op.inputs)) + sum(math.prod(part.output) for part in op.inner or (op,))


def _settled(visits: Visits, count: int) -> list[int]:
    made = visits.rounds[-1] + 1
    if made < FEWEST_ROUNDS or made % 2:
        return []
    apart = np.maximum(relative_differences(halves_ms(visits, count)), spreads(visits, count))
    return [int(index) for index in np.flatnonzero(apart <= AGREEMENT)]


def _measurements(visits: Visits, workloads: Sequence[Workload]) -> tuple[Measurement, ...]:
    count = len(workloads)
    latencies, halves = estimate_ms(visits, count), halves_ms(visits, count)
    taken = SAMPLES_A_VISIT * np.bincount(visits.workloads, minlength=count)
    for index, workload in enumerate(workloads):
        accepted = len(visits.of(index))
        if accepted < FEWEST_ACCEPTED * taken[index] or not np.isfinite(halves[:, index]).all():
            raise TooNoisyError(
                f"only {accepted} of {taken[index]} samples of {workload.name} were not interrupted; "
                "close other programs, use fewer threads than cores, or measure with threads=1"
            )
    return tuple(_measurement(visits.of(index), latencies[index], halves[:, index]) for index in range(count))


def _measurement(samples_ms: np.ndarray, latency_ms: float, halves: np.ndarray) -> Measurement:
    minimum, quartile, median = np.quantile(samples_ms, [0.0, 0.25, 0.5]).tolist()
    return Measurement(
        float(latency_ms), len(samples_ms), minimum, quartile, median, (float(halves[0]), float(halves[1]))
    )
