"""Two passages -> a question that a teacher proposes, or why it cannot need both of them.

The rule is about words: the answer stands in one of the passages, and the question has a word of each that the other
one lacks. Whether both passages are needed is then found out by asking (`trying`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from axolotl_augft.bench.datasets.squad.choices import LONGEST_ANSWER, normal, overlap
from axolotl_augft.bench.datasets.squad.needs import content_words
from axolotl_augft.bench.datasets.squad.passages import Asked
from axolotl_augft.bench.served.asking import Prompt
from axolotl_augft.teacher.request import Prefix

_MAX_TOKENS = 160
_SYSTEM = "You write questions that can be answered only by someone who has read two texts."
_RULES = """You get two texts about the same subject. Find something that is in both, or that can be compared. Then \
write one question whose answer nobody can find in one of the texts alone.

Write a JSON object with
* "first": what the first text says that is needed, in at most ten words;
* "second": what the second text says that is needed, in at most ten words;
* "question": one question that needs both sentences. It names nothing that would give the answer away, and does not \
speak of "the text";
* "answer": a name, date, number or a few words, copied from one of the texts.

Example

First text: The Varn light was built by Mara Quell, a joiner from Ostrel. It was painted red.

Second text: Mara Quell lived in Saltmere until 1931, where she kept a school for sailors.

{"first":"The Varn light was built by Mara Quell.","second":"Mara Quell lived in Saltmere.","question":"In which town \
did the builder of the Varn light live?","answer":"Saltmere"}

Example

First text: Haldon has a mill on the river. Its owner, Bram Oskeld, opened it in 1804.

Second text: The guild of Merrow has run the water mill there since 1790. Tourists visit it in summer.

{"first":"The mill of Haldon was opened in 1804.","second":"The mill of Merrow has run since 1790.","question":"Who \
runs the older one of the mills of Haldon and Merrow?","answer":"guild of Merrow"}

"""
_PREFIX = Prefix(_SYSTEM, _RULES)
_PROPERTIES = {
    "first": {"type": "string", "maxLength": 120},
    "second": {"type": "string", "maxLength": 120},
    "question": {"type": "string", "maxLength": 160},
    "answer": {"type": "string", "maxLength": 60},
}
_SCHEMA = {
    "type": "object",
    "properties": _PROPERTIES,
    "required": list(_PROPERTIES),
    "additionalProperties": False,
}
# The server draws: a seed would have some servers answer one request after the other, and the store keeps the answers.
UNSEEDED: dict[str, Any] = {"seed": None}
_EXTRA = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "question", "strict": True, "schema": _SCHEMA},
    },
    **UNSEEDED,
}


class Unfit(StrEnum):
    """Why a proposed question is not asked."""

    MALFORMED = "malformed"
    LONG_ANSWER = "answer too long"
    ANSWER_IN_QUESTION = "answer in the question"
    ANSWER_IN_NEITHER = "answer in neither passage"
    ANSWER_IN_BOTH = "answer in both passages"
    WORDS_OF_ONE = "no word of its own from each passage"
    DUPLICATE = "proposed before"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two passages of an article, and their indices among all that are trained on."""

    texts: tuple[str, str]
    places: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question that a teacher proposes, about a pair of passages."""

    asked: Asked
    pair: Pair


def proposal_prompt(pair: Pair, sample: int = 0) -> Prompt:
    """Return the prompt that asks for a question about a pair."""
    first, second = pair.texts
    target = f"Now these texts\n\nFirst text: {first}\n\nSecond text: {second}\n"
    return Prompt(_PREFIX, target, _MAX_TOKENS, sample, _EXTRA)


def read_proposal(answer: str, pair: Pair) -> Proposal | Unfit:
    """Read a teacher's answer, and apply the rule about words."""
    try:
        row = orjson.loads(answer)
        asked = Asked(str(row["question"]).strip(), str(row["answer"]).strip().rstrip("."))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Unfit.MALFORMED
    return _unfit(asked, pair) or Proposal(asked, pair)


def _unfit(asked: Asked, pair: Pair) -> Unfit | None:
    if not asked.question.endswith("?") or not normal(asked.answer):
        return Unfit.MALFORMED
    if len(asked.answer.split()) > LONGEST_ANSWER:
        return Unfit.LONG_ANSWER
    if overlap(asked.answer, asked.question):
        return Unfit.ANSWER_IN_QUESTION
    holders = sum(asked.answer in text for text in pair.texts)
    if holders != 1:
        return Unfit.ANSWER_IN_BOTH if holders else Unfit.ANSWER_IN_NEITHER
    first, second = (content_words(text) for text in pair.texts)
    words = content_words(asked.question)
    return None if words & (first - second) and words & (second - first) else Unfit.WORDS_OF_ONE
