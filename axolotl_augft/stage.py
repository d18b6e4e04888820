"""Recipe -> finished result on disk, found or newly made: the whole stage from end to end."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

from axolotl_augft.asking.budget import Budget, recipe_budget
from axolotl_augft.asking.feed import count_requests
from axolotl_augft.asking.rounds import Turns
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.judging.rules import Judged
from axolotl_augft.launch import run_once
from axolotl_augft.output.manifest import Manifest, ResultRecord, save_record
from axolotl_augft.output.result import ResultInput, write_result
from axolotl_augft.output.reuse import find_result, remote_digest
from axolotl_augft.output.summary import indented, summary_lines
from axolotl_augft.prepared import Prepared, prepared
from axolotl_augft.probing.probe import Probe
from axolotl_augft.probing.student import student_errors
from axolotl_augft.steady import steadily
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.spending import Spent
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.verifying.coverage import count_sentences

LOG = logging.getLogger("axolotl_augft")
_PROBE = "questions to the student"
_FIRST = "augmentation: what to write about"
_AUGMENTATION = "augmentation"


def run_stage(recipe: Recipe) -> Manifest:
    """Find the recipe's result, or let one process of the launch make it.

    Raises:
        AugftError: The stage failed; the message is one line. Every answer that arrived is stored.
    """
    return run_once(
        recipe.output_dir,
        recipe.key,
        recipe.augft.wait_timeout,
        lambda: find_result(recipe),
        lambda: make_result(recipe),
    )


def make_result(recipe: Recipe) -> Manifest:
    """Send the requests that the store cannot answer, judge the answers and write the result.

    Raises:
        AugftError: The stage failed, as in `run_stage`.
    """
    _warn_about(recipe)
    with prepared(recipe) as ready:
        marks = ready.marks()
        student = ready.probe.student if ready.probe else None
        budget = recipe_budget(recipe.augft, ready.teacher, ready.verifier.model if ready.verifier else None, student)
        with Turns(recipe, ready.teacher, ready.store, budget, student) as turns:
            _ask(ready, turns, budget)
        totals = turns.totals
        counts = ready.counts(totals.requests, totals.counts.failed.total())
        found = ready.verdicts()
        sentences = count_sentences(ready.tasks.in_document_order()) if counts.unanswered else None
        verdicts = replace(found, judged=_writing(marks.apply(found.judged)), sentences=sentences)
        given = ResultInput(ready.sources, verdicts, ready.student, ready.teacher.id, counts, ready.replay)
        manifest = write_result(recipe, given, make_parts=ready.workers.parts if ready.workers else None)
    for warning in marks.warnings():
        LOG.warning("augft: %s", warning)
    run = totals.record()
    save_record(recipe, ResultRecord(manifest.fingerprint, tuple(ready.stamps), remote_digest(recipe), run))
    LOG.info("augft: done\n%s", indented(summary_lines(manifest, recipe, run)))
    return manifest


def _writing(judged: Iterable[Judged]) -> Iterator[Judged]:
    """Show how far the writing is, with the share of statements kept so far."""
    kept = seen = 0

    def counted() -> Iterator[Judged]:
        nonlocal kept, seen
        for j in judged:
            seen += 1
            kept += j.rejected is None
            yield j

    return steadily(counted(), "writing", "statements", note=lambda: f"{kept / max(seen, 1):.0%} kept")


def _ask(ready: Prepared, turns: Turns, budget: Budget) -> None:
    """Ask round after round; what is stored of later rounds counts towards the limits from the beginning."""
    asks_first = next(ready.first_requests(), None) is not None
    several_rounds = asks_first or ready.probe is not None or ready.verification() is not None
    # A round counts what is stored of it before it sends anything.
    counts_ahead = budget.is_limited and several_rounds and not ready.store.is_empty
    known = _count_stored(ready, budget) if counts_ahead else {}
    if ready.probe is not None:
        _ask_student(ready.probe, ready.teacher, turns, known.get(_PROBE, Spent()))
    if asks_first:
        turns.of(ready.teacher).ask(ready.first_requests, _FIRST, known.get(_FIRST, Spent()))
    share = ready.running_share()
    turns.of(ready.teacher).ask(share.requests, _AUGMENTATION, known.get(_AUGMENTATION, Spent()), note=share.note)
    verification = ready.verification()
    for round_ in verification.rounds() if verification else ():
        counted = known.get(round_.title, Spent())
        turns.of(round_.model).ask(round_.requests, round_.title, counted, round_.may_be_refused)
        if round_.may_be_refused and ready.verifier and (remark := ready.verifier.inquiry.remark):
            LOG.info("augft: %s", remark)


def _ask_student(probe: Probe, teacher: Teacher, turns: Turns, counted: Spent) -> None:
    """Ask the student; what it is found to know decides what the teacher is asked."""
    with student_errors(probe.student, teacher):
        turns.of(probe.student).ask(probe.requests, _PROBE, counted)
    for line in probe.known.record.lines():
        LOG.info("augft: %s", line)


def _count_stored(ready: Prepared, budget: Budget) -> dict[str, Spent]:
    """Count in the budget what is stored of each round; return it by title."""
    keys: list[DigestSet] = []
    known: dict[str, Spent] = {}

    def count(title: str, requests: Iterable[Request]) -> None:
        counted = count_requests(requests, ready.store, keys)
        keys.append(counted.keys)
        known[title] = counted.spent
        budget.count(counted.spent)

    if ready.probe is not None:
        count(_PROBE, ready.probe.requests())
    count(_FIRST, ready.first_requests())
    count(_AUGMENTATION, ready.requests())
    verification = ready.verification()
    for round_ in verification.rounds() if verification else ():
        count(round_.title, round_.requests())
    return known


def _warn_about(recipe: Recipe) -> None:
    config = recipe.augft
    repeats = config.repeat_original > 1 or config.repeat_augmented > 1 or config.mix or config.replay
    if recipe.deduplicates and repeats:
        LOG.warning(
            "augft: dataset_exact_deduplication deletes repeated rows, so repeat_original, repeat_augmented and mix "
            "have no effect, and replay adds each of its rows at most once"
        )
