"""The commands about devices, each as it is typed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hardware_models.imported_table import plain_entry
from hardware_models.latency_table import LatencyTable
from hardware_models.learned_table import LearnedTable
from hardware_models.op import elementwise
from search.cli.application import application
from search.cli.devices import devices
from tests.hardware_models.tables import PROVENANCE

OPERATORS = LatencyTable({elementwise("relu", (size,)): plain_entry(size / 8) for size in (1, 2, 3)}, PROVENANCE)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, ["devices", *arguments])


def document(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    (tmp_path / "table.json").write_text(OPERATORS.to_json())
    return tmp_path


def write_pairs(device: str, *, every: int = 1, additive: bool = False) -> None:
    """Write cells of NAS-Bench-201 and what a shipped device takes for them, without what pairs add if `additive`."""
    import numpy as np

    from hardware_models.documents import load_model
    from search.cli.known_devices import find_device

    model = load_model(find_device("sqlite:///search.db", device).document)
    assert isinstance(model, LearnedTable)
    model = replace(model, pairs=()) if additive else model
    grid = model.space.grid()[::every]
    costs = model.costs(grid)[:, 0]
    lines = [f"{model.space.code(row)},{cost!r}" for row, cost in zip(np.asarray(grid), costs.tolist(), strict=True)]
    Path("pairs.csv").write_text("\n".join(["arch_code,latency_ms", *lines]))


def test_devices_alone_lists_this_machine_and_what_is_shipped() -> None:
    listed = document()
    assert listed["this"]["id"]
    assert listed["tables"] == []
    raspi4 = next(one for one in listed["shipped"] if one["device"] == "raspi4")
    assert (raspi4["kind"], raspi4["of"], raspi4["entries"], raspi4["batch"]) == ("learned", "nasbench201", 405, None)
    assert "no latency tables are stored" in run().stdout
    assert not Path("search.db").exists()


def test_an_imported_table_is_listed_with_its_origin() -> None:
    run("import", "table.json", "--device", "phone")
    [table] = document()["tables"]
    told = {"device": "phone", "kind": "profiled", "engine": "torch", "threads": 1, "batch": 1, "entries": 3,
            "of": "operators", "mean_error": None, "this_machine": False}  # fmt: skip
    assert {name: table[name] for name in told} == told
    assert run().stdout.splitlines()[2].split()[:4] == ["phone", "profiled", "operators", "3"]


def test_show_prints_entries_and_origin() -> None:
    run("import", "table.json", "--device", "phone")
    assert document("show", "phone")["model"]["entries"][0]["op"]["kind"] == "relu"
    lines = run("show", "phone").stdout.splitlines()
    assert lines[1].split()[:2] == ["relu", "3"]
    assert "X, 2 cores, torch 2.13.0" in lines[-1]
    assert "latency = " in run("show", "raspi4").stdout


def test_a_model_can_be_named_by_its_digest() -> None:
    run("import", "table.json", "--device", "phone")
    digest = document("show", "phone")["sha256"]
    assert document("show", digest[:8])["device"] == "phone"


@pytest.mark.parametrize("file", ["copy.json", "copy.csv"])
def test_what_is_exported_is_imported_exactly(file: str) -> None:
    run("import", "table.json", "--device", "phone")
    before = document("show", "phone")
    document("export", "phone", file)
    document("import", file, "--storage", "sqlite:///other.db")
    after = document("show", "phone", "--storage", "sqlite:///other.db")
    assert (after["model"], after["sha256"]) == (before["model"], before["sha256"])


def test_importing_a_file_twice_keeps_it_once() -> None:
    run("import", "table.json", "--device", "phone")
    run("import", "table.json", "--device", "phone")
    assert len(document()["tables"]) == 1


def test_a_whole_space_is_imported_as_a_list() -> None:
    write_pairs("1080ti_1")
    [record] = document("import", "pairs.csv", "--space", "nasbench201", "--device", "mine")["devices"]
    assert (record["kind"], record["entries"], record["networks"]) == ("listed", 15625, 15625)
    compared = document("compare", "1080ti_1", "mine")
    assert (compared["common"], compared["least"], compared["most"]) == (15625, pytest.approx(1), pytest.approx(1))
    assert "median 1, geometric mean 1" in run("compare", "1080ti_1", "mine").stdout
    assert "the 5 fastest and slowest of 15,625 networks" in run("show", "mine").stdout


def test_a_table_is_learnt_from_pairs_with_its_error() -> None:
    write_pairs("titanx_1", every=101, additive=True)
    [record] = document("learn", "pairs.csv", "--space", "nasbench201", "--device", "mine")["devices"]
    assert (record["kind"], record["networks"], record["validated_on"]) == ("learned", 155, 155)
    assert record["mean_error"] < 1e-9
    assert document("compare", "titanx_1", "mine")["spearman"] > 0.98


def test_a_new_device_is_onboarded_from_the_networks_that_are_suggested() -> None:
    suggested = document("suggest", "--space", "nasbench201", "--count", "10", "--to", "measured.csv")
    codes = [network["arch_code"] for network in suggested["networks"]]
    assert len(set(codes)) == 10
    assert Path("measured.csv").read_text().splitlines()[:2] == ["arch_code,latency_ms", f"{codes[0]},"]
    lines = [f"{code},{2 + int(code.count('3')) + 0.5 * code.count('2')}" for code in codes]
    Path("measured.csv").write_text("\n".join(["arch_code,latency_ms", *lines]))
    [record] = document("onboard", "mine", "--space", "nasbench201", "--measured", "measured.csv")["devices"]
    assert (record["device"], record["kind"], record["networks"]) == ("mine", "onboarded", 10)
    model = document("show", "mine")["model"]
    assert model["latencies_ms"][-1] > 0
    assert (
        "from 10 measured networks and 20 devices: 1080ti_1"
        in run("onboard", "mine", "--space", "nasbench201", "--measured", "measured.csv").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "raspi5"], "no device 'raspi5' is known; did you mean 'raspi4'?"),
        (["show", "zzz"], "no device 'zzz' is known; known are"),
        (["import", "missing.csv"], "does not exist"),
        (
            ["import", "table.json", "--format", "nope"],
            "unknown format 'nope': expected architectures, document",
        ),
        (["import", "table.json", "--device", "a b"], "'a b' is no device's name"),
        (["import", "table.json", "--device", "this"], "'this' always means the machine at hand"),
        (["import", "bad.csv"], "bad.csv:2: latency_ms: expected a latency of at least zero, got '-1'"),
        (["import", "codes.csv"], "codes of architectures can only be read for a space: name it with --space"),
        (["import", "codes.csv", "--space", "nasbench201"], "codes.csv:1: the latencies of 'phone' have no unit"),
        (["import", "codes.csv", "--space", "nosuch"], "no such space or study"),
        (["learn", "codes.csv", "--space", "nasbench201", "--unit", "ms"], "has 25 numbers to be learnt"),
        (["learn", "codes.csv"], "Missing option '--space'"),
        (["onboard", "x", "--space", "nasbench201", "--measured", "codes.csv", "--unit", "ms"], "at least 3 different"),
        (["onboard", "x y", "--space", "nasbench201", "--measured", "many.csv"], "'x y' is no device's name"),
        (["suggest", "--space", "nasbench201", "--count", "2"], "2 is not in the range 3<=x<=1000"),
        (["suggest", "--space", "nasbench201", "--to", "bad.csv"], "'bad.csv' is there already"),
        (["compare", "raspi4", "table"], "no device 'table' is known"),
        (["export", "raspi4", "raspi4.csv"], "expected a name that ends in .json"),
        (["export", "raspi4", "nowhere/raspi4.json"], "the folder of 'nowhere/raspi4.json' does not exist"),
        (["--json", "show", "raspi4"], "put options behind show"),
        (["shew"], "No such command 'shew'"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: list[str], words: str) -> None:
    Path("bad.csv").write_text("kind,inputs,output,latency_ms\nrelu,8,8,-1\n")
    Path("codes.csv").write_text("arch_code,phone\n000000,1\n")
    Path("many.csv").write_text("arch_code,latency_ms\n000000,1\n333333,9\n222222,4\n")
    result = run(*arguments)
    lines = result.stderr.splitlines()
    assert (result.exit_code, len(lines), lines[0].startswith("error: ")) == (2, 1, True)
    assert words in lines[0]


def test_a_damaged_model_is_told_and_hides_no_other(folder: Path) -> None:
    import sqlite3

    run("import", "table.json", "--device", "phone")
    run("import", "table.json", "--device", "tablet")
    with sqlite3.connect("search.db") as database:
        database.execute("UPDATE latency_tables SET document = '{}' WHERE device = 'phone'")
    database.close()
    kinds = {table["device"]: table["kind"] for table in document()["tables"]}
    assert kinds == {"phone": "damaged", "tablet": "profiled"}
    assert "damaged" in run().stdout
    assert run("show", "phone").exit_code == 2


@pytest.mark.parametrize("name", sorted(devices.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"python -m search devices {name}" in result.stdout.split("Example")[1]
