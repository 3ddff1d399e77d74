"""The page on training supernets: its example runs, and it names every sampler."""

from __future__ import annotations

import re

from drivers import ROOT, printed

PAGE = (ROOT / "docs/supernet_training.md").read_text()
(PROGRAM,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_trains_and_scores() -> None:
    lines = printed(ROOT, "-c", PROGRAM).splitlines()
    assert [line.split()[0] for line in lines] == ["50%", "100%", "{'accuracy':"]


def test_every_sampler_stands_on_the_page() -> None:
    for path in (ROOT / "evaluators/samplers").glob("[!_]*.py"):
        (name,) = re.findall(r"^class (\w+)\((?:Sampler|ComplexityAware)\)", path.read_text(), re.MULTILINE)
        assert f"| `{name}` |" in PAGE
