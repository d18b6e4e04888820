"""Simple reversals (arXiv 2505.00661, data set 1): comparisons trained in one direction and asked in the other.

Every fact "X are more F than Y" stands in several documents, each with an opening of its own. Asked is "Y are", to be
continued with "less F than X" or "more F than X". No document says "less", so that words alone, and plain fine-tuning,
prefer the wrong choice. What the test cannot tell apart, as in the paper: a model that turns comparisons around, and
one that says "less" of every Y.
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
"""Adjectives that are compared with "more", never with an ending."""

RULES = tuple(
    Rule((Fact(a, ("?x", "?y", "?f")),), Fact(b, ("?y", "?x", "?f"))) for a, b in (("more", "less"), ("less", "more"))
)


@dataclass(frozen=True, slots=True)
class _Size:
    facts: int
    articles: int
    features: int


_SIZES: dict[Scale, _Size] = {"tiny": _Size(16, 4, 8), "small": _Size(30, 4, 15), "paper": _Size(100, 10, 28)}


def make_reversals(scale: Scale, seed: int) -> BenchData:
    """The data set; at `paper` scale 100 facts about 28 features in 10 articles each."""
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
        "with invented names, each in "
        "several articles with different openings; asked is which of “Y are less F than X” and “Y are more F than X” "
        "holds. No document "
        "says “less”, so that words alone prefer the wrong choice.",
    )


class ReversalsGrammar:
    """Comparisons in words.

    Names and features that the data set does not know stand for themselves, so that a misspelt name makes a wrong fact,
    not an unread sentence.
    """

    def __init__(self, data: BenchData) -> None:
        nouns = {noun for fact in data.facts for noun in fact.arguments[:2]}
        self._singular = {form: noun for noun in nouns for form in (noun, plural(noun))}

    def wordings(self, fact: Fact) -> Sequence[str]:
        """Two sentences for `more`, three for `less`."""
        this, other, feature = plural(fact.arguments[0]), plural(fact.arguments[1]), fact.arguments[2]
        sentences = [_comparison(fact), f"compared with {other}, {this} are {fact.predicate} {feature}"]
        if fact.predicate == "less":
            sentences.append(f"{this} are not as {feature} as {other}")
        return [f"{capitalised(s)}." for s in sentences]

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """The comparisons a sentence makes; none if one of its clauses is something else."""
        read = [self._fact(s) for s in statements_in(sentence)]
        return tuple(dict.fromkeys(f for f in read if f)) if all(read) else ()

    def _fact(self, statement: str) -> Fact | None:
        for pattern in _COMPARISONS:
            if match := pattern.fullmatch(statement):
                found = match.groupdict()
                this, *others = (
                    self._singular.get(found[n], found[n]) for n in ("this", "other", "second") if n in found
                )
                # "Of X and Y, X are more F" names the compared one twice, every other form once.
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
    return [Fact("more", (nouns[2 * i], nouns[2 * i + 1], features[i % size.features])) for i in range(size.facts)]


def _questions(facts: Sequence[Fact], rng: random.Random) -> tuple[Question, ...]:
    places = [i % 2 for i in range(len(facts))]
    rng.shuffle(places)
    return tuple(_question(i, fact, place) for i, (fact, place) in enumerate(zip(facts, places, strict=True)))


def _question(number: int, fact: Fact, place: int) -> Question:
    this, other, feature = fact.arguments
    choices = [f"more {feature} than {plural(this)}"]
    choices.insert(place, f"less {feature} than {plural(this)}")
    return Question(
        id=f"{NAME}-{number:03}",
        prompt=f"{capitalised(plural(other))} are",
        choices=tuple(choices),
        answer=place,
        split="reversals",
        fact=Fact("less", (other, this, feature)),
        subset=feature,
        distractors=(Fact("more", (other, this, feature)),),
    )


_PRONOUNS = frozenset("all both he it most others she some that these they this those we you".split())
_BE = "(?:are|is|were|was)"
_DEGREE = (
    "(?:(?:also|always|usually|generally|much|far|a lot|significantly|considerably|even|actually|known to "
    "be|considered) )*"
)
_COMPARED = "(?:compared|in comparison|relative) (?:with|to)"


def _pattern(text: str) -> re.Pattern[str]:
    """Named parts in braces: `{this}` and `{other}` are nouns, `{how}` is more or less."""
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
