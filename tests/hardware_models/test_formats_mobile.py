"""The published latency tables of once-for-all and ProxylessNAS: what they give, and what is refused of a file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared_data import shared_data

from hardware_models.formats import once_for_all, proxylessnas
from hardware_models.latency_table import LatencyTable
from spaces import once_for_all as once_for_all_space
from spaces import proxylessnas as proxylessnas_space
from spaces.genotype import GenotypeSpace

BLOCK = "expanded_conv-input:112x112x16-output:56x56x24-expand:3-kernel:5-stride:2-idskip:0"
ROWS = {
    "Conv-input:224x224x3-output:112x112x32": 4.0,
    BLOCK: 7.5,
    "Conv_1-input:7x7x320-output:7x7x1280": 3.0,
    "Logits-input:7x7x1280-output:1000": 0.25,
}


def yaml_of(rows: dict[str, object]) -> str:
    return "".join(f"{key}:\n  mean: {value}\n  count: 9\n" for key, value in rows.items())


def json_of(rows: dict[str, object], **changes: object) -> str:
    table = {key: [value, 0.5, 9] for key, value in rows.items()}
    return json.dumps({"unit": "ms", "device": "Pixel 1", "table": table} | changes)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "lut.yaml"
        path.write_text(text)
        return path

    return written


def uniform(depth: int, expansion: int, kernel: int, resolution: int) -> Any:
    """Return the once-for-all network all of whose stages and blocks are alike."""
    made = once_for_all_space.once_for_all(
        width=1.2, resolutions=[resolution], depths=[depth], expansions=[expansion], kernels=[kernel]
    )
    return GenotypeSpace(made).decode(np.zeros(GenotypeSpace(made).width, np.uint8))


def refused(path: Path, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        proxylessnas.read(path, device="pixel1")


@pytest.mark.parametrize(
    ("name", "expected_ms"),
    [
        ("note10_lat@30ms_top1@78.4_finetune@75", 29.9653),
        ("note10_lat@50ms_top1@79.7_finetune@75", 49.7810),
        ("flops@389M_top1@79.1_finetune@75", 34.9229),
    ],
)
def test_note10_gives_the_published_latencies(name: str, expected_ms: float) -> None:
    network, path = once_for_all_space.published(name), shared_data("ofa_mobilenetv3/note10_lut.json.gz")
    [own] = once_for_all.read(path, device="note10", resolutions=[network.resolution])
    [whole] = once_for_all.read(path, device="note10")
    assert own(network.ops())["latency_ms"] == pytest.approx(expected_ms, abs=5e-4)
    assert whole(network.ops())["latency_ms"] == pytest.approx(expected_ms, rel=4e-3)
    assert (len(own.entries), len(whole.entries)) == (96, 870)


@pytest.mark.parametrize(
    ("depth", "expansion", "kernel", "resolution", "expected_ms"),
    [(4, 6, 7, 224, 92.3980), (4, 6, 7, 160, 47.7733), (2, 3, 3, 224, 17.7691), (2, 3, 3, 160, 9.8903)],
)
def test_note10_on_uniform_networks(
    depth: int, expansion: int, kernel: int, resolution: int, expected_ms: float
) -> None:
    path = shared_data("ofa_mobilenetv3/note10_lut.json.gz")
    [table] = once_for_all.read(path, device="note10", resolutions=[resolution])
    network = uniform(depth, expansion, kernel, resolution)
    assert table(network.ops())["latency_ms"] == pytest.approx(expected_ms, abs=1e-4)


def test_note10_holds_every_operator_of_its_space() -> None:
    [table] = once_for_all.read(shared_data("ofa_mobilenetv3/note10_lut.json.gz"), device="note10")
    networks = [uniform(4, expansion, kernel, 220) for expansion in (3, 4, 6) for kernel in (3, 5, 7)]
    ops = {op for network in networks for op in network.ops()}
    assert (len(ops), ops <= set(table.entries)) == (96, True)
    assert (table.provenance.device, table.provenance.device_name) == ("note10", "Samsung Galaxy Note10")
    assert LatencyTable.from_json(table.to_json()) == table


def test_pixel1_gives_the_known_sum_and_holds_every_operator_of_its_space() -> None:
    [table] = proxylessnas.read(shared_data("proxylessnas/pixel1_mobile_trim_lut.json"), device="pixel1")
    narrow = proxylessnas_space.published("proxyless_mobile").clone(override={"stages[0].width": 24})
    assert table(narrow.ops())["latency_ms"] == pytest.approx(82.5239, abs=1e-4)
    space = GenotypeSpace(proxylessnas_space.proxylessnas())
    ops = {op for choice in range(6) for op in space.decode(np.full(space.width, choice, space.dtype)).ops()}
    assert (len(ops), len(table.entries), ops <= set(table.entries)) == (70, 72, True)


def test_yaml_json_and_what_is_gzipped_give_the_same_table(tmp_path: Path) -> None:
    (tmp_path / "lut.yaml").write_text(yaml_of(ROWS))
    (tmp_path / "lut.json.gz").write_bytes(gzip.compress(json_of(ROWS).encode()))
    [first] = proxylessnas.read(tmp_path / "lut.yaml", device="pixel1")
    [second] = proxylessnas.read(tmp_path / "lut.json.gz", device="pixel1")
    assert first.entries == second.entries
    assert [(entry.latency_ms, entry.samples) for entry in first.entries.values()] == [
        (4.0, 9), (7.5, 9), (3.0, 9), (0.25, 9)
    ]  # fmt: skip
    assert (first.provenance.device_name, second.provenance.device_name) == ("pixel1", "Pixel 1")


def test_a_folder_holds_a_file_for_each_resolution(tmp_path: Path) -> None:
    half = {key.replace("224x224", "112x112").replace("112x112x32", "56x56x32"): 1.0 for key in list(ROWS)[:1]}
    (tmp_path / "112.yaml").write_text(yaml_of({**half, **dict(list(ROWS.items())[1:]), BLOCK: 9.0}))
    (tmp_path / "224.yaml").write_text(yaml_of(ROWS))
    [table] = proxylessnas.read(tmp_path, device="pixel1")
    assert sorted(entry.latency_ms for entry in table.entries.values()) == [0.25, 1.0, 3.0, 4.0, 7.5]


def test_what_a_file_does_not_tell_is_unknown(write: Callable[[str], Path]) -> None:
    [table] = proxylessnas.read(write(yaml_of(ROWS)), device="pixel1")
    origin = table.provenance
    assert (origin.engine, origin.layout, origin.clock) == ("unknown", "unknown", "unknown")
    assert origin.software == {"imported_from": "lut.yaml"}
    assert LatencyTable.from_json(table.to_json()) == table


def test_a_table_without_a_given_device_is_called_as_the_file_calls_it(tmp_path: Path) -> None:
    (tmp_path / "lut.json").write_text(json_of(ROWS))
    (tmp_path / "pixel1.yaml").write_text(yaml_of(ROWS))
    names = [proxylessnas.read(tmp_path / name)[0].provenance.device for name in ("lut.json", "pixel1.yaml")]
    assert names == ["Pixel 1", "pixel1"]


def test_the_two_formats_are_told_apart_by_their_first_lines() -> None:
    row = "expanded_conv-input:112x112x24-output:112x112x24-expand:24-kernel:3-stride:1-idskip:1"
    heads = [f"{row}:\n", f"{row}-se:0-hs:0:\n", "kernel,HW,CIN,COUT,latency\n"]
    assert [proxylessnas.recognises(head) for head in heads] == [True, False, False]
    assert [once_for_all.recognises(head) for head in heads] == [False, True, False]


@pytest.mark.parametrize("change", [{"mean": -7.5}, {"mean": 0}, {"mean": ".nan"}, {"mean": "fast"}, {"std": 1.0}])
def test_an_entry_without_a_positive_mean_is_refused(write: Callable[[str], Path], change: dict[str, object]) -> None:
    path = write(yaml_of(ROWS) + f"{BLOCK.replace('kernel:5', 'kernel:3')}: {json.dumps(change)}\n".replace('"', ""))
    refused(path, r"lut.yaml, line 13: (expected `mean` as a positive number|the entry of .* has no `mean`)")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (BLOCK, "line 13: the key 'expanded_conv-.*' stands twice"),
        ("Conv-224", "line 13: expected a key such as Conv-input:224x224x3-output:112x112x32, got 'Conv-224'"),
        ("Conv-input:0x9x3-output:5x5x8", "line 13: a size is zero or a setting stands twice"),
        ("Conv-input:9x9x3-output:9x9x8", r"line 13: the operator of 'Conv-.*' has the output \(8, 5, 5\)"),
        (f"{BLOCK}-se:1", "line 13: expanded_conv must have the settings expand, kernel, stride, idskip, got"),
        ("Pool-input:9x9x3-output:5x5x8", "line 13: expected one of Conv, expanded_conv, Conv_1, Logits, got 'Pool"),
        (BLOCK.replace("idskip:0", "idskip:1"), "line 13: a shortcut needs equal shapes"),
        (BLOCK.replace("kernel:5", "kernel:4"), "line 13: expected an odd kernel"),
    ],
)
def test_a_malformed_or_repeated_key_is_refused(write: Callable[[str], Path], key: str, message: str) -> None:
    refused(write(yaml_of(ROWS) + f"{key}: {{mean: 1.0}}\n"), f"lut.yaml, {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a mapping of keys to entries"),
        ("a: [", "not valid YAML: while parsing"),
        ("!!python/object/apply:os.system ['true']", "expected a mapping of keys to entries"),
        (yaml_of({BLOCK: 1.0}), "lut.yaml, line 1: the table ends without Conv and Conv_1 and Logits"),
        (json_of(ROWS, unit="us"), "lut.yaml.unit: expected \"ms\", got 'us'"),
        (json_of(ROWS).replace('"unit": "ms", ', ""), "lut.yaml.unit: is missing"),
        (json_of(ROWS | {BLOCK: -1.0}), f"lut.yaml.table.{BLOCK[:50]}.*: expected a finite number from 1e-09"),
        (json_of(ROWS, table={}), "lut.yaml: a table has no entries"),
        (json_of(ROWS, by_resolution={}), 'lut.yaml: expected one of "table" and "by_resolution"'),
        (
            json_of(ROWS).replace("[4.0, 0.5, 9]", '[4.0], "Conv-input:224x224x3-output:112x112x32": [4]'),
            "stands twice",
        ),
    ],
    ids=str,
)
def test_a_malformed_file_is_refused(write: Callable[[str], Path], text: str, message: str) -> None:
    refused(write(text), message)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lut.yaml").write_bytes(b"\x1f\x8bnothing")
    refused(tmp_path / "lut.yaml", "lut.yaml: damaged: Compressed file ended")


def test_an_unknown_resolution_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no table of resolution 161; there are 160, 164, .*, 224"):
        once_for_all.read(shared_data("ofa_mobilenetv3/note10_lut.json.gz"), device="note10", resolutions=[160, 161])


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(yaml_of(ROWS).encode())
    (tmp_path / "lut.yaml").write_bytes(packed[: len(packed) - 12])
    refused(tmp_path / "lut.yaml", "lut.yaml: damaged")


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "there is no .yaml file in this folder")


@pytest.mark.parametrize(
    "text", ["Conv:\n  ? [a]\n  : 1\n", '"\\UFFFFFFFF": {mean: 1}', '"\\U00110000": {mean: 1}', "%YAML 1." + "9" * 5000]
)
def test_hostile_yaml_is_refused_in_words(write: Callable[[str], Path], text: str) -> None:
    refused(write(text), "lut.yaml")
