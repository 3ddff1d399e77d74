"""What the parts of a study find out before anything is measured: images that are no use, parts that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from evaluators._reproducible import images_on
from evaluators.augmentation import Augmentation, bound
from evaluators.datasets import Dataset
from evaluators.nested.scoring import fitted, side_of
from hardware_models.architecture import architecture_of
from spaces.genotype import GenotypeSpace


def check_images(
    dataset: Dataset, space: GenotypeSpace, augment: Sequence[Augmentation] = (), *, resized: bool = False
) -> int:
    """Read a data set and show two of its images to one of the space's networks, `resized` to the side that it takes.

    A wrong number of channels or classes is thus found, and an augmentation that needs pixels which the data set does
    not tell. Returns how many classes the network tells apart. Raises OSError or ValueError, saying what is wrong.
    """
    data = images_on(dataset, "cpu")
    bound(augment, data.train)
    candidate = architecture_of(space.decode(space.repair(np.zeros((1, space.width)))[0]))
    inputs, network = data.train.inputs(slice(0, 2)), candidate.build()
    inputs = fitted(inputs, side_of(candidate)) if resized else inputs
    outputs = classes_told(network, inputs, "the space's networks")
    if outputs < data.classes:
        raise ValueError(f"the space's networks tell {outputs} classes apart, and the images have {data.classes}")
    return outputs


def classes_told(network: nn.Module, inputs: Tensor, whose: str) -> int:
    """Return how many classes a network tells apart. Raises ValueError, saying `whose`, where it cannot take inputs."""
    try:
        with torch.inference_mode():
            return int(network.eval()(inputs).shape[1])
    except RuntimeError as error:
        raise ValueError(f"{whose} cannot take images of {tuple(inputs.shape[1:])}: {error}") from error


def check_place(asking: str, place: int, preparations: Sequence[object], wanted: type) -> None:
    """See that the preparation at a place is one of the wanted; raises ValueError, naming those that there are."""
    if not (0 <= place < len(preparations) and isinstance(preparations[place], wanted)):
        there = ", ".join(type(one).__name__ for one in preparations) or "none"
        raise ValueError(
            f"{asking} needs the preparation {wanted.__name__} at place {place}, counted from 0, of the study's; "
            f"there are: {there}"
        )
