"""How long a large study's page takes in a real browser: until its front and table stand, and for a step of a brush.

Used by `benchmarks/dashboard.py`. Times of opening are from the navigation's start, on the page's own clock, in a fresh
context with an empty cache. A step of a brush is one move of the pointer: until the second frame after its event has
begun (33 ms where nothing is late), and for how long the page was blocked at a time.
"""

from __future__ import annotations

import shutil
import statistics
from typing import Any

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
STEPS = 24
REPEATS = 3
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
FRONT = "() => document.querySelector('[data-figure=front] .legend')?.textContent.includes('front (')"
TABLE = "() => document.querySelectorAll('#table tbody tr').length > 0"
STEP = """async ([name, from, to]) => {
  const canvas = document.querySelector(`[data-figure=${name}] canvas`);
  const send = (kind, [clientX, clientY]) => canvas.dispatchEvent(
    new PointerEvent(kind, { clientX, clientY, bubbles: true, pointerId: 1 }));
  canvas.setPointerCapture = () => null;
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const times = [];
  const blocked = [];
  const note = (list) => blocked.push(...list.getEntries().map((entry) => entry.duration));
  new PerformanceObserver(note).observe({ type: "longtask" });
  send("pointerdown", from);
  for (let step = 1; step <= STEPS; step += 1) {
    await frame();
    const began = performance.now();
    send("pointermove", from.map((at, axis) => at + ((to[axis] - at) * step) / STEPS));
    await frame();
    await frame();
    times.push(performance.now() - began);
  }
  send("pointerup", to);
  await frame();
  return { times, blocked };
}""".replace("STEPS", str(STEPS))


def chromium() -> str | None:
    """Return the path of a Chromium on this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def opening(browser: Any, address: str) -> dict[str, float]:
    """Return in how many ms the study's front, and its table where that is asked for first, stand."""
    found = {}
    for name, path, wait in (("front", "", FRONT), ("table", "#table", TABLE)):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(address + path)
        page.wait_for_function(wait, polling="raf")
        found[name] = page.evaluate(DRAWN)
        context.close()
    return found


def brushing(browser: Any, address: str, figure: str) -> tuple[list[float], list[float]]:
    """Return the ms of each step of a brush on a figure, and of each task of over 50 ms meanwhile."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(FRONT, polling="raf")
    plot = page.locator(f"[data-figure={figure}]")
    plot.scroll_into_view_if_needed()
    canvas = plot.locator("canvas").first
    canvas.wait_for()
    page.wait_for_timeout(1500)
    box = canvas.bounding_box()
    ends = [[box["x"] + share * box["width"], box["y"] + share * box["height"]] for share in (0.3, 0.7)]
    if figure == "parallel":  # along the last axis
        ends = [[box["x"] + box["width"] - 52, box["y"] + share * box["height"]] for share in (0.3, 0.8)]
    found = page.evaluate(STEP, [figure, *ends])
    context.close()
    return found["times"], found["blocked"]


def measure_pages(address: str) -> dict[str, float]:
    """Print what the page at an address takes; return the figures in ms by name."""
    from playwright.sync_api import sync_playwright

    found: dict[str, float] = {}
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        first = opening(browser, address)
        again = [opening(browser, address) for _ in range(REPEATS)]
        print(f"\n{'in Chromium, ms':<26}{'first':>9}{'again':>9}{'spread':>16}")
        for name, ms in first.items():
            times = [one[name] for one in again]
            print(f"{name:<26}{ms:>9.0f}{statistics.median(times):>9.0f}{f'{min(times):.0f} to {max(times):.0f}':>16}")
            found[name] = ms
        for figure in ("front", "parallel"):
            times, blocked = brushing(browser, address, figure)
            name = f"a brush's step, {figure}"
            found[name] = statistics.median(times)
            spread = f"{min(times):.0f} to {max(times):.0f}"
            print(f"{name:<26}{'':>9}{found[name]:>9.0f}{spread:>16}   blocked {max(blocked, default=0):.0f} at most")
        browser.close()
    return found
