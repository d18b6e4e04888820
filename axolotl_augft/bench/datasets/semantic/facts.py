"""The world and a seed -> facts in nonsense words: what is true, what is trained in which direction, what held out."""

import itertools
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
# Probabilities for facts that have a reverse: trained as in the table, trained reversed, trained both ways.
_DIRECTIONS = (0.55, 0.25, 0.2)


def _rules() -> tuple[Rule, ...]:
    def rule(conclusion: str, *premises: str) -> Rule:
        return Rule(tuple(Fact.of(p.split()) for p in premises), Fact.of(conclusion.split()))

    return (
        rule("is_a ?x ?z", "is_a ?x ?y", "is_a ?y ?z"),
        *(rule(f"{trait} ?x ?w", "is_a ?x ?y", f"{trait} ?y ?w") for trait in TRAITS),
        rule("does ?x ?v ?z", "is_a ?x ?y", "does ?y ?v ?z"),
        rule("does ?x ?v ?y", "does ?x ?v ?z", "is_a ?y ?z"),
        rule("includes ?y ?x", "is_a ?x ?y"),
        rule("is_a ?x ?y", "includes ?y ?x"),
        rule("done_by ?z ?v ?x", "does ?x ?v ?z"),
        rule("does ?x ?v ?z", "done_by ?z ?v ?x"),
    )


RULES = _rules()


def mirror(fact: Fact) -> Fact | None:
    """State the same fact from the other end; None for a trait, which has no other end."""
    return Fact(MIRRORED[fact.predicate], fact.arguments[::-1]) if fact.predicate in MIRRORED else None


@dataclass(frozen=True)
class SemanticFacts:
    """The facts of one data set.

    Attributes:
        categories: Nonsense names, in the order of the world's table.
        parents: Parent of each category except the topmost one.
        trained: Facts that documents state, in the direction in which they state them.
        true: Everything that holds in the world, held-out facts included.
        holdouts: Categories about which only the parent is trained.
    """

    categories: tuple[str, ...]
    parents: Mapping[str, str]
    trained: tuple[Fact, ...]
    true: frozenset[Fact]
    holdouts: tuple[str, ...]

    @cached_property
    def follows(self) -> frozenset[Fact]:
        """Trained facts and everything that follows from them."""
        return closure(self.trained, RULES)

    @cached_property
    def arguable(self) -> frozenset[Fact]:
        """What is true in some reading: what holds, and what holds of a kind of the categories that it names.

        Nobody can call "birds sing" plainly false if sparrows do, or "owls hunt birds" if they hunt sparrows. Documents
        deny, and wrong choices state, only what is not arguable.
        """
        found = set(self.true)
        for fact in self.true:
            ways = [(a, *self.ancestors.get(a, ())) for a in fact.arguments]
            found.update(Fact(fact.predicate, arguments) for arguments in itertools.product(*ways))
            if fact.predicate in ("is_a", "includes"):
                found.add(Fact(fact.predicate, fact.arguments[::-1]))
        return frozenset(found)

    @cached_property
    def ancestors(self) -> Mapping[str, tuple[str, ...]]:
        """Ancestors of each category, from its parent upwards."""
        found: dict[str, tuple[str, ...]] = {self.categories[0]: ()}
        for name, parent in self.parents.items():
            found[name] = (parent, *found[parent])
        return found

    def distance(self, one: str, other: str) -> int:
        """Number of steps between two categories through the hierarchy."""
        ways = [(one, *self.ancestors[one]), (other, *self.ancestors[other])]
        shared = set(ways[0]) & set(ways[1])
        return sum(len(way) for way in ways) - 2 * len(shared)


def semantic_facts(scale: Scale, seed: int) -> SemanticFacts:
    """Name the world, choose held-out categories, and draw the direction in which each fact is trained.

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
    """Choose leaves, if possible with different parents, so that no parent loses most of its kinds."""
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
