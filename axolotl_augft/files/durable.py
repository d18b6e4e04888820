"""Values -> durable files (temporary name, fsync, rename); and scratch files, which are deleted after use."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import orjson

from axolotl_augft.errors import OutputError


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file so that a reader sees the old content or the new, never a part of it.

    Raises:
        OutputError: The folder cannot be written.
    """
    write_file(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def write_file(path: Path, content: bytes, key: str = "output_dir") -> None:
    """Write a file so that a reader sees the old content or the new, never a part of it.

    Args:
        path: The file.
        content: Its content.
        key: The key of the `augft:` block that sets the path, for the error.

    Raises:
        OutputError: The folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync(path.parent)
    except OSError as error:
        raise write_error(path, error, key) from error


def make_private(path: Path) -> None:
    """Create an empty file that only its owner may read, and the folders above it; an existing file stays as it is.

    Raises:
        OSError: It cannot be created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def read_json(path: Path) -> Any | None:
    """Return the content of a JSON file; None if it cannot be read or is not JSON."""
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None


def sync(path: Path) -> None:
    """Flush a file's content, or a folder's entries, to disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def scratch_file(what: str) -> Iterator[IO[bytes]]:
    """Open a file in the temporary folder that is deleted at the end of the `with` block.

    Args:
        what: Description of the content, for the error.

    Raises:
        OutputError: The file cannot be made or written. Every OSError in the block is taken for one of this file.
    """
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        folder = tempfile.tempdir or "no temporary folder"
        raise OutputError(
            f"{folder}: {what} cannot be written ({error.strerror or type(error).__name__}); free some disk space "
            "there, or set TMPDIR to a folder with room, and run again. Every answer stored so far is kept, and "
            "batches that were sent are picked up again"
        ) from error


def write_error(path: Path, error: OSError, key: str = "output_dir") -> OutputError:
    """Make the error for a path that cannot be written.

    Args:
        path: The file or folder.
        error: What the system said.
        key: The key of the `augft:` block that sets the path, for the remedy.
    """
    remedy = (
        "free some disk space and run again" if error.errno == 28 else f"set augft.{key} to a place that can be written"
    )
    return OutputError(
        f"{path}: cannot be written ({error.strerror or type(error).__name__}); {remedy}. Every answer stored so far "
        "is kept"
    )
