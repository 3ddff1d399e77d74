"""Every page opens on real studies: without an error, without another host, on a phone, and for everyone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.demo_study import HOSTILE, PREPARED
from tests.dashboard.served import Served, opened, serve

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
PAGES = {
    "studies": "/",
    "study": "/studies/nasbench201",
    "hostile": "/studies/mixed",
    "trial": "/studies/perceptrons/trials/3",
    "failed": "/studies/mixed/trials/3",
    "trials": "/compare?trials=nasbench201:0,nasbench201:7",
    "compared": "/compare?studies=nasbench201,mixed",
    "devices": "/devices?a=pixel3&b=raspi4",
    "device": "/devices/board",
    "preparations": "/preparations",
    "preparation": f"/preparations/{PREPARED}",
    "api": "/api/docs",
}
SERIOUS = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
}"""


SHIFTS = """() => new Promise((done) => {
  const sum = (list) => list.getEntries().reduce((all, shift) => all + (shift.hadRecentInput ? 0 : shift.value), 0);
  new PerformanceObserver((list) => done(sum(list))).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(0), 500);
})"""


def read_through(page: Any) -> None:
    """Scroll to the end, so that every figure is drawn."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for place in range(0, height, 700):
        page.evaluate(f"scrollTo(0, {place})")
        page.wait_for_timeout(60)
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_nothing_goes_wrong(browser: Any, demo: Served, shots: Path, path: str) -> None:
    with opened(browser, demo, path) as seen:
        read_through(seen.page)
        seen.page.evaluate(AXE.read_text())
        serious = seen.page.evaluate(SERIOUS)
        seen.page.screenshot(path=shots / f"{path.strip('/').replace('/', '-')[:40] or 'studies'}.png", full_page=True)
    assert seen.errors == []
    assert seen.foreign == []
    assert serious == []


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_a_phone_shows_it_without_sideways_scroll_in_the_dark(
    browser: Any, demo: Served, shots: Path, path: str
) -> None:
    with opened(browser, demo, path, width=390, dark=True) as seen:
        read_through(seen.page)
        seen.page.screenshot(path=shots / f"{path.strip('/').replace('/', '-')[:40] or 'studies'}-phone.png")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert seen.page.evaluate("getComputedStyle(document.body.parentElement).colorScheme") == "dark"


@pytest.mark.parametrize("name", ["study", "trial", "trials", "devices", "preparations"])
def test_nothing_jumps_while_a_page_comes(browser: Any, demo: Served, name: str) -> None:
    with opened(browser, demo, PAGES[name]) as seen:
        seen.page.wait_for_load_state("networkidle")
        assert seen.page.evaluate(SHIFTS) < 0.05  # Chromium's cumulative layout shift; "good" is below 0.1


def test_dark_pages_have_no_serious_violation(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/mixed", dark=True) as seen:
        read_through(seen.page)
        seen.page.evaluate(AXE.read_text())
        assert seen.page.evaluate(SERIOUS) == []


@pytest.mark.parametrize("path", ["/", "/studies/mixed", "/studies/mixed/trials/3"])
def test_what_looks_like_markup_is_shown_as_text(browser: Any, demo: Served, path: str) -> None:
    with opened(browser, demo, path) as seen:
        read_through(seen.page)
        seen.page.get_by_text(HOSTILE).first.wait_for(state="attached")
        assert seen.page.locator("#page script, #page img").count() == 0


def test_a_note_is_read_as_markdown_and_its_markup_as_text(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/mixed") as seen:
        note = seen.page.locator("[data-note] .markdown")
        note.wait_for()
        assert note.locator("em").text_content() == "notes"
        assert HOSTILE in note.text_content()
        assert note.locator("a").get_attribute("href") == "https://example.org"


def test_a_link_that_would_run_something_is_text(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/mixed/trials/0") as seen:
        assert seen.page.get_by_text("javascript:alert(1)").count() == 1
        assert seen.page.locator("a[href^='javascript:']").count() == 0


def test_a_study_that_is_not_there_says_what_is(browser: Any, demo: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"{demo.address}/studies/nothing")
    assert answer.status == 404
    assert page.locator(".notice").text_content() == "There is no study 'nothing'."
    page.get_by_role("link", name="All studies").click()
    page.wait_for_url(f"{demo.address}/")
    context.close()


def test_a_token_is_asked_for_once(browser: Any, tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/search.db", "--token", "secret") as served:
        page = browser.new_page()
        page.goto(f"{served.address}/devices")
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Open").click()
        page.get_by_text("That is not the token.").wait_for()
        page.get_by_label("Token").fill("secret")
        page.get_by_role("button", name="Open").click()
        page.wait_for_url(f"{served.address}/devices")
        assert page.get_by_label("Token").count() == 0
        page.close()


def test_a_preparation_shows_its_curves(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/preparations") as seen:
        seen.page.get_by_role("link", name=PREPARED[:12]).click()
        seen.page.wait_for_selector("[data-figure=loss] canvas")
        assert seen.page.locator("h1").text_content() == "fbnet dnas"


def test_an_empty_storage_tells_what_fills_it(browser: Any, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/search.db"
    with serve(storage) as served, opened(browser, served, "/") as seen:
        shown = seen.page.locator(".empty code").text_content()
        assert shown == f"python -m search launch nasbench201 --storage {storage}"
        seen.page.goto(f"{served.address}/preparations")
        shown = seen.page.locator(".empty code").text_content()
        assert shown == f"python -m search launch fbnet --storage {storage}"
        assert seen.errors == []
