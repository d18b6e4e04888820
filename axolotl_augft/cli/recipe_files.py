"""Path or HTTPS address of a YAML config -> recipe, and AugftError -> one line: what all commands share.

Imports nothing heavy until a command runs.
"""

import logging
import shutil
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import click

from axolotl_augft.cli.quiet import only_own_lines
from axolotl_augft.errors import AugftError, ConfigError
from axolotl_augft.text.terminal import clean_lines, clean_log


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command so that an `AugftError` (exit code 1) or Ctrl-C (exit code 130) prints one line."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        logging.getLogger("axolotl_augft").setLevel(logging.INFO)
        clean_log("axolotl_augft")
        try:
            with only_own_lines():
                command(*args, **kwargs)
        except AugftError as error:
            raise click.ClickException(f"augft: {error}") from error
        except KeyboardInterrupt:
            click.echo("augft: stopped; every answer that arrived is stored: run again to go on", err=True)
            sys.exit(128 + signal.SIGINT)

    return run


def say(line: str) -> None:
    """Print a line, or several, without anything that steers a terminal."""
    click.echo(clean_lines(line))


class ConfigPath(click.Path):
    """The path of an existing config file, or the HTTPS address of one, as axolotl's own commands accept it."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=str)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check that the path exists; leave an address to `read_config`."""
        return value if _is_address(value) else super().convert(value, param, ctx)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("https://")


def read_config(config: str) -> dict[str, Any]:
    """Read a config from its file or its HTTPS address.

    Raises:
        ConfigError: The config cannot be read or downloaded, is not YAML, or holds no keys.
    """
    if not _is_address(config):
        return read_yaml(Path(config))
    # Shown without user, password and query, which may hold a secret.
    parts = urlsplit(config)
    shown = f"https://{parts.hostname or ''}{parts.path}"
    if not parts.hostname or not PurePosixPath(parts.path).name:
        raise ConfigError(f"{shown}: not the address of a file; give the address of the YAML itself")
    path = _downloaded(config, shown)
    try:
        return read_yaml(path, shown)
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)


def _downloaded(address: str, shown: str) -> Path:
    from axolotl.cli.config import check_remote_config

    try:
        return Path(check_remote_config(address))
    except RuntimeError as error:
        reason = _reason(error.__cause__)
        raise ConfigError(f"{shown}: cannot be downloaded ({reason}); check the address and the network") from None
    except ValueError:
        raise ConfigError(f"{shown}: not valid YAML; give the address of the YAML itself, not of a page") from None


def _reason(error: BaseException | None) -> str:
    """Explain why a download failed, without the address, which may hold a secret."""
    import requests

    match error:
        case requests.HTTPError(response=requests.Response() as response):
            return f"the server answers {response.status_code} {response.reason}"
        case requests.exceptions.SSLError():
            return "the server's certificate is not trusted here"
        case requests.Timeout():
            return "no answer in time"
        case requests.ConnectionError():
            return "no connection"
        case _:
            return type(error).__name__


def read_yaml(path: Path, shown: str | None = None) -> dict[str, Any]:
    """Read a config from a YAML file.

    Args:
        path: The file.
        shown: Name of the file in error messages; its path by default.

    Raises:
        ConfigError: The file cannot be read, is not YAML, or holds no keys.
    """
    import yaml

    name = shown or path
    try:
        cfg = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        raise ConfigError(f"{name}: not valid YAML" + (f" (line {where.line + 1})" if where else "")) from error
    if not isinstance(cfg, dict):
        raise ConfigError(f"{name}: not an axolotl config; it holds no keys")
    return cfg


def read_recipe(config: str) -> Any:
    """Read the recipe of an axolotl config, without loading models or data; returns a `Recipe`.

    Raises:
        ConfigError: The config cannot be read, would be trained without augmentation, or cannot be augmented.
    """
    from axolotl_augft.config.plugin_line import require_plugin
    from axolotl_augft.config.recipe import Recipe

    cfg = read_config(config)
    if cfg.get("augft") is not None:
        require_plugin(cfg)
    return Recipe.from_cfg(cfg)
