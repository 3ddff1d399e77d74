"""Networks whose operators hang on their decisions in every way that a space can have, and random spaces of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pyglove as pg
from hypothesis import strategies as st

from hardware_models.op import Op, conv2d, elementwise, linear


class Layer(pg.Object):  # type: ignore[misc]
    """A convolution, none at all with kernel 0; `then` follows it."""

    width: int
    kernel: int
    then: Any = None


class Net(pg.Object):  # type: ignore[misc]
    """Layers, of which the first `depth` run: widths couple what runs one after another, `resolution` couples all.

    Heads see the features alone, pairs of them an operator of both; `unused` changes nothing.
    """

    layers: list[Any]
    resolution: int = 8
    depth: int = 99
    heads: list[Any] = []  # noqa: RUF012 - a symbolic default
    unused: Any = None

    def ops(self) -> tuple[Op, ...]:
        """Return the operators that run."""
        shape = (3, self.resolution, self.resolution)
        found: list[Op] = []
        for layer in self.running():
            if layer.kernel:
                found.append(conv2d(shape, layer.width, layer.kernel))
                if shape[0] == layer.width:
                    found.append(elementwise("add", found[-1].output, 2))
                shape = found[-1].output
        sizes = [size_of(head) for head in self.heads]
        found += [linear((16,), size) for size in sizes]
        return (*found, *(linear((size,), other) for size, other in pairwise(sizes)))

    def running(self) -> Iterator[Layer]:
        """Yield the layers that run."""
        for first in self.layers[: self.depth]:
            running = first
            while running is not None:
                yield running
                running = running.then


def size_of(head: Any) -> int:
    """Return a head's features: it is a number or a layer."""
    return head if isinstance(head, int) else head.width + head.kernel


def choice(values: list[Any]) -> Any:
    """Return an open choice of several values, the only one as it is."""
    return pg.oneof(values) if len(values) > 1 else values[0]


def layer(then: Any = None) -> st.SearchStrategy[Any]:
    """Return layers with open widths and kernels."""
    widths = st.sampled_from([[8], [8], [4, 8], [8, 12, 16]])
    kernels = st.sampled_from([[3], [1, 3, 5], [3, 5], [0, 3]])
    return st.builds(lambda width, kernel: Layer(choice(width), choice(kernel), then), widths, kernels)


@st.composite
def chains(draw: st.DrawFn) -> Any:
    """Return a layer with up to two more behind it, each of which may be absent."""
    then = None
    for _ in range(draw(st.integers(0, 2))):
        then = pg.oneof([None, draw(layer(then))])
    return draw(layer(then))


@st.composite
def heads(draw: st.DrawFn) -> Any:
    """Return a list of heads: a `manyof` with or without rules, of plain or of open heads."""
    some = [1, 2, 3, 5, draw(layer())][: draw(st.integers(3, 5))]
    return pg.manyof(draw(st.integers(1, 3)), some, distinct=draw(st.booleans()), sorted=draw(st.booleans()))


@st.composite
def nets(draw: st.DrawFn) -> Any:
    """Return spaces of networks."""
    return Net(
        layers=draw(st.lists(chains(), min_size=3, max_size=4)),
        resolution=draw(st.sampled_from([8, 8, pg.oneof([8, 12, 16])])),
        depth=draw(st.sampled_from([99, 99, pg.oneof([2, 3])])),
        heads=draw(heads()),
        unused=draw(st.sampled_from([None, pg.oneof([1, 2, 3]), pg.floatv(0.0, 1.0)])),
    )
