"""The whole stage: recipe -> finished result on disk, made now or found."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from axolotl_augft import writing
from axolotl_augft.augmenting import Plan, judged_inferences
from axolotl_augft.budget import recipe_budget
from axolotl_augft.config import LocalAugment
from axolotl_augft.coordination import run_once
from axolotl_augft.documents import Document, read_documents
from axolotl_augft.fingerprints import FileStamp
from axolotl_augft.global_strategy import GlobalStrategy
from axolotl_augft.judging import Judged
from axolotl_augft.local_strategy import LocalStrategy
from axolotl_augft.manifest import Manifest, Note, save_note
from axolotl_augft.prices import find_price
from axolotl_augft.recipe import Recipe
from axolotl_augft.requests import Request
from axolotl_augft.reuse import find_result, input_stamps, model_stamps, remote_digest
from axolotl_augft.rounds import Rounds
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
        verifier = Verifier(ready.teacher) if recipe.augft.verify == "teacher" else None
        with TeacherSession(ready.teacher, recipe.output_dir / "logs" / "teacher.log") as session:
            rounds = Rounds(ready.teacher, ready.store, session, budget, recipe.augft.max_failed_fraction)
            _ask(ready, verifier, rounds, budget.is_limited)
        judged = verifier.apply(_judged(ready), ready.store) if verifier else _judged(ready)
        skipped = sum(len(s.textless) for s in ready.sources)
        counts = writing.Asked(ready.documents, rounds.requests, rounds.asked.failed.total(), skipped)
        manifest = writing.write_result(recipe, ready.sources, judged, load_student(recipe), ready.teacher.id, counts)
    run = rounds.record()
    save_note(recipe, Note(manifest.fingerprint, tuple(ready.stamps), remote_digest(recipe), run))
    LOG.info("augft: done\n%s", indented(summary_lines(manifest, recipe, run)))
    return manifest


def _ask(ready: Prepared, verifier: Verifier | None, rounds: Rounds, limited: bool) -> None:
    if verifier is None:
        rounds.ask(ready.requests, "augmentation")
        return
    # Verdicts that are stored count against a limit before anything is asked.
    known = rounds.count(lambda: verifier.requests(_judged(ready))) if limited else Spent()
    rounds.ask(ready.requests, "augmentation")
    rounds.ask(lambda: verifier.requests(_judged(ready)), "verification", known)


def _warn_about(recipe: Recipe) -> None:
    if recipe.deduplicates and (recipe.augft.repeat_original > 1 or recipe.augft.repeat_augmented > 1):
        LOG.warning("augft: dataset_exact_deduplication deletes repeated rows, so repeat_original and repeat_augmented have no effect")


def _judged(ready: Prepared) -> Iterator[Judged]:
    return judged_inferences(ready.plan, ready.store, ready.recipe.augft)
