"""`profile`: a table is measured, validated, drawn, marked and stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from search.cli.application import application

STUDY = '''
"""Tiny perceptrons."""
import pyglove as pg
from torch import nn
from hardware_models.op import elementwise, linear


class Perceptron(pg.Object):
    width: int
    depth: int
    input_shape = (16,)

    def build(self):
        sides = [16] + [self.width] * self.depth
        hidden = [[nn.Linear(a, b), nn.ReLU()] for a, b in zip(sides, sides[1:])]
        return nn.Sequential(*sum(hidden, []))

    def ops(self):
        sides = [16] + [self.width] * self.depth
        hidden = [(linear((a,), b), elementwise("relu", (b,))) for a, b in zip(sides, sides[1:])]
        return sum(hidden, ())


space = Perceptron(width=pg.oneof([8, 64, 256]), depth=pg.oneof([1, 2, 3, 4]))
evaluator = lambda task: iter([{"accuracy": 1.0}])
objectives = {"accuracy": "maximize"}
anchors = 6
'''
QUICK = ("--rounds", "4", "--storage", "sqlite:///search.db")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("profile")
        patch.chdir(folder)
        (folder / "perceptrons.py").write_text(STUDY)
        yield folder


@pytest.fixture(scope="module")
def profiled(folder: Path) -> dict[str, Any]:
    result = run("profile", "perceptrons.py", *QUICK, "--device", "laptop", "--validate", "4", "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_every_operator_is_measured_for_the_named_device(profiled: dict[str, Any]) -> None:
    assert profiled["table"]["provenance"]["device"] == "laptop"
    assert len(profiled["table"]["entries"]) == 9
    assert profiled["table"]["calibration"]["anchors"] == 6


def test_the_table_is_tried_on_networks_that_were_not_used(profiled: dict[str, Any]) -> None:
    report = profiled["validation"]
    assert report["networks"] == len(report["latencies"]) == 4
    assert 0 <= report["within_5"] <= report["within_10"] <= 1
    assert report["truth_mape"] >= 0


def test_a_picture_is_drawn_beside_the_database(profiled: dict[str, Any], folder: Path) -> None:
    assert profiled["validation"]["picture"] == "laptop-torch-latency.png"
    assert (folder / "laptop-torch-latency.png").read_bytes().startswith(b"\x89PNG")


def test_the_stored_document_holds_the_validation(profiled: dict[str, Any]) -> None:
    from search.storage import open_storage

    store = open_storage("sqlite:///search.db")
    (stored,) = store.latency_tables(device="laptop")
    store.close()
    assert json.loads(stored.document)["validation"]["mape"] == profiled["validation"]["mape"]
    assert stored.sha256 == profiled["sha256"]


def test_people_read_the_error_report(folder: Path) -> None:
    result = run("profile", "perceptrons.py", *QUICK, "--validate", "3", "--plot", "here.png")
    lines = result.stdout.splitlines()
    assert any(line.startswith("on 3 networks not used") and "truth's halves" in line for line in lines)
    for figure in ("mean error (MAPE)", "Kendall tau", "Pearson", "RMSE (ms)", "within 5 %", "within 10 %"):
        assert any(line.startswith(figure) for line in lines)
    assert "picture: here.png" in lines
    assert any(line.startswith(("WARNING: do not rely on this table", "as good as the noise allows")) for line in lines)


def test_a_table_may_go_without_a_validation(folder: Path) -> None:
    result = run("profile", "perceptrons.py", *QUICK, "--validate", "0", "--json")
    assert json.loads(result.stdout)["validation"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--engine", "torhc"), "unknown engine 'torhc'; did you mean 'torch'?"),
        (("--resolution", "32"), "'perceptrons.py' is no space of this project"),
        (("--device", "a b"), "'a b' is no device's name"),
        (("--plot", "here.gif"), "must end in one of .png, .svg, .pdf"),
        (("--plot", "nowhere/here.png"), "the picture's folder 'nowhere' does not exist"),
    ],
)
def test_wrong_input_is_told_in_one_line(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run("profile", "perceptrons.py", *QUICK, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr.splitlines()[-1]


def test_a_resolution_is_given_to_the_space() -> None:
    from search.cli.profile import _sized
    from spaces.elasticvit import elasticvit
    from spaces.hpolib import hpolib
    from spaces.mbconv import mbconv
    from spaces.nasbench201 import nasbench201

    assert _sized("mbconv", mbconv, 16).image == (1, 16, 16)
    assert _sized("nasbench201", nasbench201, 16).resolution == 16
    assert _sized("elasticvit", elasticvit, 48).resolution == 48
    with pytest.raises(ValueError, match="the space 'hpolib' has images of one size, or none"):
        _sized("hpolib", hpolib, 16)
