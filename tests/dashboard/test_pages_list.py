"""The list of studies, and what is done to a study that nobody drives: found, sorted, named, put away, deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from search.schema import progress
from search.storage import open_storage
from tests.dashboard.demo_study import mixed_study
from tests.dashboard.served import Opened, Served, opened, serve


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The dashboard of three studies of its own."""
    url = f"sqlite:///{tmp_path}/search.db"
    with open_storage(url) as storage:
        for name, trials in (("apple", 6), ("pear", 12), ("plum", 3)):
            mixed_study(storage, name, trials).close()
    with serve(url) as running:
        yield running


@pytest.fixture
def listed(browser: Any, served: Served) -> Iterator[Opened]:
    """The list of these studies."""
    with opened(browser, served, "/") as seen:
        yield seen


def names(page: Any) -> list[str]:
    """Return the studies in the list, from above."""
    return list(page.locator("tr[data-study]").evaluate_all("rows => rows.map((row) => row.dataset.study)"))


def act(page: Any, item: str) -> None:
    """Choose something in a study's menu."""
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name=item).click()


def test_on_a_phone_the_list_stands_in_two_columns(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/", width=390) as seen:
        lefts = "cells => cells.map((cell) => Math.round(cell.getBoundingClientRect().left))"
        found = seen.page.locator(".studies td:has(dl)").evaluate_all(lefts)
    assert len(found) > 2
    assert len(set(found)) == 1


def test_the_list_is_searched_and_sorted_and_its_address_says_so(listed: Opened) -> None:
    listed.page.locator("th[data-key=trials] button").click()
    assert names(listed.page) == ["plum", "apple", "pear"]
    listed.page.locator("th[data-key=trials] button").click()
    assert names(listed.page) == ["pear", "apple", "plum"]
    listed.page.keyboard.press("/")
    listed.page.keyboard.type("p accuracy")
    listed.page.get_by_text("3 studies").wait_for()
    listed.page.keyboard.type(" pl")
    listed.page.get_by_text("2 of 3 studies").wait_for()
    assert names(listed.page) == ["apple", "plum"]
    listed.page.reload()
    listed.page.get_by_text("2 of 3 studies").wait_for()


def test_a_study_is_named_tagged_put_away_and_deleted(listed: Opened, served: Served) -> None:
    page = listed.page
    page.get_by_role("link", name="plum").click()
    act(page, "Rename …")
    page.locator("dialog input").fill("prune")
    page.get_by_role("button", name="Rename", exact=True).click()
    page.wait_for_url("**/studies/prune")
    act(page, "Tags …")
    page.locator("dialog input").fill("dried, fruit")
    page.get_by_role("button", name="Save").last.click()
    page.locator("#head-state .tag", has_text="dried").wait_for()
    act(page, "Archive")
    page.get_by_text("Archived: the list shows it").wait_for()
    found = served.get("/studies/prune")
    assert (found["tags"], found["archived"]) == (["dried", "fruit"], True)
    page.goto(f"{served.address}/")
    page.get_by_text("2 of 3 studies").wait_for()
    page.get_by_label("archived too").check()
    page.get_by_role("link", name="prune").click()
    act(page, "Delete …")
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_url(f"{served.address}/")
    assert [study["name"] for study in served.get("/studies")["studies"]] == ["apple", "pear"]
    assert listed.errors == []


def test_a_driver_that_went_is_named_with_what_to_do(browser: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/search.db"
    gone = sa.update(progress).values(
        lease_host="node-a", lease_machine="another", lease_pid=1, lease_pid_started=1, lease_uptime_s=0.0,
        lease_renewed_at=time.time() - 3 * 3600,
    )  # fmt: skip
    with open_storage(url) as storage:
        mixed_study(storage, "pear", 3, finish=False).close()
        storage.database.write(lambda connection: connection.execute(gone))
    with serve(url) as served, opened(browser, served, "/studies/pear") as seen:
        advice = seen.page.locator("[data-advice]")
        assert advice.text_content().startswith("Driver on host node-a stopped answering 3.0 h ago. No result is lost.")
        assert advice.locator("time").get_attribute("title")
