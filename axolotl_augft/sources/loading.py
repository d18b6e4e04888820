"""Data set entries -> loaded sources, divided into training rows, held-out rows and rows left out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datasets import Dataset

from axolotl_augft.config.entries import DatasetEntry, converted_file
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.conversion.rows import Conversion, convert_path
from axolotl_augft.errors import SourceError
from axolotl_augft.formats import Format
from axolotl_augft.formats.content import Content, Unfit
from axolotl_augft.sources.hold_out import hold_out
from axolotl_augft.sources.share import take_share
from axolotl_augft.sources.source import RowProblem, Source, content_format, load_entry, read_rows, row_digest
from axolotl_augft.workers.processes import number_of_processes


def load_sources(recipe: Recipe) -> list[Source]:
    """Load every entry of `datasets`, converting documents; apply its `weight`; then mark the held-out rows.

    Raises:
        SourceError: An entry cannot be loaded or converted, is empty, lacks a column or has no row that can be
            augmented, or `val_set_size` leaves no row to train on.
        ConfigError: The libraries that read documents are not installed.
        OutputError: The rows of converted documents cannot be written.
    """
    loaded = []
    for i, entry in enumerate(recipe.datasets):
        conversion = _convert(entry, recipe) if entry.is_documents else None
        rows = load_entry(entry, "train", recipe)
        where = f"datasets entry {entry.path!r}"
        if len(rows) == 0:
            raise SourceError(f"{where}: no rows; give a file with at least one, or remove the entry")
        content = content_format(entry)
        form = content if recipe.is_augmented(i) else None
        if content:
            content.check_columns(rows.column_names, where)
        problems = _problems(rows, form) if form else ()
        if sum(len(p.rows) for p in problems) == len(rows):
            reasons = "; ".join(map(str, problems))
            raise SourceError(
                f"{where}: none of its {len(rows)} rows can be augmented ({reasons}); check its type and columns"
            )
        source = Source(i, entry.path, rows, form, content, problems=problems, conversion=conversion)
        loaded.append(take_share(source, entry.weight, recipe.seed))
    return hold_out(loaded, recipe.val_set_size, recipe.seed, set(evaluation_digests((), recipe)))


def _problems(rows: Dataset, form: Format) -> tuple[RowProblem, ...]:
    """Collect the rows that cannot be augmented, by reason."""
    found: dict[Unfit, list[int]] = {}
    for i, row in enumerate(read_rows(rows)):
        content = form.read(row)
        if isinstance(content, Unfit):
            found.setdefault(content, []).append(i)
    return tuple(RowProblem(unfit.reason, unfit.trainable, tuple(numbers)) for unfit, numbers in found.items())


def _convert(entry: DatasetEntry, recipe: Recipe) -> Conversion:
    documents = recipe.augft.documents
    assert documents is not None, "an entry of documents comes from augft.documents"
    target = converted_file(recipe.output_dir, entry.path)
    return convert_path(
        entry.path, target, documents.on_error, recipe.augft.language, number_of_processes(recipe.augft.workers)
    )


def _test_rows(recipe: Recipe) -> Iterator[tuple[Mapping[str, Any], Format | None]]:
    """Yield the rows of `test_datasets`, each with its format, None for an unsupported one."""
    for entry in recipe.test_datasets:
        form = content_format(entry)
        rows = load_entry(entry, "test", recipe)
        if form:
            form.check_columns(rows.column_names, f"test_datasets entry {entry.path!r}")
        yield from ((row, form) for row in read_rows(rows))


def evaluation_contents(sources: Iterable[Source], recipe: Recipe) -> Iterator[Content]:
    """Yield the contents of held-out rows and of rows of `test_datasets`, skipping unsupported formats."""
    for source in sources:
        if source.content:
            yield from (source.content.read(source.rows[i]) for i in source.held_out)
    yield from (form.read(row) for row, form in _test_rows(recipe) if form)


def evaluation_digests(sources: Iterable[Source], recipe: Recipe) -> Iterator[bytes]:
    """Yield the digests of held-out rows and of rows of `test_datasets`."""
    for source in sources:
        yield from (row_digest(source.rows[i], source.content) for i in source.held_out)
    yield from (row_digest(row, form) for row, form in _test_rows(recipe))
