"""docs/dashboard.md: its plot is drawn by the page, and its command and links are right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.dashboard.served import Served

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/dashboard.md").read_text()
PLOT = re.search(r"```js\n(.*?)```", PAGE, re.DOTALL).group(1)  # type: ignore[union-attr]


def with_plot(route: Any) -> None:
    """Answer with the page as it is when the plot's file lies beside the others."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace('data-plots="', 'data-plots="elapsed '))


def test_the_plot_is_drawn_by_the_page(browser: Any, demo: Served) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.route(
        "**/studies/mixed", lambda route: with_plot(route) if "/api/" not in route.request.url else route.fallback()
    )
    page.route("**/plots/elapsed.js", lambda route: route.fulfill(body=PLOT, content_type="text/javascript"))
    page.goto(f"{demo.address}/studies/mixed#workers")
    page.locator("[data-figure=elapsed]").scroll_into_view_if_needed()
    page.wait_for_selector("[data-figure=elapsed] .plot canvas")
    assert page.locator("[data-figure=elapsed] h2").text_content() == "Time a trial takes"
    page.close()


def test_the_files_that_it_names_are_there() -> None:
    names = set(re.findall(r"`((?:canvas|plots|core)/\w+\.js)`", PAGE))
    assert len(names) >= 4
    assert [name for name in names if not (ROOT / "search/dashboard/static" / name).exists()] == []
    assert (ROOT / "docs/images/dashboard.png").stat().st_size < 400_000
