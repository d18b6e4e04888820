"""Facts and rules -> what follows from them: the ground truth of the made data sets."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """A ground atom, such as more(glorp, zib, frant). In a rule an argument that starts with `?` is a variable."""

    predicate: str
    arguments: tuple[str, ...]

    @classmethod
    def of(cls, atom: Sequence[str]) -> "Fact":
        """The fact of a list such as ["more", "glorp", "zib", "frant"]."""
        return cls(atom[0], tuple(atom[1:]))

    def as_list(self) -> list[str]:
        """The predicate, then the arguments."""
        return [self.predicate, *self.arguments]

    def filled(self, values: Mapping[str, str]) -> "Fact":
        """The fact with its variables replaced."""
        return Fact(self.predicate, tuple(values.get(a, a) for a in self.arguments))


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows: if all premises hold, so does the conclusion.

    Every variable of the conclusion stands in a premise.
    """

    premises: tuple[Fact, ...]
    conclusion: Fact


@dataclass(frozen=True, slots=True)
class Step:
    """One application of a rule: the conclusion, and the premises in the rule's order."""

    conclusion: Fact
    premises: tuple[Fact, ...]


class _Index:
    """Facts by predicate, and by predicate and one argument at its place."""

    def __init__(self) -> None:
        self.facts: set[Fact] = set()
        self._all: dict[tuple[str, int], list[Fact]] = defaultdict(list)
        self._at: dict[tuple[str, int, str], list[Fact]] = defaultdict(list)

    def add(self, fact: Fact) -> None:
        self.facts.add(fact)
        self._all[fact.predicate, len(fact.arguments)].append(fact)
        for place, argument in enumerate(fact.arguments):
            self._at[fact.predicate, place, argument].append(fact)

    def matching(self, pattern: Fact) -> list[Fact]:
        """Facts that may match: those of the rarest bound argument."""
        bound = [
            self._at.get((pattern.predicate, i, a), [])
            for i, a in enumerate(pattern.arguments)
            if not a.startswith("?")
        ]
        return min(bound, key=len) if bound else self._all.get((pattern.predicate, len(pattern.arguments)), [])


def closure(facts: Iterable[Fact], rules: Sequence[Rule]) -> frozenset[Fact]:
    """The facts and all that follows from them."""
    return frozenset(_saturated(facts, rules).facts)


def steps_from(new: Iterable[Fact], others: Iterable[Fact], rules: Sequence[Rule]) -> list[Step]:
    """What follows from `new` together with `others`: for each conclusion that uses some of `new`, and is in neither, one step.

    In the order of derivation, so that a step's premises are given facts or earlier conclusions.
    """
    new, others = list(dict.fromkeys(new)), list(dict.fromkeys(others))
    given = {*new, *others}
    index = _saturated(others, rules)
    found: dict[Fact, Step] = {}
    queue = list(new)
    for fact in queue:
        if fact not in index.facts:
            index.add(fact)
    touched = set(queue)
    while queue:
        fact = queue.pop(0)
        for step in list(_steps(fact, index, rules)):
            if step.conclusion in touched or step.conclusion in step.premises:
                continue
            touched.add(step.conclusion)
            if step.conclusion not in index.facts:
                index.add(step.conclusion)
            if step.conclusion not in given:
                found[step.conclusion] = step
            queue.append(step.conclusion)
    return list(found.values())


def applications(facts: Iterable[Fact], rules: Sequence[Rule]) -> list[Step]:
    """Every application of a rule to the facts and to what follows from them: all ways to each conclusion, not one."""
    index = _saturated(facts, rules)
    steps = (
        Step(r.conclusion.filled(v), tuple(p.filled(v) for p in r.premises))
        for r in rules
        for v in _bindings(r.premises, {}, index)
    )
    return list(dict.fromkeys(step for step in steps if step.conclusion not in step.premises))


def _saturated(facts: Iterable[Fact], rules: Sequence[Rule]) -> _Index:
    index = _Index()
    queue = list(dict.fromkeys(facts))
    for fact in queue:
        index.add(fact)
    while queue:
        for step in list(_steps(queue.pop(), index, rules)):
            if step.conclusion not in index.facts:
                index.add(step.conclusion)
                queue.append(step.conclusion)
    return index


def _steps(fact: Fact, index: _Index, rules: Sequence[Rule]) -> Iterator[Step]:
    """The rule applications in which `fact` is a premise."""
    for rule in rules:
        for place, premise in enumerate(rule.premises):
            values = _matched(premise, fact, {})
            if values is None:
                continue
            others = [p for i, p in enumerate(rule.premises) if i != place]
            for bound in _bindings(others, values, index):
                yield Step(rule.conclusion.filled(bound), tuple(p.filled(bound) for p in rule.premises))


def _bindings(premises: Sequence[Fact], values: dict[str, str], index: _Index) -> Iterator[dict[str, str]]:
    if not premises:
        yield values
        return
    # The premise that the fewest facts may match comes first: in the order of the rule, joins over thousands of facts
    # take minutes.
    matching = [index.matching(p.filled(values)) for p in premises]
    first = min(range(len(premises)), key=lambda i: len(matching[i]))
    others = [p for i, p in enumerate(premises) if i != first]
    pattern = premises[first].filled(values)
    for fact in matching[first]:
        bound = _matched(pattern, fact, values)
        if bound is not None:
            yield from _bindings(others, bound, index)


def _matched(pattern: Fact, fact: Fact, values: Mapping[str, str]) -> dict[str, str] | None:
    """The values under which the pattern is the fact, None if there are none."""
    if pattern.predicate != fact.predicate or len(pattern.arguments) != len(fact.arguments):
        return None
    bound = dict(values)
    for wanted, got in zip(pattern.arguments, fact.arguments, strict=True):
        if not wanted.startswith("?"):
            if wanted != got:
                return None
        elif bound.setdefault(wanted, got) != got:
            return None
    return bound
