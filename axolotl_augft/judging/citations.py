"""A conclusion that ends with the labels of the documents it rests on -> the conclusion, and those documents."""

import re
from collections.abc import Collection
from dataclasses import dataclass

# "… . [0a1b2c3d, 1a2b3c4d]", also in several brackets, with a word before the labels, or before the full stop.
_CITED = re.compile(
    r"\s*[\[(](?:[^\W\d]+[:\s]\s*){0,3}\[?(?P<labels>[0-9a-f]{8,16}\]?(?:[\s,;&+]+(?:and\s+)?\[?[0-9a-f]{8,16}\]?)*)"
    r"[\])]?(?P<end>[.!?]?)\s*\Z",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[0-9a-f]{8,16}", re.IGNORECASE)


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
        found = [label.lower() for label in _LABEL.findall(match["labels"])]
        labels = [*found, *labels]
        text = text[: match.start()].rstrip() + match["end"]
    return Cited(text, tuple(label for label in dict.fromkeys(labels) if label in known))
