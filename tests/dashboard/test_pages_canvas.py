"""What draws and finds very many points: the modules under `canvas/`, called in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from search.dashboard.modules import STATIC, modules_of
from tests.dashboard.served import Served, opened

NEAREST = """async () => {
  const { Nearest } = await import("/static/canvas/nearest.js");
  let seed = 1;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const xs = Float32Array.from({ length: 3000 }, () => random() * 640);
  const ys = Float32Array.from({ length: 3000 }, () => random() * 480);
  const rows = [...xs.keys()];
  const nearest = new Nearest(xs, ys, rows, 640, 480);
  const search = (x, y) => rows.reduce((best, row) => {
    const distance = Math.hypot(xs[row] - x, ys[row] - y);
    return distance < best[1] ? [row, distance] : best;
  }, [-1, 14])[0];
  const places = Array.from({ length: 400 }, () => [random() * 680 - 20, random() * 520 - 20]);
  return [places.filter(([x, y]) => nearest.find(x, y) !== search(x, y)).length, nearest.find(-200, -200)];
}"""
CLOUD = """async () => {
  const { Cloud } = await import("/static/canvas/cloud.js");
  const pen = new OffscreenCanvas(40, 20).getContext("2d");
  const cloud = new Cloud(Float32Array.of(10, 30, 90), Float32Array.of(10, 10, 10), [0, 1, 2], 40, 20);
  cloud.draw(pen, Uint8Array.of(0, 1, 0), ["#ff0000", 1], ["#0000ff", 1]);
  return [10, 30, 20].map((x) => [...pen.getImageData(x, 10, 1, 1).data]);
}"""
GRADUAL = """async () => {
  const { Gradual } = await import("/static/canvas/gradual.js");
  const picture = new Gradual(10, 10);
  const drawn = [];
  picture.begin([...Array(1001).keys()], (_, item) => drawn.push(item));
  const after = [drawn.length];
  while (!picture.done) {
    picture.step();
    after.push(drawn.length);
  }
  return [after, new Set(drawn).size];
}"""


@pytest.fixture
def page(browser: Any, demo: Served) -> Iterator[Any]:
    """A page of the dashboard, from which its modules can be imported."""
    with opened(browser, demo, "/devices/board") as seen:
        yield seen.page


def test_the_nearest_point_is_the_one_that_all_distances_give(page: Any) -> None:
    assert page.evaluate(NEAREST) == [0, -1]


def test_a_cloud_has_a_square_at_each_point_in_its_colour(page: Any) -> None:
    assert page.evaluate(CLOUD) == [[255, 0, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]]


def test_many_lines_come_a_part_at_a_time_and_each_once(page: Any) -> None:
    assert page.evaluate(GRADUAL) == [[334, 668, 1001], 1001]


def test_the_first_view_of_a_study_asks_for_all_its_modules_at_once_and_for_no_others() -> None:
    modules = modules_of("pages/study.js", "plots/front.js", "plots/progress.js")
    assert {"front/plane.js", "canvas/cloud.js", "core/study_data.js"} <= set(modules)
    assert [name for name in modules if not (STATIC / name).is_file() or "vendor" in name] == []


def test_a_study_page_asks_for_its_data_once(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/nasbench201") as seen:
        seen.page.wait_for_selector("[data-figure=progress] canvas")
        asked = (
            "performance.getEntriesByType('resource').map((one) => one.name).filter((name) => name.includes('/api/'))"
        )
        paths = [name.partition("/api/v1")[2] for name in seen.page.evaluate(asked)]
    assert paths.count("/studies/nasbench201") == 1
    columns = [path.partition("names=")[2].split(",") for path in paths if "/columns?" in path]
    names = [name for each in columns for name in each]
    assert {"accuracy", "state"} <= set(names)
    assert len(names) == len(set(names))


def test_which_way_a_metric_is_better_is_claimed_where_its_name_says_so(page: Any) -> None:
    names = ["f1", "test_accuracy", "accuracy@pixel3", "validation_loss", "entropy_nats", "mapping"]
    aims = "async (names) => names.map((await import('/static/core/study_data.js')).usualAim)"
    assert page.evaluate(aims, names) == ["maximize", "maximize", "maximize", "minimize", "", ""]


def test_a_logarithmic_axis_of_a_narrow_range_has_ticks(page: Any) -> None:
    ticks = "async () => (await import('/static/canvas/scale.js')).logTicks(1.63, 1.72, 6)"
    assert page.evaluate(ticks) == [1.64, 1.66, 1.68, 1.7, 1.72]


def test_the_front_of_one_objective_has_a_cost_across(page: Any) -> None:
    view = """async () => (await import('/static/front/view.js')).defaultAxes({
      summary: { objectives: [{ metric: 'accuracy' }] },
      metrics: [{ name: 'accuracy' }, { name: 'f1' }, { name: 'train_time_s' }],
      metric: (name) => ({ direction: name === 'train_time_s' ? 'minimize' : null }),
    })"""
    assert page.evaluate(view) == {"y": "accuracy", "x": "train_time_s"}


def test_every_page_of_the_head_has_a_key_that_is_told(page: Any) -> None:
    page.keyboard.press("?")
    told = page.locator("dialog dt").all_inner_texts()
    assert {"g s", "g c", "g d", "g p"} <= set(told)
