"""The model card of an exported trial: what it is, what is known of it, where that comes from, how to load it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from search.metric_names import heading, number

CONTENTS = {
    "model.pt2": "code and weights: `torch.export.load('model.pt2').module()`; needs PyTorch alone",
    "state_dict.pt": "the weights as plain tensors: `torch.load('state_dict.pt', weights_only=True)`",
    "model.onnx": "the network for ONNX Runtime: `onnxruntime.InferenceSession('model.onnx')`; input `images`; faster "
    "where its batch is fixed: `options = onnxruntime.SessionOptions()`, "
    "`options.add_free_dimension_override_by_name('batch', 1)`",
    "candidate.json": "the symbolic candidate, its genotype, and the fingerprint of the space that decodes it",
}

LOAD = """```python
import torch

network = torch.export.load("model.pt2").module()
outputs = network(torch.zeros(1, {shape}))
```"""


@dataclass(frozen=True, slots=True)
class Card:
    """What a model card says.

    Attributes:
      study, trial: which trial of which study.
      metrics: final values by name.
      origins: where a metric comes from, by its name; a metric without an entry comes from the evaluator.
      decisions: the active decisions and their choices.
      input_shape: of one input, without the batch; empty where the candidate builds no network.
      facts: further lines, a name and a text each.
    """

    study: str
    trial: int
    metrics: Mapping[str, float]
    origins: Mapping[str, str]
    decisions: Mapping[str, str | float]
    input_shape: tuple[int, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


def write_card(card: Card, files: Sequence[str], notes: Sequence[str], path: Path) -> Path:
    """Write the card as Markdown to `path` and return it."""
    parts = [f"# {card.study}, trial {card.trial}", "\n".join(f"- {note}" for note in notes)]
    parts += ["## Metrics", _table(("metric", "value", "from"), _metric_rows(card))]
    parts += [
        "## Decisions",
        _table(("decision", "choice"), [(key, str(value)) for key, value in card.decisions.items()]),
    ]
    parts += ["## Files", "\n".join(f"- `{name}`: {CONTENTS.get(name, '')}" for name in files)]
    if "model.pt2" in files:
        parts += ["## Load it", LOAD.format(shape=", ".join(map(str, card.input_shape)))]
    parts += ["## Where it comes from", "\n".join(f"- {name}: {text}" for name, text in card.facts.items())]
    path.write_text("\n\n".join(part for part in parts if part) + "\n", "utf-8")
    return path


def _metric_rows(card: Card) -> list[tuple[str, ...]]:
    return [
        (heading(name), number(value, 6), card.origins.get(name, "the study's evaluator"))
        for name, value in card.metrics.items()
    ]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; bars in cells are escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
