"""A premise and a statement <-> the prompt of a completions request, as JSON; and what a model says of them."""

from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Pair:
    """What an entailment model judges: does the statement follow from the premise?"""

    premise: str
    statement: str


class UnreadablePair(ValueError):
    """A prompt is not the JSON of a pair; its text says what is wrong and quotes nothing."""


class Unfit(ValueError):
    """A statement is too long for the model; the text says so and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Score:
    """What the model says of a pair.

    Attributes:
        follows: Logarithm of the probability that the statement follows.
        not_follows: Logarithm of the probability that it does not.
        tokens: Tokens that the model read, of all passages together.
    """

    follows: float
    not_follows: float
    tokens: int


def opened(premise: str) -> str:
    """Return the part of the prompt that all statements about a premise share."""
    return f'{{"premise":{orjson.dumps(premise).decode()},"statement":'


def closed(statement: str) -> str:
    """Return the rest of the prompt."""
    return f"{orjson.dumps(statement).decode()}}}"


def read_pair(prompt: object) -> Pair:
    """Read a prompt.

    Raises:
        UnreadablePair: It is not the JSON of an object with two texts.
    """
    if not isinstance(prompt, str):
        raise UnreadablePair("the prompt must be one text")
    try:
        content = orjson.loads(prompt)
    except orjson.JSONDecodeError:
        raise UnreadablePair('the prompt must be JSON: {"premise": "...", "statement": "..."}') from None
    if not isinstance(content, dict) or content.keys() != {"premise", "statement"}:
        raise UnreadablePair("the prompt must be a JSON object with the fields premise and statement")
    for name, text in content.items():
        if not isinstance(text, str) or not text.strip():
            raise UnreadablePair(f"the prompt's field {name} must be a text that is not empty")
    return Pair(**content)
