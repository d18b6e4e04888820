"""A seed -> the process knowledge data set (arXiv 2505.00661): apply an invented rule system to new expressions.

Documents work out examples step by step: the operator of a named function, of two joined functions, and of expressions
in which one law is applied within another. Some pairs of an outer and an inner law occur in no document, and the
questions ask for those. All choices of a question contain the same words, in the orders that other laws of the system
would give, so word counts cannot tell them apart.
"""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.places import balanced_places
from axolotl_augft.bench.datasets.process.grammar import WORDINGS, ProcessGrammar
from axolotl_augft.bench.datasets.process.rules import (
    OPERATIONS,
    Expression,
    Joined,
    System,
    maps,
    parts,
    syntax,
    system,
)
from axolotl_augft.bench.datasets.words.nonsense import nonsense_words

__all__ = ["ProcessGrammar", "make_process"]

_ABOUT = (
    "An operator maps functions to functions, as a derivative does, by laws of its own: one for each of six "
    "operations on functions. Documents are worked examples; the questions combine two laws, one within the other, in "
    "pairs that no document combines. Wrong choices are what other laws of the system would give, from the same words."
)
# The paper gives no sizes that apply here; these are our own.
_FUNCTIONS: Mapping[Scale, int] = {"tiny": 6, "small": 10, "paper": 20}
_DOCUMENTS: Mapping[Scale, int] = {"tiny": 60, "small": 200, "paper": 600}
_QUESTIONS: Mapping[Scale, int] = {"tiny": 12, "small": 60, "paper": 200}
_HELD_OUT_SHIFTS = (1, 3)
_WRONG = 3
_SINGLE = 0.25
_TITLES = (
    "An exercise with the {op}.",
    "Here is a worked example.",
    "Let us find the {op} of {e}.",
    "We look for the {op} of {e}.",
)
_EXPLAINED = (
    "In the {op} of two functions with {operation} between them, {operation} becomes {result}, and the two sides "
    "{order}.",
    "The law for {operation} says that it becomes {result} and that the sides {order}.",
)


@dataclass(frozen=True, slots=True)
class _Pair:
    """An outer operation and the one inside it."""

    outer: str
    inner: str


@dataclass(frozen=True, slots=True)
class _Document:
    """A text and the facts it states."""

    text: str
    facts: tuple[Fact, ...]


def make_process(scale: Scale, seed: int) -> BenchData:
    """Make the data set.

    Args:
        scale: tiny, small or paper (600 documents, 200 questions, 20 functions).
        seed: Seed of names, laws, examples and questions.

    Raises:
        BenchError: There are not enough nonsense words.
    """
    rng = random.Random(f"process {scale} {seed}")
    operator, *words = nonsense_words(1 + OPERATIONS + _FUNCTIONS[scale], seed)
    operations, functions = words[:OPERATIONS], words[OPERATIONS:]
    laws = system(functions, operations, rng)
    trained, held_out = _pairs(operations, rng)
    triples = list(itertools.permutations(functions, 3))
    rng.shuffle(triples)
    asked = triples[: _QUESTIONS[scale]]
    writer = _Writer(laws, operator, rng)
    documents = writer.documents(trained, triples[len(asked) :], _DOCUMENTS[scale])
    questions = _questions(laws, operator, held_out, asked, rng)
    expressions = [*writer.expressions, *(e for e, _ in questions)]
    return BenchData(
        name="process",
        scale=scale,
        seed=seed,
        documents=tuple(d.text for d in documents),
        questions=tuple(q for _, q in questions),
        stated=_stated(documents),
        rules=tuple(law.rule for law in laws.laws.values()),
        about=_ABOUT,
        background=tuple(dict.fromkeys(f for e in expressions for x in (e, *_results(laws, e)) for f in syntax(x))),
        settings={"operator": operator, "held_out": [f"{p.inner} inside {p.outer}" for p in held_out]},
    )


def _pairs(operations: Sequence[str], rng: random.Random) -> tuple[list[_Pair], list[_Pair]]:
    """Split all pairs into trained and held-out ones.

    Each operation is the outer one of two held-out and four trained pairs, and the inner one of as many.
    """
    order = rng.sample(operations, len(operations))
    held_out = [_Pair(o, order[(i + shift) % len(order)]) for i, o in enumerate(order) for shift in _HELD_OUT_SHIFTS]
    return [p for p in itertools.starmap(_Pair, itertools.product(order, repeat=2)) if p not in held_out], held_out


def _combined(pair: _Pair, names: Sequence[str], inner_first: bool) -> Joined:
    """Join three names by both operations of a pair."""
    a, b, c = names
    return (
        Joined(pair.outer, Joined(pair.inner, a, b), c)
        if inner_first
        else Joined(pair.outer, a, Joined(pair.inner, b, c))
    )


def _results(laws: System, expression: Expression) -> Iterator[Expression]:
    """Yield the right result of an expression, then the results of wrongly applied laws in the same words."""
    yield laws.result(expression)
    if isinstance(expression, Joined):
        yield from _wrong_results(laws, expression)


def _wrong_results(laws: System, expression: Joined) -> list[Joined]:
    """Results by the laws of other operations, in the same words; none for an expression with a single operation."""
    inner_first = isinstance(expression.left, Joined)
    inner = expression.left if inner_first else expression.right
    if isinstance(inner, str):
        return []
    outer_law, inner_law = laws.laws[expression.operation], laws.laws[inner.operation]
    wanted = sorted((outer_law.result, inner_law.result))
    other = laws.result(expression.right if inner_first else expression.left)
    found: dict[Joined, None] = {}
    for wrong_outer, wrong_inner in itertools.product(laws.laws.values(), repeat=2):
        if sorted((wrong_outer.result, wrong_inner.result)) == wanted:
            part = wrong_inner.applied(laws.result(inner.left), laws.result(inner.right))
            found[wrong_outer.applied(part, other) if inner_first else wrong_outer.applied(other, part)] = None
    right = laws.result(expression)
    return [e for e in found if e != right]


def _questions(
    laws: System, operator: str, held_out: Sequence[_Pair], triples: Sequence[tuple[str, ...]], rng: random.Random
) -> list[tuple[Joined, Question]]:
    """Make one question per three functions, about the held-out pairs in turn."""
    found = []
    places = balanced_places(len(triples), _WRONG + 1, rng)
    for i, (names, place) in enumerate(zip(triples, places, strict=True)):
        pair = held_out[i % len(held_out)]
        expression = _combined(pair, names, rng.random() < 0.5)
        right = laws.result(expression)
        wrong = rng.sample(_wrong_results(laws, expression), _WRONG)
        choices = [str(e) for e in wrong]
        choices.insert(place, str(right))
        question = Question(
            id=f"combinations-{i}",
            prompt=f"The {operator} of {expression} is",
            choices=tuple(choices),
            answer=place,
            split="combinations",
            fact=maps(expression, right),
            subset=f"{pair.inner} inside {pair.outer}",
            distractors=tuple(maps(expression, e) for e in wrong),
        )
        found.append((expression, question))
    return found


class _Writer:
    """Writes worked examples."""

    def __init__(self, laws: System, operator: str, rng: random.Random) -> None:
        self.expressions: list[Expression] = []
        self._laws = laws
        self._operator = operator
        self._rng = rng

    def documents(self, trained: Sequence[_Pair], triples: Sequence[tuple[str, ...]], count: int) -> list[_Document]:
        """Write one document per function, then examples of single laws and of the trained pairs in turn; shuffled."""
        written = [self._example(name) for name in self._laws.names]
        operations, pairs, names = itertools.cycle(self._laws.laws), itertools.cycle(trained), itertools.cycle(triples)
        while len(written) < count:
            if self._rng.random() < _SINGLE:
                written.append(self._example(Joined(next(operations), *next(names)[:2])))
            else:
                written.append(self._example(_combined(next(pairs), next(names), self._rng.random() < 0.5)))
        self._rng.shuffle(written)
        return written

    def _example(self, expression: Expression) -> _Document:
        """Work out the operator of an expression, from its parts up."""
        self.expressions.append(expression)
        sentences = (
            [self._rng.choice(_TITLES).format(op=self._operator, e=expression)] if self._rng.random() < 0.6 else []
        )
        facts = []
        steps = list(dict.fromkeys(parts(expression)))
        for i, part in enumerate(steps):
            result = self._laws.result(part)
            if isinstance(part, Joined) and self._rng.random() < 0.6:
                sentences.append(self._explained(part.operation))
            text = self._rng.choice(WORDINGS).format(op=self._operator, e=part, r=result)
            opening = self._rng.choice(("So, ", "Therefore, ", "Finally, ", "")) if i == len(steps) - 1 and i else ""
            sentences.append(f"{opening}{text[0].lower()}{text[1:]}" if opening else text[0].upper() + text[1:])
            facts.append(maps(part, result))
        return _Document(" ".join(sentences), tuple(facts))

    def _explained(self, operation: str) -> str:
        """Explain an operation's law in general words, which state no fact."""
        law = self._laws.laws[operation]
        order = "change places" if law.turned else "keep their places"
        return self._rng.choice(_EXPLAINED).format(
            op=self._operator, operation=operation, result=law.result, order=order
        )


def _stated(documents: Sequence[_Document]) -> tuple[Stated, ...]:
    where: dict[Fact, dict[int, None]] = {}
    for i, document in enumerate(documents):
        for fact in document.facts:
            where.setdefault(fact, {})[i] = None
    return tuple(Stated(fact, tuple(numbers)) for fact, numbers in where.items())
