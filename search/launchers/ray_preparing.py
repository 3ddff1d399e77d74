"""Preparations on Ray: an actor each, as many at once as there is room for; a lost one goes on from its checkpoint."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from search.launchers._base import LauncherError
from search.launchers.preparing import (
    WAIT_S,
    Ended,
    Measured,
    PreparationEvent,
    PreparationRecipe,
    Step,
    steps_of,
)
from search.launchers.remote_worker import lost_reason, one_line
from search.launchers.worker import failure_reason

if TYPE_CHECKING:
    from search.launchers._base import Stop
    from search.launchers.cluster import Demand, Room

LOSSES = 3
"""How often an actor may be lost without a new step before its preparation has failed."""

GRACE_S = 2.0
"""How long steps at hand may go on once the run was told to end."""

Answer = Measured | str | None
"""A step; the reason why the job has ended, empty for its end; None while another process works in its folder."""


class Preparer:
    """Runs in an actor: one preparation, a step at a call."""

    def __init__(self, recipe: PreparationRecipe) -> None:
        self._steps = steps_of(recipe)

    def next(self) -> Answer:
        """Return the next step, or how the job ended."""
        try:
            step = next(self._steps)
        except StopIteration:
            return ""
        except (Exception, SystemExit) as error:
            return failure_reason(error)
        if step is None:
            time.sleep(WAIT_S)
        return step


@dataclass(slots=True)
class _Job:
    """A preparation under way: its actor, the step that comes next, the most steps it ever had, its losses since."""

    index: int
    recipe: PreparationRecipe
    actor: Any = None
    step: int = 0
    most: int = 0
    losses: int = 0


def prepare_on_ray(
    recipes: Sequence[PreparationRecipe], stop: Stop, room: Room, demand: Demand
) -> Iterator[PreparationEvent]:
    """Run preparations on actors; see `Launcher.prepare`. The others go on where one has failed, until this is closed.

    Raises LauncherError where an actor cannot be made.
    """
    run = _Run(recipes, room, demand)
    told_to_end = 0.0
    try:
        while run.fill(more=not told_to_end):
            yield from run.receive(more=not told_to_end)
            yield None
            if stop():
                told_to_end = told_to_end or time.monotonic()
                if time.monotonic() - told_to_end > GRACE_S:
                    return
    finally:
        run.kill()


class _Run:
    """The jobs of one run: those that wait, and those whose actors are at a step."""

    def __init__(self, recipes: Sequence[PreparationRecipe], room: Room, demand: Demand) -> None:
        self._waiting = deque(_Job(index, recipe) for index, recipe in enumerate(recipes))
        self._calls: dict[Any, _Job] = {}
        self._room, self._demand = room, demand

    def fill(self, *, more: bool) -> bool:
        """Start jobs where there is room; return whether any is under way."""
        while more and self._waiting and len(self._calls) < self._room.workers:
            self._start(self._waiting.popleft())
        return bool(self._calls)

    def receive(self, *, more: bool) -> Iterator[Step | Ended]:
        """Wait a moment for answers and yield what they say; their actors go on if there is to be `more`."""
        for ref in ray.wait(list(self._calls), timeout=WAIT_S)[0]:
            job = self._calls.pop(ref)
            try:
                answer: Answer = ray.get(ref)
            except RayError as error:
                yield from self._lost(job, error)
                continue
            if isinstance(answer, str):
                _kill(job)
                yield Ended(job.index, answer)
                continue
            if answer is not None:
                yield Step(job.index, job.step, *answer)
                job.step += 1
                job.losses, job.most = (0, job.step) if job.step > job.most else (job.losses, job.most)
            if more:
                self._calls[job.actor.next.remote()] = job

    def kill(self) -> None:
        """End every actor."""
        for job in self._calls.values():
            _kill(job)

    def _lost(self, job: _Job, error: RayError) -> Iterator[Ended]:
        """Have a job go on in another actor, from its checkpoint, unless it never gets any further."""
        _kill(job)
        job.losses += 1
        if job.losses > LOSSES:
            yield Ended(job.index, f"{lost_reason(error)}\n(lost {job.losses} times at step {job.most})")
        else:
            self._waiting.appendleft(job)

    def _start(self, job: _Job) -> None:
        actor: Any = ray.remote(Preparer)
        environment = {"env_vars": self._room.environment} if self._room.environment else None
        actor = actor.options(
            num_cpus=self._demand.cpus, num_gpus=self._demand.gpus, max_restarts=0, max_task_retries=0,
            runtime_env=environment,
        )  # fmt: skip
        try:
            job.actor = actor.remote(job.recipe)
        except (TypeError, ValueError, PicklingError) as error:
            raise LauncherError(f"a preparation cannot be sent to its worker: {one_line(error)}") from error
        job.step = 0
        self._calls[job.actor.next.remote()] = job


def _kill(job: _Job) -> None:
    with contextlib.suppress(RayError, ValueError):
        ray.kill(job.actor, no_restart=True)
