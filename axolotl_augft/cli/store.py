"""The response store seen from outside: how large it is and of what use; what a recipe asks again, and what a set of recipes needs not."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from axolotl_augft.batched import batched
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError, StoreError
from axolotl_augft.judging.pipeline import judged_inferences
from axolotl_augft.judging.verify import Verifier
from axolotl_augft.stage import Prepared, prepared
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.store.round_log import logged_rounds
from axolotl_augft.teacher.answer import Outcome
from axolotl_augft.teacher.prices import NANO
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.spending import dollars

_UNNEEDED = "FROM responses WHERE key NOT IN (SELECT key FROM temp.needed)"


@dataclass(frozen=True)
class Unneeded:
    """Answers that no recipe needs: how many, of how many, what they cost (None: not known of all), and their bytes of text."""

    answers: int
    of: int
    nanodollars: int | None
    bytes: int


def store_lines(recipe: Recipe) -> list[str]:
    """Size, contents and use of a recipe's store, a line each.

    Raises:
        StoreError: There is none, or it cannot be read.
    """
    path = _existing(recipe)
    with ResponseStore.opened(path) as store:
        outcomes = dict(store.rows("SELECT outcome, count(*) FROM responses GROUP BY outcome ORDER BY 2 DESC"))
        ((batches,),) = store.rows("SELECT count(*) FROM batches")
        ((prefixes,),) = store.rows("SELECT count(*) FROM prefixes")
        ((spent,),) = store.rows("SELECT sum(nanodollars) FROM responses")
        runs = logged_rounds(store)
    lines = [
        f"store {path}: {_size(_bytes_on_disk(path))}",
        f"answers {sum(outcomes.values()):,}"
        + (f" ({', '.join(f'{o} {n:,}' for o, n in outcomes.items())})" if outcomes else ""),
        f"shared prefixes {prefixes:,}",
    ]
    requests, asked = sum(r.requests for r in runs), sum(r.asked for r in runs)
    if requests:
        hits = requests - min(asked, requests)
        rounds = f"{len(runs):,} round{'s' if len(runs) > 1 else ''}"
        lines.append(
            f"hit rate {hits / requests:.1%}: {hits:,} of the {requests:,} requests of {rounds} were answered from here"
        )
    if spent:
        lines.append(f"the answers cost {dollars(spent / NANO)}, as far as prices were known")
    return lines + ([f"batches without a result {batches:,}"] if batches else [])


def prune(recipes: Sequence[Recipe], drop: bool) -> Iterator[str]:
    """Says what of their common store these recipes do not need, and drops it if told to.

    Everything that can be lost is found before anything is dropped, and dropped in one transaction. Answers to the
    questions of `bench questions` belong to no recipe.

    Raises:
        ConfigError: The recipes do not share one store.
        AugftError: A recipe cannot be laid out; nothing is dropped.
    """
    paths = {str(r.store_path.resolve()) for r in recipes}
    if len(paths) > 1:
        raise ConfigError(
            f"these recipes have {len(paths)} different stores ({', '.join(sorted(paths))}); prune one store at a time"
        )
    path = _existing(recipes[0])
    alone: dict[str, AskingLock] = {}
    with _errors(path), closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as db, ExitStack() as stack:
        db.execute("CREATE TEMP TABLE needed (key BLOB PRIMARY KEY) WITHOUT ROWID")
        for recipe in recipes:
            with prepared(recipe) as ready:
                if ready.teacher.id not in alone:
                    # A run beside this would store verdicts that nobody here knows to be needed.
                    own = AskingLock(path, ready.teacher.id, recipe.augft.wait_timeout)
                    alone[ready.teacher.id] = stack.enter_context(own)
                    own.wait()
                for some in batched(_needed(ready)):
                    db.execute("BEGIN")
                    db.executemany("INSERT OR IGNORE INTO temp.needed VALUES (?)", [(r.key,) for r in some])
                    db.execute("COMMIT")
        unneeded = _unneeded(db)
        yield _said(unneeded, drop)
        if drop and unneeded.answers:
            before = _bytes_on_disk(path)
            _drop(db)
            yield f"store {path}: {_size(before)} before, {_size(_bytes_on_disk(path))} now"


def forget(recipe: Recipe, outcomes: Sequence[Outcome], empty: bool = False) -> int:
    """Forgets those of a recipe's stored responses that have these outcomes, or are empty; says how many there were.

    Raises:
        AugftError: The recipe cannot be laid out, or the store not written.
    """
    with prepared(recipe) as ready, AskingLock(ready.store.path, ready.teacher.id, recipe.augft.wait_timeout) as alone:
        alone.wait()
        return sum(
            ready.store.forget(some, outcomes, empty) for some in batched(request.key for request in _needed(ready))
        )


def _needed(ready: Prepared) -> Iterator[Request]:
    yield from ready.requests()
    if ready.recipe.augft.verify == "teacher":
        yield from Verifier(ready.teacher).requests(judged_inferences(ready.tasks, ready.store, ready.recipe.augft))


def _unneeded(db: sqlite3.Connection) -> Unneeded:
    ((of,),) = db.execute("SELECT count(*) FROM responses")
    sums = (
        "count(*), sum(nanodollars), sum(nanodollars IS NULL), sum(length(CAST(text AS BLOB)) + length(CAST(target AS "
        "BLOB)))"
    )
    ((answers, nanodollars, unknown, size),) = db.execute(f"SELECT {sums} {_UNNEEDED}")
    return Unneeded(answers, of, None if unknown else nanodollars or 0, size or 0)


def _said(unneeded: Unneeded, drop: bool) -> str:
    if not unneeded.answers:
        return f"all {unneeded.of:,} answers are needed"
    cost = "cost not known" if unneeded.nanodollars is None else f"they cost {dollars(unneeded.nanodollars / NANO)}"
    what = f"{unneeded.answers:,} of {unneeded.of:,} answers ({_size(unneeded.bytes)} of text, {cost})"
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
            f"response store {path}: cannot be pruned ({error}); see that no run writes to it and that the disk has "
            f"room"
        ) from error


def _existing(recipe: Recipe) -> Path:
    path = recipe.store_path
    if not path.is_file():
        raise StoreError(f"there is no response store at {path} yet; `axolotl augft run` makes one")
    return path


def _bytes_on_disk(path: Path) -> int:
    return sum(f.stat().st_size for f in (path, path.with_name(path.name + "-wal")) if f.exists())


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
