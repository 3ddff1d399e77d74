"""The accuracy predictor that was published with once-for-all: ImageNet accuracy of a network, without training it.

Source: Cai et al., ICLR 2020, section 3.4, and the tutorial of its code: three hidden layers of 400, trained on 16,000
sub-networks of the MobileNetV3 supernet of width 1.2, test error (RMSE) 0.21 points. The images that it was trained to
predict for were held out of ImageNet's training set: its accuracies lie some 3.5 points above ImageNet's validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from evaluators._base import Metrics, Task
from evaluators.perceptron import read_perceptron
from hardware_models.architecture import architecture_of
from spaces.genotype import Column, GenotypeSpace

DEFAULT = "ofa_acc_predictor.npz"
"""The file that is looked for, in the current folder."""

STAGES, DEEPEST = 5, 4
WIDTHS = (32, 48, 96, 136, 192)
KERNELS = (3, 5, 7)
EXPANSIONS = (3, 4, 6)
RESOLUTIONS = tuple(range(112, 225, 16))
EXPANSION_PART = STAGES * DEEPEST * len(KERNELS)
RESOLUTION_PART = EXPANSION_PART + STAGES * DEEPEST * len(EXPANSIONS)
FEATURES = RESOLUTION_PART + len(RESOLUTIONS)
"""A block's kernel and expansion and the resolution, each one-hot; nothing where a block is absent."""

CHECKED = 4
"""Random genotypes of a space whose features are checked against their networks."""

_BLOCK = re.compile(r"(?:^|\.)stages\[(\d+)]\.first((?:\.then(?:\[=\d+/\d+])?)*)\.(kernel|expansion)$")
_RESOLUTION = re.compile(r"(?:^|\.)resolution$")


@dataclass(frozen=True)
class OnceForAllPredictor:
    """An evaluator for the once-for-all MobileNetV3 space of width 1.2: its `accuracy` is in percent, 0 to 100.

    No candidate is built. Resolutions are multiples of 16 from 112 to 224.

    Attributes:
      path: of the predictor's weights; see `evaluators.perceptron.read_perceptron`.

    Raises:
      FileNotFoundError: without that file; the message says where it is from.
      ValueError: for a file that holds another predictor.
    """

    path: str | Path = DEFAULT
    metrics = ("accuracy",)

    def __post_init__(self) -> None:
        if not Path(self.path).is_file():
            raise FileNotFoundError(
                f"no accuracy predictor at {str(self.path)!r}: give the path of acc_predictor.pth, which "
                "github.com/mit-han-lab/once-for-all publishes, or of the same arrays as .npz"
            )
        inputs = read_perceptron(Path(self.path)).inputs
        if inputs != FEATURES:
            raise ValueError(f"{self.path}: expected a predictor of {FEATURES} features, got {inputs}")

    def __call__(self, task: Task) -> Iterator[Metrics]:
        """Yield the accuracy of the task's genotype. Raises ValueError for another space."""
        yield {"accuracy": float(self.evaluate_many(task.space, task.genotype[None])["accuracy"][0])}

    def evaluate_many(self, space: GenotypeSpace, genotypes: np.ndarray) -> dict[str, np.ndarray]:
        """Return the accuracy of genotypes (n, width) as float64 (n,). Raises ValueError for another space."""
        predicted = read_perceptron(Path(self.path))(features(space, genotypes))
        return {"accuracy": 100.0 * predicted.astype(np.float64)}


def features(space: GenotypeSpace, genotypes: np.ndarray) -> np.ndarray:
    """Return what the predictor is told of genotypes (n, width): float32 (n, 128), zeros and ones.

    Raises:
      ValueError: for a space that is not once-for-all MobileNetV3 of width 1.2, or has other choices than it learned.
    """
    return _encoded(space, _places(space), genotypes)


Places = list[tuple[int, np.ndarray]]
"""The columns that the predictor is told of, and the feature of each of their choices."""


def _encoded(space: GenotypeSpace, places: Places, genotypes: np.ndarray) -> np.ndarray:
    found = np.zeros((len(genotypes), FEATURES), np.float32)
    active = space.active(genotypes)
    for column, choices in places:
        rows = active[:, column].nonzero()[0]
        found[rows, choices[genotypes[rows, column].astype(np.intp)]] = 1.0
    return found


@lru_cache(maxsize=8)
def _places(space: GenotypeSpace) -> Places:
    found = [(index, _features_of(column)) for index, column in enumerate(space.columns)]
    places = [(index, np.array(choices, np.intp)) for index, choices in found if choices]
    genotypes = space.sample(CHECKED, np.random.default_rng(0))
    expected = [_features_of_candidate(architecture_of(space.decode(row))) for row in genotypes]
    if not np.array_equal(_encoded(space, places, genotypes), expected):
        raise ValueError(
            "the accuracy predictor cannot read this space: write each kernel, expansion and resolution as a choice, "
            "those of one value too, e.g. pg.oneof([7])"
        )
    return places


def _features_of(column: Column) -> list[int]:
    """Return the feature of each choice of a column; none of a column that the predictor is not told of."""
    if _RESOLUTION.search(column.name):
        return [RESOLUTION_PART + _known(column.name, choice, RESOLUTIONS) for choice in column.choices]
    match = _BLOCK.search(column.name)
    if match is None:
        return []
    block = int(match[1]) * DEEPEST + match[2].count(".then")
    begin, values = (0, KERNELS) if match[3] == "kernel" else (EXPANSION_PART, EXPANSIONS)
    return [begin + block * len(values) + _known(column.name, choice, values) for choice in column.choices]


def _known(name: str, choice: str, values: tuple[int, ...]) -> int:
    """Return which of the values that the predictor learned a choice is."""
    if choice not in map(str, values):
        raise ValueError(f"the accuracy predictor learned {name} of {values}, and this space has {choice}")
    return values.index(int(choice))


def _features_of_candidate(network: Any) -> np.ndarray:
    """Return the same features from a network itself."""
    found = np.zeros(FEATURES, np.float32)
    widths = tuple(stage.width for stage in getattr(network, "stages", ()))
    if widths != WIDTHS or max(network.depths) > DEEPEST:
        raise ValueError(
            "the accuracy predictor is for once-for-all MobileNetV3 of width 1.2 and depth 4 at most, "
            f"e.g. once_for_all('mobilenetv3', width=1.2); this space's stages have the widths {widths}"
        )
    blocks = [stage * DEEPEST + place for stage, depth in enumerate(network.depths) for place in range(depth)]
    for block, kernel, expansion in zip(blocks, network.kernels, network.expansions, strict=True):
        found[block * len(KERNELS) + KERNELS.index(kernel)] = 1.0
        found[EXPANSION_PART + block * len(EXPANSIONS) + EXPANSIONS.index(expansion)] = 1.0
    found[RESOLUTION_PART + RESOLUTIONS.index(network.resolution)] = 1.0
    return found
