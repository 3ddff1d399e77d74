"""A network as it is drawn: its operators in order as layers, equal stretches folded, with each device's latency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from hardware_models._base import AdditiveModel
from hardware_models.counts import count
from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op, Shape

LONGEST_STRETCH = 24
"""Of up to so many layers that come again right away, one is drawn."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Layers that stand `repeats` times one after another."""

    ops: tuple[Op, ...]
    repeats: int


def network_document(ops: Sequence[Op], models: Mapping[str, AdditiveModel]) -> dict[str, Any]:
    """Return the network of some operators, and what each adds to the latency in ms by the models of some metrics.

    Counts and latencies are those of one layer: a stretch that is folded has them `repeats` times.
    """
    layers, stage, size = [], 0, None
    for group, stretch in enumerate(stretches(ops)):
        for op in stretch.ops:
            if size is not None and _size(op.output) != size:
                stage += 1
            size = _size(op.output)
            layers.append({**_layer(op, models), "stage": stage, "group": group, "repeats": stretch.repeats})
    return {
        "input": list(ops[0].inputs[0]) if ops else [],
        "layers": layers,
        "latency": {metric: _total(model, ops) for metric, model in models.items()},
        "offset": {metric: _offset_ms(model) for metric, model in models.items()},
    }


def _size(output: Shape) -> Shape:
    """Return what the layers of a stage have in common: the height and width of pictures, the number of tokens."""
    return output[:1] if len(output) == 2 else output[1:]


def stretches(ops: Sequence[Op]) -> Iterator[Stretch]:
    """Give the operators in order, those that come again right away once, the shortest such stretch first."""
    at = 0
    while at < len(ops):
        length, repeats = _repeated(ops, at)
        yield Stretch(tuple(ops[at : at + length]), repeats)
        at += length * repeats


def _repeated(ops: Sequence[Op], at: int) -> tuple[int, int]:
    for length in range(1, min(LONGEST_STRETCH, (len(ops) - at) // 2) + 1):
        first, repeats = ops[at : at + length], 1
        while ops[at + repeats * length : at + (repeats + 1) * length] == first:
            repeats += 1
        if repeats > 1:
            return length, repeats
    return 1, 1


def _layer(op: Op, models: Mapping[str, AdditiveModel]) -> dict[str, Any]:
    inner = op.inner or (op,)
    convolutions = [part for part in inner if part.kind == "conv2d"]
    spatial = max(convolutions or inner, key=lambda part: part.kernel)
    counted = _counted(op)
    return {
        "label": str(op),
        "kind": op.kind,
        "in": [list(shape) for shape in op.inputs],
        "out": list(op.output),
        "kernel": spatial.kernel or None,
        "stride": max(part.stride for part in inner),
        "groups": spatial.groups,
        "expansion": _expansion(op, convolutions),
        "residual": bool(op.inner) and any(part.kind == "add" for part in inner),
        "skipped": False,
        "inside": [part.kind for part in op.inner],
        **counted,
        "latency": {metric: _latency(model, op) for metric, model in models.items()},
    }


def _counted(op: Op) -> dict[str, int | None]:
    try:
        found = count(op)
    except ValueError:
        return {"macs": None, "params": None}
    return {"macs": found.macs, "params": found.weights + found.biases + found.norms}


def _expansion(op: Op, convolutions: Sequence[Op]) -> float | None:
    """Return by how much a block widens what it is given before its depthwise convolution; None of other operators."""
    depthwise = [part for part in convolutions if part.groups > 1 and part.groups == part.inputs[0][0]]
    if len(convolutions) < 2 or not depthwise:
        return None
    return round(_width(depthwise[0].inputs[0]) / _width(op.inputs[0]), 4)


def _width(shape: Shape) -> int:
    return shape[0]


def _latency(model: AdditiveModel, op: Op) -> float | None:
    """Return what an operator adds to the latency in ms; None where the model does not know it."""
    try:
        return float(model.terms(op)[0])
    except (LookupError, ValueError):
        return None


def _total(model: AdditiveModel, ops: Sequence[Op]) -> float | None:
    try:
        total = model(ops)[model.metrics[0]]
    except (LookupError, ValueError):
        return None
    return total if isfinite(total) else None


def _offset_ms(model: AdditiveModel) -> float:
    return model.calibration.offset_ms if isinstance(model, LatencyTable) else 0.0
