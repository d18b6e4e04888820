"""How large the report's page is, how long it takes to write and to open, and how quick its filters are.

`python -m benchmarks.report_at_size FOLDER [SOURCES]`: makes a run with a scripted teacher in FOLDER (10,000 sources),
and opens its page in Chromium.
"""

import json
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from axolotl_augft.cli.recipe_files import read_recipe
from axolotl_augft.cli.report import current_result
from axolotl_augft.report.page import ShownRun, write_report
from tests.support.browser import Page, open_browser
from tests.support.report_runs import made_up_rows, make_run

_FILTERS = (("search", "ten"), ("search", "tenrick"), ("show", "kept"), ("kind", "local/reversal"), ("order", "doubt"))


def main(folder: Path, sources: int) -> None:
    augment = ["local", {"strategy": "global", "context_tokens": 2000}]
    recipe = read_recipe(str(make_run(folder, made_up_rows(sources), augment=augment)))
    page = folder / "report.html"
    before, began, peak = _megabytes(), time.monotonic(), _Peak()
    write_report(ShownRun(recipe, "report", current_result(recipe)), page)
    print(f"written in {time.monotonic() - began:.1f} s, {peak.megabytes() - before:.0f} MB more memory than before")
    print(f"{page.stat().st_size / 1e6:.1f} MB")
    with TemporaryDirectory() as profile, open_browser(Path(profile)) as browser:
        browser.size(1280, 900)
        began = time.monotonic()
        browser.open(page)
        print(f"{browser.js('statements.length'):,} statements, all read after {time.monotonic() - began:.1f} s")
        paint = browser.js("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        print(f"first paint after {paint:.0f} ms")
        print(f"{browser.js('performance.memory.usedJSHeapSize') / 1e6:.0f} MB of JavaScript objects")
        for name, value in _FILTERS:
            print(f"{name} {value}: {_milliseconds(browser, name, value):.0f} ms")


def _milliseconds(browser: Page, name: str, value: str) -> float:
    set_it = (
        f"const c = document.querySelector('#filters [name={name}]'); c.value = {json.dumps(value)}; "
        "c.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    timed = f"const t = performance.now(); {set_it}; document.body.offsetHeight; return performance.now() - t"
    found = float(browser.js(f"(() => {{ {timed} }})()"))
    browser.js("setFilters({ order: 'source' }, false)")
    return found


def _megabytes() -> float:
    return float(psutil.Process().memory_info().rss / 1e6)


class _Peak:
    """The most memory this process has held since, looked at fifty times a second."""

    def __init__(self) -> None:
        self._most = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            self._most = max(self._most, _megabytes())
            time.sleep(0.02)

    def megabytes(self) -> float:
        return self._most


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
