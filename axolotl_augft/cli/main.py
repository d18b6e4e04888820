"""Command line -> one command of `axolotl augft`: plan, run, look at the result or the response store.

Imports nothing heavy until a command runs.
"""

from importlib import import_module

import click
from click_default_group import DefaultGroup

from axolotl_augft.cli.recipe_files import ConfigPath, one_line_errors, read_recipe, say

_EMPTY = "empty"
_CONFIG = click.argument("config", type=ConfigPath())


class _Bench(click.Group):
    """The commands of `bench`, which are imported when one of them, or their help, is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return _bench().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _bench().get_command(ctx, cmd_name)


def _bench() -> click.Group:
    bench: click.Group = import_module("axolotl_augft.bench.cli").bench
    return bench


@click.group()
def augft() -> None:
    """Augmented fine-tuning: let a teacher model write about your data before you train."""


augft.add_command(_Bench("bench", help="Run the paper's experiments, and measure your own recipe."))


@augft.command()
@_CONFIG
@one_line_errors
def plan(config: str) -> None:
    """Count documents and requests, and estimate tokens, cost and time, without sending a request."""
    from axolotl_augft.cli.plan import plan_lines

    for line in plan_lines(read_recipe(config)):
        say(line)


@augft.command()
@_CONFIG
@click.option(
    "--ask-again",
    type=click.Choice(["filtered", "invalid", _EMPTY]),
    multiple=True,
    help="Forget this recipe's stored outcomes of this kind first, so that these requests are sent again.",
)
@one_line_errors
def run(config: str, ask_again: tuple[str, ...]) -> None:
    """Run the stage without training; `axolotl train` will reuse its result."""
    from axolotl_augft.cli.prune import forget
    from axolotl_augft.output.manifest import record_path, result_folder
    from axolotl_augft.stage import run_stage
    from axolotl_augft.teacher.answer import Outcome

    recipe = read_recipe(config)
    if ask_again:
        outcomes = [Outcome(o) for o in ask_again if o != _EMPTY]
        say(f"forgot {forget(recipe, outcomes, empty=_EMPTY in ask_again)} stored outcomes")
        record_path(recipe).unlink(missing_ok=True)
    result = run_stage(recipe)
    say(f"result: {result_folder(recipe, result.fingerprint)}")


@augft.command()
@_CONFIG
@click.option("--limit", default=5, show_default=True, type=click.IntRange(min=1), help="Documents per data set entry.")
@one_line_errors
def show(config: str, limit: int) -> None:
    """Show some documents, each with its augmentations and its rejected statements, with reasons."""
    from axolotl_augft.cli.show import show_lines

    for line in show_lines(read_recipe(config), limit):
        say(line)


@augft.command()
@_CONFIG
@click.option(
    "--out", type=click.Path(dir_okay=False), help="The page's file. Default: report.html in the output folder."
)
@click.option("--against", type=ConfigPath(), help="Show the result of this recipe beside the first on the page.")
@click.option("--plain", is_flag=True, help="Leave the page's data unpacked, for browsers from before 2023.")
@one_line_errors
def report(config: str, out: str | None, against: str | None, plain: bool) -> None:
    """Print the summary of a finished result, and write a page that shows all of it: one HTML file."""
    from axolotl_augft.cli.report import report_lines, write_page

    recipe = read_recipe(config)
    for line in report_lines(recipe):
        say(line)
    say(f"report: {write_page(recipe, config, out, (read_recipe(against), against) if against else None, plain)}")


@augft.group(cls=DefaultGroup, default="show", default_if_no_args=False)
def store() -> None:
    """Describe a recipe's response store (`axolotl augft store cfg.yml`), or drop unneeded answers (`prune`)."""


@store.command("show")
@_CONFIG
@one_line_errors
def show_store(config: str) -> None:
    """Print the store's size, its number of answers and its hit rate."""
    from axolotl_augft.cli.store import store_lines

    for line in store_lines(read_recipe(config)):
        say(line)


@store.command()
@click.argument("configs", nargs=-1, required=True, type=ConfigPath())
@click.option("--yes", is_flag=True, help="Drop them. Without this flag, only say what would be dropped.")
@one_line_errors
def prune(configs: tuple[str, ...], yes: bool) -> None:
    """Drop the answers that none of these recipes needs. Name every recipe that shares the store."""
    from axolotl_augft.cli.prune import prune as prune_store

    for line in prune_store([read_recipe(config) for config in configs], yes):
        say(line)
