"""The examples of docs/costs.md do what they say, and its list of device sheets is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hardware_models.counts import METRICS
from hardware_models.device_sheet import sheet_names

PAGE = (Path(__file__).resolve().parents[2] / "docs/costs.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SHEETS = re.findall(r"```toml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS, ids=["peak memory", "a device"])
def test_an_example_runs(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(SHEETS) == 1
    for name, text in SHEETS:
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    exec(program, {})


def test_every_sheet_is_listed() -> None:
    listed = PAGE.partition("What comes with the package: ")[2].partition(". ")[0]
    assert re.findall(r"`([^`]+)`", listed) == list(sheet_names())


def test_every_count_has_its_line() -> None:
    assert [metric for metric in (*METRICS, "peak_memory_bytes") if f"| `{metric}` |" not in PAGE] == []
