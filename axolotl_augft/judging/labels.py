"""One line of an answer -> its label and the statement after it; and the documents that it names at its end.

A label is made of optional parts in this order: bullets, a list number, the sentence's number in brackets, a kind, and
a separator, with or without emphasis around them. What follows is the statement, to the letter: a minus, a currency
sign, a point or a quotation mark at its beginning belongs to no label. Every pattern is matched at a known position
and repeats only a bounded number of times, so that a line is read in linear time.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

_GAP = r"[ \t\u00a0\u3000]"
_SOME = rf"{_GAP}{{0,4}}"
_MARKS = r"(?:\*{1,3}|_{1,3}|`{1,3}|~~)?"
_OPEN, _CLOSE = r"[\[【［]", r"[\]】］]"
_STEMS = "rephras|paraphras|restat|revers|invers|invert|consequen|implication|conclusion|inference|statement"
_WORD = rf"(?:{_STEMS})\w{{0,8}}"
_BULLETS = re.compile(
    rf"(?:>{_GAP}{{1,40}}){{0,2}}(?P<bullet>[-*+•◦‣▪▫●○·∙⁃➤►▶→■□✓✔–—>]|#{{1,6}}){_GAP}{{1,40}}"
    rf"(?:\[[ xX]\]{_GAP}{{1,4}})?"
)
_LISTED = re.compile(rf"\(?(?P<listed>\d{{1,3}})[.):、]{_GAP}{{1,4}}|\*\*(?P<bold>\d{{1,3}})[.)]\*\*{_GAP}{{1,4}}")
_ROUND = re.compile(rf"\((?P<number>[1-9]\d{{0,2}})\){_SOME}")
# [2], [sentence 2], [2, reversal] …
_NUMBER = rf"{_OPEN}(?:sentence{_GAP})?(?P<number>[1-9]\d{{0,2}})(?:{_GAP}?[,:|–-]?{_GAP}?(?P<inner>{_WORD}))?{_CLOSE}"
_AFTER_NUMBER = (
    rf"(?:[:：](?!:)|[.,)](?={_GAP})|{_GAP}{{1,4}}[:：](?={_GAP})|{_GAP}{{1,4}}(?:[-–—→]|[-=]>)(?={_GAP}+[^\W\d]))?"
)
_KIND = (
    rf"(?P<open>{_OPEN}|\()?(?P<kind>{_WORD})\b(?:{_GAP}?[\[(#]?(?P<count>\d{{1,3}})[\])]?)?(?:{_GAP}(?:question|q)\b)?"
    rf"(?(open)(?:{_CLOSE}|\)))"
)
_AFTER_KIND = (
    rf"(?:{_SOME}[:：](?!:)|(?<![\])】］]){_GAP}{{1,4}}(?:[-–—=|→]|[-=]>)(?={_GAP})|{_GAP}{{1,4}}[-–—→](?={_GAP}+[^\W\d])"
    rf"|(?<![\])】］])[—→]|[.)](?={_GAP})|{_SOME}$"
    # After a number, a kind in brackets needs no separator: [2] (reversal) …
    rf"|(?(number)(?<=[\])】］])(?={_GAP})|(?!)))"
)
_NUMBERED = re.compile(rf"{_MARKS}{_NUMBER}{_MARKS}{_AFTER_NUMBER}", re.IGNORECASE)
_NAMED = re.compile(
    rf"{_MARKS}(?:{_NUMBER}{_MARKS}{_SOME}[:.,)|–—-]?{_SOME}{_MARKS})?{_KIND}{_MARKS}{_AFTER_KIND}", re.IGNORECASE
)
_MARK = re.compile(r"\*+|_+|`+|~~")
_KINDS = {
    **{"rephr": "rephrasing", "parap": "rephrasing", "resta": "rephrasing", "rever": "reversal", "inver": "reversal"},
    **{"conse": "consequence", "impli": "consequence", "concl": "conclusion"},
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an answer, read as a label and a statement.

    Attributes:
        raw: The whole line, without white space around it.
        text: The statement; "" for a line that is only a label, as a heading is.
        kind: The kind that the label names, None if it names none.
        number: Number of the sentence that the label names, from 1 in the prompt.
        listed: The number of a numbered list, as in "3. …".
        unlisted: The statement with the list number before it; "" if there is no list number.
        bullet: The bullet before the label, "" if there is none.
        labelled: Whether the label has a sentence number or a kind word.
    """

    raw: str
    text: str
    kind: str | None = None
    number: int | None = None
    listed: int | None = None
    unlisted: str = ""
    bullet: str = ""
    labelled: bool = False


def kind_of(label: str | None) -> str | None:
    """Return the kind that a label names, None if it names none."""
    return _KINDS.get(label[:5].lower()) if label else None


def read_line(line: str) -> Line:
    """Read one line of an answer."""
    line = line.strip()
    found = _BULLETS.match(line)
    start, bullet = (found.end(), found["bullet"]) if found else (0, "")
    listed = _LISTED.match(line, start)
    after_list = listed.end() if listed else start
    tag = _tag(line, start) or (_tag(line, after_list) if listed else None)
    if tag is not None:
        return replace(tag, raw=line, bullet=bullet, listed=int(listed[1] or listed[2]) if listed else None)
    if listed is None:
        return Line(line, line[start:], bullet=bullet)
    return Line(line, line[after_list:], None, None, int(listed[1] or listed[2]), line[start:], bullet)


def labelled_by(words: str) -> Callable[[str], str | None]:
    """Make a reader of lines that begin with one of some words and a colon, with or without emphasis.

    Args:
        words: The words, as a regular expression.

    Returns:
        A function from a line to what follows the label, or None if the line does not begin with one.
    """
    label = re.compile(
        rf"(?:#{{1,6}}{_GAP})?{_MARKS}[\[(]?(?:{words})(?:{_GAP}?#?\d{{1,3}})?[\])]?{_MARKS}{_SOME}[:：](?!:)"
    )

    def after(line: str) -> str | None:
        match = label.match(line)
        return _without_open_mark(match.group(), line[match.end() :].lstrip()) if match else None

    return after


def _tag(line: str, start: int) -> Line | None:
    """Read the sentence number and the kind at a position, with their separators; None if neither is there."""
    # "(2) reversal: …" names a sentence; "(2) …" does not, and may be the statement's own.
    number = _ROUND.match(line, start)
    if found := _NAMED.match(line, number.end() if number else start):
        number = number or found
        kind = found["kind"]
    elif found := _NUMBERED.match(line, start):
        number, kind = found, found["inner"]
    else:
        return None
    text = _without_open_mark(line[start : found.end()], line[found.end() :].lstrip())
    return Line(line, text, kind_of(kind), int(number["number"]) if number["number"] else None, labelled=True)


def _without_open_mark(label: str, text: str) -> str:
    """Drop the end of emphasis that began in the label: it stands right after the label, or at the end of the line."""
    marks = _MARK.findall(label)
    if len(marks) % 2 == 0:
        return text
    if text.startswith(marks[-1]):
        return text.removeprefix(marks[-1]).lstrip()
    return text.removesuffix(marks[-1]).rstrip() if text.count(marks[-1]) == 1 else text


# "… . [0a1b2c3d, 1a2b3c4d]", also in several brackets, with a word before the labels, or before the full stop.
_CITED = re.compile(
    r"\s*[\[(](?:[^\W\d]+[:\s]\s*){0,3}\[?(?P<labels>[0-9a-f]{8,16}\]?(?:[\s,;&+]+(?:and\s+)?\[?[0-9a-f]{8,16}\]?)*)"
    r"[\])]?(?P<end>[.!?]?)\s*\Z",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(r"[0-9a-f]{8,16}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cited:
    """A statement without its labels.

    Attributes:
        text: The statement.
        labels: The labels of the documents that it rests on, as far as they are known, in their order.
    """

    text: str
    labels: tuple[str, ...] = ()


def without_citation(text: str, known: Collection[str]) -> Cited:
    """Take the labels off the end of a statement; labels that the prompt did not show are no evidence.

    Args:
        text: A statement.
        known: The labels of the documents that the prompt shows.
    """
    labels: list[str] = []
    while known and (match := _CITED.search(text)):
        found = [label.lower() for label in _DOCUMENT.findall(match["labels"])]
        labels = [*found, *labels]
        text = text[: match.start()].rstrip() + match["end"]
    return Cited(text, tuple(label for label in dict.fromkeys(labels) if label in known))
