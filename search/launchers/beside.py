"""The workers that do a preparation beside its first: as processes of this machine; what to say when one is lost."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING

from evaluators._base import Member
from search.launchers.worker import failure_reason

if TYPE_CHECKING:
    from search.launchers.preparing import PreparationRecipe

SOON_S = 5.0
"""How long the first worker, when it no longer hears from the others, waits to learn what became of each."""


class WorkerLostError(RuntimeError):
    """One of several workers of a preparation was lost; all can go on from the last checkpoint."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a worker: why it failed, or, if it was `lost`, how; no reason where it has done its part."""

    reason: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """The workers beside the first, as that one knows them.

    Attributes:
      first: the first worker's own place.
      fates: returns what became of each of the others so far, by rank.
    """

    first: Member
    fates: Callable[[], Sequence[Fate]]

    def explained(self, error: ConnectionError) -> RuntimeError:
        """Return what to raise where the first worker does not hear from the others: what ended one of these."""
        fates = sorted(enumerate(self.fates(), 1), key=lambda each: each[1].lost)
        for rank, fate in fates:
            if fate.reason:
                line, _, trace = fate.reason.partition("\n")
                found = WorkerLostError if fate.lost else RuntimeError
                explained = found(f"worker {rank} of {self.first.size}: {line}")
                explained.add_note(trace)
                return explained
        return WorkerLostError(str(error))


StartsOthers = Callable[["PreparationRecipe"], AbstractContextManager[Beside]]
"""Starts the other workers of a preparation, and ends them at its exit."""


def follow(recipe: PreparationRecipe, member: Member) -> str:
    """Do another worker's part of a preparation; return why it failed: nothing where it did not, or lost the others."""
    try:
        for _ in recipe(member):
            pass
    except ConnectionError:
        return ""
    except (Exception, SystemExit) as error:
        return failure_reason(error)
    return ""


def free_port() -> int:
    """Return a port that nobody listens at now."""
    with socket.create_server(("", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def processes_beside(recipe: PreparationRecipe) -> Iterator[Beside]:
    """Start the other workers as processes of this machine, which end with this one."""
    size, context = recipe.workers, get_context("spawn")
    first = Member(0, size, f"127.0.0.1:{free_port()}", sharing=size)
    started: list[tuple[SpawnProcess, Connection]] = []
    try:
        for rank in range(1, size):
            answers, theirs = context.Pipe(duplex=False)
            member = Member(rank, size, first.address, sharing=size)
            process = context.Process(target=_follow, args=(recipe, member, theirs), daemon=True)
            process.start()
            theirs.close()
            started.append((process, answers))
        yield Beside(first, lambda: [_fate(*each) for each in started])
    finally:
        for process, answers in started:
            process.kill()
            process.join()
            answers.close()


def _follow(recipe: PreparationRecipe, member: Member, answers: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the first worker's to hear
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    answers.send(follow(recipe, member))


def _end_with_the_first() -> None:
    first = parent_process()
    if first is not None:
        first.join()
    os._exit(1)


def _fate(process: SpawnProcess, answers: Connection) -> Fate:
    """Return what became of a process; nothing while it is still at it."""
    if not answers.poll(SOON_S):
        return Fate()
    try:
        return Fate(answers.recv())
    except EOFError:
        process.join()
        return Fate(f"its process {process.pid} died ({_exit_of(process.exitcode or 0)})", lost=True)


def _exit_of(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
