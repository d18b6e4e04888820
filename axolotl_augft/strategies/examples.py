"""Worked examples: the pool, and which of them a request gets.

The form of the worked examples decides what a small teacher writes, so each request gets those whose sentences are most
like its own in form: BM25 over words and word pairs, with names and numbers masked, so that "X are more F than Y" finds
other comparisons and not other sentences about X. The scores vote for a relation first.
"""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from axolotl_augft.config.augment import Kind
from axolotl_augft.errors import ConfigError
from axolotl_augft.text.bm25 import Bm25, SmallBm25

Form = Literal["statements", "questions", "exchanges"]
_FOLDER = Path(__file__).parent / "worked_examples"
_POOLS: dict[Form, str] = {
    "statements": "examples.jsonl",
    "questions": "question_examples.jsonl",
    "exchanges": "exchange_examples.jsonl",
}
POOL = _FOLDER / _POOLS["statements"]
KINDS = get_args(Kind)

_WORD = re.compile(r"\w+(?:['’-]\w+)*|\S")
_QUOTED = re.compile(r"[\"“”«»][^\"“”«»]{1,200}[\"“”«»]")
_NAME, _NUMBER = "<name>", "<number>"
_VOTERS = 4
_SMALL_POOL = 1000


class Statement(BaseModel):
    """A statement of a worked example; with `question`, the answer to it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    text: str = Field(min_length=1)
    question: str | None = Field(None, min_length=1)


class Example(BaseModel):
    """A sentence, or a question with its `answer`, and what may be written about it.

    `context`: a sentence before it, where it needs one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    statements: tuple[Statement, ...] = Field(min_length=1)
    answer: str | None = Field(None, min_length=1)
    context: str | None = None
    relation: str | None = None

    @property
    def form(self) -> Form:
        """What it shows: statements about a sentence, questions about a sentence, or questions about a question with its answer."""
        if self.answer is not None:
            return "exchanges"
        return "questions" if all(s.question for s in self.statements) else "statements"


class Chooser(Protocol):
    """Chooses worked examples for a request."""

    def choose_all(self, units: Sequence[Sequence[str]]) -> list[tuple[Example, ...]]:
        """For each request the examples that fit its sentences, in pool order (so that equal choices are equal prefixes)."""


def load_pool(file: str | None, form: Form = "statements") -> tuple[Example, ...]:
    """The package's pool of a form, or the examples of that form in a user's file of JSON lines, if it has any.

    Raises:
        ConfigError: The file is missing, or a line is not a valid example.
    """
    own = tuple(e for e in _read_pool(Path(file)) if e.form == form) if file else ()
    return own or _read_pool(_FOLDER / _POOLS[form])


def _read_pool(path: Path) -> tuple[Example, ...]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(
            f"examples {path}: cannot be read ({type(error).__name__}); give a file of JSON lines"
        ) from None
    pool = tuple(_example(line, path, number) for number, line in enumerate(lines, 1) if line.strip())
    if not pool:
        raise ConfigError(f"examples {path}: no example in it; give one JSON object a line, with text and statements")
    return pool


def with_kinds(pool: Sequence[Example], kinds: Sequence[str]) -> tuple[Example, ...]:
    """The pool's examples with statements of these kinds only, in the kinds' order; those that have none are left out."""
    cut = (
        e.model_copy(update={"statements": tuple(s for k in kinds for s in e.statements if s.kind == k)}) for e in pool
    )
    return tuple(e for e in cut if e.statements)


def _example(line: bytes, path: Path, number: int) -> Example:
    try:
        return Example.model_validate({"id": f"line-{number}", **orjson.loads(line)})
    except (orjson.JSONDecodeError, TypeError):
        raise ConfigError(f"examples {path}, line {number}: not a JSON object") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(p) for p in first["loc"])
        raise ConfigError(
            f"examples {path}, line {number}: {where}: {first['msg'].lower()}; expected text, statements (each with "
            f"kind, one of "
            f"{', '.join(KINDS)}, and text), and if you like id, context, relation; for questions and answers also "
            f"answer, and in each "
            "statement question"
        ) from None


class FixedExamples:
    """The same examples for every request: the first of each relation of the pool, in turn."""

    def __init__(self, pool: Sequence[Example], count: int) -> None:
        by_relation: dict[str | None, Example] = {}
        for example in pool:
            by_relation.setdefault(example.relation, example)
        first = [*by_relation.values(), *(e for e in pool if e not in by_relation.values())]
        self._chosen = tuple(first[:count])

    def choose_all(self, units: Sequence[Sequence[str]]) -> list[tuple[Example, ...]]:
        """The same examples, whatever the sentences."""
        return [self._chosen] * len(units)


class FittingExamples:
    """The examples most like the request's sentences in form: of the same relation first, turned the same way.

    The relation (a pool's own word for it: identity, comparison, …) is the one whose examples score best together.
    Turned the same way: both or neither name someone in their first half, since "A is B" and "B is A" want different
    reversals. Ties go to the earlier example.
    """

    def __init__(self, pool: Sequence[Example], count: int) -> None:
        self._pool = tuple(pool)
        self._count = min(count, len(self._pool))
        tokens = [form_tokens(e.text) for e in self._pool]
        self._index = SmallBm25(tokens) if len(tokens) <= _SMALL_POOL else Bm25(tokens)
        self._opens = np.array([_opens_with_name(t) for t in tokens])
        relations = list(dict.fromkeys(e.relation for e in self._pool))
        self._relation = np.array([relations.index(e.relation) for e in self._pool])
        self._members = _padded([np.flatnonzero(self._relation == r) for r in range(len(relations))], len(self._pool))

    def choose_all(self, units: Sequence[Sequence[str]]) -> list[tuple[Example, ...]]:
        """Takes turns among a request's sentences, so that each has at least one fitting example while there is room."""
        forms = [[tuple(form_tokens(s)) for s in sentences] for sentences in units]
        different = list(dict.fromkeys(form for own in forms for form in own))
        ranked = dict(zip(different, self._rank(different), strict=True)) if different else {}
        return [self._in_turns([ranked[form] for form in own]) for own in forms]

    def _in_turns(self, rankings: Sequence[Sequence[int]]) -> tuple[Example, ...]:
        chosen: dict[int, None] = {}
        for depth in range(self._count):
            for ranking in rankings:
                if len(chosen) < self._count:
                    chosen.setdefault(ranking[depth])
        return tuple([self._pool[i] for i in sorted(chosen)])

    def _rank(self, forms: Sequence[Sequence[str]]) -> list[list[int]]:
        """For each form the best examples' places in the pool.

        All at once: numpy's overhead is larger than the work on one.
        """
        scores = self._index.scores_of_all(forms).astype(np.float64)
        turned = self._opens != np.array([_opens_with_name(f) for f in forms])[:, None]
        order: list[list[int]] = np.lexsort((-scores, turned, -self._votes(scores)[:, self._relation]))[
            :, : self._count
        ].tolist()
        return order

    def _votes(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What the best few examples of each relation score together: one accidental word in common weighs little then."""
        own = np.pad(scores, ((0, 0), (0, 1)))[:, self._members]
        own.sort(axis=2)
        votes: npt.NDArray[np.float64] = functools.reduce(np.add, (own[:, :, -i] for i in range(_VOTERS, 0, -1)))
        return votes


def _padded(members: Sequence[npt.NDArray[np.int64]], nobody: int) -> npt.NDArray[np.int64]:
    """Lists of pool positions as the rows of a table, filled up with `nobody` to at least `_VOTERS`."""
    width = max(_VOTERS, *(len(m) for m in members))
    return np.stack([np.pad(m, (0, width - len(m)), constant_values=nobody) for m in members])


def form_tokens(sentence: str) -> list[str]:
    """The words of a sentence and their neighbours in pairs, with names, quotations and numbers masked.

    A capitalised word counts as a name, save a first word that is not followed by one (most sentences begin with a
    capital).
    """
    words = _WORD.findall(_QUOTED.sub(f" {_NAME[1:-1].title()}Quoted ", sentence))
    masked: list[str] = []
    last = ""
    for i, word in enumerate(words):
        first = word[0]
        if first.isdigit():
            token = _NUMBER
        elif first.isupper() and (i or (words[1:] and words[1][0].isupper() and word.lower() not in _OPENERS)):
            token = _NAME
        else:
            token = word.lower()
        if token != _NAME or last != _NAME:
            masked.append(token)
        last = token
    return masked + [f"{a} {b}" for a, b in zip(["<start>", *masked], masked, strict=False)]


def _opens_with_name(tokens: Sequence[str]) -> bool:
    """Whether a name stands in the first half of the words, which come before as many pairs."""
    words = len(tokens) // 2
    return _NAME in tokens[: (words + 1) // 2]


_OPENERS = frozenset(
    "a all an any at both did each every if in most no not on only some the these this those when while".split()
)
