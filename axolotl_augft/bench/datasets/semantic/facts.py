"""The world and a seed -> facts in nonsense words: what is true, what is trained and in which direction, which categories are held out."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from axolotl_augft.bench.datasets.dataset import Scale
from axolotl_augft.bench.datasets.facts import Fact, Rule, closure
from axolotl_augft.bench.datasets.semantic.world import World, world
from axolotl_augft.bench.datasets.words.nonsense import nonsense_words

TRAITS = ("is", "has", "can")
MIRRORED = {"is_a": "includes", "includes": "is_a", "does": "done_by", "done_by": "does"}
HOLDOUTS: Mapping[Scale, int] = {"tiny": 2, "small": 5, "paper": 14}
# Of the facts that have a reverse: trained as the table has them, trained reversed, trained both ways.
_DIRECTIONS = (0.55, 0.25, 0.2)


def _rules() -> tuple[Rule, ...]:
    def rule(conclusion: str, *premises: str) -> Rule:
        return Rule(tuple(Fact.of(p.split()) for p in premises), Fact.of(conclusion.split()))

    return (
        rule("is_a ?x ?z", "is_a ?x ?y", "is_a ?y ?z"),
        *(rule(f"{trait} ?x ?w", "is_a ?x ?y", f"{trait} ?y ?w") for trait in TRAITS),
        rule("does ?x ?v ?z", "is_a ?x ?y", "does ?y ?v ?z"),
        rule("includes ?y ?x", "is_a ?x ?y"),
        rule("is_a ?x ?y", "includes ?y ?x"),
        rule("done_by ?z ?v ?x", "does ?x ?v ?z"),
        rule("does ?x ?v ?z", "done_by ?z ?v ?x"),
    )


RULES = _rules()


def mirror(fact: Fact) -> Fact | None:
    """The same told from the other end; None for a trait, which has no other end."""
    return Fact(MIRRORED[fact.predicate], fact.arguments[::-1]) if fact.predicate in MIRRORED else None


@dataclass(frozen=True)
class SemanticFacts:
    """The facts of one data set.

    Attributes:
        categories: Nonsense names, in the order of the world's table.
        parents: Category -> parent, without the topmost category.
        trained: What documents state, in the direction in which they state it.
        true: All that holds in the world, with what is held out.
        holdouts: Categories of which nothing but the parent is trained.
    """

    categories: tuple[str, ...]
    parents: Mapping[str, str]
    trained: tuple[Fact, ...]
    true: frozenset[Fact]
    holdouts: tuple[str, ...]

    @cached_property
    def follows(self) -> frozenset[Fact]:
        """What is trained, and what can be concluded from it."""
        return closure(self.trained, RULES)

    @cached_property
    def ancestors(self) -> Mapping[str, tuple[str, ...]]:
        """Category -> its parent, the parent's parent, and so on."""
        found: dict[str, tuple[str, ...]] = {self.categories[0]: ()}
        for name, parent in self.parents.items():
            found[name] = (parent, *found[parent])
        return found

    def distance(self, one: str, other: str) -> int:
        """The number of steps between two categories through the hierarchy."""
        ways = [(one, *self.ancestors[one]), (other, *self.ancestors[other])]
        shared = set(ways[0]) & set(ways[1])
        return sum(len(way) for way in ways) - 2 * len(shared)


def semantic_facts(scale: Scale, seed: int) -> SemanticFacts:
    """Names the world, holds categories out and draws the direction in which each fact is trained.

    Raises:
        BenchError: The world cannot be read or named.
    """
    rng = random.Random(f"semantic facts {scale} {seed}")
    named = _Named(world(scale), seed)
    holdouts = _holdouts(named, HOLDOUTS[scale], rng)
    trained: list[Fact] = []
    for fact in named.facts:
        if holdouts.isdisjoint(fact.arguments):
            trained += _directed(fact, rng)
        elif fact.predicate == "is_a":
            trained.append(fact)
    true = closure(named.facts, RULES)
    return SemanticFacts(
        named.categories, named.parents, tuple(trained), true, tuple(c for c in named.categories if c in holdouts)
    )


class _Named:
    """The world with a nonsense word for each of its words."""

    def __init__(self, real: World, seed: int) -> None:
        known = (
            *(("category", n) for n in real.names),
            *((t.predicate, t.word) for t in real.traits),
            *(("verb", v) for v in real.verbs),
        )
        words = dict(zip(known, nonsense_words(len(known), seed), strict=True))
        self.categories = tuple(words["category", n] for n in real.names)
        self.parents = {words["category", c.name]: words["category", c.parent] for c in real.categories if c.parent}
        self.facts: list[Fact] = []
        for c in real.categories:
            name = words["category", c.name]
            if c.parent:
                self.facts.append(Fact("is_a", (name, self.parents[name])))
            self.facts += [Fact(t.predicate, (name, words[t.predicate, t.word])) for t in c.traits]
            self.facts += [Fact("does", (name, words["verb", r.verb], words["category", r.other])) for r in c.relations]


def _holdouts(named: _Named, count: int, rng: random.Random) -> frozenset[str]:
    """Leaves, each of another parent as far as there are enough, so that no parent loses most of its kinds."""
    inner = set(named.parents.values())
    leaves = [c for c in named.categories if c not in inner]
    rng.shuffle(leaves)
    chosen: list[str] = []
    taken: list[str] = []
    while len(chosen) < count:
        leaf = min((c for c in leaves if c not in chosen), key=lambda c: taken.count(named.parents[c]))
        chosen.append(leaf)
        taken.append(named.parents[leaf])
    return frozenset(chosen)


def _directed(fact: Fact, rng: random.Random) -> list[Fact]:
    reverse = mirror(fact)
    if reverse is None:
        return [fact]
    return rng.choices([[fact], [reverse], [fact, reverse]], _DIRECTIONS)[0]
