"""`augft.replay` and what else is trained on -> the general rows that make up their share, in a file of the result."""

from dataclasses import dataclass
from pathlib import Path

from axolotl_augft.config.mix import MAX_REPEATS
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError, SourceError
from axolotl_augft.output.manifest import Load, Manifest, WrittenReplay
from axolotl_augft.output.mixture import repeated, training_groups
from axolotl_augft.output.row_file import RowFile, features, source_provenance
from axolotl_augft.output.student import Student
from axolotl_augft.sources.replay import Replay
from axolotl_augft.sources.source import Source, text_of

FILE = "replay.parquet"


@dataclass(frozen=True)
class Draw:
    """The rows of `augft.replay` that are trained on.

    Attributes:
        rows: Their numbers, ascending.
        load: How much they are, each once.
        times: How often each is trained on per epoch, at least once.
    """

    rows: tuple[int, ...]
    load: Load
    times: float


def draw(replay: Replay, share: float, others: int, student: Student, recipe: Recipe) -> Draw:
    """Draw the rows of the general data that make up its share.

    Args:
        replay: The general data.
        share: Its share of all trained tokens.
        others: Trained tokens of everything else, of one epoch.
        student: The student model, for counting tokens.
        recipe: The recipe.

    Raises:
        SourceError: No row fits into a sequence.
        ConfigError: More than 50 repeats would be needed.
    """
    wanted = round(others * share / (1 - share))
    rows, load = list[int](), Load()
    for number, content in replay.drawn(recipe.seed):
        tokens = student.tokens.count(text_of(content))
        if tokens > recipe.training.sequence_len:
            continue
        trained = student.tokens_with_ends(student.trained_texts(content))
        if rows and load.trained + trained - wanted > wanted - load.trained:
            return Draw(tuple(sorted(rows)), load, 1)
        rows.append(number)
        load += Load(1, tokens, trained)
    if not rows:
        raise SourceError(
            f"augft.replay {replay.entry.path!r}: no row can be trained on: all are above sequence_len "
            f"({recipe.training.sequence_len:,}) or equal to held-out or test rows; give other rows"
        )
    times = max(1, wanted / load.trained)
    if times > MAX_REPEATS:
        raise ConfigError(
            f"augft.replay: a share of {share:g} would take each of its rows {times:.0f} times, at most {MAX_REPEATS} "
            f"are sensible ({load.trained:,} trained tokens of replay rows, {others:,} of others); give more rows, or "
            "lower the share"
        )
    return Draw(tuple(sorted(rows)), load, times)


def write_replay(replay: Replay, manifest: Manifest, recipe: Recipe, student: Student, folder: Path) -> WrittenReplay:
    """Write the general rows that are trained on.

    Args:
        replay: The general data.
        manifest: The result without them.
        recipe: The recipe.
        student: The student model, for counting tokens.
        folder: The folder to write to.

    Raises:
        SourceError: No row can be trained on.
        ConfigError: More than 50 repeats would be needed.
    """
    config = recipe.augft.replay
    assert config is not None, "replay data is loaded for a recipe with augft.replay"
    others = sum(group.load.trained for group in training_groups(manifest, recipe))
    drawn = draw(replay, config.share, others, student, recipe)
    source = Source(len(recipe.datasets), config.path, replay.rows, None, replay.format)
    with RowFile(folder / FILE, features(source), student) as file:
        for number in drawn.rows:
            row, text = source.reader[number], source.text(number)
            trained = student.trained_texts(replay.format.read(row))
            file.add({**row, **source_provenance(source, number, "replay", text)}, text, trained)
    assert file.written is not None, "at least one row is drawn"
    written = repeated(file.written, drawn.times, folder, file.sizes, recipe.seed)
    return WrittenReplay(config.path, dict(replay.entry.layout), written)
