"""A PDF -> blocks of plain text, page by page, with PDFium.

A PDF stores characters and their positions, but no paragraphs. Lines are joined unless the gap between them, a change
of size or a short last line marks the end of a paragraph. Headings are the lines that the outline names, or, if less
than half of its titles are found on their pages, the lines in larger type as well. Lines that recur at the top or
bottom of at least half of the pages (running titles, page numbers) are left out.
"""

import ctypes
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from pypdfium2.raw import FPDF_ERR_PASSWORD

from axolotl_augft.conversion.blocks import Block, Converted, Unusable, one_line

# Factors: type this much higher than the usual one is a heading; a line step this much wider than the median separates
# paragraphs; a line shorter than this part of the text's width may end one.
_LARGE, _WIDE_STEP, _SHORT = 1.12, 1.25, 0.8
_HEADING_STEP = 1.5
_LONGEST_HEADING = 120
_EDGE = 2
_LINE_FEED = 10
_PAGE_NUMBER = re.compile(r"^[0-9]{1,4}(?=\D)|(?<=\D)[0-9]{1,4}$")
# A title of the outline takes at most this many lines; the outline is believed if this part of its titles is found.
_MOST_LINES, _TRUSTED = 3, 0.5
_NUMBER = re.compile(r"^\s*(?:[^\W\d_]{2,}\s+)?(?:\d+|[A-Z]|[IVXLC]+)(?:\.\d+)*[.:)]?\s+")
# PDFium writes U+FFFE for a hyphen at the end of a line; ligatures are split into their letters.
_PLAIN = str.maketrans({"\ufffe": "", "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"})
_BULLET = re.compile(r"^[•‣◦▪●■·]\s*")
_ITEM = re.compile(r"[-–*]\s+\S")
_NUMBERED = re.compile(r"\(?\d{1,3}[.)]\s+\S")
_SENTENCE_END = re.compile(r"[.!?:…。！？][\"'”’»)]*$")
_FILE_NAME = re.compile(r"(?i)\.\w{2,4}$|^untitled")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page; lengths in points, positions from the lower left corner of the page.

    Attributes:
        text: Its words.
        page: The page, from 1.
        height: Height of its first character.
        left: Left edge of its first character.
        right: Right edge of its last character.
        first: Lower edge of its first character.
        last: Lower edge of its last character, which differs from `first` if PDFium joined two lines at a hyphen.
    """

    text: str
    page: int
    height: float
    left: float
    right: float
    first: float
    last: float


def from_pdf(file: Path) -> Converted:
    """Convert a PDF.

    Raises:
        Unusable: The file needs a password, or holds no text.
        PdfiumError: The file is broken.
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
    return Converted("" if _FILE_NAME.search(title) else title, tuple(_blocks(lines, _levels(lines, outline))), note)


def _lines(document: pdfium.PdfDocument, page: int) -> list[_Line]:
    lines = []
    with closing(document[page]) as opened, closing(opened.get_textpage()) as content:
        for text, begin, end in _text_lines(content):
            shown = one_line(_BULLET.sub("- ", text.translate(_PLAIN)))
            if shown:
                left, first, _, top = content.get_charbox(begin, loose=True)
                _, last, right, _ = content.get_charbox(end, loose=True)
                lines.append(_Line(shown, page + 1, round(top - first, 1), left, right, first, last))
    return lines


def _text_lines(content: pdfium.PdfTextPage) -> Iterator[tuple[str, int, int]]:
    """Yield each line that holds text, and the indices of its first and last character that is no white space.

    PDFium counts text in units of UTF-16, and characters otherwise: a character may have no text, or two units of it,
    or half of a character as its text, which Python's strings do not hold.
    """
    count = content.count_chars()
    buffer = (ctypes.c_ushort * (count + 1))()
    size = pdfium_c.FPDFText_GetText(content, 0, count, buffer) - 1
    units = buffer[: max(size, 0)]
    ends = [i for i, unit in enumerate(units) if unit == _LINE_FEED]
    for start, end in zip([0, *(end + 1 for end in ends)], [*ends, len(units)], strict=True):
        shown = [i for i in range(start, end) if not chr(units[i]).isspace()]
        if shown:
            text = array("H", units[start:end]).tobytes().decode("utf-16", "ignore")
            yield text, _char_index(content, shown[0]), _char_index(content, shown[-1])


def _char_index(content: pdfium.PdfTextPage, unit: int) -> int:
    index: int = pdfium_c.FPDFText_GetCharIndexFromTextIndex(content, unit)
    return max(index, 0)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of the outline.

    Attributes:
        page: The page it points to, from 1.
        title: Its title, normalised.
        level: Its heading level, 1 to 6.
    """

    page: int
    title: str
    level: int


def _outline(document: pdfium.PdfDocument) -> list[_Entry]:
    """Return the entries of the outline that point to a page and have a title."""
    found = []
    for bookmark in document.get_toc():
        target = bookmark.get_dest()
        index = target.get_index() if target else None
        title = _key(_unnumbered(bookmark.get_title()))
        if index is not None and title:
            found.append(_Entry(index + 1, title, min(bookmark.level + 1, 6)))
    return found


def _unnumbered(title: str) -> str:
    """Leave out the number of a heading ("1.6.2", "Chapter 3.", "A.1"), which the page or the outline may lack."""
    rest = _NUMBER.sub("", title, count=1)
    return rest if rest.strip() else title


def _key(title: str) -> str:
    return re.sub(r"\W", "", title).casefold()


def _without_edges(pages: list[list[_Line]]) -> list[_Line]:
    """Return all lines except running titles and page numbers.

    These recur at the top or bottom of at least half of the pages, numbers aside, or on two pages with the number of
    the page, as the title of a chapter does.
    """

    def key(line: _Line) -> str:
        return re.sub(r"\d+", "#", line.text)

    def edges(lines: list[_Line]) -> set[_Line]:
        ordered = sorted(lines, key=lambda line: -line.first)
        return {*ordered[:_EDGE], *ordered[-_EDGE:]}

    at_edges = [edges(lines) for lines in pages]
    seen = Counter(k for lines in at_edges for k in {key(line) for line in lines})
    repeated = {k for k, n in seen.items() if n >= 2 and n >= sum(map(bool, pages)) / 2}
    numbered = Counter(k for lines in at_edges for k in {k for line in lines for k in _by_page_number(line)})
    return [
        line
        for lines, own in zip(pages, at_edges, strict=True)
        for line in lines
        if line not in own or (key(line) not in repeated and all(numbered[k] < 2 for k in _by_page_number(line)))
    ]


def _by_page_number(line: _Line) -> Iterator[tuple[str, int]]:
    """Yield what is left of a line without the number at its end or beginning, and how far that is from the page's."""
    for number in _PAGE_NUMBER.finditer(line.text):
        yield line.text.replace(number[0], "", 1).strip(), int(number[0]) - line.page


def _outline_levels(lines: list[_Line], outline: Sequence[_Entry]) -> list[int]:
    """Return the heading level of each line by the outline: 0 for ordinary text.

    A title may go over several lines, and stand on a page beside the one that the outline names.
    """
    places: dict[int, list[int]] = {}
    for i, line in enumerate(lines):
        places.setdefault(line.page, []).append(i)
    levels = [0] * len(lines)
    for entry in outline:
        nearby = (places.get(page, ()) for page in (entry.page, entry.page + 1, entry.page - 1))
        for i in next(filter(None, (_titled(lines, own, entry.title) for own in nearby)), ()):
            levels[i] = levels[i] or entry.level
    return levels


def _titled(lines: list[_Line], places: Sequence[int], title: str) -> list[int]:
    """Return the places of the lines that make up a title, the largest if there are several; none if there is none."""
    found = []
    for i in places:
        text = ""
        for n in range(_MOST_LINES):
            if i + n >= len(lines) or lines[i + n].page != lines[i].page:
                break
            text += lines[i + n].text + " "
            key = _key(_unnumbered(text))
            if key == title:
                found.append([*range(i, i + n + 1)])
            if not title.startswith(key):
                break
    return max(found, key=lambda own: lines[own[0]].height, default=[])


def _levels(lines: list[_Line], outline: Sequence[_Entry]) -> list[int]:
    """Return the heading level of each line: by the outline if most of its titles are found, else by size as well."""
    named = _outline_levels(lines, outline)
    starts = sum(level > 0 and level != before for before, level in zip([0, *named], named, strict=False))
    if outline and starts >= len(outline) * _TRUSTED:
        return named
    sized = _size_levels(lines)
    return [size or (min(max(sized) + 1, 6) if name else 0) for name, size in zip(named, sized, strict=True)]


def _size_levels(lines: list[_Line]) -> list[int]:
    """Derive the heading level of each line from its type size: 1 for the largest headings, 0 for ordinary text."""
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
    """Tell whether a paragraph ends between two lines."""
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
