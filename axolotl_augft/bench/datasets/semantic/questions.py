"""Facts and documents -> multiple-choice questions of four splits, with wrong choices that are true of something else.

Questions and wrong choices are selected so that on every split each bag-of-words scorer does about as well as random
guessing (`balance`).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import zip_longest

from axolotl_augft.bench.datasets.balance import Candidate, balanced
from axolotl_augft.bench.datasets.dataset import Question, Scale
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.semantic.documents import SemanticTexts
from axolotl_augft.bench.datasets.semantic.facts import TRAITS, SemanticFacts, mirror
from axolotl_augft.bench.datasets.semantic.wording import ASKED, TRAINED, asked
from axolotl_augft.bench.datasets.words.scorer import WordStatistics

QUESTIONS: Mapping[Scale, Mapping[str, int]] = {
    "tiny": {"rephrasings": 6, "reversals": 6, "syllogisms": 8, "holdouts": 6},
    "small": {"rephrasings": 50, "reversals": 40, "syllogisms": 70, "holdouts": 40},
    "paper": {"rephrasings": 200, "reversals": 150, "syllogisms": 400, "holdouts": 150},
}
"""Maximum number of questions per split; there are fewer if words alone would answer the rest."""

_WRONG = 3
_POSSIBLE_WRONG = 15
# Candidates considered per question wanted.
_TRIED = 3


def semantic_questions(facts: SemanticFacts, documents: SemanticTexts, scale: Scale, seed: int) -> tuple[Question, ...]:
    """Make the questions of all splits.

    Args:
        facts: Facts that are trained, that follow and that are true.
        documents: The training documents.
        scale: Determines the number of questions.
        seed: Seed of wordings, choice and order.
    """
    rng = random.Random(f"semantic questions {scale} {seed}")
    asker = _Asker(facts, documents, rng)
    found: list[Question] = []
    for split, possible in _splits(facts).items():
        rng.shuffle(possible)
        candidates = [
            c for f in possible[: _TRIED * QUESTIONS[scale][split]] if (c := asker.candidate(f, split)) is not None
        ]
        found += balanced(candidates, QUESTIONS[scale][split], asker.statistics, rng)
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
    """Words questions and finds their wrong answers."""

    def __init__(self, facts: SemanticFacts, documents: SemanticTexts, rng: random.Random) -> None:
        self.statistics = WordStatistics(documents.texts)
        self._facts = facts
        self._rng = rng
        self._numbers: Counter[str] = Counter()
        self._lures: dict[str, list[Fact]] = defaultdict(list)
        for fact, foils in documents.foils.items():
            for foil in foils:
                self._lures[foil].append(fact)
                # From the other end, the same denial contrasts the fact's last word with the foil.
                if reverse := mirror(Fact(fact.predicate, (foil, *fact.arguments[1:]))):
                    self._lures[reverse.arguments[0]].append(reverse)
        self._true_of: dict[tuple[str, ...], dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
        for fact in sorted(facts.follows):
            self._true_of[_kind(fact)][fact.arguments[-1]][fact.arguments[0]] = None

    def candidate(self, fact: Fact, split: str) -> Candidate | None:
        """Word a question about the fact, with its possible wrong answers; None if there are too few of them."""
        wrong = self._wrong(fact)
        if len(wrong) < _WRONG:
            return None
        template = self._rng.choice((ASKED if split == "rephrasings" else TRAINED)[fact.predicate])
        wording = asked(fact, template)
        number = self._numbers[split]
        self._numbers[split] += 1
        return Candidate(
            id=f"{split}-{number}",
            split=split,
            subset=fact.arguments[0],
            prompt=wording.prompt,
            asked_about=" ".join(fact.arguments[:-1]),
            fact=fact,
            right=wording.choice(fact.arguments[-1]),
            wrong=tuple((wording.choice(f.arguments[-1]), f) for f in wrong),
        )

    def _wrong(self, fact: Fact) -> list[Fact]:
        """Facts with another last word that are true of something else but not of this one.

        Contrasted, near and common words take turns.
        """
        subject = fact.arguments[0]
        lures = [f.arguments[-1] for f in self._lures[subject] if _kind(f) == _kind(fact)]
        elsewhere = self._true_of[_kind(fact)]
        near = sorted(
            elsewhere,
            key=lambda word: (min(self._facts.distance(subject, o) for o in elsewhere[word]), self._rng.random()),
        )
        # Inherited words occur in more documents than most, so the choices need words that are true of many categories.
        common = sorted(near, key=lambda word: -len(elsewhere[word]))
        words = dict.fromkeys(word for some in zip_longest(lures, near, common) for word in some if word)
        stated = (Fact(fact.predicate, (*fact.arguments[:-1], word)) for word in words if word != subject)
        possible = [f for f in stated if f not in self._facts.true and f not in self._facts.follows][:_POSSIBLE_WRONG]
        return self._rng.sample(possible, len(possible))


def _kind(fact: Fact) -> tuple[str, ...]:
    """What two answers to one question share: the predicate, and the verb if there is one."""
    return (fact.predicate, *fact.arguments[1:-1])
