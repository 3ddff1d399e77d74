"""A launch's first look at a study's data: what cannot be trained on is bad input, found before all else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from search.cli.failures import ExitCode, Failure, explain

if TYPE_CHECKING:
    from search.study_file import StudyDefinition


def check_data(definition: StudyDefinition, address: str | None) -> None:
    """Have the evaluator and the preparations read their data.

    Preparations on a cluster that was there before may have files that this machine has not: they look themselves.

    Raises:
      Failure: for files that cannot be read.
      ValueError: for data that cannot be used.
    """
    from evaluators._base import ChecksData

    elsewhere = definition.launcher == "ray" and (address or os.environ.get("RAY_ADDRESS"))
    for part in (definition.evaluator, *(() if elsewhere else definition.preparations)):
        if isinstance(part, ChecksData):
            try:
                part.check_data(definition.space, definition.preparations)
            except OSError as error:
                raise Failure(f"the data cannot be read: {explain(error).message}", ExitCode.BAD_INPUT) from error
            except ValueError as error:
                raise ValueError(f"the data cannot be used: {error}") from error
