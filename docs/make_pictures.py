"""Make docs/images/dashboard.png: the dashboard's page of the shipped study nasbench201, run anew on this machine.

python docs/make_pictures.py [--storage URL] [--study NAME]     needs Playwright and chromium; takes a minute
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs/images/dashboard.png"
SEARCH = (sys.executable, "-m", "search")
SIZE = {"width": 1440, "height": 900}
FRONT = "[data-figure=front] canvas[tabindex]"
PATIENCE_S = 60.0


@contextmanager
def dashboard(storage: str) -> Iterator[str]:
    """Run a dashboard at a free port; give its address once it answers."""
    command = [*SEARCH, "dashboard", "--storage", storage, "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
        if found is None:
            raise SystemExit("the dashboard did not start")
        wait_for(found.group())
        yield found.group()
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str) -> None:
    """Return once a server answers."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            urlopen(address).close()  # noqa: S310 - the address that the dashboard printed
        except URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def draw(address: str, study: str) -> None:
    """Open the study's page, walk three trials along its front, and take the picture."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce", bypass_csp=True)
        page.goto(f"{address}studies/{study}")
        page.wait_for_selector(".card .card-drawing svg")
        page.add_style_tag(content="canvas:focus-visible { outline: none; }")
        page.locator(FRONT).focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        page.wait_for_selector(".hovercard [data-mini] svg")
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURE)
        browser.close()


def main() -> None:
    """Run the study, unless a storage that has it is given, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--storage", default="", help="a database that has the study already")
    parser.add_argument("--study", default="nasbench201")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        storage = given.storage or f"sqlite:///{folder}/search.db"
        if not given.storage:
            subprocess.run([*SEARCH, "launch", given.study, "--storage", storage], cwd=ROOT, check=True)
        with dashboard(storage) as address:
            draw(address, given.study)


if __name__ == "__main__":
    main()
