"""Response store -> lines about its size, contents and hit rate."""

from pathlib import Path

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import StoreError
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.store.round_log import logged_rounds
from axolotl_augft.teacher.prices import NANO
from axolotl_augft.teacher.spending import dollars


def store_lines(recipe: Recipe) -> list[str]:
    """Format the size, contents and hit rate of a recipe's store, one line each.

    Raises:
        StoreError: There is no store, or it cannot be read.
    """
    path = existing_store(recipe)
    with ResponseStore.opened(path) as store:
        outcomes = dict(store.rows("SELECT outcome, count(*) FROM responses GROUP BY outcome ORDER BY 2 DESC"))
        ((batches,),) = store.rows("SELECT count(*) FROM batches")
        ((prefixes,),) = store.rows("SELECT count(*) FROM prefixes")
        ((spent,),) = store.rows("SELECT sum(nanodollars) FROM responses")
        runs = logged_rounds(store)
    lines = [
        f"store {path}: {size_on_disk(bytes_on_disk(path))}",
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


def existing_store(recipe: Recipe) -> Path:
    """Return the path of a recipe's store.

    Raises:
        StoreError: The file does not exist.
    """
    path = recipe.store_path
    if not path.is_file():
        raise StoreError(f"there is no response store at {path} yet; `axolotl augft run` makes one")
    return path


def bytes_on_disk(path: Path) -> int:
    """Return the size of a store in bytes, including its write-ahead log."""
    return sum(f.stat().st_size for f in (path, path.with_name(path.name + "-wal")) if f.exists())


def size_on_disk(count: int) -> str:
    """Format a number of bytes in GB, MB or kB (powers of ten)."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
