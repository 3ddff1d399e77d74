"""What the parts of a study find out before anything is measured: images that are no use, parts that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evaluators._base import Infeasible
from evaluators._reproducible import images_on
from evaluators.augmentation import Augmentation, bound
from evaluators.datasets import Dataset
from evaluators.nested.scoring import fitted, side_of
from hardware_models.architecture import architecture_of
from spaces.genotype import GenotypeSpace

DRAWN = 3
"""Networks of a space, beside its first, that are shown images before it is said that none can take them."""


def check_images(
    dataset: Dataset, space: GenotypeSpace, augment: Sequence[Augmentation] = (), *, resized: bool = False
) -> int:
    """Read a data set and show two of its images to networks of the space, `resized` to the side that these take.

    A wrong number of channels or classes is thus found, networks that are costed for other images than they are given,
    and an augmentation that needs pixels which the data set does not tell. A few networks are tried until one can take
    the images. Returns how many classes it tells apart. Raises OSError or ValueError, saying what is wrong.
    """
    data = images_on(dataset, "cpu")
    bound(augment, data.train)
    images, problems = data.train.inputs(slice(0, 2)), list[ValueError]()
    first = space.repair(np.zeros((1, space.width)))
    for row in np.concatenate([first, space.sample(DRAWN, np.random.default_rng(0))]):
        candidate = architecture_of(space.decode(row))
        try:
            outputs = _classes_told_by(candidate, images, resized=resized)
        except Infeasible:
            return data.classes  # which of them can be built is for the trials to find out
        except ValueError as error:
            problems.append(error)
            continue
        if outputs < data.classes:
            raise ValueError(f"the space's networks tell {outputs} classes apart, and the images have {data.classes}")
        return outputs
    raise problems[0]


def network_of(candidate: Any) -> nn.Module:
    """Return a candidate's network with new weights, drawn from PyTorch's random numbers."""
    architecture = architecture_of(candidate)
    made = getattr(architecture, "build", None) or getattr(architecture, "clone", None)
    network = made() if made is not None else None
    if not isinstance(network, nn.Module):
        kind = type(architecture).__name__
        raise TypeError(f"{kind} has no build() that returns a module, and is no module of a pg.symbolize'd class")
    return network


def _classes_told_by(candidate: Any, images: Tensor, *, resized: bool) -> int:
    costed = getattr(candidate, "input_shape", None)
    images = fitted(images, side_of(candidate)) if resized else images
    try:
        network = network_of(candidate)
    except Infeasible:
        raise
    except Exception as error:
        raise ValueError(f"the space's networks cannot be built: {_said(error, ValueError)}") from error
    told = classes_told(network, images, "the space's networks")
    if costed is not None and tuple(costed) != images.shape[1:]:
        raise ValueError(
            f"the space's networks are costed for inputs of {tuple(costed)}, and the images are "
            f"{tuple(images.shape[1:])}: give the space the shape of the images, or other images"
        )
    return told


def classes_told(network: nn.Module, inputs: Tensor, whose: str) -> int:
    """Return how many classes a network tells apart. Raises ValueError, saying `whose`, where it cannot take inputs."""
    try:
        with torch.inference_mode():
            outputs = network.eval()(inputs)
    except Infeasible:
        raise
    except Exception as error:  # a network's own forward may fail in any way
        shape, said = tuple(inputs.shape[1:]), _said(error, RuntimeError)
        raise ValueError(f"{whose} cannot take images of {shape}: {said}") from error
    if not isinstance(outputs, Tensor) or outputs.ndim != 2:
        got = tuple(outputs.shape) if isinstance(outputs, Tensor) else f"a {type(outputs).__name__}"
        raise ValueError(f"{whose} return {got} for {len(inputs)} images: expected logits, (images, classes)")
    return int(outputs.shape[1])


def _said(error: Exception, usual: type[Exception]) -> str:
    return str(error) if isinstance(error, usual) else f"{type(error).__name__}: {error}"


def check_place(asking: str, place: int, preparations: Sequence[object], wanted: type) -> None:
    """See that the preparation at a place is one of the wanted; raises ValueError, naming those that there are."""
    if not (0 <= place < len(preparations) and isinstance(preparations[place], wanted)):
        there = ", ".join(type(one).__name__ for one in preparations) or "none"
        raise ValueError(
            f"{asking} needs the preparation {wanted.__name__} at place {place}, counted from 0, of the study's; "
            f"there are: {there}"
        )
