"""A made data set -> true statements, a fifth of them replaced by slips, in the form that `verdicts.py` reads.

Usage: python benchmarks/oracle_slips.py FOLDER [--data NAME...] [--scale tiny] [--statements 60] [--slips 0.2]
       python benchmarks/verdicts.py FOLDER --model NAME --base-url URL

The true ones are what the oracle teacher writes: facts that follow from a document, in words that the document does not
have. The slips are made where the facts are, not in the words: the first two arguments change places, or one is that
of another fact of the same kind, and the grammar of the data set words the result. A slip does not follow from
its document. So they come from another mechanism than those by which the threshold is found.
"""

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact, closure
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.datasets.making import NAMES, grammar_of, make

_SEED = 0


def main() -> None:
    """Write the documents and statements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", nargs="+", choices=NAMES, default=["reversals", "syllogisms"])
    parser.add_argument("--scale", choices=["tiny", "small", "paper"], default="tiny")
    parser.add_argument("--statements", type=int, default=60, help="number of statements of each data set")
    parser.add_argument("--slips", type=float, default=0.2, help="share of them that are false")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in given.data:
        data = make(name, given.scale, _SEED)
        rows += list(_Statements(data, grammar_of(data)).drawn(given.statements, given.slips))
        documents = "".join(json.dumps({"text": text}) + "\n" for text in data.documents)
        (given.folder / f"{name}.jsonl").write_text(documents)
    (given.folder / "statements.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


class _Statements:
    """Makes true and false statements about the documents of a data set."""

    def __init__(self, data: BenchData, grammar: Grammar) -> None:
        self._data = data
        self._grammar = grammar
        self._rng = random.Random(_SEED)

    def drawn(self, count: int, slips: float) -> Iterator[dict[str, Any]]:
        """Yield statements about documents drawn by lot, the given share of them false."""
        by_document = self._facts_by_document()
        numbers = sorted(by_document)
        self._rng.shuffle(numbers)
        made = 0
        for number in numbers * count:
            if made == count:
                return
            follows = made >= slips * count
            if statement := self._statement(by_document[number], self._data.documents[number], follows):
                yield self._row(number, statement, follows)
                made += 1

    def _facts_by_document(self) -> Mapping[int, list[Fact]]:
        found: dict[int, list[Fact]] = {}
        for stated in self._data.stated:
            for number in stated.documents:
                found.setdefault(number, []).append(stated.fact)
        return found

    def _statement(self, facts: Sequence[Fact], text: str, follows: bool) -> str | None:
        everything = closure([*facts, *self._data.background], self._data.rules)
        candidates = everything.difference(self._data.background)
        if not follows:
            exchanged = {_exchanged(fact) for fact in facts} - everything
            replaced = {slip for fact in facts for slip in self._replaced(fact)} - everything
            candidates = frozenset(self._rng.choice([exchanged or replaced, replaced or exchanged]))
        worded = [w for fact in sorted(candidates) for w in self._grammar.wordings(fact) if w not in text]
        return self._rng.choice(worded) if worded else None

    def _replaced(self, fact: Fact) -> Iterator[Fact]:
        for other in self._data.facts:
            if other.predicate == fact.predicate and len(other.arguments) == len(fact.arguments):
                for place, argument in enumerate(other.arguments):
                    yield Fact(fact.predicate, (*fact.arguments[:place], argument, *fact.arguments[place + 1 :]))

    def _row(self, number: int, statement: str, follows: bool) -> dict[str, Any]:
        return {
            "set": f"{self._data.name}-oracle",
            "strategy": "local",
            "kind": "statement",
            "row": number,
            "source": self._data.documents[number],
            "statement": statement,
            "follows": "yes" if follows else "no",
            "alone": "yes",
        }


def _exchanged(fact: Fact) -> Fact:
    first, second, *others = fact.arguments
    return Fact(fact.predicate, (second, first, *others))


if __name__ == "__main__":
    main()
