"""A recipe's page -> pictures of it in Chromium: light, dark, narrow, two runs, a prompt, printed (`make screenshots`).

`python -m tests.support.screenshots OUT [CONFIG]`; without a recipe, a run over the handbook with a scripted teacher.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from axolotl_augft.cli.main import augft
from tests.support.browser import CHROMIUM, Page, open_browser
from tests.support.report_runs import make_run

_HANDBOOK = Path("example_configs/handbook.jsonl")
_LIST = "document.getElementById('statements').scrollIntoView(), new Promise((done) => setTimeout(done, 300))"


def main(out: Path, config: str | None) -> None:
    """Write the pages and take the pictures."""
    if CHROMIUM is None:
        sys.exit("there is no Chromium here; install the package chromium")
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as profile, open_browser(Path(profile)) as page:
        first, against = (config, None) if config else _made_up(out)
        one, two = out / "report.html", out / "against.html"
        _report(first, one)
        _take(page, one, out)
        if against:
            _report(first, two, "--against", against)
            page.open(two)
            page.js(_LIST)
            page.screenshot(out / "two-runs.png")
        assert page.errors == [], page.errors


def _made_up(out: Path) -> tuple[str, str]:
    rows = [json.loads(line) for line in _HANDBOOK.open()]
    both = ["local", {"strategy": "global", "context_tokens": 1000}]
    verify = {"alone": False, "ask_again": False}
    first = make_run(out / "run", rows, "handbook", 4, augment=both, verify=verify)
    return str(first), str(make_run(out / "run", rows, "local-only", 4, augment=["local"]))


def _report(config: str, page: Path, *options: str) -> None:
    result = CliRunner().invoke(augft, ["report", config, "--out", str(page), *options])
    assert result.exit_code == 0, result.output


def _take(page: Page, file: Path, out: Path) -> None:
    page.size(1280, 900)
    for scheme in ("light", "dark"):
        page.media(scheme)
        page.open(file)
        page.screenshot(out / f"{scheme}.png")
        page.js(_LIST)
        page.screenshot(out / f"{scheme}-statements.png")
    page.media("light")
    page.js("setFilters({ order: 'doubt', show: 'kept' }, true)")
    page.keys("jjx")
    page.screenshot(out / "doubtful.png")
    page.key("Enter")
    page.wait("document.querySelector('#answer[open] h3')")
    page.screenshot(out / "answer.png")
    page.key("Escape")
    page.js("setFilters({ kind: 'global/conclusion' }, true)")
    page.screenshot(out / "conclusions.png")
    page.js("setFilters({ order: 'source' }, false)")
    page.size(360, 740)
    page.js("scrollTo(0, 0)")
    page.screenshot(out / "narrow.png")
    page.js(_LIST)
    page.screenshot(out / "narrow-statements.png")
    page.size(1280, 900)
    page.media("light", "print")
    page.js("dispatchEvent(new Event('beforeprint'))")
    page.screenshot(out / "print.png", whole=True)
    page.pdf(out / "print.pdf")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
