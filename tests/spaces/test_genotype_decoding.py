"""Decoded values are what PyGlove would make, in form as well as in equality, also where only it can make them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from spaces.genotype import GenotypeSpace


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Part(pg.Object):
    size: int
    rate: float = 0.5


class Whole(pg.Object):
    part: Part | None = None
    parts: list[Part] = []  # noqa: RUF012
    rate: float = 1.0
    color: Color = Color.RED
    options: Any = None


class Maker(pg.Object):
    """Makes another object while it is made, which PyGlove converts."""

    size: int

    def _on_bound(self) -> None:
        super()._on_bound()
        self.made = Part(self.size, 1)


class Watcher(pg.Object):
    """Makes another object when it is put somewhere, which PyGlove converts."""

    size: int

    def _on_parent_change(self, old_parent: Any, new_parent: Any) -> None:
        super()._on_parent_change(old_parent, new_parent)
        self.made = Part(self.size, 1)


@pg.members([("text", pg.typing.Any(transform=lambda text: text.upper()))])
class Shouted(pg.Object):
    pass


@pg.members(
    [("pair", pg.typing.List(pg.typing.Float(), size=2)), ("named", pg.typing.Dict([("a", pg.typing.Float())]))]
)
class Shaped(pg.Object):
    pass


@pg.functor
def scaled(value: Any, factor: float = 2.0) -> Any:
    return value, factor


class Opaque:
    def __init__(self) -> None:
        self.numbers = [1, 2]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and self.numbers == other.numbers

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "Opaque()"


CASES: dict[str, Callable[[], Any]] = {
    "conversion to float": lambda: Whole(rate=pg.oneof([1, 2.5])),
    "objects in a list": lambda: Whole(parts=[pg.oneof([Part(1), Part(pg.oneof([2, 3]), 1)]), Part(4)]),
    "a list of many": lambda: Whole(parts=pg.manyof(2, [Part(1), Part(2, 3), Part(pg.oneof([5, 6]))])),
    "enum": lambda: Whole(color=pg.oneof([Color.RED, Color.BLUE])),
    "optional object": lambda: Whole(part=pg.oneof([None, Part(1)])),
    "lists and dicts": lambda: Whole(options=pg.oneof([[1, [2]], {"a": {"b": pg.oneof([1, 2])}}, (1, 2)])),
    "sized list and dict": lambda: Shaped(pg.oneof([[1, 2], [3.5, 4]]), {"a": pg.oneof([1, 2])}),
    "dict for a dict field": lambda: Shaped([pg.oneof([1, 2]), 2], pg.oneof([{"a": 1}, {"a": pg.oneof([2, 3])}])),
    "transform": lambda: Shouted(pg.oneof(["quiet", "calm"])),
    "functor": lambda: pg.Dict(call=pg.oneof([scaled(1), scaled(pg.oneof([2, 3]), 1)])),
    "opaque value": lambda: pg.Dict(x=pg.oneof([Opaque(), Part(1)]), y=Opaque()),
    "reference": lambda: pg.Dict(a=pg.oneof([1, 2]), b=pg.hyper.ValueReference(["a"])),
    "shared value": lambda: pg.Dict(a=pg.oneof([pg.Ref(Opaque()), 2])),
    "root choice": lambda: pg.oneof([Part(1), Part(pg.oneof([1, 2]))]),
    "root list of many": lambda: pg.manyof(2, [Part(1), Part(2), 3]),
    "root float": lambda: pg.floatv(0.0, 1.0),
    "root list": lambda: [pg.oneof([1, 2]), {"a": pg.oneof([3, 4])}],
    "made and watched": lambda: pg.Dict(a=pg.oneof([Maker(1), Watcher(2)])),
}


@pytest.mark.parametrize("case", CASES)
def test_decoding_equals_pyglove(case: str) -> None:
    space = GenotypeSpace(CASES[case]())
    template = pg.template(space.value)
    for row in space.sample(6, np.random.default_rng(0)):
        decoded, expected = space.decode(row), template.decode(space.to_dna(row))
        assert pg.eq(decoded, expected)
        assert repr(decoded) == repr(expected)
        assert pg.eq(space.decode(space.encode(decoded)), decoded)


@pytest.mark.parametrize("case", CASES)
def test_decoded_values_share_nothing_that_changes(case: str) -> None:
    space = GenotypeSpace(CASES[case]())
    row = space.sample(1, np.random.default_rng(0))[0]
    first, second = objects_in(space.decode(row)), objects_in(space.decode(row))
    assert not first & second
    assert not first & objects_in(space.value)


def objects_in(value: Any) -> set[int]:
    """Return the ids of all symbolic objects, lists and dicts of `value`, kept alive by the value itself."""
    found: list[Any] = []
    pg.traverse(value, lambda _path, item, _parent: found.append(item) or pg.TraverseAction.ENTER)
    KEPT.extend(found)
    return {
        id(item) for item in found if isinstance(item, (pg.Symbolic, list, Opaque)) and not isinstance(item, pg.Ref)
    }


KEPT: list[Any] = []


def test_attributes_are_converted_as_pyglove_does() -> None:
    space = GenotypeSpace(Whole(rate=pg.oneof([1, 2.5])))
    assert type(space.decode(np.array([0], np.uint8)).rate) is float


@pytest.mark.parametrize("kind", [Maker, Watcher])
def test_code_that_runs_while_an_object_is_made_has_checks_on(kind: Any) -> None:
    space = GenotypeSpace(pg.Dict(a=pg.oneof([kind(1), kind(pg.oneof([2, 3]))])))
    assert [type(space.decode(row).a.made.rate) for row in space.enumerate(0, 3)] == [float] * 3


def test_decoded_values_refuse_wrong_changes() -> None:
    decoded = GenotypeSpace(Whole(parts=[Part(pg.oneof([1, 2]))])).decode(np.array([1], np.uint8))
    with pytest.raises(TypeError, match=r"Expect <class 'int'> but encountered <class 'str'>"):
        decoded.parts[0].rebind(size="large")
    with pytest.raises(TypeError, match=r"Expect .*Part.* but encountered <class 'int'>"):
        decoded.parts.append(3)


def test_decoded_objects_know_their_places() -> None:
    decoded = GenotypeSpace(Whole(parts=[pg.oneof([Part(1), Part(2)])])).decode(np.array([1], np.uint8))
    assert (str(decoded.parts[0].sym_path), decoded.parts[0].sym_root is decoded) == ("parts[0]", True)


def test_encoding_finds_a_distinct_selection_among_equal_candidates() -> None:
    space = GenotypeSpace(pg.manyof(3, [1, pg.oneof([1, 2]), 1, 3]))
    assert space.encode([1, 1, 1]).tolist() == [0, 0, 1, 0, 2, 0]
    assert space.encode([2, 1, 3]).tolist() == [1, 1, 0, 0, 3, 0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pg.Dict(a=3, b=[0.5]), "at 'a': expected a value of one of the candidates, got 3"),
        (pg.Dict(a=1, b=[2.0]), "at 'b\\[0\\]': expected a float from 0.0 to 1.0, got 2.0"),
        (pg.Dict(a=1, b=0.5), "at 'b': expected list, got 0.5"),
        (pg.Dict(a=1), "expected dict with \\['a', 'b'\\], got {a=1}"),
    ],
)
def test_a_foreign_value_is_refused_with_its_place(value: Any, message: str) -> None:
    space = GenotypeSpace(pg.Dict(a=pg.oneof([1, 2]), b=[pg.floatv(0.0, 1.0)]))
    with pytest.raises(ValueError, match=message):
        space.encode(value)


def test_many_threads_decode_at_once() -> None:
    for case in ("objects in a list", "reference"):
        space = GenotypeSpace(CASES[case]())
        rows = list(space.sample(40, np.random.default_rng(0)))
        with ThreadPoolExecutor(4) as pool:
            decoded = list(pool.map(space.decode, rows))
        assert all(pg.eq(value, space.decode(row)) for value, row in zip(decoded, rows, strict=True))


@pytest.mark.parametrize("row", [[3, 0.5], [-1, 0.5], [1, 1.5], [1, float("nan")], [0.5, 0.5]])
def test_what_is_no_genotype_is_not_decoded(row: list[float]) -> None:
    space = GenotypeSpace(pg.Dict(x=pg.oneof([1, 2, 3]), y=pg.floatv(0.0, 1.0)))
    with pytest.raises(ValueError, match=r"\] is no genotype of this space; `repair` makes one of it"):
        space.decode(np.array(row))
    assert space.decode(space.repair(np.array([row]))[0]).x in {1, 2, 3}
