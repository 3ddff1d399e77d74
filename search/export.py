"""A trial as files that need none of this project: a PyTorch program, weights, ONNX, symbolic JSON, a model card."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_models.architecture import architecture_of
from search.model_card import Card, write_card
from spaces.genotype import GenotypeSpace

if TYPE_CHECKING:
    import torch

TOLERANCE = 1e-4
"""How far outputs of an exported file may lie from the network's own, relative to the largest output."""

PROGRAM, WEIGHTS, ONNX, SYMBOLIC = "model.pt2", "state_dict.pt", "model.onnx", "candidate.json"


@dataclass(frozen=True, slots=True)
class Winner:
    """The trial to be exported.

    Attributes:
      space: the study's own space; the genotype is decoded against nothing else.
      genotype: a row of numbers, shape (width,).
      seed: the trial's; initial weights are drawn with it where none were trained.
      weights: a file of trained weights that `torch.load(weights_only=True)` reads, or None.
    """

    space: GenotypeSpace
    genotype: np.ndarray
    seed: int
    weights: Path | None = None


def export(winner: Winner, card: Card, folder: Path) -> list[Path]:
    """Write the trial to `folder`, made if need be, and return the files written, the model card last.

    A candidate that has no `build()` and `input_shape` gives its symbolic JSON and the card alone. Each program is
    loaded again and compared with the network on random inputs; what it deviates by stands on the card.
    Raises ValueError where a program's outputs deviate by more than `TOLERANCE`, or trained weights do not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    candidate = winner.space.decode(winner.genotype)
    files = [_write_symbolic(winner, candidate, folder / SYMBOLIC)]
    architecture = architecture_of(candidate)
    notes: list[str] = []
    if hasattr(architecture, "build") and hasattr(architecture, "input_shape"):
        programs, notes = _write_network(winner, architecture, folder)
        files += programs
    else:
        notes.append("This space's candidates build no network, so there is no program here.")
    files.append(write_card(card, [file.name for file in files], notes, folder / "README.md"))
    return files


def _write_symbolic(winner: Winner, candidate: Any, path: Path) -> Path:
    """Write the candidate's symbolic JSON, and the numbers that decode to it against the same space."""
    import pyglove as pg

    document = {
        "genotype": winner.genotype.tolist(),
        "space_fingerprint": winner.space.fingerprint,
        "candidate": json.loads(pg.to_json_str(candidate)),
    }
    path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return path


def _write_network(winner: Winner, candidate: Any, folder: Path) -> tuple[list[Path], list[str]]:
    """Write the network as PyTorch program, weights and ONNX; return the files and what the card has to say."""
    import torch

    from hardware_models.settling import settled

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(winner.seed)
        network = candidate.build().eval()
    notes = [_load_weights(network, winner)]
    network = settled(network)
    inputs = torch.randn((2, *candidate.input_shape), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(inputs)
    files = [folder / WEIGHTS, folder / PROGRAM]
    torch.save(network.state_dict(), files[0])
    _write_program(network, inputs, files[1])
    with torch.no_grad():
        notes.append(_compared(PROGRAM, torch.export.load(files[1]).module()(inputs), expected))
    note = _write_onnx(network, inputs, expected, folder / ONNX)
    return [*files, *([folder / ONNX] if (folder / ONNX).exists() else [])], [*notes, note]


def _load_weights(network: torch.nn.Module, winner: Winner) -> str:
    """Load trained weights where there are some; return the sentence that says which weights these are."""
    import torch

    if winner.weights is None:
        return f"WEIGHTS ARE NOT TRAINED: they are freshly initialised with the trial's seed, {winner.seed}."
    try:
        state = torch.load(winner.weights, map_location="cpu", weights_only=True)
        network.load_state_dict(state.get("model", state))
    except (RuntimeError, KeyError, AttributeError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"the weights in {winner.weights} do not fit the trial's network: {first}") from error
    return f"The weights are those that the trial kept ({winner.weights.name})."


def _write_program(network: torch.nn.Module, inputs: torch.Tensor, path: Path) -> None:
    """Write the network's code and weights as one file, for any batch size."""
    import torch

    batch = torch.export.Dim("batch", min=1, max=65_536)
    program = torch.export.export(network, (inputs,), dynamic_shapes=({0: batch},))
    torch.export.save(program, path)


def _write_onnx(network: torch.nn.Module, inputs: torch.Tensor, expected: torch.Tensor, path: Path) -> str:
    """Write the network as ONNX and compare it in ONNX Runtime where that is installed; return the card's sentence."""
    import torch

    path.unlink(missing_ok=True)
    axes = {"images": {0: "batch"}, "outputs": {0: "batch"}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network, (inputs,), path, dynamo=False, input_names=["images"], output_names=["outputs"],
                dynamic_axes=axes,
            )  # fmt: skip
        import onnxruntime
    except ModuleNotFoundError as error:
        written = f"{ONNX} was not compared" if path.exists() else f"{ONNX} was not written"
        return f"{written}: the package {error.name} is not installed."
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return _compared(ONNX, torch.from_numpy(session.run(None, {"images": inputs.numpy()})[0]), expected)


def _compared(name: str, outputs: torch.Tensor, expected: torch.Tensor) -> str:
    """Return the sentence that says how far outputs deviate. Raises ValueError where it is too far."""
    deviation = float((outputs - expected).abs().max() / expected.abs().max().clamp(min=1e-12))
    if not deviation <= TOLERANCE:
        raise ValueError(f"{name} deviates from the network by {deviation:.2g} of its largest output: expected 1e-4")
    return f"{name} was loaded again and deviates from the network by {deviation:.1e} of its largest output."
