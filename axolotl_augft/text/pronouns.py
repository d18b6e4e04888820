"""A statement -> whether its first word already tells that it leans on what was said before it.

A small model asked whether a statement can be understood alone hardly sees that: its answers about "He built the first
meter." and about sentences with names differ little (docs/judging.md). A list of words sees it without being asked.
"""

from functools import cache
from pathlib import Path

import orjson

from axolotl_augft.text.words import WORD

_PRONOUNS = Path(__file__).parent / "pronouns.json"


def opens_with_pronoun(text: str, language: str) -> bool:
    """Whether a text begins with a pronoun or demonstrative; False for languages without a list.

    Args:
        text: A statement.
        language: ISO 639 code of its language.
    """
    first = WORD.search(text)
    return first is not None and first.group().casefold() in _pronouns().get(language, ())


@cache
def _pronouns() -> dict[str, frozenset[str]]:
    return {language: frozenset(words) for language, words in orjson.loads(_PRONOUNS.read_bytes()).items()}
