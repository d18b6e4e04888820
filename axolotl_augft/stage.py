"""The whole stage: recipe -> finished result on disk, made now or found."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from axolotl_augft import asking, batching, writing
from axolotl_augft.asking import Pace
from axolotl_augft.augmenting import Plan, judged_inferences
from axolotl_augft.batch_results import Results
from axolotl_augft.budget import Budget, recipe_budget
from axolotl_augft.config import LocalAugment
from axolotl_augft.coordination import run_once
from axolotl_augft.documents import Document, read_documents
from axolotl_augft.errors import TeacherError
from axolotl_augft.fingerprints import FileStamp
from axolotl_augft.global_strategy import GlobalStrategy
from axolotl_augft.judging import Judged
from axolotl_augft.local_strategy import LocalStrategy
from axolotl_augft.manifest import Manifest, Note, save_note
from axolotl_augft.prices import find_price
from axolotl_augft.progress import Progress
from axolotl_augft.recipe import Recipe
from axolotl_augft.requests import Request
from axolotl_augft.reuse import find_result, input_stamps, model_stamps, remote_digest
from axolotl_augft.runs import Run, save_run
from axolotl_augft.session import TeacherSession
from axolotl_augft.sources import Source, load_sources
from axolotl_augft.spending import Spent
from axolotl_augft.store import ResponseStore
from axolotl_augft.student import load_student
from axolotl_augft.summary import indented, summary_lines
from axolotl_augft.tasks import Strategy
from axolotl_augft.teacher import Teacher, resolve_teacher, settled
from axolotl_augft.verifying import Verifier

LOG = logging.getLogger("axolotl_augft")
_NOTHING = Spent()


class Documents:
    """The documents of the sources, read anew at every iteration."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources

    def __iter__(self) -> Iterator[Document]:
        return read_documents(self._sources)


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before the teacher is asked."""

    recipe: Recipe
    stamps: list[FileStamp]
    sources: list[Source]
    teacher: Teacher
    store: ResponseStore
    plan: Plan
    documents: int

    def requests(self) -> Iterator[Request]:
        """The plan's requests in the order in which they are sent."""
        return (task.request for task in self.plan.sending())


def run_stage(recipe: Recipe) -> Manifest:
    """The recipe's result; one process of a launch makes it, if it is not there yet.

    Raises:
        AugftError: What went wrong, in one line. Every answer that arrived is stored.
    """
    return run_once(recipe.output_dir, recipe.key, recipe.augft.wait_timeout, lambda: find_result(recipe), lambda: make_result(recipe))


@contextmanager
def prepared(recipe: Recipe) -> Iterator[Prepared]:
    """Loads the sources, opens the store and lays out the requests. Nobody is asked.

    Raises:
        AugftError: A source, the store, a prompt or a setting cannot be used.
    """
    stamps = input_stamps(recipe)
    sources = load_sources(recipe)
    for source in sources:
        if bad := source.textless:
            LOG.warning("augft: %s: %d rows hold no text and are skipped (the first is row %d)", source.path, len(bad), bad[0])
    documents = Documents(sources)
    with ResponseStore.opened(recipe.store_path) as store:
        resolved = resolve_teacher(recipe.augft.teacher, recipe.base_model, recipe.seed, model_stamps(recipe, stamps))
        teacher = settled(resolved, store)
        plan = Plan(tuple((entry, _strategy(recipe, i, teacher, documents, store)) for i, entry in enumerate(recipe.augft.augment)))
        for _, strategy in plan.entries:
            if isinstance(strategy, GlobalStrategy) and strategy.cut:
                LOG.warning("augft: %d documents above %d tokens are cut at sentence ends", strategy.cut.count, strategy.cut.budget)
        yield Prepared(recipe, stamps, sources, teacher, store, plan, sum(1 for _ in documents))


def _strategy(recipe: Recipe, i: int, teacher: Teacher, documents: Documents, store: ResponseStore) -> Strategy:
    entry, language = recipe.augft.augment[i], recipe.augft.language
    if isinstance(entry, LocalAugment):
        return LocalStrategy(entry, teacher, documents, language)
    paths = "|".join(sorted(e["path"] for e in recipe.datasets))
    return GlobalStrategy(entry, teacher, documents, language, (store, f"{i}|{paths}"))


def make_result(recipe: Recipe) -> Manifest:
    """Asks what the store does not answer, and writes the result.

    Raises:
        AugftError: As `run_stage`.
    """
    _warn_about(recipe)
    with prepared(recipe) as ready:
        budget = recipe_budget(recipe.augft, ready.teacher, find_price(ready.teacher.config, ready.teacher.model))
        with TeacherSession(ready.teacher, recipe.output_dir / "logs" / "teacher.log") as session:
            rounds = _Rounds(ready, session, budget)
            verifier = Verifier(ready.teacher) if recipe.augft.verify == "teacher" else None
            known = rounds.known_verdicts(verifier) if verifier and budget.is_limited else Spent()
            rounds.ask(ready.requests, "augmentation")
            if verifier:
                rounds.ask(lambda: verifier.requests(_judged(ready)), "verification", known)
        judged = verifier.apply(_judged(ready), ready.store) if verifier else _judged(ready)
        asked, requests = rounds.asked, rounds.requests
        counts = writing.Asked(ready.documents, requests, asked.failed.total(), sum(len(s.textless) for s in ready.sources))
        manifest = writing.write_result(recipe, ready.sources, judged, load_student(recipe), ready.teacher.id, counts)
    run = _run_record(asked, requests, rounds.before)
    save_note(recipe, Note(manifest.fingerprint, tuple(ready.stamps), remote_digest(recipe), run))
    LOG.info("augft: done\n%s", indented(summary_lines(manifest, recipe, run)))
    return manifest


def _warn_about(recipe: Recipe) -> None:
    if recipe.deduplicates and (recipe.augft.repeat_original > 1 or recipe.augft.repeat_augmented > 1):
        LOG.warning("augft: dataset_exact_deduplication deletes repeated rows, so repeat_original and repeat_augmented have no effect")


def _judged(ready: Prepared) -> Iterator[Judged]:
    return judged_inferences(ready.plan, ready.store, ready.recipe.augft)


class _Rounds:
    """Asks rounds of requests within one budget. `asked`: what all rounds asked now; `before`: what was stored before them."""

    def __init__(self, ready: Prepared, session: TeacherSession, budget: Budget) -> None:
        self._ready = ready
        self._session = session
        self._budget = budget
        self.asked = asking.Asked()
        self.requests = 0
        self.before = Spent()

    def known_verdicts(self, verifier: Verifier) -> Spent:
        """Counts the verdicts that are stored before anything is asked."""
        known = asking.count_requests(verifier.requests(_judged(self._ready)), self._ready.store).spent
        self._budget.count(known)
        return known

    def ask(self, requests: Callable[[], Iterable[Request]], title: str, counted: Spent = _NOTHING) -> None:
        """Asks what the store does not answer. `counted`: the part of the stored answers that the budget knows of.

        Raises:
            BudgetReached: A limit ended the round; what was in flight is stored.
            TeacherError: Too many requests stayed unanswered.
        """
        ready = self._ready
        tally = asking.count_requests(requests(), ready.store)
        self._budget.count(tally.spent - counted)
        asked = self._send(requests(), tally, title) if tally.missing else asking.Asked()
        self.asked, self.requests, self.before = _sum(self.asked, asked), self.requests + tally.total, self.before + tally.spent
        save_run(ready.store, Run.of(ready.teacher.id, tally.total, asked.total, asked.seconds, asked.spent))
        if self._budget.reached:
            raise self._budget.error(tally.missing - asked.total + asked.failed.total())
        _check_failures(asked, tally.total, ready.recipe.augft.max_failed_fraction)

    def _send(self, requests: Iterable[Request], tally: asking.Tally, title: str) -> asking.Asked:
        store, teacher = self._ready.store, self._ready.teacher
        server, check = self._session.open()
        pace = Pace(teacher.max_concurrency, teacher.config.max_retries, check)
        with Progress(tally.missing, title) as progress:
            trusted = tally.answered > 0
            if teacher.config.batch:
                results = Results(server, store, self._budget, progress, pace.max_retries, trusted)
                asked = batching.ask_in_batches(requests, server, store, pace, self._budget, results)
            else:
                asked = asking.ask(requests, server, store, pace, progress, trusted, self._budget)
            LOG.info("augft: %s", progress.line(asked))
        return asked


def _check_failures(asked: asking.Asked, requests: int, allowed: float) -> None:
    unanswered = asked.failed.total()
    if unanswered > allowed * requests:
        reasons = ", ".join(f"{reason} {n}" for reason, n in asked.failed.most_common())
        raise TeacherError(
            f"{unanswered} of {requests} requests stayed unanswered after all retries ({reasons}); every answer is stored: run again "
            f"to ask for the rest, or raise augft.max_failed_fraction (now {allowed:g})"
        )


def _sum(a: asking.Asked, b: asking.Asked) -> asking.Asked:
    return asking.Asked(
        a.answered + b.answered, a.filtered + b.filtered, a.invalid + b.invalid, Counter(a.failed) + Counter(b.failed),
        a.spent + b.spent, a.seconds + b.seconds,
    )  # fmt: skip


def _run_record(asked: asking.Asked, requests: int, before: Spent) -> dict[str, Any]:
    """What this run asked, and what all of the recipe's answers cost, whichever run asked for them: each counts once."""
    return {
        "asked": asked.total,
        "hits": max(0, requests - asked.total),
        "seconds": round(asked.seconds, 3),
        **asdict(asked.spent.usage()),
        "all_runs": asdict((before + asked.spent).usage()),
    }
