"""A trial's page, and trials side by side."""

from __future__ import annotations

from typing import Any

from tests.dashboard.demo_study import HOSTILE
from tests.dashboard.served import Served, opened


def test_a_trial_shows_its_metrics_exactly(browser: Any, demo: Served) -> None:
    trial = demo.get("/studies/nasbench201/trials/7")
    with opened(browser, demo, "/studies/nasbench201/trials/7") as seen:
        shown = seen.page.locator("[data-metric=accuracy]")
        assert float(shown.get_attribute("title")) == trial["metrics"]["accuracy"]


def test_a_network_is_drawn_block_by_block(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/perceptrons/trials/3") as seen:
        seen.page.wait_for_selector("[data-figure=network] svg rect.block")
        seen.page.locator("[data-figure=network] svg rect.block").first.hover()
        assert "share" in seen.page.locator(".hovercard").text_content()
        seen.page.wait_for_selector("[data-figure=operators] canvas")


def test_the_figure_inside_a_block_does_not_hide_its_card(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/nasbench201/trials/7") as seen:
        seen.page.wait_for_selector("[data-figure=network] svg rect.block")
        seen.page.locator("[data-figure=network] svg rect.block").first.hover()  # in its middle, on the kernel
        assert "conv_bn 3x3" in seen.page.locator(".hovercard h3").text_content()


def test_the_devices_share_recolours_the_network(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/perceptrons/trials/3") as seen:
        choice = seen.page.locator("[data-figure=network]").get_by_label("Device")
        name = choice.locator("option").nth(1).get_attribute("value")
        choice.select_option(name)
        seen.page.wait_for_function("() => location.search.includes('device=')")
        assert name.split("@")[1] in seen.page.locator("[data-figure=network] .note").text_content()


def test_decisions_are_compared_with_another_trial(browser: Any, demo: Served) -> None:
    ours, theirs = (demo.get(f"/studies/nasbench201/trials/{number}")["decisions"] for number in (7, 0))
    expected = sum(a["label"] != b["label"] for a, b in zip(ours, theirs, strict=True))
    with opened(browser, demo, "/studies/nasbench201/trials/7?with=0") as seen:
        seen.page.get_by_text(f"{expected} of 6 differ").wait_for()
        assert seen.page.locator(".tree .differs").count() == expected


def test_a_bred_trial_stands_beside_its_parent(browser: Any, demo: Served) -> None:
    trial = demo.get("/studies/nasbench201/trials/399")
    parent = demo.get(f"/studies/nasbench201/trials/{trial['parent']}")
    assert sum(a != b for a, b in zip(trial["genotype"], parent["genotype"], strict=True)) == 1
    with opened(browser, demo, "/studies/nasbench201/trials/399") as seen:
        seen.page.get_by_text("1 of 6 differ from its parent,").wait_for()
        assert seen.page.locator("[data-figure=decisions] .differs").count() == 1


def test_a_failed_trial_says_why(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/mixed/trials/3") as seen:
        assert "RuntimeError" in seen.page.locator("[data-reason]").text_content()


def test_the_log_is_text(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/mixed/trials/3") as seen:
        assert seen.page.locator("[data-log]").text_content() == f"epoch 1 of 3\n{HOSTILE}"
        assert seen.page.locator("[data-log] *").count() == 0
    with opened(browser, demo, "/studies/mixed/trials/1") as seen:
        seen.page.locator("[data-metric]").first.wait_for()
        assert seen.page.locator("[data-log]").count() == 0


def test_the_command_that_exports_it_is_copied(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/studies/nasbench201/trials/7") as seen:
        command = seen.page.locator("[data-command]").get_attribute("data-command")
        storage = demo.get("/session")["storage"]
        assert command == f"python -m search export nasbench201 --trial 7 --to nasbench201-7 --storage {storage}"


def test_trials_stand_side_by_side(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/compare?trials=nasbench201:0,nasbench201:7,mixed:1") as seen:
        heads = seen.page.locator("[data-figure=metrics] thead th").all_text_contents()
        assert [head.strip() for head in heads] == ["metric", "nasbench201 0", "nasbench201 7", "mixed 1"]
        seen.page.wait_for_selector("[data-figure=networks] svg rect.differs", state="attached")


def test_networks_side_by_side_share_one_scale_of_colours(browser: Any, demo: Served) -> None:
    layers = {number: demo.get(f"/studies/perceptrons/trials/{number}")["network"]["layers"] for number in (0, 7)}
    costs = {n: [one["repeats"] * one["latency"]["latency_ms@phone"] for one in found] for n, found in layers.items()}
    most = max(max(cost) / sum(cost) for cost in costs.values())
    with opened(browser, demo, "/compare?trials=perceptrons:0,perceptrons:7") as seen:
        said = seen.page.locator("[data-figure=networks] .note").text_content()
        assert f"{100 * most:.0f} %" in said
        assert "share of latency (ms) · phone" in said


def test_studies_fronts_lie_over_one_another(browser: Any, demo: Served) -> None:
    with opened(browser, demo, "/compare?studies=mixed") as seen:
        seen.page.wait_for_selector("[data-figure=fronts] canvas.own")
        seen.page.wait_for_selector("[data-figure=volumes] canvas")
        seen.page.get_by_role("button", name="nasbench201").click()
        seen.page.wait_for_url("**studies=mixed,nasbench201")
        assert seen.errors == []
