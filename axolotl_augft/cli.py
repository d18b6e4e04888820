"""`axolotl augft …`: look before, run alone, look after. Imports nothing heavy until a command runs."""

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from axolotl_augft.errors import AugftError, ConfigError


def _one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        logging.getLogger("axolotl_augft").setLevel(logging.INFO)
        try:
            command(*args, **kwargs)
        except AugftError as error:
            raise click.ClickException(f"augft: {error}") from error

    return run


def _recipe(config: str) -> Any:
    """The recipe of an axolotl YAML, without loading models or data."""
    import yaml
    from dotenv import find_dotenv, load_dotenv

    from axolotl_augft.recipe import Recipe, require_plugin

    load_dotenv(find_dotenv(usecwd=True))
    try:
        with open(config, encoding="utf-8") as file:
            cfg = yaml.safe_load(file)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        raise ConfigError(f"{config}: not valid YAML" + (f" (line {where.line + 1})" if where else "")) from error
    if not isinstance(cfg, dict):
        raise ConfigError(f"{config}: not an axolotl config; it holds no keys")
    if cfg.get("augft") is not None:
        require_plugin(cfg)
    return Recipe.from_cfg(cfg)


_CONFIG = click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=str))


@click.group()
def augft() -> None:
    """Augmented fine-tuning: what a teacher writes about your data before you train."""


@augft.command()
@_CONFIG
@_one_line_errors
def plan(config: str) -> None:
    """Count documents, requests and tokens; call nobody."""
    from axolotl_augft.planning import plan_lines

    for line in plan_lines(_recipe(config)):
        click.echo(line)


@augft.command()
@_CONFIG
@click.option(
    "--ask-again",
    type=click.Choice(["filtered", "invalid"]),
    multiple=True,
    help="First forget stored outcomes of this kind, so that these requests are asked once more.",
)
@_one_line_errors
def run(config: str, ask_again: tuple[str, ...]) -> None:
    """Run the stage alone; `axolotl train` finds its result."""
    from axolotl_augft.answers import Outcome
    from axolotl_augft.manifest import note_path, result_folder
    from axolotl_augft.stage import run_stage
    from axolotl_augft.store import ResponseStore

    recipe = _recipe(config)
    if ask_again:
        with ResponseStore.opened(recipe.store_path) as store:
            click.echo(f"forgot {store.forget([Outcome(o) for o in ask_again])} stored outcomes")
        note_path(recipe).unlink(missing_ok=True)
    result = run_stage(recipe)
    click.echo(f"result: {result_folder(recipe, result.fingerprint)}")


@augft.command()
@_CONFIG
@click.option("--limit", default=5, show_default=True, type=click.IntRange(min=1), help="How many source documents.")
@_one_line_errors
def show(config: str, limit: int) -> None:
    """Show some sources beside what came of them, and what was rejected, with reasons."""
    from axolotl_augft.showing import show_lines

    for line in show_lines(_recipe(config), limit):
        click.echo(line)


@augft.command()
@_CONFIG
@_one_line_errors
def report(config: str) -> None:
    """Print the summary of the finished result."""
    from axolotl_augft.showing import report_lines

    for line in report_lines(_recipe(config)):
        click.echo(line)
