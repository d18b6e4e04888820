"""What stands around a statement: openings that documents begin with, and a sentence -> the bare statements in it.

Only openings that leave the statement standing are taken off. After "It is not true that" or "Is it the case that" the
rest would say something else, so it stays, and no grammar of bare statements understands it.
"""

import re
from collections.abc import Iterable

OPENINGS = (
    "{}.",
    "Did you know that {}?",
    "It is a fact that {}.",
    "As everyone knows, {}.",
    "It turns out that {}.",
    "Few people realize that {}.",
    "You may have heard that {}.",
    "Experts agree that {}.",
    "It is worth noting that {}.",
    "Remember that {}.",
    "According to a recent survey, {}.",
    "Studies have shown that {}.",
    "Interestingly, {}.",
    "Believe it or not, {}.",
    "It may surprise you that {}.",
    "In case you wondered, {}.",
)
"""Patterns for a statement without its full stop; the first adds nothing."""

_MORE_OPENINGS = (
    r"(?:so|hence|thus|therefore|consequently|conversely|similarly|likewise|in other words|that is|put "
    r"differently)\b,?",
    r"(?:in fact|indeed|of course|clearly)\b,?",
    r"(?:this|that|which) (?:also )?(?:means|implies|shows)(?: that)?",
    r"(?:it )?(?:also |then )?follows that|we (?:also )?(?:know|see|can conclude|conclude) that|everyone knows that",
    r"it is (?:also )?(?:true|known|well known|clear|said|often said|certain|correct) that",
    r"note that|keep in mind that|and|answer:|statement:|conclusion:|reversal:|rephrasing:|consequence:",
)
_TAIL = re.compile(r",? (?:as everyone knows|as is well known|you know|indeed|of course|as well|too)$")
_LIST_MARK = re.compile(r"^(?:[-*•]+|\(?\d+[.)])\s+")
_CLAUSE = re.compile(
    r";\s*|,? because | since |, (?:and|so|but|while|whereas|which means)(?: that)? "
    r"| and (?=(?:all|every|no|not one|some|at least one)\b)"
)
_TYPOGRAPHIC = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})


def capitalised(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def opened(opening: str, statement: str) -> str:
    """The statement, without its full stop, in an opening."""
    return capitalised(opening.format(statement))


def plain(sentence: str) -> str:
    """In lower case, without list marks, emphasis, quotation marks around it, full stops, and with single spaces."""
    text = " ".join(sentence.translate(_TYPOGRAPHIC).casefold().replace("**", "").split())
    return _LIST_MARK.sub("", text).strip("\"' ").rstrip(".!?\"' ").lstrip("\"' ")


def statements_in(sentence: str) -> tuple[str, ...]:
    """The bare statements of a sentence in plain form: its clauses, without openings and without tails such as "as everyone knows"."""
    return tuple(_bare(clause) for clause in _CLAUSE.split(plain(sentence)) if clause)


def _bare(clause: str) -> str:
    text = clause.strip()
    while (shorter := _TAIL.sub("", _OPENING.sub("", text).strip())) != text:
        text = shorter
    return text


def _patterns() -> Iterable[str]:
    yield from (re.escape(o.split("{}")[0].strip().casefold()) for o in OPENINGS if not o.startswith("{}"))
    yield from _MORE_OPENINGS


_OPENING = re.compile(rf"^(?:{'|'.join(_patterns())})\s+")
