"""A finished result's manifest, record and counted statements -> one run's figures, as plain values for the page."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.judging.rules import Reason
from axolotl_augft.output.manifest import Load, Manifest, load_record
from axolotl_augft.output.summary import optimizer_steps, summary_lines, training_loads
from axolotl_augft.report.break_even import break_even
from axolotl_augft.report.figures import Figures
from axolotl_augft.store.round_log import LoggedRound
from axolotl_augft.store.run_record import RunRecord
from axolotl_augft.teacher.prices import NANO
from axolotl_augft.verifying.records import VerificationRecord

_LEAST_AUC = 0.75


@dataclass(frozen=True)
class Caution:
    """Something that a reader should know before training.

    Attributes:
        text: One sentence.
        show: The filter of the page that shows what it is about, "" if none does.
    """

    text: str
    show: str = ""


def run_figures(
    recipe: Recipe, name: str, manifest: Manifest, figures: Figures, rounds: list[LoggedRound], verifying: str = ""
) -> dict[str, Any]:
    """Return everything that the page says about a run, apart from its statements.

    Args:
        recipe: The recipe.
        name: Name of the recipe.
        manifest: Its result.
        figures: The counted statements of the result.
        rounds: All rounds of requests in its store, oldest first.
        verifying: How far its verification has come, "" if it has finished or there is none.
    """
    record = load_record(recipe)
    run = record.run if record else RunRecord()
    loads = training_loads(manifest, recipe)
    after = loads.after
    return {
        "name": name,
        "teacher": manifest.teacher_id,
        "fingerprint": manifest.fingerprint,
        "summary": summary_lines(manifest, recipe, run),
        "figures": {**asdict(figures), "kept": figures.kept, "rejected": figures.rejected},
        "held_out": sum(e.held_out.rows for e in manifest.entries if e.held_out),
        "by_hand": manifest.counts.by_hand,
        "over_max_augmented": manifest.counts.over_max_augmented,
        "requests": manifest.counts.requests,
        "usage": asdict(run.all_runs),
        "exact_tokens": manifest.exact_tokens,
        "sequence_len": recipe.training.sequence_len,
        "training": {
            "before": _load(loads.before, recipe),
            "after": _load(after, recipe),
            "augmented": asdict(loads.augmented),
        },
        "break_even": asdict(break_even(run.all_runs, loads, recipe)),
        "rounds": [_round(r) for r in rounds if r.teacher == manifest.teacher_id and r.asked],
        "verification": _verification(manifest.verification, verifying),
        "warnings": [asdict(w) for w in _warnings(recipe, manifest, figures, verifying)],
    }


def _verification(record: VerificationRecord | None, verifying: str) -> dict[str, Any] | None:
    if record is None:
        return {"precision": None, "basis": verifying} if verifying else None
    return {**asdict(record), "precision": record.precision, "basis": record.basis}


def _lowest_auc(record: VerificationRecord | None) -> float:
    """Return the lowest AUC of the strategies of which some statements are kept; 1 without any."""
    found = (c.auc for c in record.calibrations if c.kept) if record else ()
    return min((auc for auc in found if auc is not None), default=1)


def _load(load: Load, recipe: Recipe) -> dict[str, int]:
    return {**asdict(load), "steps": optimizer_steps(load, recipe.training)}


def _round(logged: LoggedRound) -> dict[str, Any]:
    return {
        "ended": logged.ended,
        "asked": logged.asked,
        "seconds": logged.seconds,
        "tokens": logged.completion_tokens or 0,
        "dollars": (logged.nanodollars or 0) / NANO,
    }


def _about_verification(manifest: Manifest, figures: Figures, verifying: str) -> Iterator[Caution]:
    verification = manifest.verification
    if verifying:
        yield Caution(f"The verification has not finished: {verifying}.")
    elif verification is None and not figures.is_verified:
        yield Caution("Nothing says how probable these statements are: they were not verified (augft.verify).")
    if verification is not None and verification.precision is None:
        yield Caution(f"How many of the kept statements are true is not known ({verification.basis}).")
    elif (auc := _lowest_auc(verification)) < _LEAST_AUC:
        yield Caution(f"The verifier hardly tells planted slips from true sentences (AUC {auc:.2f}; chance is 0.5).")


def _warnings(recipe: Recipe, manifest: Manifest, figures: Figures, verifying: str = "") -> Iterator[Caution]:
    counts = manifest.counts
    yield from _about_verification(manifest, figures, verifying)
    if uncovered := figures.sentences - figures.covered:
        yield Caution(f"No kept statement is about {uncovered:,} of {figures.sentences:,} sentences.", "uncovered")
    if cut := figures.reasons.get(Reason.TRUNCATED):
        lost = _counted(
            cut, "statement is lost because its answer was", "statements are lost because their answers were"
        )
        yield Caution(f"{lost} cut at max_tokens.", Reason.TRUNCATED)
    if long := sum(counts.too_long.values()):
        in_statements = long > counts.too_long.get("original", 0)
        text = f"{_counted(long, 'row exceeds', 'rows exceed')} sequence_len ({recipe.training.sequence_len:,} tokens)."
        yield Caution(text, "long" if in_statements else "")
    if counts.unanswered:
        yield Caution(f"{_counted(counts.unanswered, 'request was', 'requests were')} left unanswered.")
    if unusable := sum(counts.unusable.values()):
        lines = _counted(unusable, "line is", "lines are")
        yield Caution(f"Of what the teacher was asked for before its texts, {lines} missing or unusable.")
    for what, rows in counts.problems.items():
        yield Caution(f"{_counted(rows, 'row', 'rows')} {what}.")
    if counts.skipped_files:
        yield Caution(f"{_counted(counts.skipped_files, 'file was', 'files were')} left out.")
    if counts.over_max_augmented:
        above = _counted(counts.over_max_augmented, "accepted statement is", "accepted statements are")
        yield Caution(f"{above} above max_augmented_per_original and not shown here.")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
