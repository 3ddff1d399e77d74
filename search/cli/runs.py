"""Where trials and preparations keep their checkpoints: folders beside the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from evaluators._base import Evaluator, Task
    from spaces.genotype import GenotypeSpace


SHORT_KEY = 16
"""Letters of a preparation's key in the name of its folder."""


def runs_folder(name: str, storage: str) -> Path:
    """Return `runs/NAME` beside an SQLite file; of another storage, in the working folder."""
    return (results_folder(storage) / "runs" / name).resolve()


def preparation_folder(key: str, storage: str) -> Path:
    """Return the folder of a preparation beside an SQLite file, for all studies there; see `runs_folder`."""
    return (results_folder(storage) / "runs" / "preparations" / key[:SHORT_KEY]).resolve()


def results_folder(storage: str) -> Path:
    """Return the folder of an SQLite file; of another storage, the working folder."""
    return Path(storage.removeprefix("sqlite:///")).parent if storage.startswith("sqlite:///") else Path()


@dataclass(frozen=True, slots=True)
class Keeping:
    """An evaluator whose tasks know the preparations' folders, and one of their own, which is not made for them."""

    evaluator: Evaluator
    folder: str
    prepared: tuple[Path, ...] = ()

    def __call__(self, task: Task) -> Any:
        """Return what the evaluator returns for the task with its folder."""
        folder = Path(self.folder) / str(task.number)
        return self.evaluator(dataclasses.replace(task, folder=folder, prepared=self.prepared))

    def shared(self) -> Mapping[str, np.ndarray]:
        """Return what the evaluator would share between workers."""
        return shared_of(self.evaluator)

    def with_shared(self, arrays: Mapping[str, np.ndarray]) -> Keeping:
        """Return this evaluator around one that was given `arrays`."""
        from evaluators._base import Shares

        evaluator = self.evaluator.with_shared(arrays) if isinstance(self.evaluator, Shares) else self.evaluator
        return Keeping(evaluator, self.folder, self.prepared)


@dataclass(frozen=True, slots=True)
class KeepingRecipe:
    """A worker's recipe whose evaluator keeps checkpoints below `folder`, and reads those that are `prepared`."""

    recipe: Callable[[], tuple[GenotypeSpace, Evaluator]]
    folder: str
    prepared: tuple[Path, ...] = ()

    def __call__(self) -> tuple[GenotypeSpace, Evaluator]:
        """Return the space and the evaluator."""
        space, evaluator = self.recipe()
        return space, Keeping(evaluator, self.folder, self.prepared)

    def shared(self) -> Mapping[str, np.ndarray]:
        """Return what the evaluator would share between workers."""
        return shared_of(self()[1])


def shared_of(evaluator: Evaluator) -> Mapping[str, np.ndarray]:
    """Return what an evaluator would share between workers; nothing where it does not know how to."""
    from evaluators._base import Shares

    return evaluator.shared() if isinstance(evaluator, Shares) else {}
