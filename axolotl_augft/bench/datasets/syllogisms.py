"""Simple syllogisms (arXiv 2505.00661, data set 2): two premises in a document, asked is what follows for the two ends.

The nine forms whose conclusion is universal or particular affirmative, or universal negative, in modern predicate logic
(nothing is assumed to exist); those that conclude "some are not" are left out, as in the paper. Its six statements,
all, some and no in two directions, are four choices here: "some" and "no" say the same in both directions, and a choice
must be right alone, so each of them stands once, in a random direction. Right answers are half "all", a quarter each
"some" and "no", which makes every choice right equally often.

Documents word the premises with "every", "at least one" and "not one", since otherwise "no" in a document would give
the answer "no" away to a reader of words: the conclusion always has the rarer quantifier of its premises.
"""

import random
import re
from collections.abc import Sequence
from itertools import cycle, islice

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact, Rule
from axolotl_augft.bench.datasets.wording import capitalised, statements_in
from axolotl_augft.bench.datasets.words.nonsense import nonsense_words, plural

NAME = "syllogisms"


def _rule(*atoms: str) -> Rule:
    """A rule from atoms such as "all ?m ?p", the conclusion last."""
    *premises, conclusion = (Fact.of(a.split()) for a in atoms)
    return Rule(tuple(premises), conclusion)


FORMS = {
    "Barbara": _rule("all ?m ?p", "all ?s ?m", "all ?s ?p"),
    "Celarent": _rule("no ?m ?p", "all ?s ?m", "no ?s ?p"),
    "Cesare": _rule("no ?p ?m", "all ?s ?m", "no ?s ?p"),
    "Camestres": _rule("all ?p ?m", "no ?s ?m", "no ?s ?p"),
    "Camenes": _rule("all ?p ?m", "no ?m ?s", "no ?s ?p"),
    "Darii": _rule("all ?m ?p", "some ?s ?m", "some ?s ?p"),
    "Datisi": _rule("all ?m ?p", "some ?m ?s", "some ?s ?p"),
    "Disamis": _rule("some ?m ?p", "all ?m ?s", "some ?s ?p"),
    "Dimaris": _rule("some ?p ?m", "all ?m ?s", "some ?s ?p"),
}
"""Major premise, minor premise, conclusion; ?s is its subject, ?p its predicate, ?m the middle term."""

RULES = (
    FORMS["Barbara"],
    FORMS["Celarent"],
    FORMS["Darii"],
    _rule("no ?x ?y", "no ?y ?x"),
    _rule("some ?x ?y", "some ?y ?x"),
)
"""What the other six forms come down to."""

_COUNTS: dict[Scale, int] = {"tiny": 12, "small": 24, "paper": 69}
_ASKED = {"all": "all {s} are {p}", "some": "some {s} are {p}", "no": "no {s} are {p}"}
_WORDINGS = {
    "all": ("every {x} is a {y}", "anything that is a {x} is also a {y}"),
    "some": ("at least one {x} is a {y}", "there is a {x} that is also a {y}"),
    "no": ("not one {x} is a {y}", "nothing that is a {x} is also a {y}"),
}


def make_syllogisms(scale: Scale, seed: int) -> BenchData:
    """The data set; at `paper` scale 69 syllogisms, each in one document, about three nonsense nouns of its own."""
    rng = random.Random(f"{NAME} {scale} {seed}")
    names = _forms(_COUNTS[scale], rng)
    nouns = nonsense_words(3 * len(names), seed)
    filled = [_filled(FORMS[name], nouns[3 * i : 3 * i + 3]) for i, name in enumerate(names)]
    return BenchData(
        name=NAME,
        scale=scale,
        seed=seed,
        documents=tuple(_document(rule, rng) for rule in filled),
        questions=_questions(names, filled, rng),
        stated=tuple(Stated(premise, (i,)) for i, rule in enumerate(filled) for premise in rule.premises),
        rules=RULES,
        about="Simple syllogisms (arXiv 2505.00661): a document says which three invented things are "
        "related and gives two premises; asked "
        "is what holds of the two that no premise joins. Forms: "
        + ", ".join(FORMS)
        + ". Choices: all in both directions, some and no in "
        "one direction each, since they say the same in both; half of the right answers are all, a quarter each some "
        "and no. Documents say "
        "every, at least one and not one, so that no word of a choice tells whether it is right.",
    )


class SyllogismsGrammar:
    """Statements with all, some and no, in words; names that the data set does not know stand for themselves."""

    def __init__(self, data: BenchData) -> None:
        nouns = {noun for fact in data.facts for noun in fact.arguments}
        self._singular = {form: noun for noun in nouns for form in (noun, plural(noun))}

    def wordings(self, fact: Fact) -> Sequence[str]:
        """Three sentences: as choices say it, then as documents do."""
        x, y = fact.arguments
        plainest = _ASKED[fact.predicate].format(s=plural(x), p=plural(y))
        return [f"{capitalised(s)}." for s in (plainest, *(w.format(x=x, y=y) for w in _WORDINGS[fact.predicate]))]

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """The statements of a sentence; none if one of its clauses is something else.

        What only says who is related is passed over.
        """
        statements = [s for part in _SENTENCE.split(sentence) for s in statements_in(part)]
        read = [self._fact(s) for s in statements if not _INTRODUCTION.fullmatch(s)]
        return tuple(dict.fromkeys(f for f in read if f)) if all(read) else ()

    def _fact(self, statement: str) -> Fact | None:
        for quantifier, pattern in _STATEMENTS:
            if match := pattern.fullmatch(statement):
                x, y = (self._singular.get(name, name) for name in match.group("x", "y"))
                return None if x == y or {x, y} & _NOT_NOUNS else Fact(quantifier, (x, y))
        return None


def _forms(count: int, rng: random.Random) -> list[str]:
    """Names of forms in random order: half with an `all` conclusion, a quarter each with `some` and `no`, their forms in turn."""
    quarter = count // 4
    numbers = {"all": count - 2 * quarter, "some": quarter, "no": quarter}
    names: list[str] = []
    for quantifier, number in numbers.items():
        forms = [n for n, rule in FORMS.items() if rule.conclusion.predicate == quantifier]
        names += islice(cycle(rng.sample(forms, len(forms))), number)
    rng.shuffle(names)
    return names


def _filled(form: Rule, nouns: Sequence[str]) -> Rule:
    values = dict(zip(("?s", "?p", "?m"), nouns, strict=True))
    return Rule(tuple(p.filled(values) for p in form.premises), form.conclusion.filled(values))


def _document(rule: Rule, rng: random.Random) -> str:
    premises = [rng.choice(_WORDINGS[p.predicate]).format(x=p.arguments[0], y=p.arguments[1]) for p in rule.premises]
    rng.shuffle(premises)
    nouns = sorted({noun for p in rule.premises for noun in p.arguments})
    rng.shuffle(nouns)
    first, second, third = map(plural, nouns)
    return " ".join((_related(f"{first}, {second} and {third}"), *(f"{capitalised(p)}." for p in premises)))


def _related(nouns: str) -> str:
    return f"Here is how {nouns} are related."


def _questions(names: Sequence[str], filled: Sequence[Rule], rng: random.Random) -> tuple[Question, ...]:
    """In the prompt, the subject of the right choice is named first in every other question of a quantifier."""
    first = {"all": cycle((True, False)), "some": cycle((True, False)), "no": cycle((True, False))}
    right = (_either_way(rule.conclusion, rng) for rule in filled)
    return tuple(
        _question(i, name, fact, next(first[fact.predicate]), rng)
        for i, (name, fact) in enumerate(zip(names, right, strict=True))
    )


def _question(number: int, form: str, right: Fact, subject_first: bool, rng: random.Random) -> Question:
    named = right.arguments if subject_first else right.arguments[::-1]
    wrong = [_either_way(Fact(q, named), rng) for q in ("some", "no") if q != right.predicate]
    wrong += [f for f in (Fact("all", named), Fact("all", named[::-1])) if f != right]
    choices = [right, *wrong]
    rng.shuffle(choices)
    return Question(
        id=f"{NAME}-{number:03}",
        prompt=_related(" and ".join(map(plural, named))),
        choices=tuple(_choice(f) for f in choices),
        answer=choices.index(right),
        split="syllogisms",
        fact=right,
        subset=form,
        distractors=tuple(f for f in choices if f != right),
    )


def _choice(fact: Fact) -> str:
    subject, predicate = map(plural, fact.arguments)
    return capitalised(_ASKED[fact.predicate].format(s=subject, p=predicate)) + "."


def _either_way(fact: Fact, rng: random.Random) -> Fact:
    """The fact, or its mirror image where that says the same."""
    return fact if fact.predicate == "all" or rng.random() < 0.5 else Fact(fact.predicate, fact.arguments[::-1])


_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_INTRODUCTION = re.compile(r"here is how [\w, ]+ are related")
_NOT_NOUNS = frozenset("both it not one only some that them they things this".split())


def _pattern(text: str) -> re.Pattern[str]:
    nouns = {name: rf"(?:(?:an?|the) )?(?P<{name}>[\w-]+)" for name in ("x", "y")}
    return re.compile(text.format(**nouns, be="(?:are|is) (?:also )?", thing="(?:thing|one)"))


_STATEMENTS = tuple(
    (quantifier, _pattern(text))
    for quantifier, text in (
        ("all", "(?:all|every|each|any) (?:of )?{x} {be}{y}"),
        ("all", "(?:any|every){thing} that is {x} {be}{y}"),
        ("all", "if (?:some){thing} is {x},? (?:then )?it {be}{y}"),
        ("some", "(?:some|at least one|at least some) (?:of )?{x} {be}{y}"),
        ("some", "there (?:is|are) (?:at least one |some )?{x} (?:that|which|who) {be}{y}"),
        ("some", "some(?:thing|one) is both {x} and {y}"),
        ("no", "(?:no|not one|not a single|none of) {x} {be}{y}"),
        ("no", "no(?:thing| one) that is {x} {be}{y}"),
        ("no", "there (?:is|are) no {x} (?:that|which|who) {be}{y}"),
        ("no", "no(?:thing| one) is both {x} and {y}"),
    )
)
