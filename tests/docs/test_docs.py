"""The pages say what the code has: keys, reasons, targets and recipes; links lead somewhere; the README stays short."""

import re
from pathlib import Path

import pytest

from axolotl_augft.judging.rules import Reason
from tests.docs.config_table import PAGE, ROOT, names, with_tables

DOCS = ROOT / "docs"
TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES = [*TOP, *sorted(DOCS.glob("*.md"))]
LONGEST_README = 10_000
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and mkdocs make them of words and single spaces."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = (match["text"].lower() for match in _HEADING.finditer(text))
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip()) for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken = []
    for match in _LINK.finditer(_CODE.sub("", page.read_text(encoding="utf-8"))):
        target = match["target"]
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    return broken


@each
def test_links_and_images_lead_somewhere(page):
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b` c\n[x](#a-b-c) [y](#a-b) ![z](z.png) [w](page.md#a-b-c) `[v](v.md)`\n```\n[u](u.md)\n```\n"
    )
    assert broken_links(page) == ["#a-b", "z.png"]


def test_the_pages_of_the_site_link_to_pages_of_the_site():
    """On GitHub a link out of docs/ works, on the site it does not."""
    assert [
        (page.name, link) for page in DOCS.glob("*.md") for link in re.findall(r"\]\((\.\./[^)]+)\)", page.read_text())
    ] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_bytes()) <= LONGEST_README


def test_the_tables_of_keys_are_those_of_the_settings():
    text = PAGE.read_text(encoding="utf-8")
    assert sorted(re.findall(r"<!-- keys: (\w+) -->", text)) == sorted(names())
    assert with_tables(text) == text, "run: make docs-keys"


def test_every_reason_of_rejection_is_explained():
    rows = re.findall(r"^\| `(\w+)` \| \S", (DOCS / "judging.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(Reason)


def test_the_makefile_has_the_targets_that_the_pages_name():
    makefile = (ROOT / "Makefile").read_text()
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"env", "demo", "test", "check", "bench", "bench-tiny", "bench-reversal-curse", "docs"} <= named
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert named - targets == set()


def test_the_page_of_recipes_lists_every_recipe():
    listed = re.findall(r"^\| `example_configs/([\w-]+)\.yml` \| \S", (DOCS / "recipes.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(file.stem for file in (ROOT / "example_configs").glob("*.yml"))


def test_every_page_is_in_the_navigation():
    nav = re.findall(r"^ +- [^:\n]+: ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(nav) == sorted(page.name for page in DOCS.glob("*.md"))
