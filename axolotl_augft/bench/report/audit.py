"""A recipe's stored answers -> precision of the teacher's statements, and the share of test facts they state.

Precision measures prompts and filters; coverage bounds what the student can learn. Neither needs training, and no
request is sent.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact, closure
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.datasets.reading import Reader
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import BenchError
from axolotl_augft.judging.rules import Judged
from axolotl_augft.stage import prepared

ALL = "all"


class Verdict(StrEnum):
    """How a statement compares with the facts.

    Attributes:
        RIGHT: All facts read in it follow from the data set.
        WRONG: Some fact read in it does not follow.
        UNREAD: The grammar found no fact in it.
    """

    RIGHT = "right"
    WRONG = "wrong"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """Verdicts on the statements of one strategy and kind with one outcome.

    Attributes:
        reason: Why they were rejected; None for accepted ones.
    """

    strategy: str
    kind: str
    reason: str | None
    right: int
    wrong: int
    unread: int

    @property
    def statements(self) -> int:
        """Total number of statements."""
        return self.right + self.wrong + self.unread


@dataclass(frozen=True, slots=True)
class Coverage:
    """Distinct test facts of a split that the right accepted statements of a strategy state.

    Attributes:
        strategy: A strategy, or `all`.
        split: A split of the questions, or `all`.
        stated: Number of those facts.
        facts: Number of distinct test facts of the split.
    """

    strategy: str
    split: str
    stated: int
    facts: int


@dataclass(frozen=True)
class Audit:
    """The value of a teacher's answers, measured against a data set's facts.

    Attributes:
        data: Name of the data set.
        teacher: The teacher's id.
        tallies: Verdicts by strategy, kind and outcome.
        coverages: Test facts stated, by strategy and split.
        novel: Number of right accepted statements with at least one fact that no document states.
        empty: Number of answers without a statement, by reason.
    """

    data: str
    teacher: str
    tallies: tuple[VerdictCounts, ...]
    coverages: tuple[Coverage, ...]
    novel: int
    empty: dict[str, int]

    def accepted(self, strategy: str = ALL, kind: str = ALL) -> VerdictCounts:
        """Sum the verdicts on accepted statements over the strategies and kinds asked for."""
        return _sum(strategy, kind, None, self.tallies)

    def rejected(self, reason: str) -> VerdictCounts:
        """Sum the verdicts on statements rejected for a reason."""
        return _sum(ALL, ALL, reason, self.tallies)

    def coverage(self, strategy: str = ALL, split: str = ALL) -> float | None:
        """Share of the test facts that are stated.

        None if the questions name no facts or the strategy wrote nothing.
        """
        own = [c for c in self.coverages if (c.strategy, c.split) == (strategy, split)]
        return share(own[0].stated, own[0].facts) if own else None

    @property
    def precision(self) -> float | None:
        """Share of accepted statements that are right, unread ones counting as not right; None if none is accepted."""
        return share(self.accepted().right, self.accepted().statements)

    def as_json(self) -> dict[str, Any]:
        """Return the audit as plain values, with `precision` and `coverage`."""
        return {**asdict(self), "precision": self.precision, "coverage": self.coverage()}


def share(part: int, whole: int) -> float | None:
    """Divide a part by its whole; None if the whole is 0."""
    return part / whole if whole else None


def audit(recipe: Recipe, data: BenchData, grammar: Grammar) -> Audit:
    """Read every inference in a recipe's stored answers with the data set's grammar, and count the verdicts.

    Args:
        recipe: A recipe over the data set's documents, with at least some of its requests answered.
        data: The data set.
        grammar: The data set's grammar.

    Raises:
        BenchError: No answer is stored yet, or the recipe trains on other documents.
        AugftError: A source, the store, a prompt or a setting cannot be used.
    """
    with prepared(recipe) as ready:
        counter = _Counter(data, grammar)
        for judged in ready.judged(leaks=False):
            counter.add(judged)
        if not counter.answers:
            raise BenchError(
                f"{recipe.store_path}: no answer to this recipe's requests is stored; run `axolotl augft run` first"
            )
        return counter.audit(ready.teacher.id)


class _Counter:
    """Counts verdicts and collects the facts that right accepted statements state."""

    def __init__(self, data: BenchData, grammar: Grammar) -> None:
        self._data = data
        self._reader = Reader(grammar)
        self._true = closure(data.facts, data.rules)
        self._trained = frozenset(s.fact for s in data.stated)
        self._texts = {" ".join(d.split()) for d in data.documents}
        self._counts: Counter[tuple[str, str, str | None, Verdict]] = Counter()
        self._empty: Counter[str] = Counter()
        self._stated: dict[str, set[Fact]] = {}
        self._novel = 0
        self.answers = 0

    def add(self, judged: Judged) -> None:
        """Count one inference.

        Raises:
            BenchError: The first inference is about a document that the data set does not contain.
        """
        self._check(judged.task.target.text)
        task, inference = judged.task, judged.inference
        if not inference.text:
            self._empty[str(judged.rejected)] += 1
            return
        facts = self._reader.facts(inference.text)
        verdict = self._verdict(facts)
        reason = str(judged.rejected) if judged.rejected is not None else None
        self._counts[task.strategy, inference.kind, reason, verdict] += 1
        if reason is None and verdict is Verdict.RIGHT:
            self._stated.setdefault(task.strategy, set()).update(facts)
            self._novel += not self._trained.issuperset(facts)

    def audit(self, teacher: str) -> Audit:
        """Return the counts."""
        keys = sorted({k[:3] for k in self._counts}, key=lambda k: (k[2] or "", k[0], k[1]))
        tallies = (VerdictCounts(*key, *(self._counts[*key, verdict] for verdict in Verdict)) for key in keys)
        return Audit(self._data.name, teacher, tuple(tallies), tuple(self._coverages()), self._novel, dict(self._empty))

    def _check(self, text: str) -> None:
        self.answers += 1
        if self.answers == 1 and not any(" ".join(text.split()) in d for d in self._texts):
            raise BenchError(
                f"the recipe's first document is not in the data set {self._data.name}; give the folder of the data "
                f"set that it trains on"
            )

    def _verdict(self, facts: Iterable[Fact]) -> Verdict:
        facts = tuple(facts)
        if not facts:
            return Verdict.UNREAD
        return Verdict.RIGHT if self._true.issuperset(facts) else Verdict.WRONG

    def _coverages(self) -> Iterator[Coverage]:
        wanted: dict[str, set[Fact]] = {}
        for question in self._data.questions:
            if question.fact is not None:
                wanted.setdefault(question.split, set()).add(question.fact)
                wanted.setdefault(ALL, set()).add(question.fact)
        none: dict[str, set[Fact]] = {strategy: set() for strategy, *_ in self._counts}
        stated = {**none, **self._stated, ALL: set().union(*self._stated.values())}
        for strategy in sorted(stated, key=lambda s: (s == ALL, s)):
            for split in sorted(wanted, key=lambda s: (s == ALL, s)):
                yield Coverage(strategy, split, len(wanted[split] & stated[strategy]), len(wanted[split]))


def _sum(strategy: str, kind: str, reason: str | None, tallies: Iterable[VerdictCounts]) -> VerdictCounts:
    own = [t for t in tallies if t.reason == reason and strategy in (ALL, t.strategy) and kind in (ALL, t.kind)]
    return VerdictCounts(
        strategy, kind, reason, sum(t.right for t in own), sum(t.wrong for t in own), sum(t.unread for t in own)
    )


def audit_lines(audit: Audit) -> list[str]:
    """Format the audit as Markdown tables: precision, verdicts by rejection reason, and coverage."""
    return [
        f"Teacher {audit.teacher}, data set {audit.data}.",
        "",
        "| accepted | statements | right | wrong | unread | precision |",
        "|---|---|---|---|---|---|",
        *(_row(f"{s} {k}", audit.accepted(s, k)) for s, k in _kinds(audit)),
        _row("all", audit.accepted()),
        "",
        f"Novel (right, and states what no document states): "
        f"{_shown(share(audit.novel, audit.accepted().right))} of the right ones.",
        "",
        "| rejected for | statements | right | wrong | unread | share right |",
        "|---|---|---|---|---|---|",
        *(
            _row(reason, audit.rejected(reason))
            for reason in sorted({t.reason for t in audit.tallies if t.reason is not None})
        ),
        *(f"| {reason} (no statement) | {n:,} | | | | |" for reason, n in sorted(audit.empty.items())),
        "",
        "| coverage of test facts | split | facts | stated | share |",
        "|---|---|---|---|---|",
        *(
            f"| {c.strategy} | {c.split} | {c.facts:,} | {c.stated:,} | {_shown(share(c.stated, c.facts))} |"
            for c in audit.coverages
        ),
    ]


def _kinds(audit: Audit) -> list[tuple[str, str]]:
    return sorted({(t.strategy, t.kind) for t in audit.tallies if t.reason is None})


def _row(name: str, tally: VerdictCounts) -> str:
    right = _shown(share(tally.right, tally.statements))
    return f"| {name} | {tally.statements:,} | {tally.right:,} | {tally.wrong:,} | {tally.unread:,} | {right} |"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
