"""A preparation of a study file on its way to the process that runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluators._base import Member
    from evaluators._preparation import Progress
    from search.costing.additive import AdditiveCosts
    from search.study_file import StudyRecipe


@dataclass(frozen=True, slots=True)
class StudyPreparation:
    """Loads the study file again and runs one of its preparations. No object of the user's is pickled.

    Attributes:
      study: what loads the study file.
      index: the preparation's place in it.
      folder: of the job.
      costs: of the metric that it asks for.
      seed: the study's.
      workers: how many processes do it together.
    """

    study: StudyRecipe
    index: int
    folder: str
    costs: AdditiveCosts | None
    seed: int
    workers: int = 1

    def __call__(self, member: Member | None = None) -> Iterator[Progress]:
        """Run the job, or do one worker's part of it."""
        from evaluators._preparation import Costs, Job

        definition, of = self.study.definition(), self.costs
        costs = None if of is None else Costs(of.metric, of.constant, of.terms)
        job = Job(definition.space, Path(self.folder), costs, self.seed, member)
        running: Iterator[Progress] = iter(definition.preparations[self.index](job))
        return running
