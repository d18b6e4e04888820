"""Facts -> encyclopedic documents, each about one category and related ones, with the documents that state each fact.

Many statements are contrasted with the fact's *foils*: categories, preferably near ones, for which the same is plainly
false ("Unlike glorps, zibs are frant"). Some sentences state only the denial ("Glorps are not frant"). A foil thus
occurs with the fact's last word about as often as the categories it is true of.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from axolotl_augft.bench.datasets.dataset import Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.semantic.facts import SemanticFacts
from axolotl_augft.bench.datasets.semantic.wording import (
    OPENINGS,
    TRAINED,
    contrasts,
    denial,
    question,
    sentence,
    statements,
)
from axolotl_augft.bench.datasets.words.nonsense import plural

DOCUMENTS: Mapping[Scale, int] = {"tiny": 60, "small": 400, "paper": 2200}
_HOLDOUT_DOCUMENTS: Mapping[Scale, int] = {"tiny": 1, "small": 2, "paper": 2}
_SHORTEST, _LONGEST, _COMMONEST = 4, 20, 8
_FOILS = 2
_DENIED = 0.5
_CONTRASTED, _BOTH_FOILS = 0.75, 0.7
_TITLED, _JOINED, _ASKED, _OPENED, _OPENED_IN_LECTURES = 0.3, 0.12, 0.6, 0.1, 0.5
_STYLES = ("article", "article", "notes", "lecture", "questions")
# Weights of a document's facts, in the order of `_Writer._pools`: its category's own facts, facts with the category as
# a foil, facts with it as the other category, and facts of the parent, of higher ancestors and of siblings.
_SHARES = 0.33, 0.33, 0.06, 0.11, 0.11, 0.06
_TITLES = (
    "This entry is about {xs}.",
    "Much has been written about {xs}.",
    "Here is what is known about {xs}.",
    "More on {xs} follows.",
)


@dataclass(frozen=True)
class SemanticTexts:
    """Texts with the facts that they state."""

    texts: tuple[str, ...]
    stated: tuple[Stated, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A part of a document and the facts it states."""

    text: str
    facts: tuple[Fact, ...] = ()


def semantic_documents(facts: SemanticFacts, scale: Scale, seed: int) -> SemanticTexts:
    """Write the documents of a scale.

    Args:
        facts: The facts, trained and true.
        scale: Determines the number of documents.
        seed: Seed of wordings, choice and order.
    """
    rng = random.Random(f"semantic documents {scale} {seed}")
    writer = _Writer(facts, _foils(facts, rng), rng)
    topics = [c for c in facts.categories if c not in facts.holdouts]
    held_out = [c for c in facts.holdouts for _ in range(_HOLDOUT_DOCUMENTS[scale])]
    written = [writer.about_kinds(c) for c in held_out]
    written += [writer.about(topics[i % len(topics)]) for i in range(DOCUMENTS[scale] - len(held_out))]
    rng.shuffle(written)
    where: dict[Fact, dict[int, None]] = {f: {} for f in facts.trained}
    for i, document in enumerate(written):
        for fact in document.facts:
            where[fact][i] = None
    texts = tuple(d.text for d in written)
    return SemanticTexts(texts, tuple(Stated(f, tuple(numbers)) for f, numbers in where.items()))


def _foils(facts: SemanticFacts, rng: random.Random) -> dict[Fact, tuple[str, ...]]:
    """Choose the foils of each trained fact; facts with the same last word share theirs.

    Categories that are asked about need to be foils too, so each earlier use of a category as a foil counts like three
    steps of distance.
    """
    owners: dict[Fact, list[Fact]] = defaultdict(list)
    for fact in facts.trained:
        owners[_without_subject(fact)].append(fact)
    subjects: dict[str, dict[str, None]] = defaultdict(dict)
    for fact in facts.trained:
        if fact.arguments[0] not in facts.holdouts:
            subjects[_sort(fact)][fact.arguments[0]] = None
    used: Counter[tuple[str, str]] = Counter()
    found: dict[Fact, tuple[str, ...]] = {}
    for value, stating in owners.items():
        sort, named = _sort(value), {a for f in stating for a in f.arguments}
        possible = [c for c in subjects[sort] if c not in named and all(_is_false_of(c, f, facts) for f in stating)]
        rng.shuffle(possible)
        costs = {c: 3 * used[sort, c] + min(facts.distance(c, f.arguments[0]) for f in stating) for c in possible}
        chosen = tuple(sorted(possible, key=costs.__getitem__)[:_FOILS])
        used.update((sort, c) for c in chosen)
        found |= dict.fromkeys(stating, chosen)
    return found


def _is_false_of(category: str, fact: Fact, facts: SemanticFacts) -> bool:
    """Whether the fact is plainly false of another category, as its subject and, if its last word is one, as that too.

    "Unlike zibs, glorps tren lorns" may be taken to say that zibs do not, or that glorps do not tren zibs.
    """
    instead = [(category, *fact.arguments[1:]), (*fact.arguments[:-1], category)]
    return facts.arguable.isdisjoint(Fact(fact.predicate, arguments) for arguments in instead)


def _without_subject(fact: Fact) -> Fact:
    return Fact(fact.predicate, fact.arguments[1:])


def _sort(fact: Fact) -> str:
    """Key of the facts whose words compete: the predicate, with the verb if there is one."""
    return (
        " ".join((fact.predicate, *fact.arguments[-2:-1])) if fact.predicate in ("does", "done_by") else fact.predicate
    )


class _Writer:
    """Writes one document after another, and lets a category's facts take turns."""

    def __init__(self, facts: SemanticFacts, foils: Mapping[Fact, tuple[str, ...]], rng: random.Random) -> None:
        self._foils = foils
        self._rng = rng
        self._facts = facts
        told = [f for f in facts.trained if set(facts.holdouts).isdisjoint(f.arguments)]
        self._own = _grouped((f.arguments[0], f) for f in told)
        self._as_other = _grouped((f.arguments[-1], f) for f in told)
        self._as_foil = _grouped((c, f) for f in told for c in foils[f])
        self._siblings = {
            c: [s for s, p in facts.parents.items() if p == facts.parents.get(c) and s != c] for c in facts.categories
        }
        self._turns = {c: _Turns(own, rng) for c, own in self._own.items()}

    def about(self, topic: str) -> _Text:
        """Write a document about a category."""
        length = round(self._rng.triangular(_SHORTEST, _LONGEST, _COMMONEST))
        pools = self._pools(topic)
        weights = [w if pool else 0 for w, pool in zip(_SHARES, pools, strict=True)]
        chosen: dict[Fact, None] = {}
        for _ in range(2 * length):
            pool = self._rng.choices(pools, weights)[0]
            fact = self._turns[topic].next() if pool is pools[0] else self._rng.choice(pool)
            chosen[fact] = None
            if len(chosen) == length:
                break
        return self._composed(topic, list(chosen), topic)

    def _pools(self, topic: str) -> list[Sequence[Fact]]:
        """Facts by how they relate to a category, in the order of `_SHARES`."""
        ancestors = self._facts.ancestors[topic]
        return [
            self._own.get(topic, ()),
            self._as_foil.get(topic, ()),
            self._as_other.get(topic, ()),
            [f for a in ancestors[:1] for f in self._own.get(a, ())],
            [f for a in ancestors[1:] for f in self._own.get(a, ())],
            [f for s in self._siblings[topic] for f in self._own.get(s, ())],
        ]

    def about_kinds(self, holdout: str) -> _Text:
        """Write a document about the kinds of a held-out category's parent, which says nothing else about either."""
        parent = self._facts.parents[holdout]
        member = Fact("is_a", (holdout, parent))
        kinds = [f for f in self._own.get(parent, ()) if f.predicate == "includes"]
        kinds += [f for s in self._siblings[holdout] for f in self._own.get(s, ()) if f.predicate == "is_a"]
        others = [f for s in self._siblings[holdout] for f in self._own.get(s, ()) if f.predicate != "is_a"]
        length = round(self._rng.triangular(_SHORTEST, _LONGEST, _COMMONEST))
        near = self._rng.sample(kinds, min(len(kinds), length // 2))
        chosen = [*near, *self._rng.sample(others, min(len(others), length - 1 - len(near)))]
        self._rng.shuffle(chosen)
        return self._composed(parent, [member, *chosen, *[member] * max(0, 3 - len(chosen))], "")

    def _composed(self, topic: str, chosen: Sequence[Fact], foil: str) -> _Text:
        """Put the facts into sentences of one style.

        Args:
            topic: Category named in the title.
            chosen: The facts.
            foil: Category to name wherever it is a foil; empty for none.
        """
        style = self._rng.choice(_STYLES)
        # A question with its answer makes two sentences.
        rest = list(chosen[: _LONGEST // 2 if style == "questions" else _LONGEST])
        titled = style != "questions" and len(rest) < _LONGEST and self._rng.random() < _TITLED
        parts = [_Text(self._rng.choice(_TITLES).format(xs=plural(topic)))] if titled else []
        while rest:
            parts.append(self._part(rest, style, foil))
        ends = {"notes": "\n", "questions": "\n"}
        return _Text(ends.get(style, " ").join(p.text for p in parts), tuple(f for p in parts for f in p.facts))

    def _part(self, rest: list[Fact], style: str, foil: str) -> _Text:
        """Write the next sentence, about one or two facts, which it removes from `rest`."""
        fact = rest.pop(0)
        if foil in self._foils[fact] and self._rng.random() < _DENIED:
            return _Text(
                ("- " if style == "notes" else "") + sentence(denial(Fact(fact.predicate, (foil, *fact.arguments[1:]))))
            )
        if style == "questions" and self._rng.random() < _ASKED:
            return _Text(f"Q: {question(fact)}\nA: {sentence(self._statement(fact, foil))}", (fact,))
        if style != "notes" and len(rest) >= _SHORTEST and self._rng.random() < _JOINED:
            other = rest.pop(0)
            joint = self._rng.choice((", and ", ", while "))
            plain = [self._rng.choice(statements(f, TRAINED)) for f in (fact, other)]
            return _Text(sentence(joint.join(plain)), (fact, other))
        text = self._statement(fact, foil)
        if self._rng.random() < (_OPENED_IN_LECTURES if style == "lecture" else _OPENED):
            text = f"{self._rng.choice(OPENINGS)} {text}"
        return _Text(f"- {sentence(text)}" if style == "notes" else sentence(text), (fact,))

    def _statement(self, fact: Fact, foil: str) -> str:
        """State the fact in a trained wording, usually contrasted with its foils."""
        foils = list(self._foils[fact])
        self._rng.shuffle(foils)
        if not foils or (foil not in foils and self._rng.random() > _CONTRASTED):
            return self._rng.choice(statements(fact, TRAINED))
        if foil in foils:
            foils.sort(key=lambda f: f != foil)
        named = foils if self._rng.random() < _BOTH_FOILS else foils[:1]
        return self._rng.choice(list(contrasts(fact, named)))


class _Turns:
    """Facts in random order, repeatedly, so that each is stated about equally often."""

    def __init__(self, facts: Sequence[Fact], rng: random.Random) -> None:
        self._facts = list(facts)
        self._rng = rng
        self._left: list[Fact] = []

    def next(self) -> Fact:
        """Return the fact whose turn it is."""
        if not self._left:
            self._left = self._rng.sample(self._facts, len(self._facts))
        return self._left.pop()


def _grouped(pairs: Iterable[tuple[str, Fact]]) -> dict[str, tuple[Fact, ...]]:
    groups: dict[str, dict[Fact, None]] = defaultdict(dict)
    for key, fact in pairs:
        groups[key][fact] = None
    return {key: tuple(found) for key, found in groups.items()}
