"""The table of real categories (`data/semantic_world.txt`) -> the world that a scale of the semantic data set is modelled on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from axolotl_augft.bench.datasets.dataset import Scale
from axolotl_augft.errors import BenchError

TABLE = Path(__file__).parent / "world.txt"
CATEGORIES: Mapping[Scale, int] = {"tiny": 12, "small": 40, "paper": 110}
_TRAITS = {"+": "has", "~": "can"}


@dataclass(frozen=True, slots=True)
class Trait:
    """A property in English: `predicate` is "is" for a quality, "has" for a part, "can" for an ability."""

    predicate: str
    word: str


@dataclass(frozen=True, slots=True)
class Relation:
    """What a category does to another one, in English."""

    verb: str
    other: str


@dataclass(frozen=True, slots=True)
class Category:
    """A line of the table; `parent` is empty for the topmost one."""

    name: str
    parent: str
    traits: tuple[Trait, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True)
class World:
    """Categories, each below one that stands before it."""

    categories: tuple[Category, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of all categories."""
        return tuple(c.name for c in self.categories)

    @cached_property
    def traits(self) -> tuple[Trait, ...]:
        """Each once."""
        return tuple(dict.fromkeys(t for c in self.categories for t in c.traits))

    @cached_property
    def verbs(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(r.verb for c in self.categories for r in c.relations))


def world(scale: Scale) -> World:
    """The first categories of the table, as many as the scale has, with the relations among them.

    Raises:
        BenchError: The table holds fewer categories, or a parent stands below its child.
    """
    lines = [line for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    count = CATEGORIES[scale]
    if len(lines) < count:
        raise BenchError(
            f"{TABLE}: holds {len(lines)} categories, scale {scale} needs {count}; install the package anew"
        )
    found = [_category(line) for line in lines[:count]]
    names = [c.name for c in found]
    for i, category in enumerate(found):
        if i and category.parent not in names[:i]:
            raise BenchError(f"{TABLE}: {category.name} stands before its parent {category.parent!r}; put it below")
    return World(tuple(_within(c, names) for c in found))


def _category(line: str) -> Category:
    name, parent, traits, relations = (part.strip() for part in line.split("|"))
    return Category(
        name, parent, tuple(map(_trait, traits.split())), tuple(Relation(*r.split(">")) for r in relations.split())
    )


def _trait(word: str) -> Trait:
    predicate = _TRAITS.get(word[0])
    return Trait(predicate, word[1:]) if predicate else Trait("is", word)


def _within(category: Category, names: Sequence[str]) -> Category:
    relations = tuple(r for r in category.relations if r.other in names)
    return Category(category.name, category.parent, category.traits, relations)
