"""The settings that a study file may assign: each one's default, and what its value must be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search.study_devices import is_model, parse_devices

Check = Callable[[Any], Any]
"""Returns the value in its final form; raises ValueError saying what was expected."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what its value must be, and what it is when the file says nothing."""

    check: Check
    default: Any
    meaning: str


def _whole(low: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ValueError(f"expected a whole number of at least {low}")
        return value

    return check


def _number(low: float, *, above: bool) -> Check:
    def check(value: Any) -> float:
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not real or not low <= value < float("inf") or (above and value == low):
            raise ValueError(f"expected a number {'above' if above else 'of at least'} {low:g}")
        return float(value)

    return check


def _optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _one_of(*names: str) -> Check:
    def check(value: Any) -> str:
        if value not in names:
            raise ValueError(f"expected {' or '.join(map(repr, names))}")
        return str(value)

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("expected a name in quotes")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    """Accept one name or several; return them all."""
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise ValueError("expected a name in quotes, or a list of them")
    return tuple(names)


def _models(value: Any) -> tuple[Any, ...]:
    models = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not all(map(is_model, models)):
        raise ValueError("expected a hardware model, or a list of them")
    return models


def _preparations(value: Any) -> tuple[Any, ...]:
    jobs = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not all(map(_is_preparation, jobs)):
        raise ValueError("expected a list of preparations, e.g. [FBNetDNAS(cost='latency_ms', epochs=90)]")
    return jobs


def _is_preparation(value: Any) -> bool:
    made = dataclasses.is_dataclass(value) and not isinstance(value, type)
    return made and callable(value) and all(hasattr(value, name) for name in ("kind", "cost", "distributions"))


def _options(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError("expected a mapping of names to values")
    return dict(value)


SETTINGS: dict[str, Setting] = {
    "max_trials": Setting(_whole(1), 100, "how many trials the study runs in all"),
    "seed": Setting(_whole(0), 0, "of every random generator"),
    "launcher": Setting(_one_of("ray", "serial"), "ray", "how evaluations are run"),
    "workers": Setting(_optional(_whole(1)), None, "processes that evaluate; None: as many as the CPUs and GPUs hold"),
    "cpus_per_worker": Setting(_number(0, above=True), 1.0, "CPUs that each worker holds"),
    "gpus_per_worker": Setting(_number(0, above=False), 0.0, "GPUs, or the part of one, that each worker holds"),
    "timeout_s": Setting(
        _optional(_number(0, above=True)),
        None,
        "how long one trial may take, in seconds; `serial` looks at it at every yield of the evaluator alone",
    ),
    "retries": Setting(_whole(0), 2, "how often a trial whose worker was lost is run again"),
    "device": Setting(_text, "this", "whose latency is searched for; 'this': the machine of the driver"),
    "devices": Setting(parse_devices, (), "devices that every trial is costed on, as `latency_ms@NAME`"),
    "engine": Setting(_text, "torch", "what runs a network when its latency is measured"),
    "threads": Setting(_whole(1), 1, "threads of the engine when latency is measured"),
    "batch": Setting(_whole(1), 1, "batch size when latency is measured"),
    "anchors": Setting(_whole(0), 18, "whole networks that a latency table is calibrated on"),
    "measure": Setting(_whole(0), 5, "networks of the front that are measured directly at the end"),
    "hardware_models": Setting(_models, (), "more hardware models, whose metrics are known before an evaluation"),
    "preparations": Setting(_preparations, (), "jobs done before the first trial, whose results all trials share"),
    "report": Setting(_texts, (), "metrics to show beside the objectives"),
    "options": Setting(_options, {}, "anything else that the study wants kept with it, as plain JSON values"),
}
"""Every optional setting. `space`, `evaluator` and `objectives` are required; `algorithm`, `constraints` are parsed."""
