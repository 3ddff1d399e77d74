"""Study files: Python files of assignments (`space`, `evaluator`, `objectives`, ...), loaded into a definition."""

from __future__ import annotations

import ast
import linecache
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyglove as pg

from evaluators._base import Evaluator, Shares
from search.algorithms._base import Algorithm
from search.algorithms.registry import algorithm_of
from search.objectives import Constraint, Objective, parse_constraints, parse_objectives
from search.study_devices import LATENCY, StudyDevice
from search.study_settings import SETTINGS
from search.study_source import (
    StudyFileError,
    StudySource,
    assigned_lines,
    describe,
    find_study,
    misspelt,
    parse,
    shipped_studies,
)
from spaces.genotype import GenotypeSpace

__all__ = ["StudyDefinition", "StudyFileError", "StudyRecipe", "load_study_file", "shipped_studies"]

REQUIRED = {
    "space": "a symbolic value with open choices, e.g. `space = nasbench201()`",
    "evaluator": "a callable that yields metrics, e.g. `evaluator = Table('cifar10')`",
    "objectives": "metrics and directions, e.g. `objectives = {'accuracy': 'maximize'}`",
}
SETTABLE = ("algorithm", "objectives", "constraints", *SETTINGS)
KNOWN = ("space", "evaluator", *SETTABLE)
_LOADED = "__study_definition__"


@dataclass(frozen=True, slots=True)
class StudyDefinition:
    """What a study file says, checked. See `search.study_settings` for what each setting means."""

    source: StudySource
    description: str
    space: GenotypeSpace
    evaluator: Evaluator
    algorithm: Algorithm
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    max_trials: int
    seed: int
    launcher: str
    workers: int | None
    cpus_per_worker: float
    gpus_per_worker: float
    timeout_s: float | None
    retries: int
    device: str
    devices: tuple[StudyDevice, ...]
    engine: str
    threads: int
    batch: int
    anchors: int
    measure: int
    hardware_models: tuple[Any, ...]
    preparations: tuple[Any, ...]
    report: tuple[str, ...]
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """The file's name without its folder and ending."""
        return self.source.name

    @property
    def recipe(self) -> StudyRecipe:
        """What a worker needs to have the same space and evaluator."""
        return StudyRecipe(self.source)

    @property
    def named(self) -> tuple[str, ...]:
        """The metrics that objectives, constraints, the report and preparations name, each once."""
        aims, bounds = (item.metric for item in self.objectives), (item.metric for item in self.constraints)
        costs = (item.cost for item in self.preparations if item.cost is not None)
        return tuple(dict.fromkeys([*aims, *bounds, *self.report, *costs]))

    @property
    def given(self) -> frozenset[str]:
        """The metrics that the evaluator promises, and those of the hardware models that the file holds."""
        models = (*self.hardware_models, *(device.model for device in self.devices if device.model is not None))
        promised = getattr(self.evaluator, "metrics", ())
        return frozenset([*promised, *(metric for model in models for metric in model.metrics)])


@dataclass(frozen=True, slots=True)
class StudyRecipe:
    """Loads the study file's text again in a worker. Holds plain strings only, so no user's object is pickled."""

    source: StudySource

    def __call__(self) -> tuple[GenotypeSpace, Evaluator]:
        """Return the space and the evaluator."""
        loaded = self.definition()
        return loaded.space, loaded.evaluator

    def definition(self) -> StudyDefinition:
        """Return the whole definition: in a process that has loaded the same source, the one it loaded."""
        loaded = getattr(sys.modules.get(_module_name(self.source)), _LOADED, None)
        if not isinstance(loaded, StudyDefinition) or loaded.source != self.source:
            loaded = load_source(self.source)
        return loaded

    def shared(self) -> Mapping[str, np.ndarray]:
        """Return the arrays that the file's evaluator would share between workers; none where it shares nothing."""
        evaluator = self()[1]
        return evaluator.shared() if isinstance(evaluator, Shares) else {}


def load_study_file(name_or_path: str, overrides: Mapping[str, str] | None = None) -> StudyDefinition:
    """Return the study of a shipped name or of a file's path, with `--set` overrides (name -> text) applied.

    Runs the file. Raises StudyFileError, one line with file and line number, for whatever is wrong with it.
    """
    return load_source(find_study(name_or_path, overrides))


def load_source(source: StudySource) -> StudyDefinition:
    """Return the definition that the source, run as a module named `study_<file's name>`, makes."""
    tree = parse(source, SETTABLE)
    suspect = misspelt(tree, KNOWN)
    if suspect:
        name, meant = suspect
        line = assigned_lines(tree)[name]
        raise StudyFileError(
            source.path, line, f"`{name}` is not used; did you mean `{meant}`? (else call it `_{name}`)"
        )
    module = _run(source, tree)
    definition = _define(source, vars(module), _Places(source, assigned_lines(tree)))
    setattr(module, _LOADED, definition)
    return definition


@dataclass(frozen=True, slots=True)
class _Places:
    """Where each name of a file was assigned, to say so in errors."""

    source: StudySource
    lines: dict[str, int]

    def error(self, name: str, message: str) -> StudyFileError:
        override = dict(self.source.overrides).get(name)
        if override is not None:
            return StudyFileError(self.source.path, None, f"--set {name}={override}: {message}")
        return StudyFileError(self.source.path, self.lines.get(name), f"{name}: {message}")


def _module_name(source: StudySource) -> str:
    return "study_" + "".join(letter if letter.isalnum() else "_" for letter in source.name)


def _run(source: StudySource, tree: ast.Module) -> types.ModuleType:
    module = types.ModuleType(_module_name(source))
    module.__file__ = source.path
    linecache.cache[source.path] = (len(source.text), None, source.text.splitlines(keepends=True), source.path)
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        exec(compile(tree, source.path, "exec", dont_inherit=True), vars(module))  # noqa: S102 - the user's own program
    except (Exception, SystemExit) as error:
        if before is None:
            del sys.modules[module.__name__]
        else:
            sys.modules[module.__name__] = before
        raise StudyFileError(source.path, _line(error, source.path), f"{type(error).__name__}: {error}") from error
    return module


def _line(error: BaseException, path: str) -> int | None:
    """Return the line of the study file that was running when the error was raised."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _define(source: StudySource, values: dict[str, Any], places: _Places) -> StudyDefinition:
    for name, example in REQUIRED.items():
        if name not in values:
            raise StudyFileError(source.path, None, f"`{name}` is missing: assign {example}")
    if not callable(values["evaluator"]) or isinstance(values["evaluator"], type):
        raise places.error("evaluator", f"expected {REQUIRED['evaluator']}; got {_shown(values['evaluator'])}")
    definition = StudyDefinition(
        source=source,
        description=describe(source.text),
        space=_space(values["space"], places),
        evaluator=values["evaluator"],
        algorithm=_algorithm(values.get("algorithm", "auto"), places),
        objectives=_objectives(values["objectives"], places),
        constraints=_constraints(values.get("constraints", ()), places),
        **{name: _setting(name, values, places) for name in SETTINGS},
    )
    if definition.devices and "device" not in values:
        _check_latency(definition, places)
    return definition


def _check_latency(definition: StudyDefinition, places: _Places) -> None:
    """Refuse a latency of no device in a study of several, unless it says by `device` which one that is of."""
    if LATENCY not in definition.named or LATENCY in definition.given:
        return
    bounds = {item.metric for item in definition.constraints}
    aims = {item.metric for item in definition.objectives}
    where = "report" if LATENCY in definition.report else "preparations"
    where = "objectives" if LATENCY in aims else "constraints" if LATENCY in bounds else where
    each = " or ".join(f"{LATENCY}@{device.name}" for device in definition.devices)
    raise places.error(where, f"{LATENCY!r} does not say of which device: write {each}; or set device, e.g. to 'this'")


def _setting(name: str, values: dict[str, Any], places: _Places) -> Any:
    setting = SETTINGS[name]
    if name not in values:
        return setting.default
    try:
        return setting.check(values[name])
    except ValueError as error:
        raise places.error(name, f"{error}; got {_shown(values[name])}") from None


def _space(value: Any, places: _Places) -> GenotypeSpace:
    if isinstance(value, GenotypeSpace):
        return value
    if callable(value) and not isinstance(value, pg.Symbolic):
        name = getattr(value, "__name__", None)
        call = f"; did you mean `space = {name}(...)`?" if name else ""
        raise places.error("space", f"expected {REQUIRED['space']}; got {_shown(value)}{call}")
    try:
        return GenotypeSpace(value)
    except (TypeError, ValueError) as error:
        raise places.error("space", f"{error}; expected {REQUIRED['space']}") from error


def _algorithm(value: Any, places: _Places) -> Algorithm:
    try:
        return algorithm_of(value)
    except (ValueError, TypeError) as error:
        raise places.error("algorithm", str(error)) from None


def _objectives(value: Any, places: _Places) -> tuple[Objective, ...]:
    if not isinstance(value, Mapping) or not value:
        raise places.error("objectives", f"expected {REQUIRED['objectives']}; got {_shown(value)}")
    try:
        return tuple(parse_objectives(value))
    except (ValueError, TypeError) as error:
        raise places.error("objectives", str(error)) from None


def _constraints(value: Any, places: _Places) -> tuple[Constraint, ...]:
    bounds = [value] if isinstance(value, str) else value
    if not isinstance(bounds, list | tuple) or not all(isinstance(bound, str) for bound in bounds):
        raise places.error("constraints", f"expected a list such as ['latency_ms <= 12']; got {_shown(value)}")
    try:
        return tuple(parse_constraints(bounds))
    except ValueError as error:
        raise places.error("constraints", str(error)) from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
