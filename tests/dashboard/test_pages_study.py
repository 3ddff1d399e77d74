"""A study's page at work: hover, click, brush, filter, sort, devices, keys, deep links, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.dashboard.served import Opened, Served, opened

STUDY = "/studies/nasbench201"
FRONT = "[data-figure=front] canvas[tabindex]"


@pytest.fixture
def study(browser: Any, demo: Served) -> Iterator[Opened]:
    """The page of nasbench201, its front drawn."""
    with opened(browser, demo, STUDY) as seen:
        ready(seen.page)
        yield seen


def ready(page: Any) -> None:
    """Wait until the front is drawn."""
    page.wait_for_selector(FRONT)
    page.wait_for_function(
        "() => document.querySelector('[data-figure=front] .legend').textContent.includes('front (')"
    )
    page.wait_for_timeout(150)


def hover_a_trial(page: Any) -> int:
    """Move the pointer over the front's plot until a trial's card comes; return the trial's number."""
    box = page.locator(FRONT).bounding_box()
    for share in range(30, 98):
        page.mouse.move(box["x"] + box["width"] * share / 100, box["y"] + box["height"] * 0.12)
        card = page.locator(".hovercard:not([hidden]) h3")
        if card.count():
            return int(re.search(r"Trial (\d+)", card.text_content()).group(1))
    raise AssertionError("no trial was found under the pointer")


def drag(page: Any, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag between two places of an element, given as shares of its size."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    for (across, down), act in ((start, page.mouse.down), (end, page.mouse.up)):
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=4)
        page.wait_for_timeout(60)
        act()


def table(page: Any) -> Any:
    """Return the table of trials, drawn."""
    page.evaluate("document.querySelector('#table').scrollIntoView()")
    page.wait_for_selector("[data-figure=table] tbody tr, [data-figure=table] .empty")
    return page.locator("[data-figure=table]")


def total(page: Any, expected: int) -> None:
    """Wait until the table says that it has so many trials."""
    page.wait_for_selector(f"[data-figure=table] [data-total='{expected}']", state="attached")


def matching(demo: Served, expression: str) -> int:
    """Return how many trials a filter is true of."""
    return int(demo.get(f"{STUDY}/trials?where={quote(expression)}")["total"])


def test_hover_tells_the_trial_and_a_click_opens_it(study: Opened, demo: Served) -> None:
    number = hover_a_trial(study.page)
    trial = demo.get(f"{STUDY}/trials/{number}")
    card = study.page.locator(".hovercard").text_content()
    assert f"{trial['metrics']['accuracy']:.3g}" in card
    study.page.wait_for_selector(".hovercard [data-mini] svg rect")
    study.page.mouse.down()
    study.page.mouse.up()
    study.page.wait_for_url(f"**{STUDY}/trials/{number}")


def test_a_brush_on_the_front_goes_to_the_table(study: Opened, demo: Served) -> None:
    drag(study.page, FRONT, (0.1, 0.05), (0.5, 0.4))
    study.page.wait_for_selector(".chip")
    count = int(study.page.locator("[data-brushed]").get_attribute("data-brushed"))
    assert 0 < count < 400
    table(study.page)
    total(study.page, count)


def test_a_brush_on_an_axis_of_the_parallel_coordinates(study: Opened, demo: Served) -> None:
    study.page.evaluate("document.querySelector('#parallel').scrollIntoView()")
    study.page.wait_for_selector("[data-figure=parallel] canvas.own")
    study.page.wait_for_timeout(300)
    box = study.page.locator("[data-figure=parallel] canvas.own").bounding_box()
    first = 44 / box["width"]
    drag(study.page, "[data-figure=parallel] canvas.own", (first, 0.84), (first, 0.98))
    study.page.locator(".chip", has_text="edge_01: none").wait_for()
    expected = matching(demo, 'edge_01 == "none"')
    assert int(study.page.locator("[data-brushed]").get_attribute("data-brushed")) == expected


def test_a_cell_of_the_heat_map_brushes_its_choice(study: Opened, demo: Served) -> None:
    cells = study.page.locator("[data-figure=choices] canvas.own")
    study.page.evaluate("document.querySelector('#layers').scrollIntoView()")
    cells.wait_for()
    study.page.wait_for_load_state("networkidle")  # the figures above it may still grow
    cells.click(position={"x": cells.bounding_box()["width"] - 60, "y": 24})
    study.page.locator(".chip", has_text="edge_01: avg_pool_3x3").wait_for()
    expected = matching(demo, 'edge_01 == "avg_pool_3x3"')
    assert int(study.page.locator("[data-brushed]").get_attribute("data-brushed")) == expected


def test_a_filter_is_answered_by_the_server(study: Opened, demo: Served) -> None:
    expression = 'accuracy > 90 and edge_03 == "skip_connect"'
    table(study.page).locator("input.expression").fill(expression)
    total(study.page, matching(demo, expression))
    assert "where=" in study.page.url


def test_a_filter_that_is_not_understood_says_so(study: Opened) -> None:
    shown = table(study.page)
    shown.locator("input.expression").fill("accuracy >> 90")
    alert = shown.locator("[role=alert]")
    alert.wait_for()
    assert "filter" in alert.text_content()


def test_a_header_sorts_both_ways(study: Opened, demo: Served) -> None:
    shown = table(study.page)
    shown.locator("[data-sort=accuracy]").click()
    shown.locator("th[aria-sort=ascending] [data-sort=accuracy]").wait_for()
    shown.locator("[data-sort=accuracy]").click()
    shown.locator("th[aria-sort=descending] [data-sort=accuracy]").wait_for()
    best = demo.get(f"{STUDY}/trials?sort=accuracy&order=desc&limit=1")["rows"][0]["number"]
    study.page.wait_for_selector(f"[data-figure=table] tbody tr:first-child[data-number='{best}']")
    assert "accuracy" in study.page.url


def test_pages_follow_each_other(study: Opened) -> None:
    table(study.page).get_by_role("button", name="Next").click()
    study.page.wait_for_selector("[data-figure=table] tr[data-number='50']")
    study.page.locator("[data-figure=table]").get_by_role("button", name="Previous").click()
    study.page.wait_for_selector("[data-figure=table] tr[data-number='0']")
    assert study.page.locator("[data-figure=table] tr[data-number='50']").count() == 0


def test_columns_are_chosen(study: Opened) -> None:
    shown = table(study.page)
    shown.get_by_role("button", name="Columns").click()
    shown.get_by_label("worker").check()
    shown.locator("th", has_text="worker").wait_for()
    assert "worker" in study.page.url


def test_the_csv_is_what_the_table_shows(study: Opened) -> None:
    shown = table(study.page)
    shown.locator("input.expression").fill("accuracy > 90.5")
    study.page.wait_for_url("**where=**")
    study.page.wait_for_timeout(400)
    count = int(shown.locator("[data-total]").get_attribute("data-total"))
    shown.get_by_role("button", name="Save").click()
    with study.page.expect_download() as found:
        shown.get_by_role("link", name=re.compile("CSV")).click()
    lines = found.value.path().read_text().splitlines()
    assert lines[0].startswith("number,state,accuracy,latency_ms@pixel3")
    assert len(lines) == count + 1


def test_another_device_costs_the_same_trials_anew(study: Opened, demo: Served) -> None:
    study.page.locator("[data-figure=front]").get_by_label("Device", exact=True).select_option(label="raspi4")
    study.page.wait_for_url("**x=latency_ms@raspi4**")
    found = demo.get(f"{STUDY}/front?x=latency_ms@raspi4&y=accuracy")
    front = found["numbers"]
    study.page.get_by_text(f"front ({len(front)})").wait_for()
    study.page.get_by_text(f"knee (trial {found['knee']})").wait_for()
    assert front != demo.get(f"{STUDY}/front?x=latency_ms@pixel3&y=accuracy")["numbers"]


def test_a_third_metric_turns_the_plane_into_a_space(study: Opened) -> None:
    study.page.get_by_label("Third metric").select_option("latency_ms@raspi4")
    study.page.get_by_text("drag to turn").wait_for()
    before = study.page.locator("[data-figure=front] .plot").screenshot()
    drag(study.page, FRONT, (0.4, 0.4), (0.6, 0.5))
    assert study.page.locator("[data-figure=front] .plot").screenshot() != before


def test_keys_walk_along_the_front_and_open_a_trial(study: Opened, demo: Served) -> None:
    study.page.locator(FRONT).focus()
    study.page.keyboard.press("ArrowRight")
    heading = study.page.locator(".hovercard h3").text_content()
    number = int(re.search(r"Trial (\d+)", heading).group(1))
    assert number in demo.get(STUDY)["front"]
    study.page.keyboard.press("Enter")
    study.page.wait_for_url(f"**{STUDY}/trials/{number}")


def test_every_control_is_reached_by_the_tab_key(study: Opened) -> None:
    reached = set()
    for _ in range(24):
        study.page.keyboard.press("Tab")
        reached.add(
            study.page.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent.trim()")
        )
    assert {"Skip to content", "Studies", "Compare", "More", "Metric across", "Metric up", "Third metric"} <= reached


def test_a_deep_link_restores_what_was_seen(browser: Any, demo: Served) -> None:
    where = quote('state == "COMPLETED"')
    link = f"{STUDY}?x=latency_ms@raspi4&logy=yes&brush=accuracy~90~92&sort=accuracy:desc&where={where}"
    with opened(browser, demo, link) as seen:
        ready(seen.page)
        assert seen.page.get_by_label("Metric across").input_value() == "latency_ms@raspi4"
        assert seen.page.get_by_label("log up").is_checked()
        expected = matching(demo, "accuracy >= 90 and accuracy <= 92")
        table(seen.page)
        total(seen.page, expected)
        assert seen.page.locator("input.expression").input_value() == 'state == "COMPLETED"'


@pytest.mark.parametrize("kind", ["SVG", "CSV", "PNG"])
def test_a_figure_is_saved(study: Opened, kind: str) -> None:
    study.page.get_by_role("button", name="Save Pareto front").click()
    with study.page.expect_download() as found:
        study.page.get_by_role("button", name=kind, exact=True).click()
    content = found.value.path().read_bytes()
    signs = {"SVG": b"<svg", "CSV": b"number,latency_ms@pixel3,accuracy\n", "PNG": b"\x89PNG"}
    assert content.startswith(signs[kind])
    assert len(content) > 150


def test_bounds_and_times_are_told_with_their_units(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/mixed") as seen:
        seen.page.get_by_role("heading", name="Best accuracy with latency ≤ 14 ms").wait_for()
        took = table(seen.page).locator("th", has_text="took (s)")
        assert took.count() == 1
        cells = seen.page.locator("[data-figure=table] tbody tr td:last-child").all_text_contents()
        assert cells and all(cell == "–" or float(cell) > 0 for cell in cells)


def test_what_did_not_complete_is_listed_with_its_reasons(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/mixed") as seen:
        seen.page.get_by_role("link", name="6 failed").click()
        total(seen.page, 6)
        assert "out of memory" in seen.page.locator("[data-figure=table] tbody").text_content()


def test_a_theme_that_was_chosen_stays(study: Opened) -> None:
    study.page.locator("#theme").click()
    study.page.locator("#theme").click()
    study.page.reload()
    assert study.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_every_figure_of_the_page_is_drawn(study: Opened) -> None:
    for name in ("progress", "hypervolume", "parallel", "importance", "effects", "choices", "timeline"):
        study.page.evaluate(f"document.querySelector('[data-figure={name}]').scrollIntoView()")
        study.page.wait_for_selector(f"[data-figure={name}] .plot canvas")
    assert "PED-ANOVA" in study.page.locator("[data-figure=importance] .note").text_content()
    assert study.errors == []


def test_paper_is_light_and_has_no_controls(browser: Any, demo: Served) -> None:
    with opened(browser, demo, STUDY, dark=True) as seen:
        ready(seen.page)
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        seen.page.emulate_media(media="print")
        assert not seen.page.locator(".bar").is_visible()
        assert not seen.page.locator("[data-figure=front] .tools").is_visible()
        pixel = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data]"
        assert seen.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')") == "#000"
        assert seen.page.locator(FRONT).evaluate(pixel) == [0, 0, 0, 0]


def test_it_says_which_tables_its_latencies_are_from(study: Opened, demo: Served) -> None:
    versions = [table["sha256"][:8] for table in demo.get(STUDY)["tables"]]
    said = study.page.locator("#about").text_content()
    assert versions and all(f"table {version}" in said for version in versions)


def test_a_device_that_cannot_cost_the_trials_says_why_and_is_not_chosen(browser: Any, demo: Served) -> None:
    refused = {"status": 400, "json": {"error": "no entry for conv 3x3"}}
    with opened(browser, demo, "/studies/perceptrons") as seen:
        ready(seen.page)
        seen.page.route("**/columns?names=*watch*", lambda route: route.fulfill(**refused))
        seen.page.get_by_role("button", name="watch").click()
        seen.page.locator(".toast.bad", has_text="no entry for conv 3x3").wait_for()
        assert seen.page.locator("[aria-label=Device] [aria-pressed=true]").inner_text().strip() == "phone"
        assert "watch" not in seen.page.url


def test_how_long_a_trial_took_has_few_digits(study: Opened) -> None:
    took = table(study.page).locator("tbody tr:first-child td:last-child")
    assert re.fullmatch(r"<0\.001|\d+(\.\d{1,5})?", took.inner_text())
    assert "." in took.get_attribute("title")
