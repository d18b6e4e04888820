"""Text -> a file of the benchmark, written atomically: a reader sees the old content or the new one, never a part."""

import os
from contextlib import suppress
from pathlib import Path

from axolotl_augft.errors import BenchError
from axolotl_augft.files.durable import sync


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file atomically, creating its folder if needed.

    Raises:
        BenchError: The file cannot be written.
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
