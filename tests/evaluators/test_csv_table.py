"""Tables of channel widths from CSV files: searched from the command line, and refused where they are wrong."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pyglove as pg
import pytest
from click.testing import CliRunner

from evaluators._base import Infeasible, Task
from evaluators.csv_table import csv_table, read_csv_table
from search.cli.application import application
from spaces.genotype import GenotypeSpace
from tests.drivers import ROOT

WIDTHS = {"first": (8, 16, 24), "second": (8, 16)}

WRONG = """
import pyglove as pg
from evaluators.csv_table import csv_table
widths = {"first": (8, 16, 24), "second": (8, 16)}
space = pg.Dict({name: pg.oneof(list(of)) for name, of in widths.items()})
evaluator = csv_table("widths.csv", widths)
objectives = {"accuracy": "maximize"}
"""


def written(folder: Path, *lines: str) -> Path:
    path = folder / "widths.csv"
    path.write_text("\n".join(["first,second,accuracy,macs", *lines]))
    return path


def test_a_row_is_found_by_its_widths(tmp_path: Path) -> None:
    path = written(tmp_path, "16,8,71.5,300", "24,16.0,80,900")
    evaluator = csv_table(path, WIDTHS, ("accuracy", "macs"))
    space = GenotypeSpace(pg.Dict({name: pg.oneof(list(of)) for name, of in WIDTHS.items()}))
    row = space.encode(pg.Dict(first=24, second=16))
    assert list(evaluator(Task(space, row, seed=0))) == [{"accuracy": 80.0, "macs": 900.0}]
    with pytest.raises(Infeasible, match="the table has no accuracy, macs for genotype"):
        list(evaluator(Task(space, space.encode(pg.Dict(first=8, second=8)), seed=0)))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["12,8,1,1"], "line 2: first is '12'; expected one of 8.0, 16.0, 24.0"),
        (["8,8,1,1", "8,8,1,1"], r"line 3: \['8', '8'\] stands there twice"),
        (["8,8,high,1"], "line 2: accuracy is 'high'; expected a number"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_csv_table(written(tmp_path, *lines), WIDTHS, ("accuracy", "macs"))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no column 'latency_ms'; it has first, second, accuracy, macs"):
        read_csv_table(written(tmp_path), WIDTHS, ("latency_ms",))


@pytest.mark.parametrize("line", ["8,8,high,1", None])
def test_a_wrong_file_is_refused_before_anything_is_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    if line:
        written(tmp_path, line)
    (tmp_path / "wrong.py").write_text(WRONG)
    result = CliRunner().invoke(application, ["launch", "wrong.py", "--launcher", "serial"])
    assert (result.exit_code, "widths.csv" in result.output, "Traceback" in result.output) == (2, True, False)


def test_a_table_of_another_space_is_refused(tmp_path: Path) -> None:
    space = GenotypeSpace(pg.Dict(first=pg.oneof([8, 16])))
    with pytest.raises(ValueError, match=r"for 2 decisions of \(3, 2\) choices; this space has \(2,\)"):
        csv_table(written(tmp_path), WIDTHS).check_early(space, [])


def test_the_pages_study_finds_the_tables_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/pruning.md").read_text()
    (study,) = (block.split("```")[0] for block in page.split("```python\n") if block.startswith("# my_widths.py"))
    (tmp_path / "my_widths.py").write_text(study)
    rng, lines = np.random.default_rng(0), []
    for widths in product(range(8, 65, 8), repeat=3):
        macs = widths[0] + widths[0] * widths[1] + widths[1] * widths[2]
        lines.append(",".join(map(str, (*widths, round(60 + 4 * np.log(macs) + rng.normal(), 3), macs))))
    (tmp_path / "widths.csv").write_text("\n".join(["layer1,layer2,layer3,accuracy,macs", *lines]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    command = ["launch", "my_widths.py", "--launcher", "serial", "--max-trials", "512", "--json"]
    result = CliRunner().invoke(application, [*command, "--set", "algorithm=exhaustive"])
    assert result.exit_code == 0, result.output
    scored = sorted((-float(a), float(m)) for *_, a, m in (line.split(",") for line in lines))
    best = [row for place, row in enumerate(scored) if all(row[1] < other[1] for other in scored[:place])]
    found = json.loads(result.stdout)["front"]
    assert sorted((-t["metrics"]["accuracy"], t["metrics"]["macs"]) for t in found) == best
