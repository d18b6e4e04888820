"""Command line -> data sets, and what is known of them: `bench make`, `check`, `reach` and `audit`."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from axolotl_augft.cli.recipe_files import ConfigPath, one_line_errors, say

if TYPE_CHECKING:
    from axolotl_augft.bench.datasets.dataset import Scale
    from axolotl_augft.bench.datasets.squad.teacher import TwoPassagesOptions

_TWO_PASSAGES = (
    click.option("--two-passages", is_flag=True, help="Add questions to SQuAD's that need two passages."),
    click.option("--teacher-url", help="Server (OpenAI-compatible) of a model that proposes and tries further ones."),
    click.option("--teacher-model", help="The name by which that server knows the model."),
    click.option("--teacher-key-env", help="Environment variable that holds that server's API key."),
    click.option(
        "--proposals",
        default=1,
        show_default=True,
        type=click.IntRange(min=1),
        help="Proposals for each pair of passages of an article.",
    ),
)


def _two_passages_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options about questions that need two passages, which it gets as one argument."""

    @wraps(command)
    def gathered(
        two_passages: bool,
        teacher_url: str | None,
        teacher_model: str | None,
        teacher_key_env: str | None,
        proposals: int,
        **others: Any,
    ) -> None:
        from axolotl_augft.bench.datasets.squad.teacher import TwoPassagesOptions

        options = TwoPassagesOptions(two_passages, teacher_url, teacher_model, teacher_key_env, proposals)
        command(two_passages=options, **others)

    for option in reversed(_TWO_PASSAGES):
        gathered = option(gathered)
    return gathered


@click.command("make")
@click.argument("name")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write.")
@click.option(
    "--scale", default="small", show_default=True, type=click.Choice(["tiny", "small", "paper"]), help="Size."
)
@click.option("--seed", default=0, show_default=True, type=int, help="Random seed.")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the reversal-curse or SQuAD data. Default: download them from the hub.",
)
@click.option(
    "--passages",
    type=click.IntRange(min=1),
    help="Number of SQuAD passages. Default: by scale, 5 (tiny), 20 (small) or 200 (paper).",
)
@_two_passages_options
@one_line_errors
def make_data(
    name: str,
    out: Path,
    scale: "Scale",
    seed: int,
    source: Path | None,
    passages: int | None,
    two_passages: "TwoPassagesOptions",
) -> None:
    """Make a data set: reversals, syllogisms, semantic, process, reversal-curse or squad."""
    from axolotl_augft.bench.datasets.dataset import save
    from axolotl_augft.bench.datasets.making import examine, make
    from axolotl_augft.bench.datasets.squad.teacher import wanted_two_passages
    from axolotl_augft.errors import BenchError

    with wanted_two_passages(two_passages, out) as wanted:
        data = make(name, scale, seed, source, passages, wanted)
    examination = examine(data)
    if found := examination.problems:
        raise BenchError(f"data set {name}: {len(found):,} problems, so it is not written; the first: {found[0]}")
    save(data, out)
    say(data.about)
    for line in examination.proven:
        say(line)
    say(f"data set: {out}")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@one_line_errors
def check(folder: Path) -> None:
    """Prove that every right choice of a data set follows from the training documents, and that no wrong one does."""
    from axolotl_augft.bench.datasets.dataset import load
    from axolotl_augft.bench.datasets.making import examine

    examination = examine(load(folder))
    for line in examination.problems or examination.proven:
        say(line)
    if examination.problems:
        raise click.ClickException(f"{folder}: {len(examination.problems):,} problems; make the data set again")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--context-tokens",
    default=16_000,
    show_default=True,
    type=click.IntRange(min=64),
    help="Document tokens per context group.",
)
@click.option(
    "--passes", default=2, show_default=True, type=click.IntRange(min=1), help="How many times to group the documents."
)
@click.option(
    "--tokenizer",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the teacher's model. Default: estimate tokens as bytes / 4.",
)
@one_line_errors
def reach(folder: Path, context_tokens: int, passes: int, tokenizer: Path | None) -> None:
    """Print the share of test facts that single context groups imply: related groups against random ones."""
    from axolotl_augft.bench.datasets.dataset import load
    from axolotl_augft.bench.report.reach import reach_lines

    for line in reach_lines(load(folder), context_tokens, passes, tokenizer):
        say(line)


@click.command()
@click.argument("config", type=ConfigPath())
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the data set that the recipe trains on.",
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Also write all counts to this file."
)
@click.option("--reader-url", help="Server (OpenAI-compatible) of a model that reads what the grammar cannot.")
@click.option("--reader-model", help="The name by which that server knows the model.")
@click.option("--reader-key-env", help="Environment variable that holds that server's API key.")
@one_line_errors
def audit(
    config: str,
    data: Path,
    json_file: Path | None,
    reader_url: str | None,
    reader_model: str | None,
    reader_key_env: str | None,
) -> None:
    """Count the correct statements among a recipe's stored answers and the test facts they state.

    Sends no requests, unless a model is named to read free phrasing.
    """
    import orjson

    from axolotl_augft.bench.audit.asking import reader_config
    from axolotl_augft.bench.audit.audit import audit as audited
    from axolotl_augft.bench.audit.tables import audit_lines
    from axolotl_augft.bench.datasets.dataset import load
    from axolotl_augft.bench.datasets.making import grammar_of
    from axolotl_augft.bench.report.output import write_text
    from axolotl_augft.cli.recipe_files import read_recipe

    made = load(data)
    model = reader_config(reader_url, reader_model, reader_key_env)
    found = audited(read_recipe(config), made, grammar_of(made), model)
    if json_file:
        write_text(json_file, orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2).decode() + "\n")
    for line in audit_lines(found):
        say(line)
