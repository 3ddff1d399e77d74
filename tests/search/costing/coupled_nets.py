"""Networks whose operators hang on their decisions in every way that a space can have, and spaces of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyglove as pg
from hypothesis import strategies as st

from hardware_models.op import Op, conv2d, elementwise, linear


class Layer(pg.Object):  # type: ignore[misc]
    """A convolution, or none where it would keep the shape; `then` follows it."""

    width: int
    kernel: int
    then: Any = None


class Net(pg.Object):  # type: ignore[misc]
    """Layers, of which the first `depth` run; widths couple neighbours, `resolution` couples all.

    Two layers of kernel 1 side by side become one; heads in `heads` are linear, each fed by the one before.
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
            if layer.kernel == 1 and found and found[-1].kernel == 1:
                shape = found.pop().inputs[0]
            if layer.kernel > 0:
                found.append(conv2d(shape, layer.width, layer.kernel))
                if shape[0] == layer.width:
                    found.append(elementwise("add", found[-1].output, 2))
                shape = (layer.width, *shape[1:])
        features = shape[0]
        for head in self.heads:
            found.append(linear((features,), size_of(head)))
            features = size_of(head)
        return tuple(found)

    def running(self) -> Iterator[Layer]:
        """Yield the layers that run."""
        for layer in self.layers[: self.depth]:
            while layer is not None:
                yield layer
                layer = layer.then  # noqa: PLW2901 - walks down the chain


def size_of(head: Any) -> int:
    """Return a head's features: it is a number or a layer."""
    return head if isinstance(head, int) else head.width * head.kernel


widths = st.lists(st.sampled_from([4, 8, 12, 16]), min_size=1, max_size=3, unique=True)
kernels = st.lists(st.sampled_from([0, 1, 3, 5]), min_size=1, max_size=4, unique=True)


def choice(values: list[Any]) -> Any:
    """Return an open choice of several values, the only one as it is."""
    return pg.oneof(values) if len(values) > 1 else values[0]


def layer(then: Any = None) -> st.SearchStrategy[Any]:
    """Return layers with open widths and kernels."""
    return st.builds(lambda width, kernel: Layer(choice(width), choice(kernel), then), widths, kernels)


@st.composite
def chains(draw: st.DrawFn, longest: int) -> Any:
    """Return a layer with up to `longest` more behind it, each of which may be absent."""
    then = None
    for _ in range(draw(st.integers(0, longest))):
        then = pg.oneof([None, draw(layer(then))])
    return draw(layer(then))


@st.composite
def heads(draw: st.DrawFn) -> Any:
    """Return a list of heads: fixed, or a `manyof` with or without rules, of plain or of open heads."""
    plain = [2, 3, 5, 7][: draw(st.integers(2, 4))]
    some = [*plain, draw(layer())] if draw(st.booleans()) else plain
    count = draw(st.integers(0, min(3, len(some))))
    rules = {"distinct": draw(st.booleans()), "sorted": draw(st.booleans())}
    return pg.manyof(count, some, **rules) if count else []


@st.composite
def nets(draw: st.DrawFn) -> Any:
    """Return spaces of networks."""
    layers = draw(st.lists(chains(2), min_size=1, max_size=4))
    return Net(
        layers=layers,
        resolution=draw(st.sampled_from([8, pg.oneof([8, 12, 16])])),
        depth=draw(st.sampled_from([99, pg.oneof([1, 2, 3])])),
        heads=draw(heads()),
        unused=draw(st.sampled_from([None, pg.oneof([1, 2, 3]), pg.floatv(0.0, 1.0)])),
    )
