"""The picture of predicted against measured latencies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search.latency_picture import draw_latencies


@pytest.mark.parametrize("latencies", [[1.0, 2.0, 8.0], [3.0, 3.1, 3.2], [2.0]], ids=["wide", "narrow", "one"])
def test_a_picture_is_written(latencies: list[float], tmp_path: Path) -> None:
    measured = np.array(latencies)
    draw_latencies("a table", 1.02 * measured, measured, "mean error 2 %", tmp_path / "latency.png")
    assert (tmp_path / "latency.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in one of .png, .svg, .pdf"):
        draw_latencies("a table", np.ones(2), np.ones(2), "", tmp_path / "latency.gif")
