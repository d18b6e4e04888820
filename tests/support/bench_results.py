"""Made-up results of suites, for tests of tables, costs and figures. The numbers are of no experiment."""

from collections.abc import Sequence

from axolotl_augft.bench.report.results import (
    CellResult,
    Condition,
    Score,
    Splitting,
    SuiteResult,
    TeacherUse,
    TrainingUse,
)


def scores(marks: dict[str, str], choices: int = 4) -> tuple[Score, ...]:
    """Split/subset -> a mark for each of its questions: `1` answered rightly, `0` wrongly."""
    made = []
    for name, answers in marks.items():
        split, subset = name.split("/")
        for i, mark in enumerate(answers):
            likely = 0 if mark == "1" else 1
            logs = tuple(-1.0 if c == likely else -2.0 for c in range(choices))
            made.append(Score(f"{name}/{i}", split, subset, 0, logs, (5,) * choices))
    return tuple(made)


def cell(
    condition: Condition,
    marks: dict[str, str],
    seed: int = 0,
    splitting: Splitting = "none",
    seconds: float = 900.0,
    tokens: int | None = 400_000,
) -> CellResult:
    """A finished cell; augmented ones with 30,000 + 5,000 teacher tokens, `icl` with 844 tokens of context."""
    augmented, trained = condition.startswith("aug-"), condition.startswith(("aug-", "ft"))
    return CellResult(
        condition=condition,
        seed=seed,
        splitting=splitting,
        status="done",
        fingerprint="f",
        scores=scores(marks),
        teacher=TeacherUse("scripted", 180, 30_000, 5_000, 120.0) if augmented else None,
        training=TrainingUse(300, 16, 3_600, 161 if augmented else 0, tokens, seconds) if trained else None,
        context_tokens=844 if condition == "icl" else None,
        scoring_seconds=20.0,
    )


def result(cells: Sequence[CellResult], prices: dict[str, float] | None = None, suite: str = "made-up") -> SuiteResult:
    versions = {"lm_eval": "0.4.11", "axolotl": "0.19.0"}
    return SuiteResult(
        suite, "Made up for a test", {}, "/models/tiny", "2 cores", versions, 0.25, tuple(cells), prices or {}
    )
