"""Recipe -> everything that is known before the first request is sent: sources, models, requests, stored answers."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from axolotl_augft.asking.feed import count_requests
from axolotl_augft.config.recipe import Assignment, Recipe
from axolotl_augft.files.collector import fewer_collections
from axolotl_augft.files.fingerprints import FileStamp
from axolotl_augft.judging.leaks import Leaks
from axolotl_augft.judging.pipeline import (
    RunningShare,
    judged_inferences,
    with_whole_texts,
    without_duplicates,
    without_repeats,
)
from axolotl_augft.judging.rules import Judged
from axolotl_augft.marks import Marks, read_marks
from axolotl_augft.output.result import Verdicts
from axolotl_augft.output.reuse import input_stamps, model_stamps
from axolotl_augft.output.student import Student, load_student
from axolotl_augft.output.writer import RequestCounts
from axolotl_augft.probing.left_out import left_out
from axolotl_augft.probing.probe import Probe
from axolotl_augft.probing.record import ProbeRecord
from axolotl_augft.probing.student import is_the_teacher
from axolotl_augft.shards.document_order import in_document_order
from axolotl_augft.shards.work import Work
from axolotl_augft.shards.workers import Workers
from axolotl_augft.sources.documents import Documents
from axolotl_augft.sources.loading import evaluation_contents, evaluation_digests, load_sources
from axolotl_augft.sources.replay import Replay, load_replay
from axolotl_augft.sources.source import Source
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.make import AllTasks, make_strategy
from axolotl_augft.strategies.task import Strategy, Task
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher, resolve_teacher, settled
from axolotl_augft.verifying.model import verifying_model
from axolotl_augft.verifying.verification import FirstAnswers, Verification
from axolotl_augft.verifying.verifier import Verifier
from axolotl_augft.workers.processes import number_of_processes
from axolotl_augft.workers.ray_cluster import check_cluster

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
        verifier: Verifies statements by asking a model; None if none is asked.
        replay: General rows to train on too; None without `augft.replay`.
        probe: Asks the student what it knows; None without `augft.probe`.
        workers: The worker processes; None if this process does their work.
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
    verifier: Verifier | None
    replay: Replay | None
    probe: Probe | None = None
    workers: Workers | None = None

    @property
    def model_ids(self) -> set[str]:
        """The ids of the models that are asked: the teacher's, and those of other models that verify or are probed."""
        verifies = {self.verifier.model.id} if self.verifier else set()
        return {self.teacher.id} | verifies | ({self.probe.student.id} if self.probe else set())

    def first_requests(self) -> Iterator[Request]:
        """Yield the requests whose answers other requests depend on."""
        return (task.request for strategy in self.tasks.strategies for task in self.tasks.asked_first(strategy))

    def requests(self) -> Iterator[Request]:
        """Yield all requests for statements in sending order, including those that the store has answers for.

        Requests that depend on answers which are not stored yet are those that would be made without these.
        """
        yield from self.first_requests()
        yield from (task.request for task in self.tasks.in_sending_order())

    def running_share(self) -> RunningShare:
        """Return what follows how many statements are kept while they are asked for."""
        return RunningShare(self.tasks.in_sending_order, lambda tasks: self._judge(tasks, False))

    def all_requests(self) -> Iterator[Request]:
        """Yield all requests, as far as the stored answers tell what is asked: of the student and verification, too."""
        yield from self.probe.requests() if self.probe else ()
        yield from self.requests_for_statements()

    def requests_for_statements(self) -> Iterator[Request]:
        """Yield all requests but the questions to the student, which cost no teacher tokens."""
        yield from self.requests()
        for round_ in verification.rounds() if (verification := self.verification(leaks=False)) else ():
            yield from round_.requests()

    def judged(self, leaks: bool = True, verification: Verification | None = None) -> Iterator[Judged]:
        """Yield every inference of the stored answers in document order, kept or rejected.

        Args:
            leaks: Whether to reject those that state a held-out answer.
            verification: The verification to use, so that nothing is computed twice; by default, a new one.
        """
        verification = verification or self.verification(leaks)
        language = self.recipe.augft.language
        found = self.leaks if leaks else None
        if verification is None:
            return without_duplicates(with_whole_texts(self._judged_first(leaks), found), language)
        texts = (document.text for document in self.documents)
        return without_repeats(lambda: with_whole_texts(verification.decided(), found), texts, language)

    def verdicts(self) -> Verdicts:
        """Judge the stored answers, with all that the stored answers of the verification say."""
        verification = self.verification()
        record = verification.record if verification else None
        return Verdicts(self.judged(verification=verification), record, self.probed())

    def probed(self) -> ProbeRecord | None:
        """Return what the student was found to know, and which requests that spares; None if it is not asked."""
        if self.probe is None:
            return None
        record = self.probe.known.record
        # Without anything known, there is no need to lay out all requests.
        if not record.known_sentences:
            return record
        return replace(record, left_out=left_out(self.tasks, self.store, self.teacher.tokens))

    def verdicts_so_far(self) -> Verdicts:
        """Judge the stored answers of a run that may have ended early.

        Until the first answers are verified, no verification counts: probabilities that are known stand beside the
        statements, and reject none.
        """
        verification = self.verification()
        if verification is None or self.has_verified(verification):
            return self.verdicts()
        scored = self._judged_first(True, scored=self.verifier is not None and self.verifier.inquiry.is_ready)
        judged = without_duplicates(with_whole_texts(scored, self.leaks), self.recipe.augft.language)
        return Verdicts(judged, probe=self.probed())

    def has_verified(self, verification: Verification) -> bool:
        """Whether the store answers everything that the first answers are verified by."""
        rounds = verification.rounds_of_first()
        return not any(count_requests(round_.requests(), self.store).missing for round_ in rounds)

    def verification(self, leaks: bool = True) -> Verification | None:
        """Return the verification of the statements; None if no model is asked about them, or no model writes any."""
        config = self.recipe.augft.verify
        if self.verifier is None or config is None or not self.tasks.ask:
            return None
        first = FirstAnswers(
            judged=lambda: self._judged_first(leaks),
            together=lambda: chain.from_iterable(map(self._judged_by(leaks), self.tasks.strategies)),
            scored=lambda: self._judged_first(leaks, scored=True),
        )
        return Verification(
            config, self.verifier, self.teacher, self.tasks, first, lambda tasks: self._judge(tasks, leaks)
        )

    def marks(self) -> Marks:
        """Read the marks that the recipe names.

        Raises:
            ConfigError: Their file cannot be read, or holds something else.
        """
        config = self.recipe.augft
        if config.marks is None:
            return Marks(())
        endings = None if config.sentence_splitting == "none" else {"", self.student.eos}
        return Marks(read_marks(Path(config.marks)), config.language, endings)

    def counts(self, requests: int, unanswered: int) -> RequestCounts:
        """Return the counts of a manifest.

        Args:
            requests: Number of distinct requests.
            unanswered: Those without an answer after all tries.
        """
        skipped_files = sum(len(s.conversion.problems) for s in self.sources if s.conversion)
        unusable = self.tasks.unusable()
        return RequestCounts(self.documents.count, requests, unanswered, unusable, self._problems(), skipped_files)

    def _problems(self) -> dict[str, int]:
        """Count the rows that could not be augmented or were not shown as they are, by what became of them."""
        counts: Counter[str] = Counter()
        for problem in (p for s in self.sources for p in s.problems):
            counts[problem.what] += len(problem.rows)
        directives = self.documents.directives
        found = {directives.what: directives.rows} if directives.rows else {}
        return {**dict(sorted(counts.items())), **found}

    def _judged_first(self, leaks: bool, scored: bool = False) -> Iterator[Judged]:
        """Judge the stored first answers to all tasks, in document order."""
        return in_document_order(self.tasks, self._judged_by(leaks, scored))

    def _judged_by(self, leaks: bool, scored: bool = False) -> Callable[[Strategy], Iterator[Judged]]:
        """Return what judges the stored first answers to a strategy's tasks, in the order of `AllTasks.to_judge`."""
        if (workers := self.workers) is not None:
            return lambda strategy: workers.judged(strategy, leaks, scored)
        verifier = self.verifier if scored else None

        def judged(strategy: Strategy) -> Iterator[Judged]:
            found = self._judge(self.tasks.to_judge(strategy), leaks)
            return verifier.scored(found) if verifier else found

        return judged

    def _judge(self, tasks: Iterable[Task], leaks: bool) -> Iterator[Judged]:
        found = self.leaks if leaks else None
        return judged_inferences(tasks, self.store, self.recipe.augft, found, self.student.special_tokens)


@contextmanager
def prepared(recipe: Recipe) -> Iterator[Prepared]:
    """Load the sources, open the store and lay out the requests, without sending any.

    Raises:
        AugftError: A source, the store, a prompt or a setting cannot be used.
    """
    if recipe.use_ray:
        check_cluster()
    stamps = input_stamps(recipe)
    student = load_student(recipe)
    sources = load_sources(recipe)
    for source in sources:
        for problem in source.problems:
            LOG.warning("augft: %s: %s", source.path, problem)
        for line in source.conversion.lines() if source.conversion else ():
            LOG.warning("augft: %s", line)
    replay = load_replay(recipe, lambda: evaluation_digests(sources, recipe))
    leaks = Leaks(evaluation_contents(sources, recipe), recipe.augft.language)
    with fewer_collections(), ResponseStore.opened(recipe.store_path) as store:
        resolved = resolve_teacher(
            recipe.augft.teacher, recipe.base_model, recipe.seed, model_stamps(recipe, recipe.augft.teacher, stamps)
        )
        teacher = settled(resolved, store)
        documents = Documents(sources, recipe.augft.instructions, recipe.augft.language)
        probe = _probe(recipe, teacher, stamps, documents, store)
        tasks = AllTasks(
            tuple(_strategy(recipe, a, teacher, documents, store) for a in recipe.assignments()),
            lambda: probe.known if probe else None,
        )
        for warning in chain(
            *(strategy.warnings() for strategy in tasks.strategies), probe.warnings() if probe else ()
        ):
            LOG.warning("augft: %s", warning)
        verifier = _verifier(recipe, teacher, stamps, store)
        ready = Prepared(
            recipe, stamps, student, sources, teacher, store, tasks, documents, leaks, verifier, replay, probe
        )
        with _workers(ready) as workers:
            yield replace(ready, workers=workers)


def _workers(ready: Prepared) -> AbstractContextManager[Workers | None]:
    """Return the workers that the recipe asks for; they are started when they are needed."""
    if not ready.recipe.use_ray and number_of_processes(ready.recipe.augft.workers) == 1:
        return nullcontext()
    verifying = ready.verifier.model if ready.verifier else None
    sources = {source.entry: source.without_rows() for source in ready.sources}
    work = Work(ready.recipe, ready.student, ready.teacher, verifying, ready.leaks, sources)
    return Workers(work, ready.sources, ready.tasks, ready.documents)


def _verifier(recipe: Recipe, teacher: Teacher, stamps: list[FileStamp], store: ResponseStore) -> Verifier | None:
    config = recipe.augft.verify
    if config is None or config.checks_names:
        return None
    if config.by is not None:
        own = model_stamps(recipe, config.by, stamps)
        teacher = settled(verifying_model(config, recipe.augft.teacher, recipe.seed, own), store)
    return Verifier(config, teacher, store, recipe.augft.language)


def _probe(
    recipe: Recipe, teacher: Teacher, stamps: list[FileStamp], everything: Documents, store: ResponseStore
) -> Probe | None:
    config = recipe.augft.probe
    if config is None:
        return None
    student = teacher
    if not is_the_teacher(config, teacher, recipe.base_model):
        own = model_stamps(recipe, config.served, stamps)
        student = settled(resolve_teacher(config.served, recipe.base_model, recipe.seed, own), store)
    asked = {i for a in recipe.assignments() if a.augment.asks for i in a.entries}
    return Probe(config, student, store, everything.of(asked), recipe.augft.language)


def _strategy(
    recipe: Recipe, assigned: Assignment, teacher: Teacher, everything: Documents, store: ResponseStore
) -> Strategy:
    paths = "|".join(sorted(recipe.datasets[i].path for i in assigned.entries))
    documents = everything.of(assigned.entries)
    return make_strategy(assigned.augment, teacher, documents, recipe.augft.language, store, f"{assigned.name}|{paths}")
