"""Written files and `augft.mix` -> how often each row is trained on, so that each kind has its share of trained tokens.

A share that takes a fraction of a repeat (each row 2.3 times) is reached with whole repeats of the file and one more
file, its part, with the fraction of its rows. The part is drawn by the recipe's seed.
"""

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from axolotl_augft.config.mix import MAX_REPEATS, MixConfig
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from axolotl_augft.output.manifest import Load, Manifest, WrittenEntry, WrittenFile

if TYPE_CHECKING:
    from axolotl_augft.output.row_file import RowSizes

PART = "-part.parquet"


@dataclass(frozen=True)
class Repeats:
    """How often each row is trained on per epoch, at least once."""

    source: float
    augmented: float


def repeats(source: int, augmented: int, mix: MixConfig) -> Repeats:
    """Return the least repeats that give source rows and augmentations their shares.

    Args:
        source: Trained tokens of the source rows that are augmented.
        augmented: Trained tokens of the augmentations.
        mix: The shares.

    Raises:
        ConfigError: There are no rows of one kind, or more than 50 repeats would be needed.
    """
    for name, tokens in (("source rows", source), ("augmentations", augmented)):
        if not tokens:
            raise ConfigError(f"augft.mix: there are no {name} to give a share to; remove mix")
    all_tokens = max(source / mix.source, augmented / mix.augmented)
    found = Repeats(all_tokens * mix.source / source, all_tokens * mix.augmented / augmented)
    for name, share, times in (("source", mix.source, found.source), ("augmented", mix.augmented, found.augmented)):
        if times > MAX_REPEATS:
            raise ConfigError(
                f"augft.mix: a share of {share:g} for {name} would take each of its rows {times:.0f} times, at most "
                f"{MAX_REPEATS} are sensible ({source:,} trained tokens of source rows, {augmented:,} of "
                "augmentations); lower that share"
            )
    return found


def mixed_entries(
    recipe: Recipe, entries: Sequence[WrittenEntry], folder: Path, sizes: "Mapping[str, RowSizes]"
) -> tuple[WrittenEntry, ...]:
    """Set how often the files of augmented entries are trained on, and write their parts.

    Args:
        recipe: The recipe.
        entries: What was written of each entry.
        folder: The folder of their files.
        sizes: Sizes of the rows of each file.

    Raises:
        ConfigError: The shares cannot be reached.
    """
    mix = recipe.augft.mix
    if mix is None:
        return tuple(entries)
    chosen = [entry for i, entry in enumerate(entries) if recipe.is_augmented(i)]
    found = repeats(_trained(e.original_file for e in chosen), _trained(f for e in chosen for f in _made(e)), mix)

    def mixed(file: WrittenFile | None, times: float) -> WrittenFile | None:
        return repeated(file, times, folder, sizes[file.name], recipe.seed) if file else None

    return tuple(
        replace(
            entry,
            original_file=mixed(entry.original_file, found.source),
            augmented=mixed(entry.augmented, found.augmented),
            questions=mixed(entry.questions, found.augmented),
        )
        if recipe.is_augmented(i)
        else entry
        for i, entry in enumerate(entries)
    )


def _made(entry: WrittenEntry) -> tuple[WrittenFile | None, WrittenFile | None]:
    return entry.augmented, entry.questions


def _trained(files: Iterable[WrittenFile | None]) -> int:
    return sum(file.trained for file in files if file)


def repeated(file: WrittenFile, times: float, folder: Path, sizes: "RowSizes", seed: int) -> WrittenFile:
    """Describe a file that is trained on `times` times, and write its part if that is not a whole number.

    Args:
        file: The file.
        times: How often each row is trained on, at least once.
        folder: Its folder.
        sizes: Sizes of its rows.
        seed: Seed of the choice of the part's rows.
    """
    whole = int(times)
    ranked = sorted(range(file.rows), key=lambda row: _drawn(seed, file.name, row))
    rows = nearest(((row, sizes.trained[row]) for row in ranked), round(file.trained * (times - whole)))
    if len(rows) == file.rows:
        return replace(file, repeats=whole + 1)
    if not rows:
        return replace(file, repeats=whole)
    part = folder / f"{Path(file.name).stem}{PART}"
    _copy_rows(folder / file.name, part, sorted(rows))
    size = sum(sizes.tokens[row] for row in rows)
    return replace(file, repeats=whole, part=WrittenFile(part.name, len(rows), size, sum(rows.values())))


def nearest(rows: Iterable[tuple[int, int]], wanted: int) -> dict[int, int]:
    """Take rows, given with their tokens, until these come nearest to `wanted`; return them with their tokens."""
    taken, total = dict[int, int](), 0
    for row, size in rows:
        if total + size - wanted > wanted - total:
            break
        taken[row] = size
        total += size
    return taken


def _drawn(seed: int, name: str, row: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}\0{row}".encode()).digest()


def _copy_rows(source: Path, target: Path, rows: Sequence[int]) -> None:
    """Copy some rows of a Parquet file, given in ascending order."""
    # Here, because the summary of a mixture is shown without them.
    import pyarrow as pa
    import pyarrow.parquet as pq

    left = array("q", rows)
    start = taken = 0
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            here = []
            while taken < len(left) and left[taken] < start + batch.num_rows:
                here.append(left[taken] - start)
                taken += 1
            if here:
                writer.write_batch(batch.take(pa.array(here)))
            start += batch.num_rows


@dataclass(frozen=True)
class Group:
    """Rows of one kind.

    Attributes:
        name: "source", "not augmented", "augmented" or "replay".
        once: The rows, each once.
        load: The rows of one epoch, with repeats.
    """

    name: str
    once: Load
    load: Load


def training_groups(manifest: Manifest, recipe: Recipe) -> list[Group]:
    """Return what is trained on, by kind; kinds without rows have empty loads."""
    found = {name: (Load(), Load()) for name in ("source", "not augmented", "augmented", "replay")}

    def add(name: str, once: Load, load: Load) -> None:
        found[name] = (found[name][0] + once, found[name][1] + load)

    for i, entry in enumerate(manifest.entries):
        if entry.original != "dropped":
            once, load = _original(entry)
            augmented = recipe.is_augmented(i)
            times = recipe.augft.repeat_original if augmented else 1
            add("source" if augmented else "not augmented", once, load.times(times))
        for file in filter(None, _made(entry)):
            add("augmented", file.once, file.load.times(recipe.augft.repeat_augmented))
    if manifest.replay:
        add("replay", manifest.replay.file.once, manifest.replay.file.load)
    return [Group(name, *loads) for name, loads in found.items()]


def _original(entry: WrittenEntry) -> tuple[Load, Load]:
    if entry.original_file:
        return entry.original_file.once, entry.original_file.load
    kept = Load(entry.original_rows, entry.original_tokens, entry.original_trained)
    return kept, kept


def mixture_lines(manifest: Manifest, recipe: Recipe) -> list[str]:
    """Format what the shares came to; no line without `augft.mix` and `augft.replay`."""
    if recipe.augft.mix is None and recipe.augft.replay is None:
        return []
    return group_lines(training_groups(manifest, recipe))


@dataclass(frozen=True)
class Share:
    """What one kind of rows came to.

    Attributes:
        name: The kind.
        trained: Its trained tokens of one epoch.
        share: Its share of all.
        times: How often each of its rows is trained on, on average.
    """

    name: str
    trained: int
    share: float
    times: float


def shares_of(groups: Iterable[Group]) -> list[Share]:
    """Return the shares of the kinds that have rows."""
    there = [group for group in groups if group.load.trained]
    total = sum(group.load.trained for group in there)
    return [Share(g.name, g.load.trained, g.load.trained / total, g.load.trained / g.once.trained) for g in there]


def group_lines(groups: Iterable[Group]) -> list[str]:
    """Format the share of each kind in the trained tokens of one epoch, and how often its rows are trained on."""
    return ["mixture (trained tokens of one epoch):"] + [
        f"  {share.name:<14}{share.trained:>12,} tokens {share.share:>6.1%}, each row {share.times:.2f} times"
        for share in shares_of(groups)
    ]
