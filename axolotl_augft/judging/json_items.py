"""The text of an answer -> the statements of the JSON in it.

The JSON may stand in a code fence or between prose, have commas too many, or be cut off: its complete items are read,
and `whole` says whether that was all.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from axolotl_augft.judging.labels import kind_of

_START = re.compile(
    r"(?:^|```|:)[ \t\n]{0,8}(?:json[ \t]{0,4}\n)?[ \t]{0,8}(?=[\[{][ \t\r\n]{0,80}[\"{\[])", re.MULTILINE
)
_LIST = re.compile(r"\[(?=[ \t\r\n]{0,80}[\"{])")
_SETTLED = re.compile(r"[ \t\r\n]{0,80}(?:[,\]]|\Z)")
_STRINGS = re.compile(r'"[^\n]*"$')
_TEXT_KEYS = ("statement", "text", "conclusion", "inference", "content")
_NUMBER_KEYS = ("sentence", "number")
_KIND_KEYS = ("kind", "type", "label")
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class JsonItem:
    """A statement of a JSON answer, with the kind and the sentence's number if they are named."""

    text: str
    kind: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class JsonItems:
    """The statements of a JSON answer; `whole` is False if a part of the JSON could not be read."""

    items: list[JsonItem]
    whole: bool


def json_items(text: str) -> JsonItems | None:
    """Read the statements of an answer that is JSON; None if it is not."""
    found = _START.search(text)
    start = found.end() if found else -1
    if start < 0:
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        # The lines of a list without its brackets.
        if len(lines) < 2 or not all(_STRINGS.match(line.removesuffix(",")) for line in lines):
            return None
        if not any(line.endswith(",") for line in lines):
            return None
        text, start = f"[{text}]", 0
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
        return JsonItems(_items(value), True)
    except RecursionError:
        return JsonItems([], False)
    except ValueError:
        return _of_damaged(text, start)


def _of_damaged(text: str, start: int) -> JsonItems:
    """Read the items of the first list one by one, up to the first that is damaged."""
    decoder = json.JSONDecoder(strict=False)
    opening = _LIST.search(text, start)
    at = _past(text, opening.end() if opening else len(text))
    items: list[JsonItem] = []
    while at < len(text) and text[at] != "]":
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return JsonItems(items, False)
        if not _SETTLED.match(text, at):
            return JsonItems(items, False)
        items += _items([value])
        at = _past(text, at)
    return JsonItems(items, at < len(text))


def _past(text: str, at: int) -> int:
    """Return the position after white space and commas."""
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _items(value: Any, kind: str | None = None, depth: int = 0) -> list[JsonItem]:
    """Collect the statements of a JSON value: strings in lists, and objects that have a text or name kinds as keys."""
    if depth > _DEEPEST:
        return []
    if isinstance(value, list):
        return [item for v in value for item in _items(v, kind, depth + 1)]
    if not isinstance(value, dict):
        return [JsonItem(_clean(str(value)), kind)] if depth else []
    text = next((value[k] for k in _TEXT_KEYS if isinstance(value.get(k), str)), None)
    if text is not None:
        named = next((value[k] for k in _KIND_KEYS if isinstance(value.get(k), str)), None)
        number = next((value[k] for k in _NUMBER_KEYS if type(value.get(k)) is int), None)
        return [JsonItem(_clean(text), kind_of(named) or kind, number)]
    return [
        item
        for key, v in value.items()
        if isinstance(v, list | dict) or (isinstance(v, str) and kind_of(key))
        for item in _items(v, kind_of(key) or kind, depth + 1)
    ]


def _clean(text: str) -> str:
    """Replace lone surrogates, which JSON can hold, by question marks."""
    return text.encode("utf-8", "replace").decode()
