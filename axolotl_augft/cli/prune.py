"""Recipes -> answers deleted from their response store, to ask for them again or because no recipe needs them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from axolotl_augft.batched import batched
from axolotl_augft.cli.store import bytes_on_disk, existing_store, size_on_disk
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError, StoreError
from axolotl_augft.prepared import prepared
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.teacher.answer import Outcome
from axolotl_augft.teacher.prices import NANO
from axolotl_augft.teacher.spending import dollars

_UNNEEDED = "FROM responses WHERE key NOT IN (SELECT key FROM temp.needed)"


@dataclass(frozen=True)
class Unneeded:
    """The answers in a store that no recipe needs.

    Attributes:
        answers: Number of these answers.
        of: Number of all answers in the store.
        nanodollars: What these answers cost, None unless the cost of each is known.
        bytes: Size of their text and of their requests' targets.
    """

    answers: int
    of: int
    nanodollars: int | None
    bytes: int


def prune(recipes: Sequence[Recipe], drop: bool) -> Iterator[str]:
    """Report the answers in a shared store that none of the recipes needs, and optionally drop them.

    All unneeded answers are found before any is dropped, and are dropped in one transaction. Answers to requests of
    `bench questions` belong to no recipe, so they are dropped too.

    Args:
        recipes: All recipes that share the store.
        drop: Drop the answers instead of only reporting them.

    Yields:
        Lines for the user.

    Raises:
        ConfigError: The recipes do not share one store.
        StoreError: There is no store, or it cannot be read or written.
        WaitingFailed: A run that uses the store and a recipe's teacher did not end in time; nothing is dropped.
        AugftError: The requests of a recipe cannot be laid out; nothing is dropped.
    """
    paths = {str(r.store_path.resolve()) for r in recipes}
    if len(paths) > 1:
        raise ConfigError(
            f"these recipes have {len(paths)} different stores ({', '.join(sorted(paths))}); prune one store at a time"
        )
    path = existing_store(recipes[0])
    locks: dict[str, AskingLock] = {}
    with _errors(path), closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as db, ExitStack() as stack:
        db.execute("CREATE TEMP TABLE needed (key BLOB PRIMARY KEY) WITHOUT ROWID")
        for recipe in recipes:
            with prepared(recipe) as ready:
                for model_id in ready.model_ids - locks.keys():
                    # A run at the same time could store verdicts that are not among the needed ones found here.
                    locks[model_id] = stack.enter_context(AskingLock(path, model_id, recipe.augft.wait_timeout))
                    locks[model_id].wait()
                for batch in batched(ready.all_requests()):
                    db.execute("BEGIN")
                    db.executemany("INSERT OR IGNORE INTO temp.needed VALUES (?)", [(r.key,) for r in batch])
                    db.execute("COMMIT")
        unneeded = _unneeded(db)
        yield _report_line(unneeded, drop)
        if drop and unneeded.answers:
            before = bytes_on_disk(path)
            _drop(db)
            yield f"store {path}: {size_on_disk(before)} before, {size_on_disk(bytes_on_disk(path))} now"


def forget(recipe: Recipe, outcomes: Sequence[Outcome], empty: bool = False) -> int:
    """Delete some of a recipe's stored responses; return how many there were.

    Args:
        recipe: The recipe.
        outcomes: The outcomes to delete.
        empty: Whether to delete answers without text, too.

    Raises:
        AugftError: The requests of the recipe cannot be laid out, or the store cannot be written.
    """
    with prepared(recipe) as ready, AskingLock(ready.store.path, ready.teacher.id, recipe.augft.wait_timeout) as lock:
        lock.wait()
        keys = (request.key for request in ready.all_requests())
        return sum(ready.store.forget(batch, outcomes, empty) for batch in batched(keys))


def _unneeded(db: sqlite3.Connection) -> Unneeded:
    ((of,),) = db.execute("SELECT count(*) FROM responses")
    sums = (
        "count(*), sum(nanodollars), sum(nanodollars IS NULL), sum(length(CAST(text AS BLOB)) + length(CAST(target AS "
        "BLOB)))"
    )
    ((answers, nanodollars, unknown, size),) = db.execute(f"SELECT {sums} {_UNNEEDED}")
    return Unneeded(answers, of, None if unknown else nanodollars or 0, size or 0)


def _report_line(unneeded: Unneeded, drop: bool) -> str:
    if not unneeded.answers:
        return f"all {unneeded.of:,} answers are needed"
    cost = "cost not known" if unneeded.nanodollars is None else f"they cost {dollars(unneeded.nanodollars / NANO)}"
    what = f"{unneeded.answers:,} of {unneeded.of:,} answers ({size_on_disk(unneeded.bytes)} of text, {cost})"
    return f"dropped: {what}" if drop else f"not needed: {what}; --yes drops them"


def _drop(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute(f"DELETE {_UNNEEDED}")
    db.execute(
        "DELETE FROM prefixes WHERE digest NOT IN (SELECT prefix FROM responses) AND digest NOT IN (SELECT prefix "
        "FROM batched)"
    )
    db.execute("COMMIT")
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(
            f"response store {path}: cannot be pruned ({error}); make sure that no run is writing to it and that the "
            "disk has room"
        ) from error
