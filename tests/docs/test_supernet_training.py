"""The page on training supernets: its example runs, its study loads and proposes, and it names every sampler."""

from __future__ import annotations

import re
from pathlib import Path

from drivers import ROOT, printed

from search.known_metrics import KnownMetrics
from search.problem import problem_of
from search.study_file import load_study_file

PAGE = (ROOT / "docs/supernet_training.md").read_text()
PROGRAM, STUDY = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_trains_and_scores() -> None:
    lines = printed(ROOT, "-c", PROGRAM).splitlines()
    assert [line.split()[0] for line in lines] == ["50%", "100%", "{'accuracy':"]


def test_the_study_of_the_released_search_proposes_within_its_window(tmp_path: Path) -> None:
    (tmp_path / "released.py").write_text(STUDY)
    study = load_study_file(str(tmp_path / "released.py"))
    known = KnownMetrics(study.space, study.hardware_models)
    problem = problem_of(study.space, study.objectives, study.constraints, seed=0, budget=study.max_trials, known=known)
    study.algorithm.start(problem)
    macs = known(study.algorithm.propose(512))
    assert (study.max_trials, len(macs), macs.min() >= 400e6, macs.max() <= 420e6) == (10_752, 512, True, True)


def test_every_sampler_stands_on_the_page() -> None:
    for path in (ROOT / "evaluators/samplers").glob("[!_]*.py"):
        (name,) = re.findall(r"^class (\w+)\((?:Sampler|ComplexityAware)\)", path.read_text(), re.MULTILINE)
        assert f"| `{name}` |" in PAGE
