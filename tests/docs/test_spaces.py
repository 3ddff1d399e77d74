"""The page on spaces: its examples run, and its settings of the study are those of the study."""

from __future__ import annotations

import re
from types import ModuleType

import pytest
from drivers import ROOT

from hardware_models import counts
from spaces import darts, nasnet

PAGE = (ROOT / "docs/spaces.md").read_text()
STUDY = (ROOT / "search/studies/once_for_all.py").read_text()


def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(code, names)
    assert "21758655492572485851 (2, 3, 3, 3, 4)" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["predictor", "latency_table", "limit_ms"])
def test_the_studys_settings_stand_with_their_defaults(name: str) -> None:
    assigned = re.search(rf'^{name} = "?([^"\s]+)"?', STUDY, re.MULTILINE)
    assert assigned is not None
    assert f"| `{name}` | `{assigned[1]}` |" in PAGE


@pytest.mark.parametrize("space", [nasnet, darts])
def test_the_published_counts_are_those_of_the_networks(space: ModuleType) -> None:
    for name in space.STACKS:
        ops = space.published(name).ops()
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
        assert row.endswith(f"| {counts.params(ops):,} | {counts.macs(ops):,} |")
