"""A seed -> simple syllogisms (arXiv 2505.00661, data set 2): documents give two premises, questions the conclusion.

The forms are the nine whose conclusion is "all", "some" or "no" in modern predicate logic, which does not assume that
anything exists. Those that conclude "some are not" are left out, as in the paper. In traditional logic, which assumes
that there are things of every kind, "all" implies "some". Labels are right in both: what one of them lets follow is
never a wrong choice, so a question whose answer is "all" does not offer "some".

Of the paper's six statements, "all", "some" and "no" in two directions, each question offers three, since "some" and
"no" say the same in both directions: "all" both ways and "no", or one each of "all", "some" and "no". Half of the right
answers are "all", an eighth "some" and the others "no". So a reader who always prefers the same quantifiers is right in
about three eighths of the questions at most. The right choice stands equally often at each of the three places.

Documents word the premises with "every", "at least one" and "not one". With "no" in a document, word counts would give
away the answer "no", because a conclusion always has the rarer quantifier of its premises.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact, Rule
from axolotl_augft.bench.datasets.places import balanced_places
from axolotl_augft.bench.datasets.wording import capitalised, statements_in
from axolotl_augft.bench.datasets.words.nonsense import nonsense_words, plural

NAME = "syllogisms"


def _rule(*atoms: str) -> Rule:
    """Build a rule from atoms such as "all ?m ?p", the conclusion last."""
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
"""The rules from which all nine forms follow."""

_CHOICES = 3
_COUNTS: dict[Scale, int] = {"tiny": 12, "small": 24, "paper": 69}
_ASKED = {"all": "all {s} are {p}", "some": "some {s} are {p}", "no": "no {s} are {p}"}
_WORDINGS = {
    "all": ("every {x} is a {y}", "anything that is a {x} is also a {y}"),
    "some": ("at least one {x} is a {y}", "there is a {x} that is also a {y}"),
    "no": ("not one {x} is a {y}", "nothing that is a {x} is also a {y}"),
}


def make_syllogisms(scale: Scale, seed: int) -> BenchData:
    """Make the data set; `paper` scale has 69 syllogisms, each in a document with three nonsense nouns of its own."""
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
        "related and gives two premises; asked is what holds of the two that no premise joins. Forms: "
        + ", ".join(FORMS)
        + ". Right choices follow, and wrong ones do not, in modern logic and in traditional logic, in which all "
        "implies some: a question whose answer is all offers all both ways and no, any other question one each of all, "
        "some and no. Half of the right answers are all, an eighth some, the others no, so that always preferring the "
        "same quantifiers reaches about 0.38 at most. Documents say every, at least one and not one, so that no word "
        "of a choice tells whether it is right.",
    )


class SyllogismsGrammar:
    """Statements with all, some and no in words; names that the data set does not know stand for themselves."""

    is_complete = False
    relations = ("are",)

    def __init__(self, data: BenchData) -> None:
        nouns = {noun for fact in data.facts for noun in fact.arguments}
        self._singular = {form: noun for noun in nouns for form in (noun, plural(noun))}

    def wordings(self, fact: Fact) -> Sequence[str]:
        """Return three sentences: the wording of the choices, then those of the documents."""
        x, y = fact.arguments
        plainest = _ASKED[fact.predicate].format(s=plural(x), p=plural(y))
        return [f"{capitalised(s)}." for s in (plainest, *(w.format(x=x, y=y) for w in _WORDINGS[fact.predicate]))]

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """Read the statements of a sentence; none if one of its clauses is anything else.

        Introductions ("Here is how … are related") are ignored.
        """
        statements = [s for part in _SENTENCE.split(sentence) for s in statements_in(part)]
        read = [self._fact(s) for s in statements if not _INTRODUCTION.fullmatch(s)]
        return tuple(dict.fromkeys(f for f in read if f)) if all(read) else ()

    def denied(self, sentence: str) -> tuple[Fact, ...]:
        """Return nothing: sentences that deny something are not understood."""
        return ()

    def _fact(self, statement: str) -> Fact | None:
        for quantifier, pattern in _STATEMENTS:
            if match := pattern.fullmatch(statement):
                x, y = (self._singular.get(name, name) for name in match.group("x", "y"))
                return None if x == y or {x, y} & _NOT_NOUNS else Fact(quantifier, (x, y))
        return None


def _forms(count: int, rng: random.Random) -> list[str]:
    """Draw form names in random order: half conclude `all`, an eighth `some`, the others `no`; forms take turns."""
    numbers = {"all": count // 2, "some": round(count / 8)}
    numbers["no"] = count - sum(numbers.values())
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
    """Make the questions; prompts name the right choice's subject first in every other question of a quantifier."""
    first = {"all": cycle((True, False)), "some": cycle((True, False)), "no": cycle((True, False))}
    right = (_either_way(rule.conclusion, rng) for rule in filled)
    places = balanced_places(len(names), _CHOICES, rng)
    return tuple(
        _question(i, name, _Asked(fact, next(first[fact.predicate]), place), rng)
        for i, (name, fact, place) in enumerate(zip(names, right, places, strict=True))
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A right choice, its place, and whether the prompt names its subject first."""

    fact: Fact
    subject_first: bool
    place: int


def _question(number: int, form: str, asked: _Asked, rng: random.Random) -> Question:
    right = asked.fact
    named = right.arguments if asked.subject_first else right.arguments[::-1]
    choices = [f for f in _offered(right, rng) if f != right]
    rng.shuffle(choices)
    choices.insert(asked.place, right)
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


def _offered(right: Fact, rng: random.Random) -> list[Fact]:
    """Return the right choice and those that follow neither in modern nor in traditional logic."""
    if right.predicate == "all":
        return [right, Fact("all", right.arguments[::-1]), _either_way(Fact("no", right.arguments), rng)]
    other = Fact("no" if right.predicate == "some" else "some", right.arguments)
    one_way = rng.sample(right.arguments, 2)
    return [right, _either_way(other, rng), Fact("all", (one_way[0], one_way[1]))]


def _choice(fact: Fact) -> str:
    subject, predicate = map(plural, fact.arguments)
    return capitalised(_ASKED[fact.predicate].format(s=subject, p=predicate)) + "."


def _either_way(fact: Fact, rng: random.Random) -> Fact:
    """Return the fact or, if that says the same, its mirror image at random."""
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
