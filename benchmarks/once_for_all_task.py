"""A search with no training: the accuracy that a published predictor gives within a latency on a Samsung Note10.

The space is once-for-all MobileNetV3 of width 1.2 at 160, 176, 192, 208 and 224 pixels. The data folder
`../shared/data` lies beside the checkout and is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from evaluators.once_for_all_predictor import OnceForAllPredictor, features
from evaluators.perceptron import read_perceptron
from hardware_models.formats.once_for_all import read
from spaces.genotype import GenotypeSpace
from spaces.once_for_all import once_for_all

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "ofa_mobilenetv3"
RESOLUTIONS = (160, 176, 192, 208, 224)
KERNELS = (3, 5, 7)
EXPANSIONS = (3, 4, 6)
BLOCKS = 20
FIRST_RESOLUTION = 123
"""The predictor's feature of 160 pixels; blocks' kernels begin at 0, their expansions at 60."""


@dataclass(frozen=True)
class Task:
    """What is searched for; networks are given as the predictor's features, (n, 128).

    Attributes:
      space: compiled.
      path: of the accuracy predictor.
      blocks_ms: the latency of each block by resolution, block, kernel and expansion, shape (5, 20, 3, 3).
      rest_ms: of all else by resolution, shape (5,).
    """

    space: GenotypeSpace
    path: Path
    blocks_ms: np.ndarray
    rest_ms: np.ndarray

    def features(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the features of genotypes (n, width)."""
        return features(self.space, genotypes)

    def accuracy(self, told: np.ndarray) -> np.ndarray:
        """Return the predicted accuracy in percent, (n,)."""
        return 100.0 * read_perceptron(self.path)(told).astype(np.float64)

    def latency_ms(self, told: np.ndarray) -> np.ndarray:
        """Return the sum of the latency table's entries, (n,)."""
        resolution = told[:, FIRST_RESOLUTION:].argmax(axis=1)
        kernels, expansions = told[:, :60].reshape(-1, BLOCKS, 3), told[:, 60:120].reshape(-1, BLOCKS, 3)
        each = self.blocks_ms[resolution[:, None], np.arange(BLOCKS), kernels.argmax(axis=2), expansions.argmax(axis=2)]
        total: np.ndarray = self.rest_ms[resolution] + (each * kernels.any(axis=2)).sum(axis=1)
        return total


@cache
def task() -> Task:
    """Return the task. Raises FileNotFoundError without the data."""
    predictor = OnceForAllPredictor(FOLDER / "ofa_acc_predictor.npz")
    [table] = read(FOLDER / "note10_lut.json.gz", device="note10", resolutions=RESOLUTIONS)
    blocks_ms, rest_ms = np.zeros((5, BLOCKS, 3, 3)), np.zeros(5)
    for r, k, e in np.ndindex(5, 3, 3):
        one = once_for_all(
            width=1.2, resolutions=RESOLUTIONS[r : r + 1], depths=[4], kernels=[KERNELS[k]], expansions=[EXPANSIONS[e]]
        )
        space = GenotypeSpace(one)
        ops = space.decode(np.zeros(space.width, space.dtype)).ops()
        blocks_ms[r, :, k, e] = [table.total_ms([op]) for op in ops[2 : 2 + BLOCKS]]
        rest_ms[r] = table.total_ms([*ops[:2], *ops[2 + BLOCKS :]])
    space = GenotypeSpace(once_for_all(width=1.2, resolutions=RESOLUTIONS))
    return Task(space, Path(predictor.path), blocks_ms, rest_ms)
