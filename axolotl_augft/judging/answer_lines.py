"""The text of an answer -> its lines that hold statements, each with its label.

What a line is depends on the others. Where lines have labels or bullets, a line without any is chatter, not a
statement. A number is one of a numbered list only if the lines of the answer are numbered one after the other, because
"3. Oktober 1990 ist …" begins with a number too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from axolotl_augft.judging.labels import Line, read_line

_RULE = re.compile(r"(?:[-*_=]{2,}|\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*:?-*:?[ \t]*)$")
_FENCE = re.compile(r"```+[ \t]*[\w+-]{0,20}$")
_CELL = re.compile(r"(?<!\\)\|")
_CELL_NUMBER = re.compile(r"\[?([1-9]\d{0,2})\]?[.)]?$")
_SIGNED = re.compile(r"[-–—+][ \t]+(?P<number>[.,]?\d+)(?!\d|[.)][ \t])")
_MINUS = "−–—+-"
_QUOTES = (('"', '"'), ("“", "”"), ("„", "“"), ("”", "”"), ("«", "»"), ("‹", "›"), ("「", "」"), ("『", "』"))
_EMPHASES = ("***", "**", "__", "*", "`")
_SENTENCE_ENDS = tuple(".!?…。！？।؟:")


@dataclass(frozen=True, slots=True)
class Found:
    """A line that holds a statement.

    Attributes:
        line: The line.
        last: Whether it is the last line of the answer, which is incomplete if the answer was cut.
        stray: Whether it has no label although other lines have, so that it is chatter and no statement.
    """

    line: Line
    last: bool
    stray: bool


def statement_lines(text: str, premises: Sequence[str] = ()) -> list[Found]:
    """Read the lines of an answer that hold statements, or chatter that stands among labelled statements.

    Args:
        text: An answer, or the part of one that holds statements.
        premises: The texts that the statements are about. A list number or quotation mark that they put before the
            same word ("1. FC") is part of the statement.
    """
    raw = [line.strip() for line in text.replace("\r\n", "\n").split("\n")]
    lines = [_read(line) if line and not _FENCE.match(line) else None for line in raw]
    lines = _without_table_heads(raw, lines)
    final = max((i for i, line in enumerate(lines) if line is not None), default=-1)
    lines = _with_list_numbers(lines, premises)
    lines = _with_ambiguous_bullets(lines, premises)
    lines, headed = _with_headings(lines)
    ends = _where_it_runs_on(lines)
    chosen = {i for i in _labelled(lines, headed) if i < ends}
    statements = {i: line for i in chosen if (line := lines[i]) is not None and line.text}
    bare = dict(zip(statements, _unwrapped(list(statements.values()), premises), strict=True))
    return [
        Found(bare.get(i, line), i == final, i not in chosen)
        for i, line in enumerate(lines)
        if line is not None and line.text
    ]


def _where_it_runs_on(lines: Sequence[Line | None]) -> int:
    """Find where a model goes on with sentences of its own, as if it wrote the next worked example.

    That is the first line with the number of a sentence and no kind, after statements about that sentence whose kinds
    are named. The number of lines, if there is none.
    """
    named = set[int]()
    for i, line in enumerate(lines):
        if line is None or line.number is None or not line.text:
            continue
        if line.kind is not None:
            named.add(line.number)
        elif line.number in named:
            return i
    return len(lines)


def _read(raw: str) -> Line | None:
    if _RULE.match(raw):
        return None
    return _row(raw) if raw.startswith("|") and raw.endswith("|") and len(raw) > 1 else read_line(raw)


def _row(raw: str) -> Line:
    """Read a row of a table: a cell with the sentence's number, one with the kind, and one with the statement."""
    number = kind = None
    rest = []
    cells = [c.strip().replace("\\|", "|") for c in _CELL.split(raw[1:-1])]
    if "" in cells:
        # An empty cell may be a statement's own sign (|x|), so what belongs together is unknown.
        return Line(raw, raw, labelled=True)
    for cell in cells:
        line = read_line(cell)
        if match := _CELL_NUMBER.match(cell):
            number = int(match[1])
        elif line.labelled and not line.text:
            kind, number = line.kind or kind, line.number or number
        else:
            rest.append(line)
    if len(rest) != 1:
        return Line(raw, raw, labelled=True)
    (line,) = rest
    if kind or number:
        return Line(raw, line.raw, kind, number, labelled=True)
    return replace(line, raw=raw, labelled=True)


def _without_table_heads(raw: Sequence[str], lines: Sequence[Line | None]) -> list[Line | None]:
    """Drop the head of a table: the row above the line of dashes."""
    return [
        None if i + 1 < len(raw) and raw[i].startswith("|") and raw[i + 1].startswith("|") and _RULE.match(raw[i + 1])
        else line
        for i, line in enumerate(lines)
    ]  # fmt: skip


def _with_list_numbers(lines: Sequence[Line | None], premises: Sequence[str]) -> list[Line | None]:
    """Put the number back into each statement whose number is none of a list."""
    listed = [(i, line) for i, line in enumerate(lines) if line is not None and line.unlisted]
    numbers = [line.listed or 0 for _, line in listed]
    steps = zip(numbers, numbers[1:], strict=False)
    is_list = numbers[:1] == [1] and max(numbers) > 1 and all(n - before in (0, 1) or n == 1 for before, n in steps)
    found = list(lines)
    for i, line in listed:
        if not is_list or _is_said(line.unlisted, premises):
            found[i] = replace(line, text=line.unlisted, listed=line.listed if is_list else None)
    return found


def _is_said(text: str, premises: Sequence[str]) -> bool:
    """Whether a premise has the number and the word that a text begins with, one after the other."""
    opening = " ".join(text.split(maxsplit=2)[:2])
    return any(opening in premise for premise in premises)


def _with_ambiguous_bullets(lines: Sequence[Line | None], premises: Sequence[str]) -> list[Line | None]:
    """Leave a dash before a number where it is, unless another line or a premise shows that the dash is a bullet."""
    sure = {line.bullet for line in lines if line is not None and line.bullet and not _may_be_signed(line, premises)}
    return [
        Line(line.raw, line.raw)
        if line is not None and line.bullet and line.bullet not in sure and not line.labelled
        else line
        for line in lines
    ]


def _may_be_signed(line: Line, premises: Sequence[str]) -> bool:
    """Whether the bullet of a line may be the sign of a number: no premise has the number without a sign."""
    match = _SIGNED.match(line.raw)
    if match is None:
        return False
    unsigned = re.compile(rf"(?<![\d{_MINUS}]){re.escape(match['number'])}(?!\d)")
    return not any(unsigned.search(premise) for premise in premises)


def _with_headings(lines: Sequence[Line | None]) -> tuple[list[Line | None], set[int]]:
    """Give the lines below a heading its kind and sentence number, and return the positions of those without a label.

    A heading is a line that is only a label, or that ends in a colon. Where it has bullets below it, only they are
    statements; otherwise the lines up to the next gap are; below a line that ends in a colon, if there are several.
    """
    found, headed = list(lines), set()
    heading: Line | None = None
    plain: set[int] = set()
    bulleted = gap = False
    for i, line in enumerate([*lines, _END]):
        if line is None:
            gap = gap or len(plain) > (0 if heading is not None and heading.labelled else 1)
        elif line is _END or _is_heading(line):
            headed |= set() if bulleted else plain
            heading, plain, bulleted, gap = line, set(), False, False
        elif heading is not None:
            found[i] = replace(line, kind=line.kind or heading.kind, number=line.number or heading.number)
            if _has_label(line):
                bulleted = True
            elif not gap:
                plain.add(i)
    return found, headed


def _is_heading(line: Line) -> bool:
    return not line.text if line.labelled else line.text.rstrip("*_ ").endswith((":", "："))


def _has_label(line: Line) -> bool:
    return bool(line.bullet or line.labelled or line.listed)


def _labelled(lines: Sequence[Line | None], headed: set[int]) -> set[int]:
    """Return the positions of the lines that a label marks as statements; of all lines if no line has a label."""
    own = {i for i, line in enumerate(lines) if line is not None and _has_label(line)}
    return own | headed or {i for i, line in enumerate(lines) if line is not None}


def _unwrapped(lines: Sequence[Line], premises: Sequence[str]) -> list[Line]:
    """Drop emphasis around whole statements, and quotation marks around a whole line.

    After a label, or where a premise has them before the same words, quotation marks belong to the statement.
    """
    bare = [next((t for m in _EMPHASES if (t := _inside(line.text, m, m))), line.text) for line in lines]
    for first, last in _QUOTES:
        inner = [_inside(text, first, last) for text in bare]
        bare = [
            new if new and not (line.labelled or line.kind or line.number or _is_said(text, premises)) else text
            for line, new, text in zip(lines, inner, bare, strict=True)
        ]
    return [replace(line, text=text) for line, text in zip(lines, bare, strict=True)]


def _inside(text: str, first: str, last: str) -> str:
    """Return the sentence between two marks that enclose a whole text; "" if they do not, or if it is no sentence."""
    inner = text[len(first) : -len(last)]
    encloses = len(text) > len(first) + len(last) and text.startswith(first) and text.endswith(last)
    return inner if encloses and first not in inner and last not in inner and inner.endswith(_SENTENCE_ENDS) else ""


_END = Line("", "")
