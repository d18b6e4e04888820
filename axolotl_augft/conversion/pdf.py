"""PDF -> blocks of plain text, page by page, with PDFium.

A PDF knows characters and where they stand, not paragraphs. Lines are joined unless the gap between them, their size or
a short last line says that a paragraph ends. Headings are the lines that the outline names; without an outline, the
lines in larger type. What stands at the top or bottom of most pages (running titles, page numbers) is left out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import pypdfium2 as pdfium
from pypdfium2.raw import FPDF_ERR_PASSWORD

from axolotl_augft.conversion.blocks import Block, Converted, Unusable, one_line

# A line this much higher than most is a heading; a step this much larger than most parts paragraphs; a line this short
# ends one.
_LARGE, _WIDE_STEP, _SHORT = 1.12, 1.25, 0.8
_HEADING_STEP = 1.5
_LONGEST_HEADING = 120
_EDGE = 2
# PDFium writes U+FFFE for a hyphen at a line's end; fonts have one sign for two or three letters.
_PLAIN = str.maketrans({"\ufffe": "", "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"})
_BULLET = re.compile(r"^[•‣◦▪●■·]\s*")
_ITEM = re.compile(r"[-–*]\s+\S")
_NUMBERED = re.compile(r"\(?\d{1,3}[.)]\s+\S")
_SENTENCE_END = re.compile(r"[.!?:…。！？][\"'”’»)]*$")
_FILE_NAME = re.compile(r"(?i)\.\w{2,4}$|^untitled")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page, and where it stands, in points from the page's lower left corner.

    `first`, `last`: the lower edges of its first and last character, which differ where PDFium joined two lines at a
    hyphen.
    """

    text: str
    page: int
    height: float
    left: float
    right: float
    first: float
    last: float


def from_pdf(file: Path) -> Converted:
    """The title and blocks of a PDF.

    Raises:
        Unusable: It needs a password, or holds no text.
        PdfiumError: It is broken.
    """
    try:
        document = pdfium.PdfDocument(file)
    except pdfium.PdfiumError as error:
        if error.err_code == FPDF_ERR_PASSWORD:
            raise Unusable("encrypted; save it without a password") from None
        raise
    with closing(document):
        pages = [_lines(document, i) for i in range(len(document))]
        outline = _outline(document)
        title = one_line(document.get_metadata_value("Title"))
    if not any(pages):
        raise Unusable("holds no text (a scan?); run text recognition (OCR) over it first")
    bare = sum(not lines for lines in pages)
    note = f"{bare} of {len(pages)} pages hold no text (scans or pictures?)" if 0 < bare < len(pages) else ""
    lines = _without_edges(pages)
    named = _outline_levels(lines, outline)
    levels = named if any(named) else _size_levels(lines)
    return Converted("" if _FILE_NAME.search(title) else title, tuple(_blocks(lines, levels)), note)


def _lines(document: pdfium.PdfDocument, page: int) -> list[_Line]:
    lines = []
    with closing(document[page]) as opened, closing(opened.get_textpage()) as content:
        start = 0
        for text in content.get_text_range().split("\r\n"):
            shown = one_line(_BULLET.sub("- ", text.translate(_PLAIN)))
            if shown:
                begin = start + len(text) - len(text.lstrip())
                end = start + len(text.rstrip()) - 1
                left, first, _, top = content.get_charbox(begin, loose=True)
                _, last, right, _ = content.get_charbox(end, loose=True)
                lines.append(_Line(shown, page + 1, round(top - first, 1), left, right, first, last))
            start += len(text) + 2
    return lines


def _outline(document: pdfium.PdfDocument) -> dict[tuple[int, str], int]:
    """Level of each heading that the outline names, by page (from 1) and title."""
    found = {}
    for bookmark in document.get_toc():
        target = bookmark.get_dest()
        index = target.get_index() if target else None
        if index is not None:
            found[index + 1, _key(bookmark.get_title())] = min(bookmark.level + 1, 6)
    return found


def _key(title: str) -> str:
    return re.sub(r"\W", "", title).casefold()


def _without_edges(pages: list[list[_Line]]) -> list[_Line]:
    """All lines but those at the top or bottom of a page that most pages have there, numbers aside."""

    def key(line: _Line) -> str:
        return re.sub(r"\d+", "#", line.text)

    def edges(lines: list[_Line]) -> set[_Line]:
        ordered = sorted(lines, key=lambda line: -line.first)
        return {*ordered[:_EDGE], *ordered[-_EDGE:]}

    at_edges = [edges(lines) for lines in pages]
    seen = Counter(k for lines in at_edges for k in {key(line) for line in lines})
    repeated = {k for k, n in seen.items() if n >= 2 and n >= sum(map(bool, pages)) / 2}
    return [
        line
        for lines, own in zip(pages, at_edges, strict=True)
        for line in lines
        if line not in own or key(line) not in repeated
    ]


def _outline_levels(lines: list[_Line], outline: Mapping[tuple[int, str], int]) -> list[int]:
    return [outline.get((line.page, _key(line.text)), 0) for line in lines]


def _size_levels(lines: list[_Line]) -> list[int]:
    """1 for the largest type that is larger than most of the text's, 2 for the next, and so on; 0 for the text."""
    letters = Counter[float]()
    for line in lines:
        letters[line.height] += len(line.text)
    usual = max(letters, key=letters.__getitem__, default=0.0)

    def is_heading(line: _Line) -> bool:
        return (
            line.height > usual * _LARGE
            and len(line.text) <= _LONGEST_HEADING
            and not line.text.endswith((".", ",", ";"))
        )

    sizes = sorted({line.height for line in lines if is_heading(line)}, reverse=True)
    return [min(sizes.index(line.height) + 1, 6) if is_heading(line) else 0 for line in lines]


def _blocks(lines: list[_Line], levels: list[int]) -> Iterator[Block]:
    if not lines:
        return
    step = median([s for a, b in pairwise(lines) if a.page == b.page and (s := a.last - b.first) > 0] or [0.0])
    edges = {page: (min(own[0]), max(own[1])) for page, own in _sides(lines).items()}
    together = [lines[0]]
    for i, (before, line) in enumerate(pairwise(lines), start=1):
        if levels[i] or levels[i - 1]:
            parted = (
                levels[i] != levels[i - 1]
                or before.page != line.page
                or before.last - line.first > _HEADING_STEP * line.height
            )
        else:
            parted = _parts(before, line, step, edges[before.page])
        if parted:
            yield _block(together, levels[i - 1])
            together = []
        together.append(line)
    yield _block(together, levels[-1])


def _sides(lines: list[_Line]) -> dict[int, tuple[list[float], list[float]]]:
    sides: dict[int, tuple[list[float], list[float]]] = {}
    for line in lines:
        lefts, rights = sides.setdefault(line.page, ([], []))
        lefts.append(line.left)
        rights.append(line.right)
    return sides


def _parts(before: _Line, line: _Line, step: float, edges: tuple[float, float]) -> bool:
    """Whether a paragraph ends between two lines."""
    ends = _SENTENCE_END.search(before.text) is not None
    short = before.right < edges[0] + _SHORT * (edges[1] - edges[0])
    if _ITEM.match(line.text) or (_NUMBERED.match(line.text) and (ends or short)):
        return True
    if max(before.height, line.height) > _LARGE * min(before.height, line.height):
        return True
    if before.page != line.page or before.last < line.first:
        return ends or not line.text[0].islower()
    return before.last - line.first > _WIDE_STEP * step or (ends and short)


def _block(lines: list[_Line], level: int) -> Block:
    text = " ".join(line.text for line in lines)
    is_item = not level and (_ITEM.match(text) or _NUMBERED.match(text)) is not None
    return Block(text, level, tight=is_item, page=lines[0].page)
