"""The page on supernets: its examples run."""

from __future__ import annotations

import re

from drivers import ROOT, printed

INHERITING, SEARCHING = re.findall(r"```python\n(.*?)```", (ROOT / "docs/supernets.md").read_text(), re.DOTALL)


def test_a_network_inherits_from_a_supernet() -> None:
    assert printed(ROOT, "-c", INHERITING) == ""


def test_a_search_ends_with_a_network() -> None:
    found = printed(ROOT, "-c", SEARCHING).splitlines()
    assert [line.split()[0] for line in found[:4]] == ["25%", "50%", "75%", "100%"]
    assert found[4].count(",") == 2
