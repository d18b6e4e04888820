"""Facts and rules -> what follows, for the checker: by joining whole tables round after round.

`facts.closure`, by which the data sets are made, follows single facts through an index. The two share no code, so that
a mistake in one shows against the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from axolotl_augft.bench.datasets.facts import Fact, Rule

_Values = tuple[str, ...]
_Tables = Mapping[tuple[str, int], Sequence[_Values]]
_Row = dict[str, str]


def consequences(facts: Iterable[Fact], rules: Sequence[Rule]) -> frozenset[Fact]:
    """The facts and all that follows from them by the rules, each of which `is_safe`."""
    known = set(facts)
    while True:
        tables = _tables(known)
        fresh = {conclusion for rule in rules for conclusion in _conclusions(rule, tables)} - known
        if not fresh:
            return frozenset(known)
        known |= fresh


def is_safe(rule: Rule) -> bool:
    """Whether the premises give a value to every variable of the conclusion."""
    bound = {a for premise in rule.premises for a in premise.arguments}
    return all(a in bound for a in rule.conclusion.arguments if _is_variable(a))


def _tables(facts: Iterable[Fact]) -> _Tables:
    """The arguments of all facts, by predicate and number of arguments."""
    tables = defaultdict(list)
    for fact in facts:
        tables[fact.predicate, len(fact.arguments)].append(fact.arguments)
    return tables


def _conclusions(rule: Rule, tables: _Tables) -> set[Fact]:
    rows: list[_Row] = [{}]
    for premise in rule.premises:
        rows = _joined(rows, premise.arguments, tables.get((premise.predicate, len(premise.arguments)), ()))
        if not rows:
            return set()
    return {Fact(rule.conclusion.predicate, tuple(row.get(a, a) for a in rule.conclusion.arguments)) for row in rows}


def _joined(rows: Sequence[_Row], pattern: _Values, table: Sequence[_Values]) -> list[_Row]:
    """Each row with the values of each line of the table that agrees with it; all rows have the same variables."""
    shared = [i for i, name in enumerate(pattern) if not _is_variable(name) or name in rows[0]]
    lines = defaultdict(list)
    for line in table:
        lines[tuple(line[i] for i in shared)].append(line)
    joined = []
    for row in rows:
        for line in lines.get(tuple(row.get(pattern[i], pattern[i]) for i in shared), ()):
            wider = {**row, **{n: v for n, v in zip(pattern, line, strict=True) if _is_variable(n)}}
            if all(wider.get(n, n) == v for n, v in zip(pattern, line, strict=True)):
                joined.append(wider)
    return joined


def _is_variable(argument: str) -> bool:
    return argument.startswith("?")
