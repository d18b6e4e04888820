"""Pool of worked examples and the sentences of a request -> the examples shown in its prompt.

The form of the worked examples decides what a small teacher writes, so each request gets the examples whose sentences
resemble its own in form. Similarity is BM25 over words and word pairs with names and numbers masked, so that "X are
more F than Y" finds other comparisons rather than other sentences about X. The scores first vote for a relation; the
best examples of that relation come first.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from axolotl_augft.batched import batched
from axolotl_augft.config.augment import Kind
from axolotl_augft.errors import ConfigError
from axolotl_augft.text.bm25 import Bm25, SmallBm25

Form = Literal["statements", "questions", "short_questions", "exchanges"]
_FOLDER = Path(__file__).parent / "worked_examples"
_POOLS: dict[Form, str] = {
    "statements": "examples.jsonl",
    "questions": "question_examples.jsonl",
    "short_questions": "question_examples.jsonl",
    "exchanges": "exchange_examples.jsonl",
}
POOL = _FOLDER / _POOLS["statements"]
KINDS = get_args(Kind)

_WORD = re.compile(r"\w+(?:['’-]\w+)*|\S")
_QUOTED = re.compile(r"[\"“”«»][^\"“”«»]{1,200}[\"“”«»]")
_NAME, _NUMBER = "<name>", "<number>"
_AS_A_NAME = " NameQuoted "
_VOTERS = 4
_SMALL_POOL = 1000
_HIGHEST = (1 << 31) - 1
_RANKED = 256
"""Forms that are ranked in one call: numpy's overhead exceeds the work for a few, and a cache holds no more."""


class Statement(BaseModel):
    """A statement of a worked example, or the answer to `question` if there is one; `short` is its shortest form."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    text: str = Field(min_length=1)
    question: str | None = Field(None, min_length=1)
    short: str | None = Field(None, min_length=1)


class Example(BaseModel):
    """A sentence, or a question with its answer, and what a teacher should write about it.

    Attributes:
        id: Name of the example, unique within its pool.
        text: The sentence or the question.
        statements: The statements, or the questions with answers, that the example shows.
        answer: The answer, if `text` is a question.
        context: A preceding sentence, if `text` cannot be understood without it.
        relation: The pool's own word for what the sentence expresses: identity, comparison, …
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
        """The form of the example.

        "statements" and "questions" are about a sentence; "exchanges" are about a question with its answer.
        """
        if self.answer is not None:
            return "exchanges"
        return "questions" if all(s.question for s in self.statements) else "statements"


class Chooser(Protocol):
    """Chooses worked examples for a request."""

    def choose_all(self, units: Sequence[Sequence[str]]) -> list[tuple[Example, ...]]:
        """Choose the examples for each request, in pool order so that equal choices make equal prefixes.

        Args:
            units: The sentences of each request.
        """


def load_pool(file: str | None, form: Form = "statements") -> tuple[Example, ...]:
    """Load the worked examples of one form.

    Args:
        file: A user's JSON Lines file. If it holds examples of this form, they replace the package's pool.
        form: The form of examples to load.

    Raises:
        ConfigError: The file cannot be read, holds no example, has a line that is not a valid example, or uses an id
            twice.
    """
    own = _of_form(_read_pool(Path(file)), form) if file else ()
    return own or _of_form(_read_pool(_FOLDER / _POOLS[form]), form)


def _of_form(pool: Iterable[Example], form: Form) -> tuple[Example, ...]:
    """Select the examples of a form; for short answers, those that have some, with these in place of the long ones."""
    if form != "short_questions":
        return tuple(e for e in pool if e.form == form)
    short = (
        e.model_copy(update={"statements": tuple(_shortened(s) for s in e.statements if s.short)})
        for e in pool
        if e.form == "questions"
    )
    return tuple(e for e in short if e.statements)


def _shortened(statement: Statement) -> Statement:
    return statement.model_copy(update={"text": statement.short})


def _read_pool(path: Path) -> tuple[Example, ...]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(
            f"examples {path}: cannot be read ({type(error).__name__}); give the path of a JSON Lines file"
        ) from None
    pool = tuple(_example(line, path, number) for number, line in enumerate(lines, 1) if line.strip())
    if not pool:
        raise ConfigError(
            f"examples {path}: contains no example; give one JSON object per line, with text and statements"
        )
    # Prompts are remembered by the ids of their examples.
    if repeated := [name for name, count in Counter(example.id for example in pool).items() if count > 1]:
        raise ConfigError(
            f"examples {path}: id {repeated[0]!r} is used more than once; give each example its own, or none"
        )
    return pool


def with_kinds(pool: Sequence[Example], kinds: Sequence[str]) -> tuple[Example, ...]:
    """Reduce each example to its statements of these kinds, in the order of `kinds`, and drop examples without any."""
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
            f"examples {path}, line {number}: {where}: {first['msg'].lower()}; expected text and statements (each with "
            f"text and kind, one of {', '.join(KINDS)}), optionally id, context and relation; for questions and "
            "answers, also answer, and a question in each statement"
        ) from None


class FixedExamples:
    """Gives every request the same examples: the first of each relation in the pool, then the others."""

    def __init__(self, pool: Sequence[Example], count: int) -> None:
        by_relation: dict[str | None, Example] = {}
        for example in pool:
            by_relation.setdefault(example.relation, example)
        first = [*by_relation.values(), *(e for e in pool if e not in by_relation.values())]
        self._chosen = tuple(first[:count])

    def choose_all(self, units: Sequence[Sequence[str]]) -> list[tuple[Example, ...]]:
        """Return the same examples for every request."""
        return [self._chosen] * len(units)


class FittingExamples:
    """Gives each request the examples whose form is closest to its sentences.

    Examples are ranked by three criteria, in this order:

    1. Their relation (the pool's own word: identity, comparison, …). The relation whose examples score best together
       wins.
    2. Their direction. Both sentences, or neither, must have a name in their first half, because "A is B" and "B is A"
       need different reversals.
    3. Their own score. Ties go to the earlier example.
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
        """Choose the examples for each request.

        The sentences of a request take turns, so that each gets a fitting example as long as there is room.
        """
        forms = [[tuple(form_tokens(s)) for s in sentences] for sentences in units]
        different = list(dict.fromkeys(form for own in forms for form in own))
        ranked = dict(pair for some in batched(different, _RANKED) for pair in zip(some, self._rank(some), strict=True))
        return [self._in_turns([ranked[form] for form in own]) for own in forms]

    def _in_turns(self, rankings: Sequence[Sequence[int]]) -> tuple[Example, ...]:
        in_turns = list(dict.fromkeys(chain.from_iterable(zip(*rankings, strict=True))))
        return tuple([self._pool[i] for i in sorted(in_turns[: self._count])])

    def _rank(self, forms: Sequence[Sequence[str]]) -> list[list[int]]:
        """Return the pool positions of the best examples for each form, best first."""
        scores = self._index.scores_of_all(forms)
        turned = self._opens != np.array([_opens_with_name(f) for f in forms])[:, None]
        places = _places(self._votes(scores))[:, self._relation]
        # One number for all criteria, which sorts faster than one after the other. The bits of floats that are not
        # negative are in the order of the floats.
        worse = places << 32 | turned.astype(np.int64) << 31 | _HIGHEST - scores.view(np.int32)
        best: list[list[int]] = np.argsort(worse, axis=1, kind="stable")[:, : self._count].tolist()
        return best

    def _votes(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Sum the scores of the best few examples of each relation, so that one shared word by chance weighs little."""
        own = np.pad(scores, ((0, 0), (0, 1)))[:, self._members]
        own.sort(axis=2)
        best = own[:, :, -_VOTERS:].astype(np.float64)
        votes: npt.NDArray[np.float64] = functools.reduce(np.add, (best[:, :, i] for i in range(_VOTERS)))
        return votes


def _places(votes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the place of each relation, shape (forms, relations): 0 for the most votes, equal ones for equal votes."""
    order = np.argsort(-votes, axis=1)
    falling = np.take_along_axis(votes, order, axis=1)
    places = np.zeros(votes.shape, dtype=np.int64)
    np.put_along_axis(places, order[:, 1:], np.cumsum(falling[:, 1:] < falling[:, :-1], axis=1), axis=1)
    return places


def _padded(members: Sequence[npt.NDArray[np.int64]], nobody: int) -> npt.NDArray[np.int64]:
    """Stack lists of pool positions into a table, each row padded with `nobody` to at least `_VOTERS` columns."""
    width = max(_VOTERS, *(len(m) for m in members))
    return np.stack([np.pad(m, (0, width - len(m)), constant_values=nobody) for m in members])


def form_tokens(sentence: str) -> list[str]:
    """Split a sentence into words, followed by word pairs, with names, quotations and numbers masked.

    A capitalised word counts as a name. Because most sentences begin with a capital, the first word does so only if
    another capitalised word follows and it is no common opener ("the", "some", …).
    """
    words = _WORD.findall(_QUOTED.sub(_AS_A_NAME, sentence))
    every = list(map(_masked, words))
    if every[:1] == [_NAME] and not (words[1:] and words[1][0].isupper() and words[0].lower() not in _OPENERS):
        every[0] = words[0].lower()
    # Names that follow each other are one.
    masked = [token for token, last in zip(every, ["", *every], strict=False) if token != _NAME or last != _NAME]
    return masked + list(map(" ".join, zip(["<start>", *masked], masked, strict=False)))


@functools.lru_cache(maxsize=1 << 14)
def _masked(word: str) -> str:
    """Mask a word that does not open its sentence."""
    if word[0].isdigit():
        return _NUMBER
    return _NAME if word[0].isupper() else word.lower()


def _opens_with_name(tokens: Sequence[str]) -> bool:
    """Whether the first half of the words contains a name. `tokens` holds the words, then as many word pairs."""
    words = len(tokens) // 2
    return _NAME in tokens[: (words + 1) // 2]


_OPENERS = frozenset(
    "a all an any at both did each every if in most no not on only some the these this those when while".split()
)
