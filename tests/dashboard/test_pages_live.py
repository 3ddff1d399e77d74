"""A study that a driver is really running: pages follow it, pause it, and let it go on."""

from __future__ import annotations

import time
from typing import Any

from tests.dashboard.served import Served, opened

MORE = "before => Number(document.querySelector('.statusline b').textContent.replace(',', '')) > before"


def finished(served: Served) -> int:
    """Return how many trials of the running study are done."""
    counts = served.get("/studies/slow")["counts"]
    return int(counts["completed"] + counts["infeasible"])


def wait_for_state(served: Served, state: str) -> None:
    """Wait until the server says that the running study is in a state."""
    end = time.monotonic() + 60
    while served.get("/studies/slow")["state"] != state:
        assert time.monotonic() < end, f"the study does not become {state}"
        time.sleep(0.1)


def test_a_new_trial_is_shown_within_two_seconds(browser: Any, running: Served) -> None:
    with opened(browser, running, "/studies/slow") as seen:
        seen.page.wait_for_function("() => document.querySelector('#connection').dataset.state === 'live'")
        delays = []
        for _ in range(3):
            before = finished(running)
            while finished(running) == before:
                time.sleep(0.02)
            told = time.monotonic()
            seen.page.wait_for_function(MORE, arg=before)
            delays.append(time.monotonic() - told)
    assert sorted(delays)[1] < 2.0


def test_the_list_of_studies_follows(browser: Any, running: Served) -> None:
    with opened(browser, running, "/") as seen:
        row = seen.page.locator("tr[data-study=slow]")
        before = row.text_content()
        seen.page.wait_for_function(
            "before => document.querySelector('tr[data-study=slow]').textContent !== before", arg=before
        )
        assert "running" in row.text_content()


def test_pause_and_resume_reach_the_driver(browser: Any, running: Served) -> None:
    with opened(browser, running, "/studies/slow") as seen:
        seen.page.locator("[data-action=pause]").click()
        wait_for_state(running, "paused")
        seen.page.locator("#head-state [data-state=paused]").wait_for()
        paused = finished(running)
        time.sleep(2.5)
        assert finished(running) == paused
        seen.page.locator("[data-action=resume]").click()
        seen.page.locator("#head-state [data-state=running]").wait_for()
        wait_for_state(running, "running")
        seen.page.wait_for_function(MORE, arg=paused)


def test_notes_and_tags_are_kept(browser: Any, running: Served) -> None:
    with opened(browser, running, "/studies/slow") as seen:
        seen.page.get_by_role("button", name="More").click()
        seen.page.get_by_role("button", name="Note …").click()
        seen.page.locator("dialog textarea").fill("**bold** <b>not</b>")
        seen.page.get_by_role("button", name="Save").last.click()
        seen.page.locator("[data-note] strong", has_text="bold").wait_for(state="attached")
    assert running.get("/studies/slow")["note"] == "**bold** <b>not</b>"


def test_deleting_asks_first(browser: Any, running: Served) -> None:
    with opened(browser, running, "/studies/slow") as seen:
        seen.page.get_by_role("button", name="More").click()
        seen.page.get_by_role("button", name="Delete …").click()
        assert "cannot be undone" in seen.page.locator("dialog").text_content()
        seen.page.get_by_role("button", name="Cancel").click()
    assert running.get("/studies/slow")["name"] == "slow"


def test_a_refusal_is_told(browser: Any, running: Served) -> None:
    with opened(browser, running, "/studies/slow") as seen:
        seen.page.get_by_role("button", name="More").click()
        seen.page.get_by_role("button", name="Rename …").click()
        seen.page.locator("dialog input").fill("another")
        seen.page.get_by_role("button", name="Rename", exact=True).click()
        told = seen.page.locator(".toast.bad")
        told.wait_for()
        assert told.text_content()
