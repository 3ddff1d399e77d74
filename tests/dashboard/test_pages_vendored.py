"""What is vendored is what its manifest says, and no page asks another host for anything."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "search/dashboard/static"
TEMPLATES = ROOT / "search/dashboard/templates"
VENDORED = [STATIC / "vendor", ROOT / "tests/dashboard/vendor"]
OURS = [path for path in [*STATIC.rglob("*"), *TEMPLATES.rglob("*")] if path.is_file() and "vendor" not in path.parts]


@pytest.mark.parametrize("folder", VENDORED, ids=["pages", "tests"])
def test_vendored_files_are_those_of_the_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    del found["manifest.json"]
    assert found == manifest["sha256"]
    assert all("LICENSE" in "".join(found) and package["licence"] for package in manifest["packages"])


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_files_name_no_other_host(path: Path) -> None:
    hosts = set(re.findall(r"https?://[\w.-]+", path.read_text()))
    assert hosts <= {"http://www.w3.org"}  # the namespace of SVG


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_files_make_no_markup_from_text(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    assert not re.search(r"\sstyle=\"|\son\w+=\"|javascript:", text)


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".js"], ids=lambda path: path.name)
def test_modules_are_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("// ")
    assert text.count("\n") <= 300
