"""The name of a program -> where it is installed."""

import shutil
import sys
from pathlib import Path


def program(name: str) -> str:
    """Return the path of a program that is installed beside this Python, else on the PATH, else its name."""
    return _found(name) or name


def is_installed(name: str) -> bool:
    """Tell whether a program is installed beside this Python or on the PATH."""
    return _found(name) is not None


def _found(name: str) -> str | None:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)
