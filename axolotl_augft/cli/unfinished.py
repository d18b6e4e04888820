"""Stored answers of a run that has not finished, or whose marks or settings changed -> a result to look at.

It is made without asking anyone, and lies in a temporary folder, so that nothing takes it for a finished one.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from axolotl_augft.asking.feed import StoredCounts, count_requests
from axolotl_augft.cli.report import Reviewable
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.files.durable import write_error
from axolotl_augft.output.manifest import Manifest, ResultRecord, save_record
from axolotl_augft.output.result import ResultInput, write_result
from axolotl_augft.output.reuse import remote_digest
from axolotl_augft.prepared import Prepared, prepared
from axolotl_augft.store.run_record import RunRecord
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.serving.child import terminate_as_exit
from axolotl_augft.verifying.coverage import count_sentences

_PREFIX = ".unfinished-"
_IN_USE_S = 24 * 60 * 60


@contextmanager
def result_so_far(recipe: Recipe) -> Iterator[Reviewable | None]:
    """Make a result of the stored answers, for as long as it is looked at; None if the store answers no request.

    Raises:
        AugftError: A source, the store, a prompt, a setting or the output folder cannot be used.
    """
    with terminate_as_exit(), _folder_in(recipe.output_dir) as folder:
        yield _so_far(recipe, Path(folder))


def _folder_in(parent: Path) -> TemporaryDirectory[str]:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(parent)
        return TemporaryDirectory(prefix=_PREFIX, dir=parent)
    except OSError as error:
        raise write_error(parent, error) from error


def _remove_left_behind(parent: Path) -> None:
    """Remove the folders of processes that were killed; younger ones may be in use."""
    for folder in parent.glob(f"{_PREFIX}*"):
        if time.time() - folder.lstat().st_mtime > _IN_USE_S:
            shutil.rmtree(folder, ignore_errors=True)


def _so_far(recipe: Recipe, folder: Path) -> Reviewable | None:
    with prepared(recipe) as ready:
        asked = count_requests(ready.requests(), ready.store)
        if asked.missing == asked.total:
            return None
        verifying = count_requests(_verification_requests(ready), ready.store, [asked.keys])
        # Documents that are converted already are not converted again.
        (folder / "documents").symlink_to((recipe.output_dir / "documents").absolute())
        # Shares cannot be reached before all is written.
        own = {"output_dir": str(folder), "store": str(recipe.store_path), "mix": None, "replay": None}
        found = replace(recipe, augft=recipe.augft.model_copy(update=own))
        verdicts = ready.verdicts_so_far()
        sentences = count_sentences(ready.tasks.in_document_order())
        verdicts = replace(verdicts, judged=ready.marks().apply(verdicts.judged), sentences=sentences)
        counts = ready.counts(asked.total + verifying.total, 0)
        given = ResultInput(ready.sources, verdicts, ready.student, ready.teacher.id, counts)
        manifest = write_result(found, given, may_be_empty=True)
        run = RunRecord(
            answered_before=_known(asked) + _known(verifying), all_runs=(asked.spent + verifying.spent).usage()
        )
        save_record(found, ResultRecord(manifest.fingerprint, tuple(ready.stamps), remote_digest(recipe), run))
        so_far = f"{_known(verifying):,} of {verifying.total:,} asked" if verifying.missing else ""
        return Reviewable(found, _state(asked, so_far, manifest), so_far)


def _verification_requests(ready: Prepared) -> Iterator[Request]:
    """Yield the requests of the verification that follow from the stored answers.

    What is asked once more depends on what the first answers are found to be worth, so it is not known before.
    """
    verification = ready.verification()
    if verification is None:
        return
    rounds = verification.rounds() if ready.has_verified(verification) else verification.rounds_of_first()
    for round_ in rounds:
        yield from round_.requests()


def _known(counts: StoredCounts) -> int:
    return counts.total - counts.missing


def _state(asked: StoredCounts, verifying: str, manifest: Manifest) -> str:
    """Say how far the run, and its verification, have come."""
    if not asked.missing and not verifying and manifest.counts.accepted:
        return (
            "Every answer is stored, but the result is not written, as after a change of marks, settings or version: "
            "this is how it will be. `axolotl augft run` writes it."
        )
    state = f"This run has not finished: {_known(asked):,} of {asked.total:,} requests for statements are answered"
    if verifying:
        state += f"; verification: {verifying}"
        state += ", and it rejects nothing yet" if manifest.verification is None else ""
    elif not asked.missing:
        return f"{state}, and no statement was accepted."
    return f"{state}. `axolotl augft run` goes on."
