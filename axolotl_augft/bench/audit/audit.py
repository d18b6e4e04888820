"""A recipe's stored answers -> precision of the teacher's statements, and the share of test facts they state.

Precision measures prompts and filters; coverage bounds what the student can learn. Neither needs training. Statements
are read sentence by sentence, by the data set's grammar and, if one is named, by a model where the grammar does not
understand; how well that reads is measured each time on statements with known truth (`accuracy`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

from axolotl_augft.bench.audit.accuracy import ReadingAccuracy, reading_accuracy
from axolotl_augft.bench.audit.asking import asking_model
from axolotl_augft.bench.audit.free_reading import FreeReader
from axolotl_augft.bench.audit.verdicts import Judge, Judgement, SentenceReader, Verdict
from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.datasets.reading import Reader
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import BenchError
from axolotl_augft.judging.rules import Judged
from axolotl_augft.prepared import Prepared, prepared

ALL = "all"
GRAMMAR = "grammar"


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """Verdicts on the statements, or on the sentences, of one strategy and kind with one outcome.

    Attributes:
        reason: Why the statements were rejected; None for accepted ones.
    """

    strategy: str
    kind: str
    reason: str | None
    right: int
    wrong: int
    unread: int

    @property
    def whole(self) -> int:
        """Total number of statements or sentences."""
        return self.right + self.wrong + self.unread


@dataclass(frozen=True, slots=True)
class Coverage:
    """Distinct test facts of a split that right sentences in accepted statements of a strategy state.

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
        reader: What read the statements: "grammar", or the model that read where the grammar did not understand.
        tallies: Verdicts on statements by strategy, kind and outcome.
        sentences: Verdicts on the sentences of accepted statements, by strategy and kind.
        coverages: Test facts stated, by strategy and split.
        novel: Number of right accepted statements with at least one fact that no document states.
        empty: Number of answers without a statement, by reason.
        reading: How well statements of this kind are read; None if there are none with known truth.
    """

    data: str
    teacher: str
    reader: str
    tallies: tuple[VerdictCounts, ...]
    sentences: tuple[VerdictCounts, ...]
    coverages: tuple[Coverage, ...]
    novel: int
    empty: dict[str, int]
    reading: ReadingAccuracy | None

    def accepted(self, strategy: str = ALL, kind: str = ALL) -> VerdictCounts:
        """Sum the verdicts on accepted statements over the strategies and kinds asked for."""
        return _sum(strategy, kind, None, self.tallies)

    def accepted_sentences(self, strategy: str = ALL, kind: str = ALL) -> VerdictCounts:
        """Sum the verdicts on the sentences of accepted statements over the strategies and kinds asked for."""
        return _sum(strategy, kind, None, self.sentences)

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
        return share(self.accepted().right, self.accepted().whole)

    def as_json(self) -> dict[str, Any]:
        """Return the audit as plain values, with `precision` and `coverage`."""
        return {**asdict(self), "precision": self.precision, "coverage": self.coverage()}


def share(part: int, whole: int) -> float | None:
    """Divide a part by its whole; None if the whole is 0."""
    return part / whole if whole else None


def audit(recipe: Recipe, data: BenchData, grammar: Grammar, model: TeacherConfig | None = None) -> Audit:
    """Read every inference in a recipe's stored answers, and count the verdicts.

    Args:
        recipe: A recipe over the data set's documents, with at least some of its requests answered.
        data: The data set.
        grammar: The data set's grammar, which reads first.
        model: The model that reads the sentences that the grammar does not understand; None for none.

    Raises:
        BenchError: No answer is stored yet, the recipe trains on other documents, or its data set is of a kind that no
            model reads.
        AugftError: A source, the store, a prompt or a setting cannot be used, or the model cannot be asked.
    """
    if model and not grammar.relations:
        raise BenchError(f"{data.name}: its statements are not read by a model; leave --reader-url out")
    with prepared(recipe) as ready:
        log = recipe.output_dir / "logs" / "reader.log"
        with asking_model(model, ready.store, log) if model else nullcontext() as ask_with:

            def reader(grammar: Grammar, texts: Iterable[str]) -> SentenceReader:
                if ask_with is None:
                    return Reader(grammar)
                return FreeReader.taught(grammar, ask_with(grammar), texts)

            texts = (judged.inference.text for judged in _answered(ready))
            counter = _Counter(data, Judge(data, grammar, reader(grammar, texts)))
            for judged in _answered(ready):
                counter.add(judged)
            if not counter.answers:
                raise BenchError(
                    f"{recipe.store_path}: no answer to this recipe's requests is stored; run `axolotl augft run` first"
                )
            accuracy = reading_accuracy(data.name, reader)
        return counter.audit(ready.teacher.id, str(model.model) if model else GRAMMAR, accuracy)


def _answered(ready: Prepared) -> Iterator[Judged]:
    """Yield what the teacher wrote, without what a strategy made of the sentences itself."""
    return (judged for judged in ready.judged(leaks=False) if judged.task.is_asked)


class _Counter:
    """Counts verdicts and collects the facts that right sentences of accepted statements state."""

    def __init__(self, data: BenchData, judge: Judge) -> None:
        self._data = data
        self._judge = judge
        self._trained = frozenset(s.fact for s in data.stated)
        self._texts = {" ".join(d.split()) for d in data.documents}
        self._counts: Counter[tuple[str, str, str | None, Verdict]] = Counter()
        self._sentences: Counter[tuple[str, str, str | None, Verdict]] = Counter()
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
        found = self._judge.judge(inference.text)
        reason = str(judged.rejected) if judged.rejected is not None else None
        self._counts[task.strategy, inference.kind, reason, found.verdict] += 1
        if reason is None:
            self._accept(task.strategy, inference.kind, found)

    def _accept(self, strategy: str, kind: str, found: Judgement) -> None:
        self._sentences.update((strategy, kind, None, verdict) for verdict in found.sentences)
        self._stated.setdefault(strategy, set()).update(found.facts)
        self._novel += found.verdict is Verdict.RIGHT and not self._trained.issuperset(found.facts)

    def audit(self, teacher: str, reader: str, reading: ReadingAccuracy | None) -> Audit:
        """Return the counts."""
        return Audit(
            data=self._data.name,
            teacher=teacher,
            reader=reader,
            tallies=_tallies(self._counts),
            sentences=_tallies(self._sentences),
            coverages=tuple(self._coverages()),
            novel=self._novel,
            empty=dict(self._empty),
            reading=reading,
        )

    def _check(self, text: str) -> None:
        self.answers += 1
        if self.answers == 1 and not any(" ".join(text.split()) in d for d in self._texts):
            raise BenchError(
                f"the recipe's first document is not in the data set {self._data.name}; give the folder of the data "
                f"set that it trains on"
            )

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


def _tallies(counts: Counter[tuple[str, str, str | None, Verdict]]) -> tuple[VerdictCounts, ...]:
    keys = sorted({k[:3] for k in counts}, key=lambda k: (k[2] or "", k[0], k[1]))
    return tuple(VerdictCounts(*key, *(counts[*key, verdict] for verdict in Verdict)) for key in keys)


def _sum(strategy: str, kind: str, reason: str | None, tallies: Iterable[VerdictCounts]) -> VerdictCounts:
    own = [t for t in tallies if t.reason == reason and strategy in (ALL, t.strategy) and kind in (ALL, t.kind)]
    return VerdictCounts(
        strategy, kind, reason, sum(t.right for t in own), sum(t.wrong for t in own), sum(t.unread for t in own)
    )
