"""Results of suites -> Markdown: one table per suite, the cost of augmentation, and the failed cells.

Columns without values are left out.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from axolotl_augft.bench.report.cost import ASSUMPTION, Cost, costs
from axolotl_augft.bench.report.differences import difference_rows
from axolotl_augft.bench.report.estimates import (
    Measure,
    Variant,
    baseline,
    chance,
    contains,
    exact,
    f1,
    label,
    splits,
    variants,
)
from axolotl_augft.bench.report.output import write_text
from axolotl_augft.bench.report.results import CellResult, Condition, Splitting, SuiteResult
from axolotl_augft.errors import BenchError

START, END = "<!-- bench -->", "<!-- /bench -->"
_MARKED = re.compile(f"{START}.*?{END}", re.DOTALL)
_NOTHING = "–"
_HOW = (
    "Accuracy (likeliest of the choices), mean over seeds ± standard error over task subsets and seeds. Tokens and "
    "seconds are means over seeds; teacher tokens are read + written."
)
_DIFFERENCES = (
    "Differences are over the same questions, against the control that differs in nothing but what is to be shown: "
    "ft-form, or ft where that was not run."
)
_WRITTEN = (
    "Exact, F1 and in it are about the answers that students wrote: the same words as the right answer, the overlap of "
    "words, and whether the right answer stands in it."
)


@dataclass(frozen=True)
class _Column:
    """A column of the table.

    Attributes:
        cell: Formats the column's value for a variant.
        chance: Value in the row of random guessing.
    """

    title: str
    cell: Callable[[Variant], str]
    chance: str = _NOTHING


def table_lines(results: Sequence[SuiteResult]) -> list[str]:
    """Format the results as Markdown lines.

    Raises:
        BenchError: A result cannot be used.
    """
    lines: list[str] = []
    unpriced = differs = False
    for result in results:
        spent = costs(result)
        unpriced |= any(c.unit != "dollars" for c in spent)
        lines += [f"### {_text(result.title)}", "", _made_with(result), ""]
        if found := variants(result):
            lines += [*_table(result, found), ""]
            compared = _differences(result, found)
            lines += [*compared, ""] if compared else []
            differs |= bool(compared)
        worse = _less_accurate_than_icl(found)
        remarks = [
            *(_cost_line(c, spent, (c.condition, c.splitting) in worse) for c in spent),
            *(_failure_line(c) for c in result.cells if c.status == "failed"),
        ]
        lines += [*remarks, ""] if remarks else []
    written = any(s.written for result in results for cell in result.cells for s in cell.scores)
    notes = [(_DIFFERENCES, differs), (_WRITTEN, written), (ASSUMPTION, unpriced)]
    return [*lines, " ".join([_HOW, *(note for note, applies in notes if applies)])]


def insert(page: Path, lines: Iterable[str]) -> None:
    """Replace the text between the two marks of a Markdown file.

    Raises:
        BenchError: The file cannot be read or written, or does not contain both marks exactly once and in order.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise BenchError(f"{page}: cannot be read ({type(error).__name__}); give a Markdown file") from None
    if text.count(START) != 1 or text.count(END) != 1 or not _MARKED.search(text):
        raise BenchError(f"{page}: put {START} and, below it, {END} where the table is to stand, each once")
    table = "\n".join([START, *lines, END])
    write_text(page, _MARKED.sub(lambda _: table, text))


def _made_with(result: SuiteResult) -> str:
    """One line on the student, the machine and the libraries; of a local model's path, only the folder name."""
    model = Path(result.model).name if Path(result.model).is_absolute() else result.model
    versions = ", ".join(f"{name} {version}" for name, version in sorted(result.versions.items()))
    line = _text("; ".join(part for part in (f"Student {model}", result.machine, versions) if part)) + "."
    seen = " Every trained condition sees the source rows equally often, so the numbers of steps differ."
    return line + (seen if result.match == "source" else "")


def _table(result: SuiteResult, found: Sequence[Variant]) -> list[str]:
    columns = _columns(result, found)
    filled = [c for c in columns if any(c.cell(v) != _NOTHING for v in found)]
    rows = [[c.cell(v) for c in filled] for v in found]
    lines = [
        [c.title for c in filled],
        ["---", *["---:"] * (len(filled) - 1)],
        *rows,
        ["chance", *(c.chance for c in filled[1:])],
    ]
    return [f"| {' | '.join(line)} |" for line in lines]


def _differences(result: SuiteResult, found: Sequence[Variant]) -> list[str]:
    rows = difference_rows(found, splits(result))
    if not rows:
        return []
    head, *body = rows
    return [f"| {' | '.join(map(_text, line))} |" for line in [head, ["---", "---", *["---:"] * len(head[2:])], *body]]


def _columns(result: SuiteResult, found: Sequence[Variant]) -> list[_Column]:
    names = splits(result)
    by_split = [_accuracy_column(result, name) for name in names] if len(names) > 1 else []
    return [
        _Column("condition", lambda v: _condition(v, found)),
        _Column("seeds", lambda v: _seeds(v, result)),
        _Column("questions", lambda v: _mean(len(c.scores) for c in v.cells)),
        _accuracy_column(result, None),
        *by_split,
        *(_general_column(name) for name in dict.fromkeys(name for v in found for c in v.cells for name in c.general)),
        *_written_columns(names),
        _Column("steps", lambda v: _mean(c.training.steps if c.training else None for c in v.cells)),
        _Column("tokens seen", lambda v: _mean(c.training.tokens if c.training else None for c in v.cells)),
        _Column("rows", lambda v: _mean(c.training.original_rows if c.training else None for c in v.cells)),
        _Column(
            "augmentations",
            lambda v: _mean((c.training.augmented_rows or None) if c.training else None for c in v.cells),
        ),
        _Column("context tokens", lambda v: _mean(c.context_tokens for c in v.cells)),
        _Column("teacher", _teacher),
        _Column("teacher tokens", _teacher_tokens),
        _Column("teacher s", lambda v: _mean(c.teacher.seconds if c.teacher else None for c in v.cells)),
        _Column("training s", lambda v: _mean(c.training.seconds if c.training else None for c in v.cells)),
        _Column("scoring s", lambda v: _mean(c.scoring_seconds for c in v.cells)),
    ]


def _accuracy_column(result: SuiteResult, split: str | None) -> _Column:
    title = "accuracy" if split is None else _text(split)
    return _Column(title, lambda v: _accuracy(v, split), f"{chance(result, split):.3f}")


def _general_column(task: str) -> _Column:
    """A column with the accuracy in a general task, which tells what the model forgot."""
    return _Column(f"{_text(task)} (general)", lambda v: _mean_share(c.general.get(task) for c in v.cells))


def _mean_share(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{fmean(known):.3f}" if known else _NOTHING


def _written_columns(splits: Sequence[str]) -> list[_Column]:
    """Columns on what students wrote: SQuAD's two measures, and where the right answer stands in it, by split."""

    def column(title: str, measure: Measure, split: str | None = None) -> _Column:
        return _Column(title, lambda v: _accuracy(v, split, measure))

    by_split = [column(f"in it: {_text(name)}", contains, name) for name in splits] if len(splits) > 1 else []
    return [column("exact", exact), column("F1", f1), column("in it", contains), *by_split]


def _accuracy(variant: Variant, split: str | None, measure: Measure | None = None) -> str:
    estimate = variant.estimate(split, measure)
    if estimate is None:
        return _NOTHING
    return f"{estimate.accuracy:.3f}" + ("" if estimate.standard_error is None else f" ± {estimate.standard_error:.3f}")


def _condition(variant: Variant, found: Sequence[Variant]) -> str:
    name = label(variant, found)
    return f"{name} (baseline)" if name != variant.condition and variant is baseline(found) else name


def _seeds(variant: Variant, result: SuiteResult) -> str:
    """Number of finished seeds, with the number tried if some did not finish."""
    tried = sum((c.condition, c.splitting) == (variant.condition, variant.splitting) for c in result.cells)
    return f"{len(variant.cells)}" + (f" of {tried}" if tried > len(variant.cells) else "")


def _teacher(variant: Variant) -> str:
    names = dict.fromkeys(c.teacher.id for c in variant.cells if c.teacher)
    return _text(", ".join(names)) or _NOTHING


def _teacher_tokens(variant: Variant) -> str:
    read, written = (
        _mean(c.teacher.prompt_tokens if c.teacher else None for c in variant.cells),
        _mean(c.teacher.completion_tokens if c.teacher else None for c in variant.cells),
    )
    return _NOTHING if read == _NOTHING else f"{read} + {written}"


def _mean(values: Iterable[float | None]) -> str:
    """Mean as a whole number; a dash if a seed's value is unknown."""
    all_of_them = list(values)
    known = [v for v in all_of_them if v is not None]
    return f"{fmean(known):,.0f}" if len(known) == len(all_of_them) else _NOTHING


def _less_accurate_than_icl(found: Sequence[Variant]) -> set[tuple[Condition, Splitting]]:
    """Variants less accurate than ICL, which do not pay off at any cost."""
    icl = max((v.accuracy for v in found if v.condition == "icl"), default=0.0)
    return {(v.condition, v.splitting) for v in found if v.accuracy < icl}


def _cost_line(cost: Cost, spent: Sequence[Cost], worse: bool) -> str:
    several = sum(c.condition == cost.condition for c in spent) > 1
    name = f"{cost.condition}, {cost.splitting}" if several else cost.condition
    known = cost.teacher_hours is not None or cost.teacher_tokens is None
    asking = (
        _hours(cost.teacher_hours, "augmentation")
        if known
        else "hours of augmentation not measured (some answers were stored before)"
    )
    parts = [_amount(cost.teacher_tokens, "teacher tokens"), asking, _hours(cost.training_hours, "training")]
    if cost.teacher_dollars is not None and cost.training_dollars is not None:
        parts.append(
            f"{_dollars(cost.teacher_dollars)} for the teacher, {_dollars(cost.training_dollars)} for training"
        )
    questions = cost.break_even_questions
    if worse:
        parts.append("less accurate than icl")
    elif questions is not None and cost.once is not None:
        once = "" if cost.unit == "dollars" else f" ({cost.once:,.0f} forward tokens once)"
        parts.append(
            f"**paid for against icl after {questions:,} questions** "
            f"of {cost.icl_tokens:,.0f} context tokens each{once}"
        )
    return f"* {name}: {'; '.join(p for p in parts if p) or 'cost unknown'}"


def _amount(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.0f} {unit}"


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 0.1 or not value else f"${value:.2g}"


def _hours(value: float | None, doing: str) -> str:
    return "" if value is None else f"{value:.2f} h of {doing}"


def _failure_line(cell: CellResult) -> str:
    return (
        f"* failed: {cell.condition}, seed {cell.seed}, splitting {cell.splitting}: "
        f"{_text((cell.error or 'no message').split(': ')[0])}"
    )


def _text(text: str) -> str:
    """Put a text on one line and escape what would break a table row."""
    return " ".join(text.split()).replace("|", "\\|")
