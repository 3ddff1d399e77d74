"""The workers that do a preparation beside its first: as Ray actors, each in its place of the placement group."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.placement_group import get_current_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from evaluators._base import Member
from search.launchers.beside import SOON_S, Beside, Fate, follow, free_port
from search.launchers.remote_worker import lost_reason

if TYPE_CHECKING:
    from search.launchers.cluster import Demand
    from search.launchers.preparing import PreparationRecipe


NOTICE_S = 30.0
"""How long the first worker may take to notice that another is no more, before its process is ended."""


class Follower:
    """Runs in an actor: another worker's part of a preparation."""

    def follow(self, recipe: PreparationRecipe, member: Member) -> str:
        """See `search.launchers.beside.follow`."""
        return follow(recipe, member)


@dataclass(frozen=True, slots=True)
class ActorsBeside:
    """Starts the other workers from the actor of the first, with its environment; Ray ends them when that one is dead.

    Attributes:
      demand: what each of them holds.
    """

    demand: Demand

    @contextlib.contextmanager
    def __call__(self, recipe: PreparationRecipe) -> Iterator[Beside]:
        """Start them; see `search.launchers.beside.StartsOthers`."""
        size, places = recipe.workers, get_current_placement_group()
        host: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        first = Member(0, size, f"{host}:{free_port()}")
        actors = {rank: self._actor(in_place(places, rank)) for rank in range(1, size)}
        refs = [actor.follow.remote(recipe, Member(rank, size, first.address)) for rank, actor in actors.items()]
        over = threading.Event()
        threading.Thread(target=_end_with_a_lost_one, args=(refs, over), daemon=True).start()
        try:
            yield Beside(first, lambda: _fates(refs))
        finally:
            over.set()
            for actor in actors.values():
                with contextlib.suppress(RayError, ValueError):
                    ray.kill(actor, no_restart=True)

    def _actor(self, strategy: PlacementGroupSchedulingStrategy) -> Any:
        actor: Any = ray.remote(Follower)
        return actor.options(
            num_cpus=self.demand.cpus, num_gpus=self.demand.gpus, max_restarts=0, max_task_retries=0,
            scheduling_strategy=strategy,
        ).remote()  # fmt: skip


def in_place(places: Any, rank: int) -> PlacementGroupSchedulingStrategy:
    """Return the strategy that puts an actor where a worker of this rank has its place."""
    return PlacementGroupSchedulingStrategy(places, placement_group_bundle_index=rank)


def _end_with_a_lost_one(refs: Sequence[Any], over: threading.Event) -> None:
    """End this process where another worker is lost or has failed, and the first, which exchanges data with it, hangs.

    A closed connection is noticed at once; NCCL, or a machine that is off, may say nothing for long.
    """
    left = list(refs)
    while left and not over.is_set():
        ended, left = ray.wait(left, timeout=SOON_S)
        if any(_fate(ref).reason for ref in ended) and not over.wait(NOTICE_S):
            os._exit(1)


def _fates(refs: Sequence[Any]) -> list[Fate]:
    ray.wait(list(refs), num_returns=len(refs), timeout=SOON_S)
    return [_fate(ref) for ref in refs]


def _fate(ref: Any) -> Fate:
    try:
        return Fate(ray.get(ref, timeout=0))
    except GetTimeoutError:
        return Fate()
    except RayError as error:
        return Fate(lost_reason(error), lost=True)
