"""A worker in a Ray actor, as its driver sees it: the calls it was given, and why it was lost."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pickle import PicklingError
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, NodeDiedError, OutOfMemoryError, RayActorError, RayError

from search.launchers._base import LauncherError, assignment
from search.launchers.cluster import Demand, Room
from search.launchers.worker import REASON_CHARACTERS, Worker, WorkerRecipe
from search.trials import Trial

BATCH_S = 1.0
"""When a worker begins no more of a batch, and answers with what it has."""


class Call(Enum):
    """What a worker was asked."""

    START = "start"
    BATCH = "batch"
    STEP = "step"


@dataclass(slots=True)
class Pending:
    """A call that was sent.

    Attributes:
      trials: what it evaluates; exactly one for a STEP.
      began: when it came to be the worker's next call, or, for a STEP, when its trial did; seconds, monotonic.
      metrics, step: what a STEP's trial has given so far.
      alone: whether no other call may be sent before this one is answered.
    """

    call: Call
    ref: Any
    trials: Sequence[Trial] = ()
    began: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    step: int = 0
    alone: bool = False


class RemoteWorker:
    """One actor, and the calls it was given, the one it runs first."""

    def __init__(self, recipe: WorkerRecipe, demand: Demand, room: Room, timeout_s: float | None) -> None:
        """Ask Ray for the actor; it is there when the START call is answered."""
        actor: Any = ray.remote(Worker)
        actor = actor.options(
            num_cpus=demand.cpus,
            num_gpus=demand.gpus,
            max_restarts=0,
            max_task_retries=0,
            runtime_env={"env_vars": room.environment} if room.environment else None,
        )
        try:
            self._actor = actor.remote(recipe, timeout_s, BATCH_S, room.shared)
        except (TypeError, ValueError, PicklingError) as error:
            raise LauncherError(f"what workers hold cannot be sent to them: {one_line(error)}") from error
        self.label = ""
        self.calls: deque[Pending] = deque()
        self._push(Pending(Call.START, self._actor.where.remote()))

    @property
    def starting(self) -> bool:
        """Whether the actor is not there yet."""
        return bool(self.calls) and self.calls[0].call is Call.START

    def free(self, queued: int) -> int:
        """Return how many more batches the worker can take, when `queued` are the most."""
        busy = bool(self.calls) and (self.calls[0].call is not Call.BATCH or self.calls[0].alone)
        return 0 if busy else max(0, queued - len(self.calls))

    def send_batch(self, trials: Sequence[Trial], *, alone: bool = False) -> None:
        """Have trials evaluated in one call, which may leave out the last ones when `BATCH_S` is over."""
        ref = self._actor.run.remote([assignment(trial) for trial in trials])
        self._push(Pending(Call.BATCH, ref, trials, alone=alone))

    def send_first_step(self, trial: Trial) -> None:
        """Have a trial evaluated up to its first measurement; what was evaluated step by step before is dropped."""
        self._push(Pending(Call.STEP, self._actor.begin.remote(assignment(trial)), (trial,)))

    def send_next_step(self, before: Pending) -> None:
        """Have the trial at hand evaluated up to its next measurement."""
        after = Pending(Call.STEP, self._actor.advance.remote(), before.trials, 0.0, before.metrics, before.step + 1)
        self._push(after)
        after.began = before.began

    def pop(self) -> Pending:
        """Remove and return the call that was answered; the next one begins now."""
        done = self.calls.popleft()
        if self.calls:
            self.calls[0].began = time.monotonic()
        return done

    def kill(self) -> None:
        """End the actor's process; one that is gone already is none the less dead."""
        with contextlib.suppress(RayError, ValueError):
            ray.kill(self._actor, no_restart=True)

    def _push(self, pending: Pending) -> None:
        pending.began = time.monotonic()
        self.calls.append(pending)


def lost_reason(error: BaseException) -> str:
    """Return why a worker was lost: one line of ours, then what Ray says of it."""
    if isinstance(error, OutOfMemoryError):
        line = "out of memory: Ray ended the worker because its node ran low"
    elif isinstance(error, NodeDiedError | ActorUnavailableError):
        line = "the worker's node was lost, or cannot be reached"
    elif isinstance(error, RayActorError):
        line = "the worker's process died"
    else:
        line = f"the worker failed: {one_line(error)}"
    return f"{line}\n{str(error)[:REASON_CHARACTERS]}"


def one_line(error: BaseException) -> str:
    """Return the last line that an error has to say, which for errors from other processes is their own message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:500] if lines else type(error).__name__
