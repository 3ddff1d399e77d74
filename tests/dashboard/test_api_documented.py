"""The API's own description: complete, served from here, and true of every answer; none is a server error."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck

from tests.dashboard.asking import Asking
from tests.dashboard.demo_study import PREPARED

schemathesis = pytest.importorskip("schemathesis")
THERE = {"study": "mixed", "number": "3", "device": "phone", "key": PREPARED}
QUERY = {"/devices/compare": {"a": "phone", "b": "board"}}
HEADERS = {"Host": "localhost"}


def documented(asking: Asking) -> Any:
    """Return the description as schemathesis reads it; events are left out, which do not end."""
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", asking.app, headers=HEADERS)
    return schema.exclude(path_regex="/events$")


def check(case: Any, answer: Any) -> None:
    """Have the description's status, media type and schema hold of an answer."""
    checks = schemathesis.checks
    case.validate_response(
        answer,
        checks=[
            checks.not_a_server_error,
            checks.CHECKS.get_one("status_code_conformance"),
            checks.CHECKS.get_one("content_type_conformance"),
            checks.CHECKS.get_one("response_schema_conformance"),
        ],
    )


def test_every_endpoint_says_what_it_does(own: Asking) -> None:
    paths = own.json("/openapi.json")["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    assert len(operations) >= 20
    assert all(len(operation["description"]) > 20 for operation in operations)


def test_every_answer_is_typed(own: Asking) -> None:
    paths = own.json("/openapi.json")["paths"]
    answers = {
        (method, path): content
        for path, operations in paths.items()
        for method, operation in operations.items()
        for content in operation["responses"].get("200", {}).get("content", {}).values()
    }
    assert len(answers) >= 20
    assert [name for name, content in answers.items() if not content.get("schema")] == []


@pytest.mark.parametrize("study", ["mixed", "perceptrons"])
def test_what_is_there_is_answered_as_documented(api: Asking, study: str) -> None:
    asked = 0
    for found in documented(api).include(method="GET").get_all_operations():
        operation = found.ok()
        path = operation.path.removeprefix("/api/v1")
        case = operation.Case(path_parameters=THERE | {"study": study}, query=QUERY.get(path, {}))
        answer = case.call(headers=HEADERS)
        assert answer.status_code == 200, (path, answer.text)
        check(case, answer)
        asked += 1
    assert asked >= 20


@pytest.mark.timeout(120)
def test_no_documented_request_is_answered_in_another_way(own: Asking) -> None:
    headers = HEADERS | own.headers_of_change
    answers: Counter[int] = Counter()
    for found in documented(own).get_all_operations():
        operation = found.ok()

        @hypothesis.settings(max_examples=8, suppress_health_check=list(HealthCheck))
        @hypothesis.seed(0)
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            """Ask what was drawn, then the same of a study that is there: one to look at, one to be changed."""
            there = "mixed" if case.method == "GET" else "perceptrons"
            for study in (case.path_parameters.get("study"), there):
                if "study" in case.path_parameters:
                    case.path_parameters["study"] = study
                answer = case.call(headers=headers)
                check(case, answer)
                answers[answer.status_code] += 1

        ask()
    assert answers[200] > 20, answers
    assert answers[400] > 20, answers  # refused for what was asked, not for the study
