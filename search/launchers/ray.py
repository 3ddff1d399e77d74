"""The Ray launcher: long-lived actors evaluate trials, in batches where they are cheap, and are replaced when lost."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import ray
from ray.exceptions import OutOfMemoryError, RayError

from search.launchers._base import (
    Launcher,
    LauncherError,
    Progress,
    Stop,
    Watch,
    shared_arrays,
    silent,
    tell,
    tell_stopped,
    used_up,
)
from search.launchers.batching import QUEUED, Batching
from search.launchers.cluster import Demand, Room, cluster
from search.launchers.preparing import PreparationEvent, PreparationRecipe
from search.launchers.ray_preparing import prepare_on_ray
from search.launchers.remote_worker import BATCH_S, Call, Pending, RemoteWorker, lost_reason, one_line
from search.launchers.worker import Evaluation, WorkerRecipe, time_out_reason
from search.trials import FINISHED, Trial

if TYPE_CHECKING:
    from search.study import Study

WAIT_S = 0.1
"""How long to wait for an answer before looking at the clock again."""

GRACE_S = 2.0
"""How long evaluations may go on once the run was told to end at once."""

OVERTIME_S = 0.5
"""How far past its time a trial may be before its worker is killed: one that yields is ended by the worker itself."""

START_TRIES = 3
"""How many workers in a row may fail to start, but for want of memory, which passes when somebody else's work ends."""

LOW_MEMORY_PAUSE_S = 10.0
"""The longest pause before another worker is started on nodes that have run low on memory; the first one is of 1 s."""

log = logging.getLogger(__name__)


@dataclass
class RayLauncher(Launcher):
    """Evaluates on a Ray cluster: the one at `address` or `$RAY_ADDRESS`, else one of its own on this machine.

    Attributes:
      workers: how many actors; None: as many as the cluster holds.
      cpus_per_worker, gpus_per_worker: what each of them reserves; parts of a GPU may be shared.
      timeout_s: a trial that takes longer is given up and its worker replaced.
      address: `HEAD:6379`, `ray://HEAD:10001` or `auto`.
      largest_batch: the most trials in a call.
      start_timeout_s: how long there may be no worker, at the beginning or when all were lost.
    """

    name: ClassVar[str] = "ray"

    workers: int | None = None
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0
    timeout_s: float | None = None
    address: str | None = None
    largest_batch: int = 256
    start_timeout_s: float = 300.0

    def run(self, study: Study, recipe: WorkerRecipe, stop: Stop, progress: Progress = silent) -> str:
        """Evaluate the study's trials on actors; see `Launcher.run`."""
        demand = Demand(self.cpus_per_worker, self.gpus_per_worker)
        with cluster(self.address, self.workers, demand, shared_arrays(recipe)) as room:
            run = _Run(self, study, recipe, Watch(study, stop, progress), room)
            try:
                return run.until_the_end()
            finally:
                run.kill_workers()

    def prepare(self, recipes: Sequence[PreparationRecipe], stop: Stop) -> Iterator[PreparationEvent]:
        """Run preparations on an actor each; see `Launcher.prepare`."""
        demand = Demand(self.cpus_per_worker, self.gpus_per_worker)
        with cluster(self.address, self.workers, demand) as room:
            yield from prepare_on_ray(recipes, stop, room, demand, self.start_timeout_s)


class _Run:
    """One run's state: its workers, and the trials that were asked for and are with none of them."""

    def __init__(self, launcher: RayLauncher, study: Study, recipe: WorkerRecipe, watch: Watch, room: Room) -> None:
        self._study, self._recipe, self._watch = study, recipe, watch
        self._demand = Demand(launcher.cpus_per_worker, launcher.gpus_per_worker)
        self._timeout_s, self._start_timeout_s = launcher.timeout_s, launcher.start_timeout_s
        self._batching = Batching(largest=launcher.largest_batch)
        self._waiting: deque[Trial] = deque()
        self._alone: deque[Trial] = deque()
        self._finished = sum(study.counts().get(state, 0) for state in FINISHED)
        self._used_up = False
        self._failed_starts = 0
        self._start_due: float | None = None  # when a worker must be there, where none is; seconds, monotonic
        self._low_memory = 0
        self._vacant: list[float] = []  # when to start a worker in the place of each lost one, seconds, monotonic
        self._room = room
        self._workers = [self._new_worker() for _ in range(room.workers)]

    def until_the_end(self) -> str:
        """Hand out, receive and tell until nothing is left or the run is to end; return why it ended."""
        told_to_end = 0.0
        while True:
            reason = self._watch.look()
            if reason is None:
                told_to_end = 0.0
                if not self._watch.paused:
                    self._hand_out()
            if not self._under_way() and (reason or self._nothing_waits()):
                return self._end(reason or used_up(self._study))
            if self._watch.stopped:
                told_to_end = told_to_end or time.monotonic()
                if time.monotonic() - told_to_end > GRACE_S:
                    return self._end(self._watch.stopped)
            self._receive()
            self._look_at_the_clock()

    def kill_workers(self) -> None:
        """End every actor."""
        for worker in self._workers:
            worker.kill()

    def _end(self, reason: str) -> str:
        """Put back what was not evaluated, and return `reason`."""
        under_way = [trial for worker in self._workers for pending in worker.calls for trial in pending.trials]
        if back := [*self._alone, *self._waiting, *under_way]:
            self._study.put_back(back, reason)
        return self._watch.end(reason)

    # Handing out

    def _hand_out(self) -> None:
        """Give every worker with room something to do, the idlest first."""
        for depth in range(1 if self._batching.streamed or self._alone else QUEUED):
            for worker in self._workers:
                if not worker.starting and len(worker.calls) == depth and worker.free(depth + 1):
                    self._give(worker)

    def _give(self, worker: RemoteWorker) -> None:
        """Hand a worker what comes next; a trial that must run alone goes to an idle one, and nothing behind it."""
        alone = bool(self._alone) and not worker.calls
        if alone:
            trials = [self._alone.popleft()]
        else:
            trials = self._take(1 if self._batching.streamed else self._batching.size(*self._scale()))
        if trials and self._batching.streamed:
            worker.send_first_step(trials[0])
        elif trials:
            worker.send_batch(trials, alone=alone)

    def _scale(self) -> tuple[int, int]:
        return len(self._workers), self._finished

    def _take(self, count: int) -> list[Trial]:
        """Return up to `count` trials: those that came back, else new ones, no more than may be under way."""
        if self._waiting:
            return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
        count = min(count, self._batching.room(*self._scale()) - self._under_way())
        if count < 1 or self._used_up:
            return []
        trials: list[Trial] = self._study.ask(count)
        self._used_up = len(trials) < count
        if self._batching.streamed:
            return trials
        self._alone.extend(trial for trial in trials if trial.attempt > 1)
        return [trial for trial in trials if trial.attempt == 1]

    def _under_way(self) -> int:
        return sum(len(pending.trials) for worker in self._workers for pending in worker.calls)

    def _nothing_waits(self) -> bool:
        return self._used_up and not self._alone and not self._waiting

    # Receiving

    def _receive(self) -> None:
        """Wait a moment for answers, and take in those that came."""
        heads = {worker.calls[0].ref: worker for worker in self._workers if worker.calls}
        if not heads:
            time.sleep(WAIT_S if self._watch.paused or self._vacant else 0.0)
            return
        for ref in ray.wait(list(heads), timeout=WAIT_S)[0]:
            worker = heads[ref]
            pending = worker.pop()
            try:
                answer = ray.get(ref)
            except RayError as error:
                self._failed(worker, pending, error)
            else:
                self._answered(worker, pending, answer)

    def _answered(self, worker: RemoteWorker, pending: Pending, answer: Any) -> None:
        if pending.call is Call.START:
            worker.label, self._failed_starts, self._low_memory = answer, 0, 0
        elif pending.call is Call.BATCH:
            self._tell(worker, pending.trials, answer)
        elif isinstance(answer, Evaluation):
            self._tell(worker, pending.trials, [answer])
        else:
            self._measured(worker, pending, answer)

    def _tell(self, worker: RemoteWorker, trials: Sequence[Trial], evaluations: Sequence[Evaluation]) -> None:
        """Tell what was evaluated; what the worker had no time to begin waits for another call."""
        self._waiting.extendleft(reversed(trials[len(evaluations) :]))
        self._batching.learn(evaluations)
        self._finished += len(evaluations)
        tell(self._study, list(zip(trials, evaluations, strict=False)), worker.label)

    def _measured(self, worker: RemoteWorker, pending: Pending, measured: dict[str, float]) -> None:
        """Report a measurement, and have the trial go on, unless the study says that it has seen enough."""
        trial = pending.trials[0]
        pending.metrics.update(measured)
        if self._study.report(trial, measured, pending.step):
            self._finished += 1
            tell_stopped(self._study, trial, pending.metrics, worker.label, time.monotonic() - pending.began)
        else:
            worker.send_next_step(pending)

    # What goes wrong

    def _look_at_the_clock(self) -> None:
        """Replace workers that were lost, or whose trial is past its time; give up where none is there for long."""
        now = time.monotonic()
        due = [moment for moment in self._vacant if moment <= now]
        self._vacant = [moment for moment in self._vacant if moment > now]
        self._workers += [self._new_worker() for _ in due]
        if any(not worker.starting for worker in self._workers):
            self._start_due = None
        elif self._start_due is None:
            self._start_due = now + self._start_timeout_s
        elif now > self._start_due:
            why = "do the nodes run low on memory?" if self._low_memory else "is the cluster busy, or gone?"
            raise LauncherError(f"no worker of {self._demand} was there for {self._start_timeout_s:g} s; {why}")
        if self._timeout_s is None:
            return
        for worker in list(self._workers):
            head = worker.calls[0] if worker.calls else None
            if head is None or head.call is Call.START:
                continue
            limit_s = self._timeout_s + OVERTIME_S + (BATCH_S if len(head.trials) > 1 else 0.0)
            if now - head.began > limit_s and not ray.wait([head.ref], timeout=0)[0]:
                self._lost(worker, worker.pop(), time_out_reason(self._timeout_s), certain=True)

    def _failed(self, worker: RemoteWorker, pending: Pending, error: RayError) -> None:
        pause_s = 0.0
        if pending.call is Call.START and isinstance(error, OutOfMemoryError):
            pause_s = low_memory_pause_s(self._low_memory)
            self._low_memory += 1
        elif pending.call is Call.START:
            self._failed_starts += 1
            if self._failed_starts >= START_TRIES:
                raise LauncherError(f"workers cannot start: {one_line(error)}") from error
        self._lost(worker, pending, lost_reason(error), pause_s=pause_s)

    def _lost(
        self, worker: RemoteWorker, pending: Pending, reason: str, *, certain: bool = False, pause_s: float = 0.0
    ) -> None:
        """Replace a worker. What it may have been at is run again, and is to blame where that is one trial alone.

        A dying worker takes answers with it that it has just sent, so calls behind `pending` may have begun unless it
        is `certain` that they have not. Where there are several suspects each is run alone, to find out.
        """
        log.warning("worker %s is replaced: %s", worker.label or "(starting)", reason.partition("\n")[0])
        behind = [trial for call in worker.calls for trial in call.trials]
        suspects = list(pending.trials) + ([] if certain else behind)
        if len(suspects) == 1:
            self._study.requeue(suspects[0], reason)
        elif suspects:
            self._study.put_back(suspects, reason)
        self._used_up = self._used_up and not suspects
        self._waiting.extend(behind if certain else ())
        worker.kill()
        self._workers.remove(worker)
        self._vacant.append(time.monotonic() + pause_s)

    def _new_worker(self) -> RemoteWorker:
        return RemoteWorker(self._recipe, self._demand, self._room, self._timeout_s)


def low_memory_pause_s(before: int) -> float:
    """Return how long to wait before another start, after so many in a row that had failed for want of memory."""
    return float(min(2 ** min(before, 10), LOW_MEMORY_PAUSE_S))  # a node may be short of it for days
