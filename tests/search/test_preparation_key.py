"""A preparation's key: equal for equal settings and jobs, and for no others; a folder's digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.costing.additive import AdditiveCosts
from search.preparation_key import digest_of, key_of, made_from


@dataclass(frozen=True)
class Schedule:
    epochs: int = 90


@dataclass(frozen=True)
class Toy:
    rate: float = 0.1
    schedule: Schedule = Schedule()
    stages: tuple[str, ...] = ("a", "b")
    images: Callable[..., Any] = np.ones
    threads: int = field(default=1, compare=False)
    kind = "toy"


COSTS = AdditiveCosts("latency_ms", 1.0, (np.array([0.0, 2.0]), np.array([0.0, 1.0, 3.0])))


def key(toy: Toy = Toy(), fingerprint: str = "space", seed: int = 0, costs: AdditiveCosts | None = COSTS) -> str:
    return key_of(made_from(toy, fingerprint, seed, costs))


def test_equal_ones_have_one_key_whatever_is_not_compared() -> None:
    assert key() == key(Toy(threads=4), costs=replace(COSTS, terms=tuple(each.copy() for each in COSTS.terms)))
    assert len(key()) == 64


OTHERS = [
    {"toy": Toy(rate=0.2)},
    {"toy": Toy(schedule=Schedule(10))},
    {"toy": Toy(stages=("a",))},
    {"toy": Toy(images=np.zeros)},
    {"fingerprint": "other"},
    {"seed": 1},
    {"costs": None},
    {"costs": replace(COSTS, metric="latency_ms@pixel3")},
    {"costs": replace(COSTS, constant=2.0)},
    {"costs": replace(COSTS, terms=(COSTS.terms[0] + 1e-9, COSTS.terms[1]))},
]


def test_whatever_decides_the_result_makes_another_key() -> None:
    assert len({key(), *(key(**other) for other in OTHERS)}) == 1 + len(OTHERS)


def test_a_setting_by_which_equal_ones_cannot_be_told_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the preparation's images is <function .*: expected plain values"):
        key(Toy(images=lambda: None))


def test_a_folders_digest_changes_with_names_and_bytes_and_not_with_the_lock(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = digest_of(tmp_path, ".lock")
    (tmp_path / ".lock").touch()
    assert digest_of(tmp_path, ".lock") == first
    (tmp_path / "a").write_text("2")
    second = digest_of(tmp_path, ".lock")
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, second, digest_of(tmp_path, ".lock")}) == 3
