"""HTML or Markdown -> blocks of plain text.

Markdown is converted to HTML first, so that its code, tables and raw HTML are recognized.
"""

import re
from collections.abc import Iterator

import yaml
from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString
from markdown_it import MarkdownIt

from axolotl_augft.conversion.blocks import Block, Converted, Unusable, one_line
from axolotl_augft.conversion.formulas import Node, linear
from axolotl_augft.conversion.noise import remove_noise
from axolotl_augft.conversion.tables import table_lines
from axolotl_augft.text.scripts import Piece, grouped, joined

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
# The elements that the standard displays as blocks. All others, custom elements too, are part of a line.
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "col", "colgroup", "dd", "details"),
    *("dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "head", "header"),
    *("hgroup", "hr", "html", "legend", "li", "listing", "main", "menu", "nav", "ol", "optgroup", "option", "p"),
    *("plaintext", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    *("xmp", *_HEADINGS),
}
# Browsers stop at 512.
_DEEPEST = 200
_SCRIPTS = {"sup": "^", "sub": "_"}
# Glyphs of icon fonts.
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)


def from_html(html: str | bytes) -> Converted:
    """Convert the main part of a page: `main`, else its only `article`, else all of it.

    Raises:
        Unusable: As for `_parsed`.
    """
    page = _parsed(html)
    title = one_line(page.title.get_text()) if page.title else ""
    remove_noise(page, navigation=True)
    articles = page.find_all("article")
    root = page.find("main") or page.find(role="main") or (articles[0] if len(articles) == 1 else page)
    return Converted(title, tuple(_blocks(root)))


def from_fragment(html: str) -> Converted:
    """Convert HTML that a converter has made of a document: all of it is content.

    Raises:
        Unusable: As for `_parsed`.
    """
    page = _parsed(html)
    remove_noise(page, navigation=False)
    return Converted("", tuple(_blocks(page)))


def _parsed(html: str | bytes) -> BeautifulSoup:
    """Parse a page.

    Raises:
        Unusable: Its elements are nested deeper than those of any real page, so that each step through it takes long.
    """
    page = BeautifulSoup(html, "lxml")
    level: list[Tag] = [page]
    for _ in range(_DEEPEST):
        level = [child for tag in level for child in tag.children if isinstance(child, Tag)]
        if not level:
            return page
    raise Unusable(f"elements nested more than {_DEEPEST} deep")


def from_markdown(text: str) -> Converted:
    """Convert Markdown (CommonMark with tables); the title comes from YAML front matter."""
    front = _FRONT_MATTER.match(text)
    html = MarkdownIt("commonmark").enable("table").render(text[front.end() :] if front else text)
    return Converted(_front_title(front[1]) if front else "", from_fragment(html).blocks)


def _front_title(front: str) -> str:
    try:
        values = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError):
        return ""
    title = values.get("title") if isinstance(values, dict) else None
    return one_line(title) if isinstance(title, str) else ""


def _blocks(element: Tag) -> Iterator[Block]:
    """Yield an element's blocks in document order; inline content between block elements becomes a paragraph."""
    inline: list[Piece] = []

    def paragraph() -> Iterator[Block]:
        text = one_line(joined(inline))
        inline.clear()
        if text:
            yield Block(text)

    for child in element.children:
        if _is_inline(child):
            inline += _pieces(child)
        elif isinstance(child, Tag):
            yield from paragraph()
            yield from _block(child)
    yield from paragraph()


def _is_inline(child: PageElement) -> bool:
    if isinstance(child, Tag):
        return child.name not in _BLOCKS and all(map(_is_inline, child.children))
    return True


def _pieces(child: PageElement, script: str = "") -> Iterator[Piece]:
    if isinstance(child, NavigableString):
        if not isinstance(child, PreformattedString):
            yield Piece(_PRIVATE.sub("", child), script)
        return
    assert isinstance(child, Tag)
    if child.name == "br":
        yield Piece(" ", script)
    elif child.name == "math":
        yield Piece(linear(_node(child)), script)
    elif child.name == "rt":
        # The reading of the signs before it; browsers that cannot place it above them show what `rp` holds.
        yield Piece(f"({child.get_text()})", script)
    elif script and child.name in _SCRIPTS:
        yield Piece(_SCRIPTS[child.name] + grouped(one_line(child.get_text())), script)
    elif child.name != "rp":
        for part in child.children:
            yield from _pieces(part, _SCRIPTS.get(child.name, script))


def _node(tag: Tag) -> Node:
    """Read an element of MathML."""
    children = tuple(_node(child) for child in tag.children if isinstance(child, Tag))
    values = {name: str(value) for name, value in tag.attrs.items()}
    return Node(tag.name.rpartition(":")[2], "" if children else tag.get_text(), children, values)


def _block(tag: Tag) -> Iterator[Block]:
    if tag.name in _HEADINGS:
        heading = _flat(tag).rstrip(" ¶")
        yield from [Block(heading, _HEADINGS[tag.name])] if heading else []
    elif tag.name in ("ul", "ol"):
        yield from _items(tag)
    elif tag.name == "table" and not tag.find(["table", *_HEADINGS]):
        yield from _rows(tag)
    elif tag.name == "pre":
        text = "\n".join(line.rstrip() for line in tag.get_text().splitlines()).strip("\n")
        yield from [Block(text)] if text.strip() else []
    else:
        yield from _blocks(tag)


def _items(tag: Tag) -> Iterator[Block]:
    """Yield a list's items, each with a bullet or number; further blocks of an item, such as nested lists, follow."""
    start = str(tag.get("start", "1"))
    number = int(start) if start.isdecimal() else 1
    for item in tag.find_all(recursive=False):
        mark = f"{number}. " if tag.name == "ol" else "- "
        for i, block in enumerate(_blocks(item)):
            yield Block(mark + block.text if i == 0 and not block.tight else block.text, tight=True)
        number += item.name == "li"


def _rows(table: Tag) -> Iterator[Block]:
    """Yield a table's caption and rows."""
    if table.caption:
        yield from _blocks(table.caption)
    for line in table_lines(table, _flat):
        yield Block(f"- {line}", tight=True)


def _flat(tag: Tag) -> str:
    return " ".join(block.text for block in _blocks(tag))
