"""CSVs of whole networks: listed where all are there, learnt where not, anything wrong refused with its line."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardware_models.formats.architectures import read, read_networks
from hardware_models.learned_table import LearnedTable
from hardware_models.listed_table import ListedTable
from tests.hardware_models.genotype_tables import PLAIN, TABLE

GRID = PLAIN.grid()
COSTS = TABLE.costs(GRID)[:, 0]
ROWS = [f"{PLAIN.code(row)},{cost!r}" for row, cost in zip(GRID, COSTS.tolist(), strict=True)]


def file(folder: Path, *lines: str, name: str = "pairs.csv") -> Path:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def test_a_whole_space_is_listed(tmp_path: Path):
    [model] = read(file(tmp_path, "arch_code,latency_ms", *reversed(ROWS)), device="phone", space=PLAIN)
    assert isinstance(model, ListedTable)
    assert model.latencies_ms.tolist() == COSTS.tolist()
    assert (model.origin.device, model.origin.method, model.origin.networks) == ("phone", "listed", 12)


def test_of_a_part_a_table_is_learnt(tmp_path: Path):
    [model] = read(file(tmp_path, "arch,latency_ms", *ROWS[1:]), space=PLAIN)
    assert isinstance(model, LearnedTable)
    assert model.costs(GRID)[:, 0] == pytest.approx(COSTS)
    assert (model.origin.device, model.origin.method, model.origin.source) == ("pairs", "learned", "pairs.csv")


def test_each_column_is_a_devices(tmp_path: Path):
    path = file(
        tmp_path, "arch_index,arch_code,fast_ms,latency_us@slow,odd_32", "0,000,1,2000,3", name="latency_ms.csv"
    )
    found = read_networks(path, PLAIN).latencies_ms
    assert {name: column.tolist() for name, column in found.items()} == {"fast": [1.0], "slow": [2.0], "odd_32": [3.0]}
    assert list(read_networks(path, PLAIN, device="slow").latencies_ms) == ["slow"]


def test_a_packed_file_is_read(tmp_path: Path):
    path = tmp_path / "latency_ms.csv.gz"
    path.write_bytes(gzip.compress(b"arch,phone\n000,1.5\n"))
    assert read_networks(path, PLAIN).latencies_ms["phone"].tolist() == [1.5]


@pytest.mark.parametrize("code", ["1-11-0", "1 11 0", "[1, 11, 0]", "1|11|0"])
def test_numbers_of_two_digits_are_told_apart(tmp_path: Path, code: str):
    wide = replace(PLAIN, choices=(PLAIN.choices[0], tuple(map(str, range(12))), PLAIN.choices[2]))
    path = file(tmp_path, "genotype,latency_ms", f'"{code}",1')
    assert read_networks(path, wide).genotypes.tolist() == [[1, 11, 0]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["arch_code,latency_ms", "000,1", "001,2", "000,3"],
            "pairs.csv:4: the architecture 000 stands on line 2 already",
        ),
        (["arch_code,latency_ms", "000,-1"], "pairs.csv:2: latency_ms: expected a latency above zero, got '-1'"),
        (["arch_code,latency_ms", "000,"], "pairs.csv:2: latency_ms is missing"),
        (["arch_code,latency_ms", ",1"], "pairs.csv:2: arch_code is missing"),
        (["arch_code,phone", "000,1"], "pairs.csv:1: the latencies of 'phone' have no unit: call the column phone_ms"),
        (
            ["arch_code,latency_ms", "00,1"],
            "pairs.csv:2: arch_code: '00' is no architecture of plain: expected 3 numbers",
        ),
        (
            ["arch_code,latency_ms", "030,1"],
            "arch_code: '030' is no architecture of plain: expected 3 numbers, from 0 to 1, 2, 1",
        ),
        (["arch_code,latency_ms", "x,1"], "pairs.csv:2: arch_code: 'x' is no architecture of plain"),
        (["arch_code", "000"], "pairs.csv:1: there are no latencies: expected a column latency_ms"),
        (["phone_ms", "1"], "pairs.csv:1: there are no codes of architectures: expected a column arch_code"),
        (["arch_code,phone_ms,phone_us", "000,1,1"], "pairs.csv:1: two columns are of one device"),
        (["arch_code,latency_ms"], "pairs.csv: there is no architecture in it"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, lines: list[str], message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_networks(file(tmp_path, *lines), PLAIN)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path):
    path = file(tmp_path, "arch_code,fast_ms,slow_ms", "000,1,2")
    with pytest.raises(ValueError, match="there is no device 'quick'; expected fast, slow"):
        read_networks(path, PLAIN, device="quick")


def test_a_unit_may_be_given(tmp_path: Path):
    path = file(tmp_path, "arch_code,phone", "000,1500")
    assert read_networks(path, PLAIN, unit="us").latencies_ms["phone"] == np.array([1.5])


def test_codes_need_a_space(tmp_path: Path):
    with pytest.raises(ValueError, match="can only be read for a space: name it with --space"):
        read(file(tmp_path, "arch_code,latency_ms", "000,1"))
