"""The words that launch a stored study again."""

from __future__ import annotations

from search.launch_command import launch_words


def test_a_shipped_study_is_named_as_it_is_shipped() -> None:
    settings = {"study_file": "/opt/site-packages/search/studies/nasbench201.py", "overrides": {}}
    assert launch_words("nasbench201", settings) == "launch nasbench201"


def test_a_file_another_name_and_what_was_set_are_kept() -> None:
    settings = {"study_file": "my studies/first.py", "overrides": {"devices": "['a', 'b']", "seed": "3"}}
    words = "launch 'my studies/first.py' --name second --set 'devices=['\"'\"'a'\"'\"', '\"'\"'b'\"'\"']' --set seed=3"
    assert launch_words("second", settings) == words


def test_a_study_of_a_program_has_no_command() -> None:
    assert launch_words("mine", {"study": "mine"}) == ""
