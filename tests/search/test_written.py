"""What is heard of what an evaluation writes, and what of it is kept."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from search.launchers.written import CUT, HELD_CHARACTERS, KEPT_CHARACTERS, Written, end_of


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("\x1b[1;31mred\x1b[0m and \x1b]0;a title\x07plain\x1b(B\n", "red and plain"),
        ("10 %\r50 %\r100 %\r\ndone\r\n", "100 %\ndone"),
        ("a\x00\x08\x1b\x9b\u202eb\tc\n\n", "ab\tc"),
        ("one \udcff", "one \ufffd"),
        (" \n", ""),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
)
def test_what_a_terminal_would_show_is_kept(written: str, kept: str) -> None:
    assert end_of(written) == kept


def test_of_much_the_last_whole_lines_are_kept() -> None:
    kept = end_of("".join(f"line {index}\n" for index in range(5000)))
    assert len(kept) <= KEPT_CHARACTERS + len(CUT)
    assert kept.startswith("[...]\nline 4")
    assert kept.endswith("\nline 4999")


def test_either_stream_is_heard_and_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(below, "utf-8", write_through=True))
    written = Written()
    with written.listening():
        sys.stdout.write("printed\n")
        sys.stdout.buffer.write(b"bytes \xff\n")
        sys.stderr.write("error\n")
    sys.stdout.write("afterwards\n")
    assert written.taken() == "printed\nbytes \ufffd\nerror"
    assert written.taken() == ""
    assert below.getvalue() == b"printed\nbytes \xff\nafterwards\n"


def test_a_logger_that_was_there_before_is_heard() -> None:
    stream, logger = sys.stderr, logging.getLogger("tests.written")
    sys.stderr = io.StringIO()
    logger.addHandler(handler := logging.StreamHandler())
    try:
        for written in (Written(), Written()):
            with written.listening():
                logger.warning("low")
            assert written.taken() == "low"
        assert sys.stderr.getvalue() == "low\nlow\n"
    finally:
        sys.stderr = stream
        logger.removeHandler(handler)


def test_no_more_than_is_needed_is_held() -> None:
    written = Written()
    with written.listening():
        for _ in range(100):
            sys.stdout.write("x" * 10_000)
    assert written._length < 2 * HELD_CHARACTERS
