"""The programs of stored studies: files named on the command line, and shipped ones whose space is the stored one."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from search.study_devices import LATENCY

if TYPE_CHECKING:
    import numpy as np

    from hardware_models._base import AdditiveModel
    from hardware_models.documents import DeviceModel
    from hardware_models.op import Op
    from search.study_file import StudyDefinition
    from search.study_view import StudyView


NUMBER = re.compile(r"-?\d{1,6}(\.\d{1,12})?(e-?\d{1,2})?", re.ASCII)
START = "start the dashboard with --study"


class StudyPrograms:
    """Loads study files: those that were given, when this is made, and shipped ones when they are first needed.

    What a database names is never run: a name in it picks one of the files that come with the project, and numbers
    that were set are set again.
    """

    def __init__(self, files: Sequence[str] = ()) -> None:
        """Load the files. Raises StudyFileError."""
        from search.study_file import load_study_file, shipped_studies

        self._lock = threading.Lock()
        self._found = {made.space.fingerprint: made for made in map(load_study_file, files)}
        self._shipped = frozenset(shipped_studies())
        self._tried: set[tuple[object, ...]] = set()

    def why_not(self, study: StudyView) -> str:
        """Return why a study's program is not at hand, in one line; "" where it is."""
        if self._definition(study) is not None:
            return ""
        named, overrides = study.settings.get("study"), study.settings.get("overrides")
        if named in self._shipped and isinstance(overrides, dict) and overrides:
            said = ", ".join(f"{key}={value}" for key, value in overrides.items())
            return f"this study was launched with {said}: write that into a copy of {named}'s file, and {START} FILE"
        file = study.settings.get("study_file", "FILE")
        return f"no loaded study file has the space of {study.name}: {START} {file}"

    def ops(self, study: StudyView, genotype: np.ndarray) -> Sequence[Op]:
        """Return the operators of a genotype's network, as all of the space changes it. Raises ValueError for none."""
        from hardware_models.architecture import architecture_of

        candidate: Any = architecture_of(self._needed(study).space.decode(genotype))
        if not callable(getattr(candidate, "ops", None)):
            raise ValueError(f"candidates of {study.name} have no ops(), which would list their operators")
        return tuple(candidate.ops())

    def estimates(self, study: StudyView) -> Mapping[str, AdditiveModel]:
        """Return the latencies that the study's program estimates operator by operator, by metric."""
        from hardware_models._base import AdditiveModel

        return {
            model.metrics[0]: model
            for model in self._needed(study).hardware_models
            if isinstance(model, AdditiveModel) and len(model.metrics) == 1 and model.metrics[0].startswith(LATENCY)
        }

    def costs(self, study: StudyView, model: DeviceModel, genotypes: np.ndarray) -> np.ndarray:
        """Return the latency in ms, shape (n,), of genotypes (n, width), by a table of operators.

        Raises ValueError, and LookupError for an operator that the table does not hold.
        """
        from search.known_metrics import KnownMetrics

        known = KnownMetrics(self._needed(study).space, [model])
        return known(genotypes)[:, known.names.index(LATENCY)]

    def _needed(self, study: StudyView) -> StudyDefinition:
        found = self._definition(study)
        if found is None:
            raise ValueError(self.why_not(study))
        return found

    def _definition(self, study: StudyView) -> StudyDefinition | None:
        """Return the program whose space is the study's; a shipped one is tried, with the numbers that were set."""
        from search.study_file import load_study_file

        named, numbers = study.settings.get("study"), _numbers(study.settings.get("overrides"))
        attempt = (named, tuple(sorted(numbers.items())))
        with self._lock:
            if study.fingerprint not in self._found and named in self._shipped and attempt not in self._tried:
                self._tried.add(attempt)
                try:
                    made = load_study_file(str(named), numbers)
                except ValueError:
                    return None
                self._found.setdefault(made.space.fingerprint, made)
            return self._found.get(study.fingerprint)


def _numbers(overrides: object) -> dict[str, str]:
    """Return those stored overrides that are numbers: no path, and nothing long, is taken from a database."""
    pairs = overrides.items() if isinstance(overrides, Mapping) else ()
    return {str(key): text for key, text in pairs if isinstance(text, str) and NUMBER.fullmatch(text)}
