"""Pictures of fronts: what range is shown, and that files are what they claim to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search.plots import (
    CATEGORIES,
    DASHES,
    Axis,
    FrontPicture,
    draw_front,
    draw_fronts,
    draw_progress,
    front_looks,
    window,
)


def picture(points: list[tuple[float, float]], on_front: list[int]) -> FrontPicture:
    mask = np.isin(np.arange(len(points)), on_front)
    return FrontPicture(
        "a study", Axis("latency_ms", True, 3.0), Axis("accuracy", False), np.array(points, float).reshape(-1, 2),
        mask, np.ones(len(points), bool),
    )  # fmt: skip


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_the_file_is_of_the_kind_its_name_says(tmp_path: Path, suffix: str, begins: bytes) -> None:
    path = tmp_path / f"front{suffix}"
    draw_front(picture([(1, 80), (2, 90), (2.5, 85), (20, 91)], [0, 1, 3]), path)
    assert path.read_bytes().startswith(begins)
    assert list(tmp_path.iterdir()) == [path]


def test_several_fronts_are_drawn_on_common_axes(tmp_path: Path) -> None:
    fronts = {f"device {index}": picture([(index + 1, 80), (9 * index + 2, 90)], [0, 1]) for index in range(9)}
    draw_fronts(fronts, range(9), tmp_path / "fronts.png")
    assert (tmp_path / "fronts.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"must end in one of \.png, \.svg, \.pdf"):
        draw_fronts(fronts, range(9), tmp_path / "fronts.bmp")


def test_a_device_has_the_colour_of_its_place_and_looks_like_no_other() -> None:
    looks = front_looks([6, 1, 0])
    assert [look["color"] for look in looks] == [CATEGORIES[0], CATEGORIES[1], CATEGORIES[0]]
    assert [look["dashes"] for look in looks] == ["solid", "solid", DASHES[1]]
    many = front_looks(range(24))
    assert len({(look["color"], look["dashes"]) for look in many}) == 24
    assert len({look["marker"] for look in many[:7]}) == 7


def test_a_limit_far_from_all_trials_does_not_spoil_the_picture(tmp_path: Path) -> None:
    draw_front(picture([(300.0, 80.0)], [0]), tmp_path / "front.png")
    assert (tmp_path / "front.png").stat().st_size > 1000


def test_an_empty_study_gives_empty_axes(tmp_path: Path) -> None:
    draw_front(picture([], []), tmp_path / "front.png")
    assert (tmp_path / "front.png").stat().st_size > 1000


def test_a_tail_of_failures_does_not_press_the_front_flat() -> None:
    points = [(1 + index / 100, 90 + index / 100) for index in range(100)] + [(5.0, 10.0)] * 30
    low, high = window(picture(points, list(range(100))))
    assert 80 < low < 90
    assert 90.99 < high < 92


def test_trials_that_lie_close_together_are_all_shown() -> None:
    low, high = window(picture([(1, 80.0), (2, 81.0), (3, 82.0)], [0, 1, 2]))
    assert low < 80.0
    assert high > 82.0


def test_progress_of_one_objective_is_drawn(tmp_path: Path) -> None:
    draw_progress("a study", Axis("loss", True), np.array([3.0, np.nan, 1.0]), tmp_path / "progress.png")
    assert (tmp_path / "progress.png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_kind_of_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in one of \.png, \.svg, \.pdf"):
        draw_front(picture([], []), tmp_path / "front.bmp")


def test_a_limit_is_told_with_its_unit(tmp_path: Path) -> None:
    draw_front(picture([(1, 80), (4, 90)], [0, 1]), tmp_path / "front.svg")
    assert "latency limit 3 ms" in (tmp_path / "front.svg").read_text("utf-8")
