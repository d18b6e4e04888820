"""A seed -> simple reversals (arXiv 2505.00661, data set 1): comparisons trained in one direction, asked in the other.

Every fact "X are more F than Y", or "less", stands in several documents, each with a different opening. The question is
"Y are", to be continued with "less F than X" or "more F than X". Half of the facts are trained as "more" and half as
"less", so that neither is right more often. The documents about X and Y have only the comparative that is wrong, so
word counts, and plain fine-tuning, prefer the wrong choice.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact, Rule
from axolotl_augft.bench.datasets.wording import OPENINGS, capitalised, opened, statements_in
from axolotl_augft.bench.datasets.words.nonsense import nonsense_words, plural

NAME = "reversals"
FEATURES = (
    *(
        "aggressive",
        "ambitious",
        "beautiful",
        "colorful",
        "curious",
        "dangerous",
        "delicate",
        "efficient",
        "expensive",
        "flexible",
    ),
    *(
        "fragrant",
        "generous",
        "graceful",
        "intelligent",
        "mysterious",
        "nutritious",
        "patient",
        "popular",
        "powerful",
        "reliable",
    ),
    *("resilient", "sensitive", "stubborn", "talkative", "transparent", "valuable", "venomous", "vigilant"),
)
"""Adjectives whose comparative takes "more"."""

_COMPARATIVES = ("more", "less")
_REVERSED = {"more": "less", "less": "more"}
RULES = tuple(Rule((Fact(a, ("?x", "?y", "?f")),), Fact(b, ("?y", "?x", "?f"))) for a, b in _REVERSED.items())


@dataclass(frozen=True, slots=True)
class _Size:
    facts: int
    articles: int
    features: int


_SIZES: dict[Scale, _Size] = {"tiny": _Size(16, 4, 8), "small": _Size(30, 4, 15), "paper": _Size(100, 10, 28)}


def make_reversals(scale: Scale, seed: int) -> BenchData:
    """Make the data set; `paper` scale has 100 facts about 28 features, in 10 articles each."""
    rng = random.Random(f"{NAME} {scale} {seed}")
    facts = _facts(_SIZES[scale], seed, rng)
    articles = [(f, opened(o, _comparison(f))) for f in facts for o in rng.sample(OPENINGS, _SIZES[scale].articles)]
    rng.shuffle(articles)
    return BenchData(
        name=NAME,
        scale=scale,
        seed=seed,
        documents=tuple(text for _, text in articles),
        questions=_questions(facts, rng),
        stated=tuple(Stated(f, tuple(i for i, (of, _) in enumerate(articles) if of == f)) for f in facts),
        rules=RULES,
        about="Simple reversals (arXiv 2505.00661): trained are comparisons “X are more F than Y” of things "
        "with invented names, one half of them with “less” instead of “more”, each in several articles with different "
        "openings; asked is which of “Y are less F than X” and “Y are more F than X” holds. Each comparative is right "
        "in half of the questions, and the documents about two things have only the wrong one, so that words alone "
        "prefer it.",
    )


class ReversalsGrammar:
    """Comparisons in words.

    Names and features that the data set does not know stand for themselves, so that a misspelt name gives a wrong fact
    rather than an unread sentence.
    """

    is_complete = False

    def __init__(self, data: BenchData) -> None:
        features = dict.fromkeys(fact.arguments[2] for fact in data.facts)
        self.relations = [f"are {how} {feature} than" for feature in features for how in _COMPARATIVES]
        nouns = {noun for fact in data.facts for noun in fact.arguments[:2]}
        self._singular = {form: noun for noun in nouns for form in (noun, plural(noun))}

    def wordings(self, fact: Fact) -> Sequence[str]:
        """Return two sentences for `more`, three for `less`."""
        this, other, feature = plural(fact.arguments[0]), plural(fact.arguments[1]), fact.arguments[2]
        sentences = [_comparison(fact), f"compared with {other}, {this} are {fact.predicate} {feature}"]
        if fact.predicate == "less":
            sentences.append(f"{this} are not as {feature} as {other}")
        return [f"{capitalised(s)}." for s in sentences]

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """Read the comparisons of a sentence; none if one of its clauses is anything else."""
        read = [self._fact(s) for s in statements_in(sentence)]
        return tuple(dict.fromkeys(f for f in read if f)) if all(read) else ()

    def denied(self, sentence: str) -> tuple[Fact, ...]:
        """Return nothing: sentences that deny something are not understood."""
        return ()

    def _fact(self, statement: str) -> Fact | None:
        for pattern in _COMPARISONS:
            if match := pattern.fullmatch(statement):
                found = match.groupdict()
                this, *others = (
                    self._singular.get(found[n], found[n]) for n in ("this", "other", "second") if n in found
                )
                # "Of X and Y, X are more F" names its subject twice; every other form names it once.
                left = [o for o in others if o != this]
                clear = len(left) == 1 and not {this, *left} & _PRONOUNS
                return Fact(found.get("how") or "less", (this, left[0], found["feature"])) if clear else None
        return None


def _comparison(fact: Fact) -> str:
    this, other, feature = fact.arguments
    return f"{plural(this)} are {fact.predicate} {feature} than {plural(other)}"


def _facts(size: _Size, seed: int, rng: random.Random) -> list[Fact]:
    nouns = nonsense_words(2 * size.facts, seed)
    features = rng.sample(FEATURES, size.features)
    found = []
    for i in range(size.facts):
        turn, feature = divmod(i, size.features)
        # The facts of one feature take turns, or a feature would always be "more".
        comparative = _COMPARATIVES[(turn + feature) % 2]
        found.append(Fact(comparative, (nouns[2 * i], nouns[2 * i + 1], features[feature])))
    return found


def _questions(facts: Sequence[Fact], rng: random.Random) -> tuple[Question, ...]:
    # Either place is right equally often, in all questions and in those about facts of one comparative.
    order = sorted(rng.sample(range(len(facts)), len(facts)), key=lambda i: facts[i].predicate)
    places = {i: turn % 2 for turn, i in enumerate(order)}
    return tuple(_question(i, fact, places[i]) for i, fact in enumerate(facts))


def _question(number: int, fact: Fact, place: int) -> Question:
    this, other, feature = fact.arguments
    right, wrong = (Fact(p, (other, this, feature)) for p in (_REVERSED[fact.predicate], fact.predicate))
    choices = [f"{wrong.predicate} {feature} than {plural(this)}"]
    choices.insert(place, f"{right.predicate} {feature} than {plural(this)}")
    return Question(
        id=f"{NAME}-{number:03}",
        prompt=f"{capitalised(plural(other))} are",
        choices=tuple(choices),
        answer=place,
        split="reversals",
        fact=right,
        subset=feature,
        distractors=(wrong,),
    )


_PRONOUNS = frozenset("all both he it most others she some that these they this those we you".split())
_BE = "(?:are|is|were|was)"
_DEGREE = (
    "(?:(?:also|always|usually|generally|much|far|a lot|significantly|considerably|even|actually|known to "
    "be|considered) )*"
)
_COMPARED = "(?:compared|in comparison|relative) (?:with|to)"


def _pattern(text: str) -> re.Pattern[str]:
    """Compile a template: `{this}`, `{other}` and `{second}` are nouns, `{how}` is more or less."""
    nouns = {name: rf"(?:(?:the|a|an) )?(?P<{name}>[\w-]+)" for name in ("this", "other", "second")}
    return re.compile(
        text.format(
            **nouns,
            be=_BE,
            degree=_DEGREE,
            how="(?P<how>more|less)",
            feature=r"(?P<feature>[\w-]+)",
            compared=_COMPARED,
        )
    )


_COMPARISONS = tuple(
    _pattern(text)
    for text in (
        "{this} {be} {degree}{how} {feature} than {other}(?: {be})?",
        "{this} (?:{be} not|aren't|isn't|are never) (?:quite |nearly )?(?:as|so) {feature} as {other}(?: {be})?",
        "{compared} {other}, ?{this} {be} {degree}{how} {feature}",
        "than {other}, ?{this} {be} {degree}{how} {feature}",
        "{this} {be} {degree}{how} {feature},? (?:when )?{compared} {other}",
        "(?:of|between) {other} and {second}, ?{this} {be} {degree}(?:the )?{how} {feature}(?: ones?)?",
        "(?:of|between) {other} and {second}, ?the {how} {feature}(?: ones?)? {be} {this}",
    )
)
