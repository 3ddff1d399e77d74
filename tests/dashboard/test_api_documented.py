"""The API's own description: complete, served from here, and true: no request of it ends in a server error."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck

from tests.dashboard.asking import Asking

schemathesis = pytest.importorskip("schemathesis")


def test_every_endpoint_says_what_it_does(own: Asking) -> None:
    paths = own.json("/openapi.json")["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    assert len(operations) >= 20
    assert all(len(operation["description"]) > 20 for operation in operations)


@pytest.mark.timeout(120)
def test_no_documented_request_is_a_server_error(own: Asking) -> None:
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", own.app, headers={"Host": "localhost"})
    headers = {"Host": "localhost", **own.headers_of_change}
    answers: Counter[int] = Counter()
    for found in schema.exclude(path_regex="/events$").get_all_operations():
        operation = found.ok()

        @hypothesis.settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @hypothesis.seed(0)
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            """Ask what was drawn, then the same of a study that is there: one to look at, one to be changed."""
            there = "mixed" if case.method == "GET" else "perceptrons"
            for study in (case.path_parameters.get("study"), there):
                if "study" in case.path_parameters:
                    case.path_parameters["study"] = study
                answer = case.call(headers=headers)
                assert answer.status_code < 500, (case, answer.text)
                answers[answer.status_code] += 1

        ask()
    assert answers[200] > 20, answers
    assert answers[400] > 20, answers  # refused for what was asked, not for the study
