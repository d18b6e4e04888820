"""`augft.replay` -> general rows to train on beside the sources; the teacher never sees them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from datasets import Dataset, Features, List, Value

from axolotl_augft.config.entries import DatasetEntry
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import SourceError
from axolotl_augft.formats import Format, format_of
from axolotl_augft.formats.content import Content, Exchange, Unfit
from axolotl_augft.sources.source import load_entry, read_rows, row_digest
from axolotl_augft.text.tokens import has_chat_template

QUESTIONS = Path(__file__).parent / "questions.jsonl"
_MESSAGES = Features({"messages": List({"role": Value("string"), "content": Value("string")})})
_TEXT = Features({"text": Value("string")})


@dataclass(frozen=True)
class Replay:
    """The loaded data of `augft.replay`.

    Attributes:
        entry: Its entry, with the type of the rows.
        rows: All rows.
        format: How a row is read.
        evaluated: Digests of held-out and test rows, which are never trained on.
    """

    entry: DatasetEntry
    rows: Dataset
    format: Format
    evaluated: frozenset[bytes] = frozenset()

    def drawn(self, seed: int) -> Iterator[tuple[int, Content]]:
        """Yield number and content of the rows that can be trained on, in an order drawn by `seed`."""
        for number in np.random.default_rng(seed % 2**64).permutation(len(self.rows)).tolist():
            row = self.rows[number]
            content = self.format.read(row)
            if isinstance(content, Unfit) or (self.evaluated and row_digest(row, self.format) in self.evaluated):
                continue
            yield number, content


def load_replay(recipe: Recipe, evaluated: Callable[[], Iterable[bytes]]) -> Replay | None:
    """Load the data of `augft.replay` with axolotl's own loader; None if the recipe has none.

    Args:
        recipe: The recipe.
        evaluated: Returns the digests of held-out and test rows; called only if there is data to load.

    Raises:
        SourceError: The data cannot be loaded, is empty, or no row is of the type that the recipe names.
    """
    entry, config = recipe.replay, recipe.augft.replay
    if entry is None or config is None:
        return None
    if config.is_built_in:
        return replace(_own_questions(entry, recipe), evaluated=frozenset(evaluated()))
    where = f"augft.replay {entry.path!r}"
    rows = load_entry(entry, "train", recipe, where)
    if len(rows) == 0:
        raise SourceError(f"{where}: no rows; give a file with at least one, or remove replay")
    form = format_of(entry.layout)
    form.check_columns(rows.column_names, where)
    _require_readable(rows, form, where)
    return Replay(entry, rows, form, frozenset(evaluated()))


def _require_readable(rows: Dataset, form: Format, where: str) -> None:
    reason = ""
    for row in read_rows(rows):
        content = form.read(row)
        if not isinstance(content, Unfit):
            return
        reason = content.reason
    raise SourceError(
        f"{where}: none of its {len(rows)} rows has the format of its type (the last one: {reason}); check type and "
        "columns"
    )


def _own_questions(entry: DatasetEntry, recipe: Recipe) -> Replay:
    kind = entry.type or (
        "chat_template" if recipe.names_chat_template or has_chat_template(recipe.tokenizer) else "completion"
    )
    entry = replace(entry, layout={**entry.layout, "type": kind})
    as_row, features = (_chat, _MESSAGES) if kind == "chat_template" else (_plain, _TEXT)
    return Replay(entry, Dataset.from_list([as_row(e) for e in own_questions()], features), format_of(entry.layout))


def own_questions() -> list[Exchange]:
    """Return the package's own questions with answers, about things that many people know."""
    read: Callable[[str], Mapping[str, str]] = orjson.loads
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    return [Exchange(pair["question"], pair["answer"]) for pair in map(read, lines)]


def _chat(exchange: Exchange) -> dict[str, Any]:
    turns = (("user", exchange.question), ("assistant", exchange.answer))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def _plain(exchange: Exchange) -> dict[str, Any]:
    return {"text": exchange.text}
