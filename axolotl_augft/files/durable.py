"""Durable files, written under a temporary name, synced, then renamed; and scratch files, which are gone after use."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from axolotl_augft.errors import OutputError


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file so that a reader sees the old content or the new, never a part.

    Raises:
        OutputError: The folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def read_json(path: Path) -> Any | None:
    """The content of a JSON file, None if there is none or it is not JSON."""
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None


def sync(path: Path) -> None:
    """Makes a file's content, or a folder's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def scratch_file(what: str) -> Iterator[IO[bytes]]:
    """A file in the temporary folder for as long as it is needed. An OSError in between is taken for this file's.

    Args:
        what: What it holds, for the error.

    Raises:
        OutputError: It cannot be made or written.
    """
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        folder = tempfile.tempdir or "no temporary folder"
        raise OutputError(
            f"{folder}: {what} cannot be written ({error.strerror or type(error).__name__}); free some disk space "
            f"there, or set TMPDIR to "
            "a folder with room, and run again. Every answer stored so far is kept, and batches that were sent are "
            "picked up again"
        ) from error


def cannot_write(path: Path, error: OSError, key: str = "output_dir") -> OutputError:
    """The error for a path that cannot be written, which the key names."""
    remedy = (
        "free some disk space and run again" if error.errno == 28 else f"set augft.{key} to a place that can be written"
    )
    return OutputError(
        f"{path}: cannot be written ({error.strerror or type(error).__name__}); {remedy}. Every answer stored so far "
        f"is kept"
    )
