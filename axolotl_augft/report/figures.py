"""Reviewed documents and the manifest -> the figures at the top of the page and in its charts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from axolotl_augft.report.reviewed import Reviewed, Statement
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.text.words import WORD, bare, vocabulary

PROBABILITY_BINS = 20
COVERAGE_BINS = 10


@dataclass
class KindCount:
    """How many statements of one strategy and kind there are, and the tokens of those that are kept."""

    kept: int = 0
    rejected: int = 0
    tokens: int = 0


@dataclass
class Figures:
    """Running counts over the documents of one result.

    Attributes:
        documents: Number of documents.
        without_kept: Those of them without a kept statement.
        sentences: Number of their sentences; an exchange counts as one.
        covered: Those of them that a kept statement is about.
        by_kind: Statements by "strategy/kind".
        reasons: Rejected statements by reason.
        probability_kept: Kept statements by probability, in 20 equal bins from 0 to 1.
        probability_rejected: Rejected statements, likewise.
        lengths_kept: Kept statements by length: bin n holds those of at most 2^n tokens that no lower bin holds.
        lengths_rejected: Rejected statements, likewise.
        coverage: Documents by their share of covered sentences: none, ten equal bins, all.
        unplaced: Kept statements that do not say which sentence they are about.
    """

    documents: int = 0
    without_kept: int = 0
    sentences: int = 0
    covered: int = 0
    by_kind: dict[str, KindCount] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    probability_kept: list[int] = field(default_factory=lambda: [0] * PROBABILITY_BINS)
    probability_rejected: list[int] = field(default_factory=lambda: [0] * PROBABILITY_BINS)
    lengths_kept: dict[str, int] = field(default_factory=dict)
    lengths_rejected: dict[str, int] = field(default_factory=dict)
    coverage: list[int] = field(default_factory=lambda: [0] * (COVERAGE_BINS + 2))
    unplaced: int = 0

    @property
    def kept(self) -> int:
        """Number of kept statements."""
        return sum(count.kept for count in self.by_kind.values())

    @property
    def rejected(self) -> int:
        """Number of rejected statements."""
        return sum(count.rejected for count in self.by_kind.values())

    @property
    def is_verified(self) -> bool:
        """Whether any statement has a probability."""
        return any(self.probability_kept) or any(self.probability_rejected)

    def add(self, reviewed: Reviewed, sentences: int, tokens: Sequence[int]) -> None:
        """Count a document.

        Args:
            reviewed: The document and its statements.
            sentences: Its number of sentences.
            tokens: The tokens of each of its statements.
        """
        kept = [s for s in reviewed.statements if s.reason is None]
        covered = len(covered_sentences(kept, sentences))
        self.documents += 1
        self.without_kept += not kept
        self.sentences += sentences
        self.covered += covered
        self.coverage[_coverage_bin(covered, sentences)] += 1
        self.unplaced += sum(s.sentence is None for s in kept) if sentences > 1 else 0
        for statement, size in zip(reviewed.statements, tokens, strict=True):
            self._count(statement, size)

    def _count(self, statement: Statement, tokens: int) -> None:
        count = self.by_kind.setdefault(f"{statement.strategy}/{statement.kind}", KindCount())
        bins, lengths = self.probability_kept, self.lengths_kept
        if statement.reason is None:
            count.kept += 1
            count.tokens += tokens
        else:
            count.rejected += 1
            self.reasons[statement.reason] = self.reasons.get(statement.reason, 0) + 1
            bins, lengths = self.probability_rejected, self.lengths_rejected
        power = str(max(tokens - 1, 0).bit_length())
        lengths[power] = lengths.get(power, 0) + 1
        if statement.probability is not None:
            bins[min(int(statement.probability * PROBABILITY_BINS), PROBABILITY_BINS - 1)] += 1


def covered_sentences(kept: Iterable[Statement], sentences: int) -> set[int]:
    """Return the numbers of a document's sentences that a kept statement is about.

    The result says which sentence that is (`verifying.coverage.covered_sentence`), so that the summary counts the same.
    """
    return {s.sentence for s in kept if s.sentence is not None and s.sentence < sentences}


def _coverage_bin(covered: int, sentences: int) -> int:
    if not covered:
        return 0
    return COVERAGE_BINS + 1 if covered >= sentences else 1 + covered * COVERAGE_BINS // sentences


def sentence_ends(text: str, is_exchange: bool, language: str) -> list[int]:
    """Return where each sentence of a document ends, in UTF-16 code units, as JavaScript counts them.

    Args:
        text: The document.
        is_exchange: It is a question with its answer, which is one unit.
        language: ISO 639 code of its language.
    """
    ends, at, units = [], 0, 0
    for sentence in [text] if is_exchange else split_sentences(text, language):
        start = text.find(sentence, at)
        if start < 0:
            continue
        end = start + len(sentence)
        units += _units(text[at:end])
        ends.append(units)
        at = end
    return ends


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def new_words(statement: Statement, source: str) -> float:
    """Return the share of a statement's words that its source lacks: a sign of doubt where nothing was verified."""
    words = [bare(word) for word in WORD.findall(statement.text)]
    known = vocabulary((source, statement.question or ""))
    return sum(word not in known for word in words) / len(words) if words else 0.0
