"""What the commands share: errors in one line, and a recipe from a YAML file.

Imports nothing heavy until a command runs.
"""

import logging
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from axolotl_augft.errors import AugftError, ConfigError


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """The command, with an `AugftError` shown as one line and exit code 1, and Ctrl-C as one line and exit code 130."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        logging.getLogger("axolotl_augft").setLevel(logging.INFO)
        try:
            command(*args, **kwargs)
        except AugftError as error:
            raise click.ClickException(f"augft: {error}") from error
        except KeyboardInterrupt:
            click.echo("augft: stopped; every answer that arrived is stored: run again to go on", err=True)
            sys.exit(128 + signal.SIGINT)

    return run


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys of a YAML file.

    Raises:
        ConfigError: It cannot be read, is not YAML, or holds no keys.
    """
    import yaml

    try:
        cfg = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        raise ConfigError(f"{path}: not valid YAML" + (f" (line {where.line + 1})" if where else "")) from error
    if not isinstance(cfg, dict):
        raise ConfigError(f"{path}: not an axolotl config; it holds no keys")
    return cfg


def read_recipe(config: str) -> Any:
    """The recipe of an axolotl YAML, without loading models or data."""
    from axolotl_augft.config.recipe import Recipe, require_plugin

    cfg = read_yaml(Path(config))
    if cfg.get("augft") is not None:
        require_plugin(cfg)
    return Recipe.from_cfg(cfg)
