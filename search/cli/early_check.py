"""A launch's first look at what a study needs: data that cannot be trained on is found before anything is measured."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from search.cli.failures import ExitCode, Failure, explain

if TYPE_CHECKING:
    from search.study_file import StudyDefinition


def check_early(definition: StudyDefinition, address: str | None) -> None:
    """Have the evaluator and the preparations read their data, and look whether they fit each other.

    Preparations on a cluster that was there before may have files that this machine has not: they look themselves.
    Whether that cluster answers is looked at instead.

    Raises:
      Failure: for files that cannot be read.
      LauncherError: for a cluster that does not answer.
      ValueError: for what cannot be used.
    """
    from evaluators._base import ChecksEarly

    elsewhere = definition.launcher == "ray" and (address or os.environ.get("RAY_ADDRESS"))
    if elsewhere:
        from search.launchers.cluster import reach

        reach(elsewhere)
    for part in (definition.evaluator, *(() if elsewhere else definition.preparations)):
        if isinstance(part, ChecksEarly):
            try:
                part.check_early(definition.space, definition.preparations)
            except OSError as error:
                raise Failure(explain(error).message, ExitCode.BAD_INPUT) from error
