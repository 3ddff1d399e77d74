"""Trained multi-layer perceptrons as plain arrays: read from a file, nothing in which is executed, and applied."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np


@dataclass(frozen=True, slots=True)
class Perceptron:
    """Linear layers with ReLU between them, the last of which has one output.

    Attributes:
      layers: the weights (outputs, inputs) and biases (outputs,) of each, float32.
    """

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def inputs(self) -> int:
        """The number of features."""
        return int(self.layers[0][0].shape[1])

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return the output, float32 (n,), for features (n, inputs)."""
        values = features.astype(np.float32, copy=False)
        for weights, biases in self.layers[:-1]:
            values = np.maximum(values @ weights.T + biases, 0)
        weights, biases = self.layers[-1]
        output: np.ndarray = (values @ weights.T + biases)[:, 0]
        return output


@lru_cache(maxsize=8)
def read_perceptron(path: Path) -> Perceptron:
    """Return the perceptron of a file of arrays that are named as in a PyTorch state: `0.weight`, `0.bias`, ...

    `path` is an `.npz` file, or the `.pth` file of a state that holds tensors alone.

    Raises:
      FileNotFoundError: without the file.
      ValueError: for a file that holds anything else; the message names the file and the array.
    """
    arrays = _read_npz(path) if path.suffix == ".npz" else _read_state(path)
    numbers = sorted({int(name.partition(".")[0]) for name in arrays if name.partition(".")[0].isdecimal()})
    expected = [f"{number}.{part}" for number in numbers for part in ("weight", "bias")]
    if not numbers or sorted(expected) != sorted(arrays):
        raise ValueError(f"{path}: expected arrays 0.weight, 0.bias, ..., got {', '.join(sorted(arrays)) or 'none'}")
    layers = [(arrays[f"{number}.weight"], arrays[f"{number}.bias"]) for number in numbers]
    if any(weights.ndim != 2 for weights, _ in layers):
        raise ValueError(f"{path}: expected weights of two axes, got {[weights.shape for weights, _ in layers]}")
    inputs = [weights.shape[1] for weights, _ in layers[1:]] + [1]
    for number, (weights, biases), outputs in zip(numbers, layers, inputs, strict=True):
        if biases.shape != (len(weights),) or len(weights) != outputs:
            raise ValueError(f"{path}: layer {number} has weights {weights.shape} and biases {biases.shape}, which do "
                             f"not fit {outputs} inputs of what follows")  # fmt: skip
        if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
            raise ValueError(f"{path}: layer {number} holds values that are not finite")
    return Perceptron(tuple((weights.astype(np.float32), biases.astype(np.float32)) for weights, biases in layers))


def _read_npz(path: Path) -> Mapping[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found: dict[str, np.ndarray] = {name: np.asarray(file[name], np.float64) for name in file.files}
    except (ValueError, BadZipFile, AttributeError, TypeError, EOFError, RuntimeError, zlib.error) as error:
        raise ValueError(f"{path}: not an .npz file of plain numbers: {error}") from None
    return found


def _read_state(path: Path) -> Mapping[str, np.ndarray]:
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {str(name): tensor.double().numpy() for name, tensor in state.items()}
    except Exception:  # whatever a damaged archive makes of the reader; nothing of it is run
        raise ValueError(f"{path}: not a PyTorch state of tensors alone; nothing else is read") from None
