"""Studies for the tests of launchers: a small space, and an evaluator given as text, as in a study file."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

from search.algorithms._base import Algorithm
from search.algorithms.exhaustive import Exhaustive
from search.launchers._base import Launcher, Stop
from search.objectives import parse_constraints, parse_objectives
from search.storage import open_storage
from search.study import Study
from search.study_file import StudyRecipe
from search.study_source import StudySource

FILE = """
import os, signal, time
import numpy as np
import pyglove as pg
from evaluators._base import Infeasible

space = pg.Dict(a=pg.oneof(list(range(10))), b=pg.oneof(list(range(10))))
objectives = {"x": "maximize"}

def evaluator(task):
    folder = FOLDER
    number, attempt = task.number, task.attempt
"""


class LaunchedStudy:
    """A study in a database of its own, its first trials listing the space in order: trial n has genotype n."""

    def __init__(
        self,
        folder: Path,
        evaluator: str,
        *,
        max_trials: int = 6,
        constraints: tuple[str, ...] = (),
        retries: int = 2,
        algorithm: Algorithm | None = None,
    ) -> None:
        """Make the study; `evaluator` is the body of the evaluator's function, which knows `number` and `attempt`.

        With another `algorithm` trial n has another genotype than n.
        """
        text = FILE.replace("FOLDER", repr(str(folder))) + indent(dedent(evaluator), "    ")
        self.recipe = StudyRecipe(StudySource(str(folder / "launched.py"), text))
        self.folder = folder
        self.storage = open_storage(f"sqlite:///{folder}/search.db")
        self.study = Study.create_or_resume(
            self.storage,
            "launched",
            self.recipe()[0],
            algorithm or Exhaustive(),
            parse_objectives({"x": "maximize"}),
            parse_constraints(constraints),
            max_trials=max_trials,
            retries=retries,
        )

    def run(self, launcher: Launcher, stop: Stop = lambda: None) -> str:
        """Run the study with a launcher and return why it ended."""
        return launcher.run(self.study, self.recipe, stop)

    def close(self) -> None:
        """Close study and database."""
        self.study.close()
        self.storage.close()

    def states(self) -> list[str]:
        """Return the state of each trial, by number."""
        return [str(state) for state in self.study.trials().states]

    def reason(self, number: int) -> str:
        """Return the first line of why a trial ended as it did."""
        return str(self.study.trials().reasons[number]).partition("\n")[0]

    def attempts(self) -> list[int]:
        """Return how often each trial was started, by number."""
        return [int(attempt) for attempt in self.study.trials().attempts]
