"""Statements with known truth -> how well a reader reads: printed beside every audit, which is worth as much.

`statements.jsonl` holds 200 statements in free phrasing, true and false ones, many of them compound, about three small
hand-made sets of facts, one in the wording of each data set that has statements of that kind.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson

from axolotl_augft.bench.audit.verdicts import Judge, SentenceReader, Verdict
from axolotl_augft.bench.datasets.dataset import BenchData, Stated
from axolotl_augft.bench.datasets.facts import Fact, Rule
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.datasets.making import grammar_of

ReaderOf = Callable[[Grammar, Iterable[str]], SentenceReader]
"""Makes the reader for a grammar, given all texts that it will have to read."""

STATEMENTS = Path(__file__).parent / "statements.jsonl"


@dataclass(frozen=True, slots=True)
class KnownStatement:
    """A statement with known truth."""

    text: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class KnownSet:
    """Statements about one set of facts."""

    data: BenchData
    statements: tuple[KnownStatement, ...]


@dataclass(frozen=True, slots=True)
class ReadingAccuracy:
    """What a reader made of statements with known truth.

    Attributes:
        statements: Their number.
        agreed: How many got the right verdict.
        passed: How many false ones were taken for right.
        blamed: How many right ones were taken for wrong.
        unread: How many were not understood.
    """

    statements: int
    agreed: int
    passed: int
    blamed: int
    unread: int

    @property
    def line(self) -> str:
        """The line to print beside an audit."""
        whole = self.statements
        return (
            f"Reading accuracy on {whole} statements in free phrasing with known truth: {self.agreed / whole:.3f} "
            f"judged as they are, {self.unread / whole:.3f} unread; {self.passed} false ones taken for right, "
            f"{self.blamed} right ones for wrong."
        )


def reading_accuracy(name: str, reader_of: ReaderOf) -> ReadingAccuracy | None:
    """Measure a reader on the statements in the wording of a data set.

    Args:
        name: Name of the data set.
        reader_of: Makes the reader.

    Returns:
        The accuracy; None if there are no statements in that wording.
    """
    known = known_sets().get(name)
    if known is None:
        return None
    grammar = grammar_of(known.data)
    judge = Judge(known.data, grammar, reader_of(grammar, [s.text for s in known.statements]))
    found = [(judge.judge(s.text).verdict, s.is_right) for s in known.statements]
    return ReadingAccuracy(
        len(found),
        sum(verdict == (Verdict.RIGHT if is_right else Verdict.WRONG) for verdict, is_right in found),
        sum(verdict is Verdict.RIGHT and not is_right for verdict, is_right in found),
        sum(verdict is Verdict.WRONG and is_right for verdict, is_right in found),
        sum(verdict is Verdict.UNREAD for verdict, _ in found),
    )


@cache
def known_sets() -> dict[str, KnownSet]:
    """Load the statements with known truth, by the name of the data set in whose wording they are."""
    rows = [orjson.loads(line) for line in STATEMENTS.read_bytes().splitlines()]
    found = {}
    for name, facts in ((r["set"], r["facts"]) for r in rows if "facts" in r):
        stated = tuple(Stated(Fact.of(f), ()) for f in facts)
        data = BenchData(name, "tiny", 0, (), (), stated, _rules(name), "Facts to read statements about.")
        own = tuple(KnownStatement(r["text"], r["right"]) for r in rows if r["set"] == name and "text" in r)
        found[name] = KnownSet(data, own)
    return found


def _rules(name: str) -> tuple[Rule, ...]:
    from axolotl_augft.bench.datasets import reversals, syllogisms
    from axolotl_augft.bench.datasets.semantic.facts import RULES

    return {"reversals": reversals.RULES, "syllogisms": syllogisms.RULES, "semantic": RULES}[name]
