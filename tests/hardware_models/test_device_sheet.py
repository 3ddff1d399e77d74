"""Device sheets: those that come with the package, and files of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hardware_models.device_sheet import device_sheet, read_sheet, sheet_names

SHEET = """
name = "Phone"
source = "its datasheet"
bandwidth_gb_s = 10
[peak_tflops]
float32 = 0.1
"""


def read(tmp_path: Path, text: str):
    """Return the sheet of a file with this text."""
    path = tmp_path / "phone.toml"
    path.write_text(text)
    return read_sheet(path)


@pytest.mark.parametrize("name", sheet_names())
def test_every_sheet_names_its_source(name):
    sheet = device_sheet(name)
    assert sheet.id == name
    assert len(sheet.source) > 20
    assert re.fullmatch(r"[a-z0-9-]+", name)


def test_there_are_gpus_phones_boards_and_accelerators():
    assert {"a100", "edgetpu", "h100", "jetson-nano", "raspberrypi4", "snapdragon855-prime", "tpu-v4", "v100"} <= set(
        sheet_names()
    )


def test_a_sheet_says_what_the_vendor_does():
    sheet = device_sheet("v100")
    assert (sheet.peak_tflops, sheet.bandwidth_gb_s) == ({"float32": 15.7, "float16": 125.0}, 900.0)


def test_what_is_not_published_is_not_made_up():
    assert device_sheet("edgetpu").bandwidth_gb_s is None
    assert device_sheet("v100").overhead_us == 0.0


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match=r"there is no device sheet 'a1000'; expected one of a100, .* by read_sheet"):
        device_sheet("a1000")


def test_a_file_of_ones_own(tmp_path):
    sheet = read(tmp_path, SHEET)
    assert (sheet.id, sheet.name, sheet.bandwidth_gb_s, sheet.peak_tflops) == ("phone", "Phone", 10.0, {"float32": 0.1})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('source = "its datasheet"', "", "phone.toml.source: is missing"),
        ("bandwidth_gb_s = 10", "bandwidth = 10", "unknown field 'bandwidth'; expected bandwidth_gb_s, name,"),
        ("bandwidth_gb_s = 10", "bandwidth_gb_s = 0", "bandwidth_gb_s: expected a finite number from 1e-09 to"),
        ("bandwidth_gb_s = 10", "bandwidth_gb_s = inf", "bandwidth_gb_s: expected a finite number"),
        ("float32 = 0.1", "float33 = 0.1", "peak_tflops: unknown field 'float33'; expected bfloat16, float16"),
        ("float32 = 0.1", "", "peak_tflops: expected a peak for at least one of float32, float16"),
        ("name =", "name", "phone.toml: not valid TOML: "),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read(tmp_path, SHEET.replace(old, new))


def test_a_deep_document_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"phone\.toml: not valid TOML"):
        read(tmp_path, "a = " + "[" * 3000)
