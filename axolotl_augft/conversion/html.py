"""HTML and Markdown -> blocks of plain text.

Markdown goes through HTML, so that code, tables and raw HTML in it are read as what they are.
"""

import re
from collections.abc import Iterable, Iterator

import yaml
from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString
from markdown_it import MarkdownIt

from axolotl_augft.conversion.blocks import Block, Converted, one_line

# Not content: code, style and controls, and the parts of a page that every page of a site repeats.
_DROPPED = [
    "script",
    "style",
    "title",
    "noscript",
    "template",
    "svg",
    "iframe",
    "nav",
    "footer",
    "aside",
    "button",
    "select",
    "textarea",
]
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = {
    *(
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
    ),
    *("mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
}
# What documentation tools put behind a heading as a link to it.
_ANCHOR = " ¶"
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)


def from_html(html: str | bytes) -> Converted:
    """The blocks of a page's main part (`main`, else its only `article`, else all of it)."""
    page = BeautifulSoup(html, "lxml")
    title = one_line(page.title.get_text()) if page.title else ""
    for element in page.find_all(_DROPPED):
        element.decompose()
    articles = page.find_all("article")
    root = page.find("main") or (articles[0] if len(articles) == 1 else page)
    return Converted(title, tuple(_blocks(root)))


def from_markdown(text: str) -> Converted:
    """The blocks of Markdown (CommonMark and tables); YAML before it says its title."""
    front = _FRONT_MATTER.match(text)
    html = MarkdownIt("commonmark").enable("table").render(text[front.end() :] if front else text)
    return Converted(_front_title(front[1]) if front else "", from_html(html).blocks)


def _front_title(front: str) -> str:
    try:
        values = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError):
        return ""
    title = values.get("title") if isinstance(values, dict) else None
    return one_line(title) if isinstance(title, str) else ""


def _blocks(element: Tag) -> Iterator[Block]:
    """Blocks in document order; inline content between two of them is a paragraph."""
    inline: list[str] = []

    def paragraph() -> Iterator[Block]:
        text = one_line("".join(inline))
        inline.clear()
        if text:
            yield Block(text)

    for child in element.children:
        if _is_inline(child):
            inline.append(_inline_text(child))
        elif isinstance(child, Tag):
            yield from paragraph()
            yield from _block(child)
    yield from paragraph()


def _is_inline(child: PageElement) -> bool:
    if isinstance(child, Tag):
        return child.name == "br" or (child.name in _INLINE and all(_is_inline(c) for c in child.children))
    return not isinstance(child, PreformattedString)


def _inline_text(child: PageElement) -> str:
    if isinstance(child, NavigableString):
        return str(child)
    assert isinstance(child, Tag)
    return " " if child.name == "br" else child.get_text()


def _block(tag: Tag) -> Iterator[Block]:
    if tag.name in _HEADINGS:
        heading = _flat(tag).rstrip(_ANCHOR)
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
    """A list's items, one block each; those of lists in it follow their item."""
    start = str(tag.get("start", "1"))
    number = int(start) if start.isdecimal() else 1
    for item in tag.find_all(recursive=False):
        mark = f"{number}. " if tag.name == "ol" else "- "
        for i, block in enumerate(_blocks(item)):
            yield Block(mark + block.text if i == 0 and not block.tight else block.text, tight=True)
        number += item.name == "li"


def _rows(table: Tag) -> Iterator[Block]:
    """A table's rows.

    Where the first row is a header, each cell of the others says what it is, so that a row can be read alone.
    """
    if table.caption:
        yield from _blocks(table.caption)
    rows = [row.find_all(["td", "th"]) for row in table.find_all("tr")]
    header: list[str] = []
    if len(rows) > 1 and rows[0] and all(cell.name == "th" for cell in rows[0]):
        header = _texts(rows.pop(0))
    for row in rows:
        cells = _texts(row)
        if len(cells) == len(header):
            cells = [f"{name}: {cell}" if name and cell else cell for name, cell in zip(header, cells, strict=True)]
        if any(cells):
            yield Block("- " + "; ".join(cell for cell in cells if cell), tight=True)


def _texts(cells: Iterable[Tag]) -> list[str]:
    return [_flat(cell) for cell in cells]


def _flat(tag: Tag) -> str:
    return " ".join(block.text for block in _blocks(tag))
