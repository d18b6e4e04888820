"""What is recorded of verified statements, for the manifest and its readers; imports nothing heavy."""

from dataclasses import dataclass, field

ANY = "any"
QUESTION = "question"


@dataclass(frozen=True)
class Coverage:
    """How much of the sources the kept statements are about.

    Attributes:
        sentences: Number of sentences that the teacher was asked about one by one or a few at a time.
        covered: Number of them that a kept statement is about, by kind, by `any` kind, and that a
            `question` asks about.
        documents: Number of documents that conclusions were asked for.
        concluded: Number of them with a kept conclusion.
    """

    sentences: int = 0
    covered: dict[str, int] = field(default_factory=dict)
    documents: int = 0
    concluded: int = 0


@dataclass(frozen=True)
class Calibration:
    """What a verifier was found to be worth, and the threshold that follows from it.

    Attributes:
        strategy: The strategy whose statements it is about.
        threshold: Lowest probability of a statement that is kept.
        statements: Number of statements with a probability.
        kept: Number of those that reach the threshold.
        false: Estimated number of false statements among all.
        precision: Estimated share of true statements among the kept; None if nothing can be claimed.
        given_up: Estimated share of the true statements that are rejected; None likewise.
        slips: Number of planted slips.
        sentences: Number of true sentences that they are compared with.
        auc: Probability that a true sentence gets a higher probability than a slip; None without either.
        because: Why nothing is claimed, "" if something is.
        asked: The precision that was asked for; None if the threshold was set.
    """

    strategy: str
    threshold: float
    statements: int
    kept: int
    false: float | None
    precision: float | None
    given_up: float | None
    slips: int
    sentences: int
    auc: float | None
    because: str = ""
    asked: float | None = None

    @property
    def basis(self) -> str:
        """What the precision was estimated by, or why it was not."""
        if self.precision is None:
            return f"{self.strategy}: no precision is claimed, {self.because}"
        return (
            f"{self.strategy}: AUC {self.auc:.2f} on {self.slips:,} planted slips and {self.sentences:,} true sentences"
        )


@dataclass(frozen=True)
class VerificationRecord:
    """How statements were verified, and how far that can be relied on.

    Attributes:
        by: Name of the model that was asked, in request keys.
        method: `logprobs`, `votes` or `entailment`.
        calibrations: For each strategy, the threshold and what it was found by.
    """

    by: str
    method: str
    calibrations: tuple[Calibration, ...]

    @property
    def precision(self) -> float | None:
        """Estimated share of true statements among those of all strategies; None if nothing can be claimed of some."""
        kept = [c for c in self.calibrations if c.kept]
        if not kept or any(c.precision is None for c in kept):
            return None
        return sum(c.kept * (c.precision or 0) for c in kept) / sum(c.kept for c in kept)

    @property
    def basis(self) -> str:
        """What the precision was estimated by, or why it was not."""
        return "; ".join(c.basis for c in self.calibrations)


@dataclass(frozen=True)
class Diversity:
    """How different statements are from each other.

    Attributes:
        statements: Number of statements.
        distinct_statements: How many different ones, ignoring case and punctuation.
        runs: Number of runs of three words in them.
        distinct_runs: How many different ones.
    """

    statements: int = 0
    distinct_statements: int = 0
    runs: int = 0
    distinct_runs: int = 0

    def __str__(self) -> str:
        share = f", {self.distinct_runs / self.runs:.2f} of their runs of three words" if self.runs else ""
        return f"{self.distinct_statements:,} of {self.statements:,} statements{share}"
