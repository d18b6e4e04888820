"""`axolotl augft …`: look before, run alone, look after. Imports nothing heavy until a command runs."""

from importlib import import_module

import click
from click_default_group import DefaultGroup

from axolotl_augft.cli.recipe_files import one_line_errors, read_recipe

_BENCH = "bench"
_BENCH_MODULE = "axolotl_augft.bench.cli"
_CONFIG = click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=str))


class _Commands(click.Group):
    """The commands; those of `bench` are imported when one of them is called, or its help is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), _BENCH])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != _BENCH:
            return super().get_command(ctx, cmd_name)
        bench: click.Group = import_module(_BENCH_MODULE).bench
        return bench


@click.group(cls=_Commands)
def augft() -> None:
    """Augmented fine-tuning: what a teacher writes about your data before you train."""


@augft.command()
@_CONFIG
@one_line_errors
def plan(config: str) -> None:
    """Count documents, requests and tokens; call nobody."""
    from axolotl_augft.cli.plan import plan_lines

    for line in plan_lines(read_recipe(config)):
        click.echo(line)


@augft.command()
@_CONFIG
@click.option(
    "--ask-again",
    type=click.Choice(["filtered", "invalid", "empty"]),
    multiple=True,
    help="First forget this recipe's stored outcomes of this kind, so that these requests are asked once more.",
)
@one_line_errors
def run(config: str, ask_again: tuple[str, ...]) -> None:
    """Run the stage alone; `axolotl train` finds its result."""
    from axolotl_augft.cli.store import forget
    from axolotl_augft.output.manifest import record_path, result_folder
    from axolotl_augft.stage import run_stage
    from axolotl_augft.teacher.answer import Outcome

    recipe = read_recipe(config)
    if ask_again:
        click.echo(
            f"forgot {forget(recipe, [Outcome(o) for o in ask_again if o != 'empty'], 'empty' in ask_again)} stored outcomes"
        )
        record_path(recipe).unlink(missing_ok=True)
    result = run_stage(recipe)
    click.echo(f"result: {result_folder(recipe, result.fingerprint)}")


@augft.command()
@_CONFIG
@click.option("--limit", default=5, show_default=True, type=click.IntRange(min=1), help="How many source documents.")
@one_line_errors
def show(config: str, limit: int) -> None:
    """Show some sources beside what came of them, and what was rejected, with reasons."""
    from axolotl_augft.cli.show import show_lines

    for line in show_lines(read_recipe(config), limit):
        click.echo(line)


@augft.command()
@_CONFIG
@one_line_errors
def report(config: str) -> None:
    """Print the summary of the finished result."""
    from axolotl_augft.cli.show import report_lines

    for line in report_lines(read_recipe(config)):
        click.echo(line)


@augft.group(cls=DefaultGroup, default="show", default_if_no_args=False)
def store() -> None:
    """Look at a recipe's response store (`axolotl augft store cfg.yml`), or drop what recipes do not need (`prune`)."""


@store.command("show")
@_CONFIG
@one_line_errors
def show_store(config: str) -> None:
    """Size, number of answers, and how often they were of use."""
    from axolotl_augft.cli.store import store_lines

    for line in store_lines(read_recipe(config)):
        click.echo(line)


@store.command()
@click.argument("configs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=str))
@click.option("--yes", is_flag=True, help="Drop them; without it, only say what would be dropped.")
@one_line_errors
def prune(configs: tuple[str, ...], yes: bool) -> None:
    """Drop the answers that none of these recipes needs. Name every recipe that shares the store."""
    from axolotl_augft.cli.store import prune as prune_store

    for line in prune_store([read_recipe(config) for config in configs], yes):
        click.echo(line)
