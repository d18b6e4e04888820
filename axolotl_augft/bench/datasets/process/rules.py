"""The rule system of the process data set: expressions over named functions, and a law for each of their operations.

An *operator* maps functions to functions, as a derivative does. It maps a named function to another named function. Two
functions joined by an operation it maps, by that operation's law, to what it makes of both, joined by another operation
in the same or in the opposite order. Functions, operations and the operator have nonsense names.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from axolotl_augft.bench.datasets.facts import Fact, Rule

OPERATIONS = 6
"""As many as there are different laws: three results, each in both orders."""

_RESULTS = 3
_TOKEN = re.compile(r"\w+|[()]|[^\w\s()]+")


@dataclass(frozen=True, slots=True)
class Joined:
    """Two expressions with an operation between them."""

    operation: str
    left: "Expression"
    right: "Expression"

    def __str__(self) -> str:
        return f"({self.left} {self.operation} {self.right})"


Expression = str | Joined


@dataclass(frozen=True, slots=True)
class Law:
    """What becomes of an operation; `turned`: the two sides change places."""

    operation: str
    result: str
    turned: bool

    def applied(self, left: Expression, right: Expression) -> Joined:
        """The result for the operators of the left and of the right side."""
        return Joined(self.result, right, left) if self.turned else Joined(self.result, left, right)

    @property
    def rule(self) -> Rule:
        """The law over `maps` facts and the syntax of its expressions."""
        sides = ("?fb", "?fa") if self.turned else ("?fa", "?fb")
        premises = (
            Fact("joins", ("?e", self.operation, "?a", "?b")),
            Fact("maps", ("?a", "?fa")),
            Fact("maps", ("?b", "?fb")),
            Fact("joins", ("?r", self.result, *sides)),
        )
        return Rule(premises, Fact("maps", ("?e", "?r")))


@dataclass(frozen=True, slots=True)
class System:
    """An operator's laws by operation, and what it makes of the named functions."""

    laws: Mapping[str, Law]
    names: Mapping[str, str]

    def result(self, expression: Expression) -> Expression:
        """The operator of an expression."""
        if isinstance(expression, str):
            return self.names[expression]
        return self.laws[expression.operation].applied(self.result(expression.left), self.result(expression.right))


def system(functions: Sequence[str], operations: Sequence[str], rng: random.Random) -> System:
    """Draws laws, no two alike, and a round in which each function is mapped to the next."""
    outcomes = [(result, turned) for result in operations[:_RESULTS] for turned in (False, True)]
    rng.shuffle(outcomes)
    laws = {operation: Law(operation, *outcome) for operation, outcome in zip(operations, outcomes, strict=True)}
    order = rng.sample(functions, len(functions))
    return System(laws, dict(zip(order, [*order[1:], order[0]], strict=True)))


def maps(expression: Expression, result: Expression) -> Fact:
    """The fact that the operator of one expression is another one."""
    return Fact("maps", (str(expression), str(result)))


def parts(expression: Expression) -> Iterator[Expression]:
    """The parts of an expression, inner ones first, then itself."""
    if isinstance(expression, Joined):
        yield from parts(expression.left)
        yield from parts(expression.right)
    yield expression


def syntax(expression: Expression) -> Iterator[Fact]:
    """How the expression and its parts are built."""
    for part in parts(expression):
        if isinstance(part, Joined):
            yield Fact("joins", (str(part), part.operation, str(part.left), str(part.right)))


def parsed(text: str) -> Expression | None:
    """The expression that a text is, with or without its outermost brackets; None if it is none."""
    found, rest = _side(_TOKEN.findall(text))
    if found is not None and len(rest) > 1:
        right, after = _side(rest[1:])
        found, rest = (
            (Joined(rest[0], found, right), after) if right is not None and rest[0].isalnum() else (None, rest)
        )
    return None if rest else found


def _side(tokens: list[str]) -> tuple[Expression | None, list[str]]:
    """The name or the bracket at the beginning, None if there is none, and what follows."""
    if not tokens:
        return None, tokens
    if tokens[0] != "(":
        return (tokens[0], tokens[1:]) if tokens[0].isalnum() else (None, tokens)
    left, rest = _side(tokens[1:])
    if left is not None and rest[:1] == [")"]:
        return left, rest[1:]
    if left is None or len(rest) < 2 or not rest[0].isalnum():
        return None, tokens
    right, after = _side(rest[1:])
    if right is None or after[:1] != [")"]:
        return None, tokens
    return Joined(rest[0], left, right), after[1:]
