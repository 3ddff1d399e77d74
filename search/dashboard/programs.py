"""What the dashboard asks of a study's program, which only the command line may load: operators and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from hardware_models._base import AdditiveModel
    from hardware_models.documents import DeviceModel
    from hardware_models.op import Op
    from search.study_view import StudyView


class Programs(Protocol):
    """Studies' programs. Nothing that a database names is executed: see `search/cli/programs.py`."""

    def why_not(self, study: StudyView) -> str:
        """Return why a study's program is not at hand, in one line; "" where it is."""

    def ops(self, study: StudyView, genotype: np.ndarray) -> Sequence[Op]:
        """Return the operators of a genotype's network. Raises ValueError where it has none."""

    def estimates(self, study: StudyView) -> Mapping[str, AdditiveModel]:
        """Return the latencies that the program estimates operator by operator, by metric. Raises ValueError."""

    def costs(self, study: StudyView, model: DeviceModel, genotypes: np.ndarray) -> np.ndarray:
        """Return the latency in ms, shape (n,), of genotypes (n, width). Raises ValueError, LookupError."""


class NoPrograms:
    """No study's program is at hand."""

    def why_not(self, study: StudyView) -> str:
        """Return what to do."""
        return f"the program of {study.name} is not loaded: start the dashboard with --study FILE"

    def ops(self, study: StudyView, genotype: np.ndarray) -> Sequence[Op]:  # noqa: ARG002
        """Raise ValueError."""
        raise ValueError(self.why_not(study))

    def estimates(self, study: StudyView) -> Mapping[str, AdditiveModel]:
        """Raise ValueError."""
        raise ValueError(self.why_not(study))

    def costs(self, study: StudyView, model: DeviceModel, genotypes: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Raise ValueError."""
        raise ValueError(self.why_not(study))


NO_PROGRAMS = NoPrograms()
