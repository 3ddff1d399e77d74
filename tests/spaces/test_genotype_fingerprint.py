"""A space's fingerprint changes with anything in it, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from spaces.genotype import GenotypeSpace

ROOT = Path(__file__).resolve().parents[2]

IN_ANOTHER_PROCESS = """
import sys
sys.path.insert(0, {root!r})
import math, numpy as np, pyglove as pg
from spaces.genotype import GenotypeSpace
value = pg.Dict(a=pg.oneof([1, object(), math.sqrt]), f=lambda x: x + 1, g=np.arange(3), s={{2, 3, "x"}})
print(GenotypeSpace(value).fingerprint, GenotypeSpace(GenotypeSpace(value).dna_spec).fingerprint)
"""


class Part(pg.Object):
    size: int
    rate: float = 0.5


class Other(pg.Object):
    size: int
    rate: float = 0.5


class Settings:
    __slots__ = ("depth",)

    def __init__(self, depth: int) -> None:
        self.depth = depth


def fingerprint(value: Any) -> str:
    return GenotypeSpace(value).fingerprint


def adder(number: int) -> Any:
    return lambda value: value + number


DIFFERENT: list[tuple[Any, Any]] = [
    (pg.Dict(a=1, b=pg.oneof([1, 2])), pg.Dict(a=2, b=pg.oneof([1, 2]))),
    (pg.Dict(a=1), pg.Dict(a=True)),
    (pg.Dict(a=1), pg.Dict(a=1.0)),
    (pg.Dict(a="1"), pg.Dict(a=1)),
    (pg.Dict(a=[1]), pg.Dict(a=(1,))),
    (Part(1), Other(1)),
    (Part(1), Part(1, 0.25)),
    (pg.oneof([1, 2]), pg.oneof([2, 1])),
    (pg.oneof([1, 2]), pg.manyof(1, [1, 2])),
    (pg.manyof(2, [1, 2, 3]), pg.manyof(2, [1, 2, 3], sorted=True)),
    (pg.floatv(0.1, 1.0), pg.floatv(0.1, 1.0, "log")),
    (pg.oneof([1, 2]), pg.oneof([1, 2], name="named")),
    (pg.Dict(a=pg.oneof([1, 2]), b=pg.oneof([1, 2])), pg.Dict(b=pg.oneof([1, 2]), a=pg.oneof([1, 2]))),
    (pg.Dict(f=lambda x: x + 1), pg.Dict(f=lambda x: x + 2)),
    (pg.Dict(f=adder(1)), pg.Dict(f=adder(2))),
    (pg.Dict(f=partial(max, 1)), pg.Dict(f=partial(max, 2))),
    (pg.Dict(x=np.zeros(2000)), pg.Dict(x=np.eye(1, 2000, 1000)[0])),
    (pg.Dict(x=np.zeros(2)), pg.Dict(x=np.zeros((2, 1)))),
    (pg.Dict(x=Settings(1)), pg.Dict(x=Settings(2))),
    (pg.Dict(x={"a,b": 1}), pg.Dict(x={"a": 1, "b": 1})),
]


@pytest.mark.parametrize(("first", "second"), DIFFERENT, ids=range(len(DIFFERENT)))
def test_any_difference_changes_it(first: Any, second: Any) -> None:
    assert fingerprint(first) != fingerprint(second)


EQUAL: list[tuple[Any, Any]] = [
    (pg.Dict(a=1, b=2, c=pg.oneof([1, 2])), pg.Dict(b=2, a=1, c=pg.oneof([1, 2]))),
    (pg.Dict(a=[1, 2]), {"a": [1, 2]}),
    (pg.Dict(f=adder(1)), pg.Dict(f=adder(1))),
    (pg.Dict(x=Settings(1)), pg.Dict(x=Settings(1))),
    (pg.Dict(x=object()), pg.Dict(x=object())),
    (Part(1), Part(1, 0.5)),
]


@pytest.mark.parametrize(("first", "second"), EQUAL, ids=range(len(EQUAL)))
def test_equal_spaces_have_equal_ones(first: Any, second: Any) -> None:
    assert fingerprint(first) == fingerprint(second)


def test_a_value_that_holds_itself_has_one() -> None:
    settings = Settings(0)
    settings.depth = [settings]  # type: ignore[assignment]
    assert len(fingerprint(pg.Dict(x=settings))) == 64


def test_it_is_the_same_in_every_process() -> None:
    script = IN_ANOTHER_PROCESS.format(root=str(ROOT))
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(set(runs[0].stdout.split())) == 2


def test_using_a_space_does_not_change_it() -> None:
    space = GenotypeSpace(pg.Dict(a=pg.oneof([1, Part(pg.oneof([2, 3]))])))
    row = space.sample(1, np.random.default_rng(0))[0]
    space.encode(space.decode(row))
    space.to_dna(row)
    assert fingerprint(space.value) == space.fingerprint
    assert GenotypeSpace(space.dna_spec).fingerprint == GenotypeSpace(space.dna_spec).fingerprint
