"""Recipe -> finished result on disk, found or newly made: the whole stage from end to end."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from axolotl_augft.asking.budget import recipe_budget
from axolotl_augft.asking.rounds import Rounds
from axolotl_augft.config.recipe import Assignment, Recipe
from axolotl_augft.files.collector import fewer_collections
from axolotl_augft.files.fingerprints import FileStamp
from axolotl_augft.judging.leaks import Leaks
from axolotl_augft.judging.pipeline import judged_inferences
from axolotl_augft.judging.rules import Judged
from axolotl_augft.judging.verify import Verifier
from axolotl_augft.launch import run_once
from axolotl_augft.marks import Marks, read_marks
from axolotl_augft.output.manifest import Manifest, ResultRecord, save_record
from axolotl_augft.output.result import RequestCounts, write_result
from axolotl_augft.output.reuse import find_result, input_stamps, model_stamps, remote_digest
from axolotl_augft.output.student import Student, load_student
from axolotl_augft.output.summary import indented, summary_lines
from axolotl_augft.sources.documents import Documents
from axolotl_augft.sources.loading import evaluation_contents, load_sources
from axolotl_augft.sources.source import Source
from axolotl_augft.steady import steadily
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.make import AllTasks, make_strategy
from axolotl_augft.strategies.task import Strategy
from axolotl_augft.teacher.prices import find_price
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.session import TeacherSession
from axolotl_augft.teacher.spending import Spent
from axolotl_augft.teacher.teacher import Teacher, resolve_teacher, settled

LOG = logging.getLogger("axolotl_augft")


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before the first request is sent.

    Attributes:
        recipe: The recipe.
        stamps: Stamps of the local files that the result depends on.
        student: The student's token counter and special tokens.
        sources: The loaded entries of `datasets`.
        teacher: The resolved teacher model.
        store: The response store, open.
        tasks: The tasks of all strategies.
        documents: The documents of all augmented sources.
        leaks: Finds answers of evaluation rows in what the teacher writes.
    """

    recipe: Recipe
    stamps: list[FileStamp]
    student: Student
    sources: list[Source]
    teacher: Teacher
    store: ResponseStore
    tasks: AllTasks
    documents: Documents
    leaks: Leaks

    def requests(self) -> Iterator[Request]:
        """Yield all requests in sending order, including those that the store has answers for."""
        return (task.request for task in self.tasks.in_sending_order())

    def judged(self, leaks: bool = True) -> Iterator[Judged]:
        """Every inference of the stored answers, kept or rejected.

        Args:
            leaks: Whether to reject those that state a held-out answer.
        """
        found = self.leaks if leaks else None
        return judged_inferences(self.tasks, self.store, self.recipe.augft, found, self.student.special_tokens)


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


@contextmanager
def prepared(recipe: Recipe) -> Iterator[Prepared]:
    """Load the sources, open the store and lay out the requests, without sending any.

    Raises:
        AugftError: A source, the store, a prompt or a setting cannot be used.
    """
    stamps = input_stamps(recipe)
    student = load_student(recipe)
    sources = load_sources(recipe)
    for source in sources:
        for problem in source.problems:
            LOG.warning("augft: %s: %s", source.path, problem)
        for line in source.conversion.lines() if source.conversion else ():
            LOG.warning("augft: %s", line)
    leaks = Leaks(evaluation_contents(sources, recipe), recipe.augft.language)
    with fewer_collections(), ResponseStore.opened(recipe.store_path) as store:
        resolved = resolve_teacher(recipe.augft.teacher, recipe.base_model, recipe.seed, model_stamps(recipe, stamps))
        teacher = settled(resolved, store)
        documents = Documents(sources)
        tasks = AllTasks(tuple(_strategy(recipe, a, teacher, documents, store) for a in recipe.assignments()))
        for warning in (line for strategy in tasks.strategies for line in strategy.warnings()):
            LOG.warning("augft: %s", warning)
        yield Prepared(recipe, stamps, student, sources, teacher, store, tasks, documents, leaks)


def _strategy(
    recipe: Recipe, assigned: Assignment, teacher: Teacher, everything: Documents, store: ResponseStore
) -> Strategy:
    paths = "|".join(sorted(recipe.datasets[i].path for i in assigned.entries))
    documents = everything.of(assigned.entries)
    return make_strategy(assigned.augment, teacher, documents, recipe.augft.language, store, f"{assigned.name}|{paths}")


def make_result(recipe: Recipe) -> Manifest:
    """Send the requests that the store cannot answer, judge the answers and write the result.

    Raises:
        AugftError: The stage failed, as in `run_stage`.
    """
    _warn_about(recipe)
    with prepared(recipe) as ready:
        marks = _marks(recipe, ready.student)
        budget = recipe_budget(recipe.augft, ready.teacher, find_price(ready.teacher.config, ready.teacher.model))
        verifier = Verifier(ready.teacher) if recipe.augft.verify == "teacher" else None
        with (
            # Outermost, so released only after a managed server has stopped: the next run starts one on the same GPU.
            AskingLock(ready.store.path, ready.teacher.id, recipe.augft.wait_timeout) as lock,
            TeacherSession(ready.teacher, recipe.output_dir / "logs" / "teacher.log") as session,
        ):
            rounds = Rounds(ready.teacher, ready.store, session, budget, recipe.augft.max_failed_fraction, lock)
            _ask(ready, verifier, rounds, budget.is_limited)
        judged = verifier.apply(ready.judged(), ready.store) if verifier else ready.judged()
        skipped_files = sum(len(s.conversion.problems) for s in ready.sources if s.conversion)
        counts = RequestCounts(
            ready.documents.count,
            rounds.requests,
            rounds.counts.failed.total(),
            _problems(ready.sources),
            skipped_files,
        )
        judged = _writing(marks.apply(judged))
        manifest = write_result(recipe, ready.sources, judged, ready.student, ready.teacher.id, counts)
    for warning in marks.warnings():
        LOG.warning("augft: %s", warning)
    run = rounds.record()
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


def _marks(recipe: Recipe, student: Student) -> Marks:
    config = recipe.augft
    if config.marks is None:
        return Marks(())
    endings = None if config.sentence_splitting == "none" else {"", student.eos}
    return Marks(read_marks(Path(config.marks)), config.language, endings)


def _ask(ready: Prepared, verifier: Verifier | None, rounds: Rounds, limited: bool) -> None:
    if verifier is None:
        rounds.ask(ready.requests, "augmentation")
        return
    # Verdicts that are already stored count towards the limits before the first request is sent.
    known = rounds.count(lambda: verifier.requests(ready.judged())) if limited else Spent()
    rounds.ask(ready.requests, "augmentation")
    rounds.ask(lambda: verifier.requests(ready.judged()), "verification", known)


def _warn_about(recipe: Recipe) -> None:
    if recipe.deduplicates and (recipe.augft.repeat_original > 1 or recipe.augft.repeat_augmented > 1):
        LOG.warning(
            "augft: dataset_exact_deduplication deletes repeated rows, so repeat_original and repeat_augmented have "
            "no effect"
        )


def _problems(sources: Iterable[Source]) -> dict[str, int]:
    """Count the rows that could not be augmented, by reason."""
    counts: Counter[str] = Counter()
    for problem in (p for s in sources for p in s.problems):
        counts[problem.what] += len(problem.rows)
    return dict(sorted(counts.items()))
