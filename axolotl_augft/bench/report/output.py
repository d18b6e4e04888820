"""A text file of a benchmark, written so that a reader sees the old content or the new, never a part."""

import os
from contextlib import suppress
from pathlib import Path

from axolotl_augft.errors import BenchError
from axolotl_augft.files.durable import sync


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 file, and its folder where there is none.

    Raises:
        BenchError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        sync(temporary)
        temporary.rename(path)
        sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        reason = error.strerror or type(error).__name__
        raise BenchError(f"{path}: cannot be written ({reason}); give a path that can be written") from error
