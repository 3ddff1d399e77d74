"""Documents read field by field."""

from __future__ import annotations

import pytest

from hardware_models import strict_json
from hardware_models.strict_json import Field, parse


def test_a_path_leads_to_each_field():
    document = parse('{"a": [1, {"b": true}]}', "file").members(frozenset({"a"}))
    inner = document["a"].items(5)[1].members(frozenset({"b"}))
    assert (inner["b"].path, inner["b"].boolean()) == ("file.a[1].b", True)


def test_a_name_twice_is_refused():
    with pytest.raises(ValueError, match=r"^file: not valid JSON: the name 'a' stands twice in one object$"):
        parse('{"a": 1, "b": 2, "a": 3}', "file")


def test_depth_without_end_is_refused():
    with pytest.raises(ValueError, match=r"^file: nested too deeply$"):
        parse("[" * 200_000, "file")


def test_an_integer_without_end_is_refused():
    with pytest.raises(ValueError, match=r"^file: not valid JSON: Exceeds the limit"):
        parse("1" * 10_000, "file")


def test_a_document_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(strict_json, "LARGEST_DOCUMENT_BYTES", 10)
    with pytest.raises(ValueError, match=r"^file: larger than 10 bytes$"):
        parse('"12345678901"', "file")


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(ValueError, match=r"^file: not valid JSON: "):
        parse(b"\xff\xfe\xfa", "file")


def test_names_of_a_mapping_are_read_like_values():
    ((name, value),) = Field({"torch": "2.13"}, "software").mapping(4)
    assert (name.text(), value.text()) == ("torch", "2.13")


def test_a_mapping_has_a_largest_size():
    with pytest.raises(ValueError, match=r"^software: expected an object of at most 1 members, got an object$"):
        list(Field({"a": 1, "b": 2}, "software").mapping(1))


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31m", "\ud800", "x" * 201, ""])
def test_text_is_short_and_printable(text: str):
    with pytest.raises(ValueError, match=r"^name: expected a string of 1 to 200 printable characters"):
        Field(text, "name").text()
