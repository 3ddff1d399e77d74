"""Preparations as launchers run them: steps that are checked as they come, one process at a time in a folder."""

from __future__ import annotations

import fcntl
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from evaluators._base import Member
from search.launchers.beside import StartsOthers, processes_beside
from search.launchers.worker import failure_reason

if TYPE_CHECKING:
    from search.launchers._base import Stop

LOCK = ".lock"
"""The file of a preparation's folder that is locked by the process that works in it, until that is dead."""

WAIT_S = 0.2
"""How long to wait before asking for the lock again."""


class PreparationRecipe(Protocol):
    """Makes a job and runs it. Must be picklable where workers are other processes."""

    @property
    def folder(self) -> str:
        """Where the job keeps its checkpoints: made already, and shared by all machines that may run it."""

    @property
    def workers(self) -> int:
        """How many processes do the job together."""

    def __call__(self, member: Member | None = None) -> Iterator[Any]:
        """Run the job; yield what has a `share` and `metrics` after each step that is checkpointed.

        With several workers it is called in each, with its place among them. Raises ConnectionError where another one
        of them no longer answers.
        """


@dataclass(frozen=True, slots=True)
class Step:
    """What a preparation, by its place in the list, has done: step 0, 1, ...; a resumed one begins at 0 again."""

    index: int
    step: int
    share: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ended:
    """A preparation is done, or has failed where there is a `reason`: one line, then the end of the traceback."""

    index: int
    reason: str = ""


PreparationEvent = Step | Ended | None
"""What has happened; None for nothing, so that whoever listens can look at the clock."""

Measured = tuple[float, dict[str, float]]


def steps_of(recipe: PreparationRecipe, start_others: StartsOthers = processes_beside) -> Iterator[Measured | None]:
    """Yield share and metrics of each step of a job; None while another process works in its folder.

    This process is the only worker or, with others that are started, the first.
    Raises what the job does, TypeError or ValueError for what is no progress, or not finite, WorkerLostError where
    another worker was lost, and RuntimeError where one failed.
    """
    with _lock(Path(recipe.folder)) as locked:
        while not locked():
            yield None
        for progress in recipe() if recipe.workers == 1 else _together(recipe, start_others):
            yield _checked(progress)


def _together(recipe: PreparationRecipe, start_others: StartsOthers) -> Iterator[Any]:
    with start_others(recipe) as beside:
        try:
            yield from recipe(beside.first)
        except ConnectionError as error:
            raise beside.explained(error) from error


def prepare_here(recipes: Sequence[PreparationRecipe], stop: Stop) -> Iterator[PreparationEvent]:
    """Run preparations one after the other in this process; see `Launcher.prepare`."""
    for index, recipe in enumerate(recipes):
        step = 0
        with closing(steps_of(recipe)) as steps:  # type: ignore[type-var]  # it is a generator
            while not stop():
                try:
                    measured = next(steps)
                except StopIteration:
                    yield Ended(index)
                    break
                except (Exception, SystemExit) as error:
                    yield Ended(index, failure_reason(error))
                    return
                if measured is None:
                    time.sleep(WAIT_S)
                    yield None
                else:
                    yield Step(index, step, *measured)
                    step += 1
            else:
                return


def is_worked_on(folder: Path) -> bool:
    """Return whether a process works on the preparation of a folder; False where the folder is not there."""
    if not (folder / LOCK).exists():
        return False
    with _lock(folder) as take:
        return not take()


@contextmanager
def _lock(folder: Path) -> Iterator[Callable[[], bool]]:
    """Give what takes the folder's lock and says whether it has; it is free again at the end, or with the process."""
    with (folder / LOCK).open("a") as file:

        def take() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        yield take


def _checked(progress: Any) -> Measured:
    share, metrics = getattr(progress, "share", None), getattr(progress, "metrics", None)
    if not isinstance(share, Real) or not isinstance(metrics, Mapping):
        raise TypeError(f"a preparation yielded {progress!r}: expected a Progress of a share and metrics")
    if not 0 <= float(share) <= 1:
        raise ValueError(f"a preparation says that its share done is {share}: expected a number from 0 to 1")
    for name, value in metrics.items():
        if not isinstance(name, str) or not isinstance(value, Real):
            raise TypeError(f"a preparation measured {name!r} as {value!r}: expected names and numbers")
        if not math.isfinite(value):
            raise ValueError(f"a preparation measured {name} as {float(value)}: expected a finite number")
    return float(share), {name: float(value) for name, value in metrics.items()}
