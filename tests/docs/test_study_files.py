"""The page on study files names every setting with its default."""

from __future__ import annotations

import pytest
from drivers import ROOT

from search.study_settings import SETTINGS

PAGE = (ROOT / "docs/study_files.md").read_text()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_stands_with_its_default(name: str) -> None:
    assert f"| `{name}` | `{SETTINGS[name].default!r}` | {SETTINGS[name].meaning} |" in PAGE
