"""Manifest and run record -> the summary that a user reads, with the training load before and after augmentation."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from axolotl_augft.config.recipe import Recipe, Training
from axolotl_augft.output.manifest import Load, Manifest
from axolotl_augft.output.mixture import mixture_lines, training_groups
from axolotl_augft.store.run_record import RunRecord
from axolotl_augft.teacher.spending import usage_line
from axolotl_augft.verifying.records import ANY, Calibration, ContradictionRecord, Coverage, VerificationRecord


def optimizer_steps(load: Load, training: Training) -> int:
    """Return the optimizer steps of the whole training: `max_steps` if set, else as many as its epochs take.

    Sample packing is taken to fill every sequence; without it, each row is a sequence of its own.
    """
    if training.max_steps:
        return training.max_steps
    batch = training.micro_batch_size * training.gradient_accumulation_steps * training.world_size
    units = load.tokens / training.sequence_len if training.sample_packing else load.rows
    return math.ceil(math.ceil(units / batch) * training.num_epochs)


@dataclass(frozen=True)
class TrainingLoads:
    """The training load of one epoch, including repeats.

    Attributes:
        before: The source rows, as they would be trained on without augmentation.
        originals: The source rows in the result: repeated, split into sentences or dropped.
        augmented: The augmentations.
        replay: The general rows of `augft.replay`.
    """

    before: Load
    originals: Load
    augmented: Load
    replay: Load = Load()

    @property
    def after(self) -> Load:
        """All rows that are trained on."""
        return self.originals + self.augmented + self.replay


def training_loads(manifest: Manifest, recipe: Recipe) -> TrainingLoads:
    """Compute the training loads of a finished result."""
    before = Load()
    for entry in manifest.entries:
        before += Load(entry.original_rows, entry.original_tokens, entry.original_trained)
    loads = {group.name: group.load for group in training_groups(manifest, recipe)}
    return TrainingLoads(before, loads["source"] + loads["not augmented"], loads["augmented"], loads["replay"])


def training_lines(loads: TrainingLoads, training: Training, exact: bool) -> list[str]:
    """Format the training loads before and after augmentation, one line each.

    Args:
        loads: Rows and tokens of one epoch.
        training: The recipe's training settings.
        exact: All tokens were counted, none estimated.
    """
    after = loads.after
    unit = "tokens" if exact else "tokens (estimated)"

    steps_after = optimizer_steps(after, training)
    steps_on_originals = round(steps_after * loads.originals.rows / max(after.rows, 1))
    steps_on_replay = round(steps_after * loads.replay.rows / max(after.rows, 1))

    def line(name: str, load: Load, steps: int) -> str:
        return f"  {name:<14}{load.rows:>9,} rows {load.tokens:>12,} {unit} {steps:>9,} optimizer steps"

    return [
        "training (rows and tokens of one epoch, steps of all):",
        line("before", loads.before, optimizer_steps(loads.before, training)),
        line("after", after, steps_after),
        line("  originals", loads.originals, steps_on_originals),
        line("  augmented", loads.augmented, steps_after - steps_on_originals - steps_on_replay),
        *([line("  replay", loads.replay, steps_on_replay)] if loads.replay.rows else []),
    ]


def summary_lines(manifest: Manifest, recipe: Recipe, run: RunRecord) -> list[str]:
    """Format the summary of a finished run.

    Args:
        manifest: The result.
        recipe: The recipe.
        run: The requests of the run that made the result.
    """
    counts = manifest.counts
    held_out = sum(e.held_out.rows for e in manifest.entries if e.held_out)
    twins = sum(e.twins for e in manifest.entries)
    beyond_share = sum(e.beyond_share for e in manifest.entries)
    accepted, rejected = sum(counts.accepted.values()), sum(counts.rejected.values())
    lines = [
        f"documents {counts.documents:,}"
        + _also(
            {
                "rows left out by weight": beyond_share,
                "held-out rows": held_out,
                "rows equal to held-out or test rows left out": twins,
                "files left out": counts.skipped_files,
            }
        ),
        *(f"  {rows:,} rows {what}" for what, rows in counts.problems.items()),
        *(manifest.probe.lines() if manifest.probe else []),
        f"requests {counts.requests:,}: {run.answered_before:,} answered before, {run.asked:,} asked now"
        + _also({"left unanswered": counts.unanswered}),
        *([f"asked for first, but missing or unusable: {_listed(counts.unusable)}"] if counts.unusable else []),
        f"statements accepted {accepted:,}"
        + (f" ({_listed(counts.accepted)})" if accepted else "")
        + _also({"over max_augmented_per_original": counts.over_max_augmented}),
        f"of these different {manifest.diversity}",
        f"statements rejected {rejected:,}" + (f" ({_listed(counts.rejected)})" if rejected else ""),
    ]
    lines += [f"by hand: {counts.by_hand}"] if counts.by_hand else []
    lines += [*_verification_lines(manifest.verification), *_coverage_lines(manifest.coverage)]
    lines += too_long_lines(counts.too_long, recipe.training.sequence_len)
    if run.asked:
        lines.append(f"{usage_line(run.usage)}, in {run.seconds:.0f} s")
    if run.answered_before:
        lines.append(f"all runs: {usage_line(run.all_runs)}")
    if run.remarks:
        lines.append(f"answers: {_listed(run.remarks)}")
    if run.failed_tries:
        lines.append(f"tries that failed: {_listed(run.failed_tries)}")
    lines += training_lines(training_loads(manifest, recipe), recipe.training, manifest.exact_tokens)
    return lines + mixture_lines(manifest, recipe)


def _verification_lines(record: VerificationRecord | None) -> list[str]:
    if record is None:
        return []
    lines = [f"verified by {record.by} ({record.method}): {_calibration_words(c)}" for c in record.calibrations]
    return [*lines, _contradiction_line(record.contradictions)] if record.contradictions else lines


def _contradiction_line(found: ContradictionRecord) -> str:
    auc = "" if found.auc is None else f"AUC {found.auc:.2f} on "
    basis = f"{auc}{found.planted:,} planted ones and {found.compatible:,} pairs of true sentences"
    if found.threshold is None or found.found is None:
        return f"contradictions: none is rejected, this verifier cannot tell them ({basis})"
    return (
        f"contradictions: P(not both true) > {found.threshold:.3f}, as {found.found:.0%} of planted ones have ({basis})"
    )


def _calibration_words(found: Calibration) -> str:
    kept = (
        f"{found.strategy}: {found.kept:,} of the first {found.statements:,} statements have P(true) >= "
        f"{found.threshold:.3f}"
    )
    if found.precision is None:
        return f"{kept}; no precision is claimed: {found.because}"
    given_up = "" if found.given_up is None else f", {found.given_up:.0%} of the true ones given up"
    missed = found.asked is not None and found.precision < found.asked
    below = f", below the {found.asked:g} asked for" if missed else ""
    return (
        f"{kept}; estimated precision {found.precision:.2f}{below}{given_up} (AUC {found.auc:.2f} on "
        f"{found.slips:,} planted slips and {found.sentences:,} true sentences)"
    )


def _coverage_lines(coverage: Coverage) -> list[str]:
    lines = []
    if coverage.sentences:
        kinds = {kind: n for kind, n in coverage.covered.items() if kind != ANY}
        lines.append(
            f"sentences covered {coverage.covered.get(ANY, 0):,} of {coverage.sentences:,}"
            + (f" ({_listed(kinds)})" if kinds else "")
        )
    if coverage.documents:
        lines.append(f"documents with a conclusion {coverage.concluded:,} of {coverage.documents:,}")
    return lines


def too_long_lines(counts: Mapping[str, int], sequence_len: int) -> list[str]:
    """Format one line about rows that do not fit into a sequence, or no line if all fit.

    The counts leave out the tokens that a chat template adds.
    """
    long = {kind: n for kind, n in counts.items() if n}
    if not long:
        return []
    return [
        f"rows above sequence_len {sequence_len:,}, which axolotl cuts (completion) or drops (others): {_listed(long)}"
    ]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _also(counts: Mapping[str, int]) -> str:
    return "".join(f"; {name} {n:,}" for name, n in counts.items() if n)


def indented(lines: Iterable[str], prefix: str = "augft: ") -> str:
    """Join lines into one text, with a prefix before each."""
    return "\n".join(prefix + line for line in lines)
