"""Superscripts and subscripts on a line -> plain text, such as 10^23 and H2O."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of inline text.

    Attributes:
        text: The text.
        script: "^" for a superscript, "_" for a subscript, "" for what stands on the line.
    """

    text: str
    script: str = ""


# A number or a name, with a sign before or (as in the charge of an ion) after it; or a single sign.
_NUMBER = re.compile(r"[+\-−–±]?\d+(?:[.,]\d+)*[+\-−–]?|[^\w\s]|[+\-−–]?[^\W\d_]")
_NAME = re.compile(r"[^\W\d_]+")
_ELEMENT = re.compile(r"(?:(?:^|[^a-z])[A-Z][a-z]?|[)\]])$")
_ELEMENT_NEXT = re.compile(r"[A-Z][a-z]?(?![a-z])")
# The ending of an ordinal number: letters after a digit (1st, 2e), and the English one after a letter (nth).
_ORDINAL = re.compile(r"[^\W\d_]{2,}|[eoaª°]")
_NTH = ("st", "nd", "rd", "th")
_TRADE_MARKS = {"TM": "™", "SM": "℠", "R": "®", "®": "®", "™": "™"}
_AFTER_PUNCTUATION = re.compile(r"[.,;:!?…\"'”’»。]$")
_NOTE_MARK = re.compile(r"\[?(?:\d{1,3}|[*†‡§¶]+|[a-z])(?:[,–-]\s?\d{1,3})*\]?")


def is_note_mark(text: str) -> bool:
    """Tell whether a text is the mark of a footnote, such as 12, [3] or †."""
    return _NOTE_MARK.fullmatch(text.strip()) is not None


def joined(pieces: Sequence[Piece]) -> str:
    """Join the pieces of a line so that no digit of a script reads as a digit of its base.

    A raised number after punctuation is the mark of a footnote, and is left out; before an element it is an isotope's.
    """
    merged = _merged(pieces)
    line = ""
    for piece, following in zip(merged, [*merged[1:], Piece("")], strict=False):
        line += _script(line, piece, following) if piece.script and piece.text.strip() else piece.text
    return line


def grouped(text: str, script: str = "^") -> str:
    """Put a script, numerator and the like in parentheses unless it is a single number, sign or (as subscript) name."""
    if _NUMBER.fullmatch(text) or (script == "_" and _NAME.fullmatch(text)) or _is_enclosed(text):
        return text
    return f"({text})"


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Merge neighbours of the same kind, so that a script in several elements is one."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and merged[-1].script == piece.script:
            merged[-1] = Piece(merged[-1].text + piece.text, piece.script)
        elif piece.text:
            merged.append(piece)
    return merged


def _script(before: str, piece: Piece, following: Piece) -> str:
    text = " ".join(piece.text.split())
    gap = " " if piece.text[-1:].isspace() else ""
    after = "" if following.script else following.text[:1]
    base = before[-1:].strip()
    if piece.script == "_" and text.isdecimal() and _ELEMENT.search(before) and not after.isdecimal():
        return text + gap
    if piece.script == "^":
        if text in _TRADE_MARKS:
            return _TRADE_MARKS[text] + gap
        if base and _AFTER_PUNCTUATION.search(before) and is_note_mark(text):
            return gap
        if not base and text.isdecimal() and _ELEMENT_NEXT.match(following.text):
            return text
        if (base.isdecimal() and _ORDINAL.fullmatch(text)) or (base.isalpha() and text in _NTH):
            return text + gap
    room = " " if base and not gap and after.isalnum() else ""
    return piece.script + grouped(text, piece.script) + gap + room


def _is_enclosed(text: str) -> bool:
    """Tell whether one pair of parentheses encloses the whole text."""
    depth = 0
    for place, sign in enumerate(text, 1):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return place == len(text) > 1
    return False
