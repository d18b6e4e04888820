"""Command line -> tables and figures of results: `bench table` and `plot`."""

from pathlib import Path

import click

from axolotl_augft.cli.recipe_files import one_line_errors, say

_RESULTS = click.argument(
    "results", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@click.command()
@_RESULTS
@click.option(
    "--page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Insert the table between this file's <!-- bench --> marks.",
)
@one_line_errors
def table(results: tuple[Path, ...], page: Path | None) -> None:
    """Print the results of suites as Markdown, or insert them into a page."""
    from axolotl_augft.bench.report.results import load_result, together
    from axolotl_augft.bench.report.tables import insert, table_lines

    lines = table_lines(together([load_result(r) for r in results]))
    if page:
        insert(page, lines)
    else:
        say("\n".join(lines))


@click.command()
@_RESULTS
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the figures.")
@one_line_errors
def plot(results: tuple[Path, ...], out: Path) -> None:
    """Draw the results of suites: accuracy by condition, and cost by number of questions."""
    from axolotl_augft.bench.report.plotting import plot as draw
    from axolotl_augft.bench.report.results import load_result, together

    for path in draw(together([load_result(r) for r in results]), out):
        say(str(path))
