"""Tables on a terminal: numbers are never broken or left out, however narrow it is."""

from __future__ import annotations

import pytest

from search.cli.output import Column, Output, least_widths, rich_table

COLUMNS = [Column("trial", numeric=True), Column("latency on raspberrypi4-estimated (ms)", numeric=True),
           Column("decisions")]  # fmt: skip
ROWS = [["3", "0.07517", "8 · 3 | 16 · 2 · 3 · 3"], ["12", "10.25", "8 · 3 | 24 · 1 · 3 · 4"]]


def test_a_number_is_as_wide_as_it_is_and_a_text_may_be_narrower() -> None:
    assert least_widths(COLUMNS, ROWS) == [2, 7, 10]


def test_a_narrow_terminal_folds_the_heading_not_the_numbers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    rich_table(COLUMNS, ROWS, "", least_widths(COLUMNS, ROWS))
    printed = capsys.readouterr().out
    assert "0.07517" in printed
    assert "10.25" in printed
    assert max(map(len, printed.splitlines())) <= 40


def test_words_are_kept_whole_where_there_is_room() -> None:
    assert least_widths(COLUMNS, [["3", "0.07517", "nor_conv_3x3 · none"]], 24) == [5, 22, 12]
    assert least_widths(COLUMNS, [["3", "0.07517", "nor_conv_3x3 · none"]], 5) == [5, 7, 10]


def test_a_long_text_stands_below_its_row(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Output, "rich", True)
    monkeypatch.setenv("COLUMNS", "40")
    rows = [["3", "0.07517", " · ".join(["nor_conv_3x3"] * 6)]]
    Output().table([COLUMNS[0], Column("latency (ms)", numeric=True), COLUMNS[2]], rows)
    twice = "    nor_conv_3x3 · nor_conv_3x3"
    below = [f"{twice} ·", f"{twice} ·", twice]
    assert capsys.readouterr().out.splitlines() == ["       latency", "trial     (ms)", "    3  0.07517", *below]
