"""What an algorithm can be asked to do: its class says so, and the contract tests try each claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from search.algorithms._base import Problem


@dataclass(frozen=True, slots=True)
class Supports:
    """What an algorithm can be asked to do with its default settings.

    Attributes:
      objectives: the most that it takes; None for any number.
      constraints: `any`, or `known` if it learns nothing from violations that only an evaluation shows. What known
        metrics forbid is proposed by none.
      conditional: spaces in which a decision exists only under a choice of another.
      floats: spaces with open floats.
      batches: several proposals before the first of their results.
      exact_resume: whether it goes on, restored, with the very proposals that it would have made.
    """

    objectives: int | None = None
    constraints: Literal["any", "known"] = "any"
    conditional: bool = True
    floats: bool = True
    batches: bool = True
    exact_resume: bool = True


def check_supported(name: str, supports: Supports, problem: Problem) -> None:
    """Raise ValueError, saying what to do, where `problem` asks for more than algorithm `name` supports."""
    most = supports.objectives
    if most is not None and problem.objectives > most:
        raise ValueError(
            f"{name} takes {f'up to {most} objectives' if most > 1 else 'one objective'}, "
            f"got {problem.objectives}; use algorithm = 'nsga2'"
        )
    if not supports.floats and problem.space.size is None:
        raise ValueError(f"{name} needs a finite space, and this one has open floats; use algorithm = 'random'")
    if not supports.conditional and any(column.parent >= 0 for column in problem.space.columns):
        raise ValueError(
            f"{name} needs a space without conditional decisions, and this one has some; use algorithm = 'random'"
        )
