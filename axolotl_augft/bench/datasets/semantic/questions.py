"""Facts -> multiple-choice questions of four splits, with wrong choices that are true of something else.

A wrong choice is drawn as the paper draws it: it is the right answer to the same question about another category. So a
word is as likely among the wrong choices as among the right ones, except where it would be arguable. Nothing is
selected against word statistics; what these reach is reported with the data set (`words.checker`).
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from axolotl_augft.bench.datasets.dataset import Question, Scale
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.places import balanced_places
from axolotl_augft.bench.datasets.semantic.facts import TRAITS, SemanticFacts, mirror
from axolotl_augft.bench.datasets.semantic.wording import ASKED, TRAINED, asked

QUESTIONS: Mapping[Scale, Mapping[str, int]] = {
    "tiny": {"rephrasings": 6, "reversals": 6, "syllogisms": 8, "holdouts": 6},
    "small": {"rephrasings": 50, "reversals": 40, "syllogisms": 70, "holdouts": 40},
    "paper": {"rephrasings": 200, "reversals": 150, "syllogisms": 400, "holdouts": 150},
}
"""Maximum number of questions per split; there are fewer if the other facts have no three wrong choices."""

_WRONG = 3


def semantic_questions(facts: SemanticFacts, scale: Scale, seed: int) -> tuple[Question, ...]:
    """Make the questions of all splits.

    Args:
        facts: Facts that are trained, that follow and that are true.
        scale: Determines the number of questions.
        seed: Seed of wordings, choice and order.
    """
    rng = random.Random(f"semantic questions {scale} {seed}")
    found: list[Question] = []
    for split, possible in _splits(facts).items():
        found += _Asker(facts, split, possible, rng).questions(QUESTIONS[scale][split])
    return tuple(found)


def _splits(facts: SemanticFacts) -> dict[str, list[Fact]]:
    """Facts that each split may ask for."""
    trained = set(facts.trained)
    told = trained | {reverse for f in trained if (reverse := mirror(f))}
    held_out = set(facts.holdouts)
    inherited = [f for f in sorted(facts.follows - told) if f.predicate in (*TRAITS, "is_a", "does")]
    return {
        "rephrasings": [f for f in facts.trained if held_out.isdisjoint(f.arguments)],
        "reversals": [
            r for f in facts.trained if (r := mirror(f)) and r not in trained and held_out.isdisjoint(f.arguments)
        ],
        "syllogisms": [f for f in inherited if held_out.isdisjoint(f.arguments)],
        "holdouts": [f for f in inherited if f.arguments[0] in held_out and f.predicate != "is_a"],
    }


class _Asker:
    """Words the questions of a split and finds their wrong answers."""

    def __init__(self, facts: SemanticFacts, split: str, possible: Sequence[Fact], rng: random.Random) -> None:
        self._facts = facts
        self._split = split
        self._possible = possible
        self._rng = rng
        self._alike: dict[tuple[str, ...], list[Fact]] = defaultdict(list)
        for fact in possible:
            self._alike[_kind(fact)].append(fact)
        self._elsewhere: dict[tuple[str, ...], list[Fact]] = defaultdict(list)
        for fact in sorted(facts.follows):
            self._elsewhere[_kind(fact)].append(fact)

    def questions(self, count: int) -> list[Question]:
        """Make up to `count` questions, about facts of all predicates in turn."""
        chosen: list[tuple[Fact, list[Fact]]] = []
        for fact in self._in_turn():
            if len(chosen) == count:
                break
            if len(wrong := self._wrong(fact)) == _WRONG:
                chosen.append((fact, wrong))
        places = balanced_places(len(chosen), _WRONG + 1, self._rng)
        return [self._question(i, fact, wrong, places[i]) for i, (fact, wrong) in enumerate(chosen)]

    def _in_turn(self) -> Iterator[Fact]:
        """Yield the facts that may be asked about, in random order, but one of each predicate after the other."""
        by_predicate: dict[str, list[Fact]] = defaultdict(list)
        for fact in self._rng.sample(self._possible, len(self._possible)):
            by_predicate[fact.predicate].append(fact)
        return (f for f in chain.from_iterable(zip_longest(*by_predicate.values())) if f and self._can_be_wrong(f))

    def _can_be_wrong(self, fact: Fact) -> bool:
        """Whether the fact's last word is plainly false of something; otherwise it could only be a right answer."""
        others = (Fact(fact.predicate, (c, *fact.arguments[1:])) for c in self._facts.categories)
        return any(other not in self._facts.arguable for other in others)

    def _wrong(self, fact: Fact) -> list[Fact]:
        """Draw three facts with another last word that are true of something else and plainly false of this one.

        Answers to other questions of the split come first.
        """
        kind = _kind(fact)
        others = (self._rng.sample(pool, len(pool)) for pool in (self._alike[kind], self._elsewhere[kind]))
        words = dict.fromkeys(other.arguments[-1] for other in chain.from_iterable(others))
        stated = (Fact(fact.predicate, (*fact.arguments[:-1], word)) for word in words if word != fact.arguments[0])
        return [f for f in stated if f not in self._facts.arguable][:_WRONG]

    def _question(self, number: int, fact: Fact, wrong: Sequence[Fact], place: int) -> Question:
        template = self._rng.choice((ASKED if self._split == "rephrasings" else TRAINED)[fact.predicate])
        wording = asked(fact, template)
        stated = [*wrong]
        stated.insert(place, fact)
        return Question(
            id=f"{self._split}-{number}",
            prompt=wording.prompt,
            choices=tuple(wording.choice(f.arguments[-1]) for f in stated),
            answer=place,
            split=self._split,
            fact=fact,
            subset=fact.arguments[0],
            distractors=tuple(wrong),
        )


def _kind(fact: Fact) -> tuple[str, ...]:
    """What two answers to one question share: the predicate, and the verb if there is one."""
    return (fact.predicate, *fact.arguments[1:-1])
