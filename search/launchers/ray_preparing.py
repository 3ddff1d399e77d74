"""Preparations on Ray: an actor each worker, as many as there is room for; lost ones go on from checkpoints."""

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
from ray.util.placement_group import placement_group, remove_placement_group

from search.launchers._base import LauncherError
from search.launchers.actors_beside import ActorsBeside, in_place
from search.launchers.beside import WorkerLostError
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


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker beside the first was lost, and with it what all did since the last step."""

    reason: str


Answer = Measured | Lost | str | None
"""A step; a loss; why the job has ended, empty for its end; None while another process works in its folder."""


class Preparer:
    """Runs in an actor: one preparation, or the first worker's part of it, a step at a call."""

    def __init__(self, recipe: PreparationRecipe, start_others: ActorsBeside) -> None:
        self._steps = steps_of(recipe, start_others)

    def next(self) -> Answer:
        """Return the next step, or how the job ended."""
        try:
            step = next(self._steps)
        except StopIteration:
            return ""
        except WorkerLostError as error:
            return Lost(failure_reason(error).partition(": ")[2])
        except (Exception, SystemExit) as error:
            return failure_reason(error)
        if step is None:
            time.sleep(WAIT_S)
        return step


@dataclass(slots=True)
class _Job:
    """A preparation under way.

    Attributes:
      actor: of its first worker.
      places: of its workers, where there are several; asked for at `asked`, seconds, monotonic.
      step, most: the step that comes next, and the most that it ever had; `losses` since then.
    """

    index: int
    recipe: PreparationRecipe
    actor: Any = None
    places: Any = None
    asked: float = 0.0
    step: int = 0
    most: int = 0
    losses: int = 0


def prepare_on_ray(
    recipes: Sequence[PreparationRecipe], stop: Stop, room: Room, demand: Demand, start_timeout_s: float
) -> Iterator[PreparationEvent]:
    """Run preparations on actors; see `Launcher.prepare`. The others go on where one has failed, until this is closed.

    Raises LauncherError where an actor cannot be made, or there is no room for one's workers within the time.
    """
    for recipe in recipes:
        _check_room(recipe.workers, room, demand)
    run = _Run(recipes, room, demand)
    told_to_end = 0.0
    try:
        while run.fill(more=not told_to_end):
            yield from run.receive(more=not told_to_end)
            run.check_places(start_timeout_s)
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
        while more and self._waiting and self._busy() + self._waiting[0].recipe.workers <= self._room.workers:
            self._start(self._waiting.popleft())
        return bool(self._calls)

    def receive(self, *, more: bool) -> Iterator[Step | Ended]:
        """Wait a moment for answers and yield what they say; their actors go on if there is to be `more`."""
        for ref in ray.wait(list(self._calls), timeout=WAIT_S)[0]:
            job = self._calls.pop(ref)
            try:
                answer: Answer = ray.get(ref)
            except RayError as error:
                yield from self._lost(job, lost_reason(error))
                continue
            if isinstance(answer, Lost):
                yield from self._lost(job, answer.reason)
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

    def check_places(self, within_s: float) -> None:
        """Raise LauncherError where the only preparation under way has waited so long for room for its workers."""
        if len(self._calls) != 1:
            return
        (job,) = self._calls.values()
        late = job.places is not None and time.monotonic() - job.asked > within_s
        if late and not job.places.wait(timeout_seconds=0):
            raise LauncherError(
                f"no room for {job.recipe.workers} workers of {self._demand} within {within_s:g} s; is the cluster "
                f"busy? A preparation's workers all start at once"
            )

    def _busy(self) -> int:
        """Return how many workers are at it."""
        return sum(job.recipe.workers for job in self._calls.values())

    def _lost(self, job: _Job, reason: str) -> Iterator[Ended]:
        """Have a job go on in another actor, from its checkpoint, unless it never gets any further."""
        _kill(job)
        job.losses += 1
        if job.losses > LOSSES:
            yield Ended(job.index, f"{reason}\n(lost {job.losses} times at step {job.most})")
        else:
            self._waiting.appendleft(job)

    def _start(self, job: _Job) -> None:
        actor: Any = ray.remote(Preparer)
        environment = {"env_vars": self._room.environment} if self._room.environment else None
        demand, workers = self._demand, job.recipe.workers
        job.asked = time.monotonic()
        if workers > 1:
            job.places = placement_group([demand.bundle] * workers)
        actor = actor.options(
            num_cpus=demand.cpus, num_gpus=demand.gpus, max_restarts=0, max_task_retries=0,
            runtime_env=environment, scheduling_strategy=in_place(job.places, 0) if job.places else None,
        )  # fmt: skip
        try:
            job.actor = actor.remote(job.recipe, ActorsBeside(demand))
        except (TypeError, ValueError, PicklingError) as error:
            raise LauncherError(f"a preparation cannot be sent to its worker: {one_line(error)}") from error
        job.step = 0
        self._calls[job.actor.next.remote()] = job


def _kill(job: _Job) -> None:
    """End a job's actors: the first, and with the places of all those that are in them."""
    with contextlib.suppress(RayError, ValueError):
        ray.kill(job.actor, no_restart=True)
    if job.places is not None:
        remove_placement_group(job.places)


def _check_room(workers: int, room: Room, demand: Demand) -> None:
    """Raise LauncherError where a preparation's workers cannot all be at it at once."""
    if workers > room.workers:
        raise LauncherError(
            f"a preparation of {workers} workers, each of {demand}, needs them all at once, and there are "
            f"{room.workers}: launch with --workers {workers}, on a cluster that holds them, or set fewer in it"
        )
    if workers > 1 and 0 < demand.gpus < 1:
        raise LauncherError(f"workers that train together need a GPU each: gpus_per_worker is {demand.gpus:g}, not 1")
