"""Stored answers of a run that has not finished -> a result to look at, made without asking anyone.

It lies in a temporary folder, so that nothing takes it for a finished one.
"""

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
from axolotl_augft.output.result import write_result
from axolotl_augft.output.reuse import remote_digest
from axolotl_augft.stage import Prepared, prepared
from axolotl_augft.store.run_record import RunRecord


@contextmanager
def result_so_far(recipe: Recipe) -> Iterator[Reviewable]:
    """Make a result of the stored answers, for as long as it is looked at.

    If the store answers none of the recipe's requests, the recipe comes back as it is.

    Raises:
        AugftError: A source, the store, a prompt, a setting or the output folder cannot be used.
    """
    with _folder_in(recipe.output_dir) as folder:
        yield _so_far(recipe, Path(folder))


def _folder_in(parent: Path) -> TemporaryDirectory[str]:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(prefix=".unfinished-", dir=parent)
    except OSError as error:
        raise write_error(parent, error) from error


def _so_far(recipe: Recipe, folder: Path) -> Reviewable:
    with prepared(recipe) as ready:
        asked = count_requests(ready.requests(), ready.store)
        if asked.missing == asked.total:
            return Reviewable(recipe)
        # Documents that are converted already are not converted again.
        (folder / "documents").symlink_to((recipe.output_dir / "documents").absolute())
        own = {"output_dir": str(folder), "store": str(recipe.store_path)}
        found = replace(recipe, augft=recipe.augft.model_copy(update=own))
        verdicts = ready.verdicts_so_far()
        verdicts = replace(verdicts, judged=ready.marks().apply(verdicts.judged))
        counts = ready.counts(asked.total, 0)
        manifest = write_result(found, ready.sources, verdicts, ready.student, ready.teacher.id, counts, True)
        run = RunRecord(answered_before=asked.total - asked.missing, all_runs=asked.spent.usage())
        save_record(found, ResultRecord(manifest.fingerprint, tuple(ready.stamps), remote_digest(recipe), run))
        return Reviewable(found, _state(ready, asked, manifest))


def _state(ready: Prepared, asked: StoredCounts, manifest: Manifest) -> str:
    """Say how far the run has come."""
    answered = asked.total - asked.missing
    state = f"This run has not finished: {answered:,} of {asked.total:,} requests for statements are answered"
    if ready.verifier is not None and manifest.verification is None:
        return f"{state}; the verification has not rejected anything yet. `axolotl augft run` goes on."
    if not asked.missing and not manifest.counts.accepted:
        return f"{state}, and no statement was accepted."
    return f"{state}. `axolotl augft run` goes on."
