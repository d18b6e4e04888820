"""The page in a real Chromium, without a network: what it shows, hostile text, marks, speed."""

import json
import time
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from axolotl_augft.cli.main import augft
from axolotl_augft.text.terminal import clean
from tests.support.browser import CHROMIUM, open_browser
from tests.support.data import TEXTS
from tests.support.report_runs import HOSTILE, made_up_rows, make_run

pytestmark = [
    pytest.mark.slow,
    # A browser comes from the system's packages, which no Python environment can install.
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install the package chromium to run these tests"),
]
_SOURCES = 10_000


def write_page(config: Path, *options: str) -> Path:
    page = config.with_suffix(".html")
    result = CliRunner().invoke(augft, ["report", str(config), "--out", str(page), *options])
    assert result.exit_code == 0, result.output
    return page


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as page:
        page.size(1280, 900)
        yield page


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    rows = [{"text": text} for text in (*TEXTS, *HOSTILE)]
    folder = tmp_path_factory.mktemp("small")
    config = make_run(folder, rows, augment=["local", {"strategy": "global", "context_tokens": 2000}])
    make_run(folder, rows, "other", augment=[{"strategy": "local", "kinds": ["reversal"]}])
    return config


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("large"), made_up_rows(_SOURCES))


@pytest.fixture
def page(browser, small):
    browser.errors.clear()
    browser.requests.clear()
    file = write_page(small)
    browser.open(file)
    browser.js("localStorage.clear(), marks.clear(), marksChanged()")
    yield browser
    assert browser.errors == []


def set_filter(name: str, value: str) -> str:
    return (
        f"(() => {{ const c = document.querySelector('#filters [name={name}]'); c.value = {json.dumps(value)}; "
        "c.dispatchEvent(new Event('input', { bubbles: true })) })()"
    )


def shown(page) -> list[str]:
    return page.js("order.map((i) => statements[i][TEXT])")


def test_hostile_text_is_shown_and_runs_nothing(page, small):
    assert page.js("window.planted === undefined && document.querySelectorAll('img').length === 0")
    assert [r for r in page.requests if not r.startswith("file:")] == []
    for text in HOSTILE:
        page.js(set_filter("search", text[:60].lower()))
        assert page.js("items.length") > 0, text[:60]
        page.wait("document.querySelector('.quoted')?.textContent")
    page.js(set_filter("search", "nul"))
    assert "NUL ⟨U+0000⟩ and ESC ⟨U+001B⟩[31m" in page.js("document.querySelector('.quoted').textContent")
    page.js(set_filter("search", "line"))
    assert page.js("document.documentElement.scrollWidth") <= 1280
    assert "Show all 1,1" in page.js("document.getElementById('list').textContent")


def test_what_a_terminal_leaves_out_shows_as_its_number(page):
    """Of all signs that this Python knows; a browser may know newer ones."""
    hidden = page.js(
        "Array.from({ length: 0x110000 }, (_, i) => i).filter((i) => shown(String.fromCodePoint(i)) !== "
        "String.fromCodePoint(i))"
    )
    # What `clean` and `clean_lines` treat as white space stays white space on the page.
    expected = {i for i in range(0x110000) if clean(f"a{chr(i)}b") != f"a{chr(i)}b"} - {ord("\t"), ord("\n")}
    assert {i for i in hidden if unicodedata.category(chr(i)) != "Cn"} == {
        i for i in expected if unicodedata.category(chr(i)) != "Cn"
    }
    assert page.js("shown('a\\u061cb\\u3164')") == "a⟨U+061C⟩b⟨U+3164⟩"


def test_the_policy_allows_no_other_script_and_no_request(page):
    page.js(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.planted = 1'; "
        "document.body.append(s); })()"
    )
    assert page.js("window.planted === undefined")
    assert page.js("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    assert any("Content Security Policy" in error for error in page.errors)
    page.errors.clear()


def test_the_summary_is_on_the_page(page):
    assert page.js("document.querySelector('#summary pre').textContent") == page.js("head.runs[0].summary.join('\\n')")
    assert "[object" not in page.js("document.body.innerText")


def test_filters_leave_what_they_name(page):
    everything = shown(page)
    page.js(set_filter("show", "rejected"))
    rejected = shown(page)
    page.js(set_filter("show", "kept"))
    kept = shown(page)
    assert kept and rejected and len(kept) + len(rejected) == len(everything)
    page.js(set_filter("kind", "global/"))
    assert {page.js("head.kinds[statements[order[0]][KIND]]")} <= {"global/trace", "global/conclusion"}
    page.js("setFilters({ show: 'rejected', reason: 'echo' })")
    assert page.js("order.every((i) => reasonOf(statements[i]) === 'echo')") and shown(page)
    page.js("setFilters({ place: 'no such file' })")
    assert shown(page) == [] and "No statement fits" in page.js("document.getElementById('list').textContent")
    page.js("setFilters({ order: 'doubt', show: 'kept' })")
    doubts = page.js("order.map((i) => statements[i][NEW])")
    assert doubts == sorted(doubts, reverse=True)


def test_doubtful_statements_without_a_probability_follow_those_with_one(page):
    page.js("statements.forEach((s, i) => { s[P] = i % 2 ? null : (i % 10) / 10; }), ranked = null")
    page.js("setFilters({ order: 'doubt', show: 'kept' })")
    found = page.js("order.map((i) => statements[i]).map((s) => [s[P] === null, s[P] ?? -s[NEW]])")
    assert found == sorted(found) and found[0][0] is False and found[-1][0] is True


def test_keys_move_mark_and_show_the_prompt(page):
    page.keys("jjx")
    taken = page.js("[...marks.values()]")
    assert len(taken) == 1 and taken[0]["mark"] == "out" and taken[0]["text"] == shown(page)[1]
    assert "taken out" in page.js("document.querySelector('.statement.current .tags').textContent")
    page.keys("x")
    assert page.js("marks.size") == 0
    page.keys("kx")
    assert page.js("[...marks.values()][0].text") == shown(page)[0]
    page.key("Enter")
    page.wait("document.querySelector('#answer[open] mark')")
    assert page.js("document.querySelector('#answer mark').textContent") == shown(page)[0]
    assert "Now these sentences:" in page.js("document.querySelector('#answer').textContent")
    page.key("Escape")
    page.keys("?")
    assert page.js("document.querySelector('#keys').open")
    page.key("Escape")
    page.keys("/")
    page.keys("jx")
    assert page.js("controls.search.value") == "jx" and page.js("marks.size") == 1


def test_saved_marks_take_statements_out_of_the_next_run(page, small, tmp_path):
    page.js("setFilters({ show: 'kept', kind: 'local/reversal' })")
    page.js("order.slice(0, 10).forEach((i) => toggleMark(statements[i]))")
    taken = shown(page)[:10]
    (tmp_path / "marks.jsonl").write_text(page.js("marksFile()"))
    cfg = yaml.safe_load(small.read_text())
    cfg["augft"]["marks"] = str(tmp_path / "marks.jsonl")
    config = tmp_path / "marked.yml"
    config.write_text(yaml.safe_dump(cfg))
    assert CliRunner().invoke(augft, ["run", str(config)]).exit_code == 0
    page.open(write_page(config))
    page.js("setFilters({ reason: 'marked' })")
    assert sorted(shown(page)) == sorted(taken) and len(taken) > 5
    assert page.js("marks.size") == len(taken) and page.js("document.querySelector('.mark').textContent") == "Undo"
    page.keys("jx")
    assert page.js("marks.size") == len(taken) - 1
    page.keys("x")
    assert page.js("[...marks.values()].map((mark) => mark.mark)") == ["out"] * len(taken)


def test_marks_stay_in_the_browser_until_they_are_saved(page, small):
    bar = "document.getElementById('marks').innerText"
    page.keys("jx")
    page.open(small.with_suffix(".html"))
    assert page.js("marks.size") == 1 and "Unsaved marks of this browser" in page.js(bar)
    page.js("HTMLAnchorElement.prototype.click = () => {}, saveMarks()")
    assert "Unsaved" not in page.js(bar) and page.js("localStorage.length") == 0
    page.open(small.with_suffix(".html"))
    assert page.js("marks.size") == 0


@pytest.mark.parametrize(
    "line", ["{}", "[]", "no JSON", '{"mark": "in", "document": "d"}', '{"document": "d", "text": "t"}']
)
def test_a_file_with_a_bad_line_is_refused(page, line):
    good = json.dumps({"mark": "in", "document": "d", "text": "t"})
    read = "(text) => { try { return marksIn(text) } catch (error) { return error.message } }"
    assert page.js(f"({read})({json.dumps(good)})") == [json.loads(good)]
    assert page.js(f"({read})({json.dumps(f'{good}{chr(10)}{line}')})").startswith("Line 2 of this file is not a mark")


def test_two_runs_side_by_side(page, small):
    page.open(write_page(small, "--against", str(small.with_name("other.yml"))))
    # The other run kept a part of what this one did, and nothing else.
    kept = "order.map((i) => [statements[i][RUN], statements[i][KEPT_BY]])"
    page.js("setFilters({ show: 'only-1' })")
    assert page.js(kept) == []
    page.js("setFilters({ show: 'only-0' })")
    only = page.js(kept)
    assert only and all(pair == [0, 1] for pair in only)
    page.js("setFilters({ show: 'both' }, true)")
    assert shown(page)
    # Only what is near the window stays in the page, so the list is scrolled to.
    page.wait("document.querySelectorAll('.side h4')[1]?.textContent === 'other'")
    assert "Two runs side by side" in page.js("document.getElementById('charts').textContent")


def test_sources_of_the_other_run_alone_are_not_uncovered(page, small, tmp_path):
    less = make_run(tmp_path, [{"text": TEXTS[0]}], "less")
    page.open(write_page(less, "--against", str(small)))
    assert page.js("sources.length") > 1 and page.js("head.runs[0].figures.covered") == page.js(
        "head.runs[0].figures.sentences"
    )
    for show in ("uncovered", "nothing"):
        page.js(f"setFilters({{ show: '{show}' }})")
        assert page.js("items.length") == 0


def test_paper_holds_the_first_sources_and_says_so(page):
    page.js("items = Array.from({ length: 130 }, (_, i) => items[i % items.length]), fillList()")
    page.media("light", "print")
    # In one step, as a browser prints: the window would empty again what is far from it.
    boxes = page.js(
        "dispatchEvent(new Event('beforeprint')), "
        "chunks.filter((chunk) => chunk.offsetHeight).map((chunk) => chunk.childElementCount)"
    )
    said = page.js("document.getElementById('printed').innerText")
    page.media("light")
    assert boxes == [5] * 20
    assert said == "The first 100 of 130 sources are printed; filter to print others."


def test_a_narrow_window_needs_no_sideways_scrolling(page):
    page.size(360, 740)
    assert page.js("document.documentElement.scrollWidth") == 360
    assert page.js(
        "[...document.querySelectorAll('#marks button')].filter((b) => b.offsetWidth).map((b) => b.textContent)"
    ) == ["Take out all shown", "Bring in all shown", "Open marks…", "Clear", "Save marks"]
    page.size(1280, 900)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(page, scheme):
    page.media(scheme)
    spec = find_spec("axe_core_python")
    (axe,) = Path(spec.origin).parent.rglob("axe.min.js")
    page.js(axe.read_text() + "; true")
    page.keys("j")
    for _ in range(2):
        found = page.js(
            "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => "
            "[v.id, v.impact, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]))"
        )
        assert [v for v in found if v[1] in ("serious", "critical", "moderate")] == []
        page.js("showAnswer(statements[0])")
        page.wait("document.querySelector('#answer[open] h3')")
    page.key("Escape")
    page.media("light")


def test_ten_thousand_sources_are_quick(browser, large):
    began = time.process_time()  # of this process alone: other work on the machine does not count
    page = write_page(large)
    assert time.process_time() - began < 20
    assert page.stat().st_size < 15e6
    browser.open(page)
    assert browser.js("statements.length") > 50_000
    assert browser.js("performance.getEntriesByName('first-contentful-paint')[0].startTime") < 2000
    for name, value in [("search", "ten"), ("search", "zzz"), ("show", "kept"), ("order", "doubt"), ("search", "mar")]:
        assert min(milliseconds(browser, name, value) for _ in range(5)) < 100, (name, value)


def milliseconds(page, name: str, value: str) -> float:
    """Set a filter, and return how long it took until the list was laid out; then set it back."""
    took = page.js(
        f"(() => {{ const t = performance.now(); {set_filter(name, value)}; document.body.offsetHeight; "
        "return performance.now() - t })()"
    )
    page.js("setFilters({ order: 'source' }, false)")
    return took
