"""The name of a program -> where it, or the Python that it belongs to, is installed."""

import shutil
import sys
from pathlib import Path


def program(name: str) -> str:
    """Return the path of a program that is installed beside this Python, else on the PATH, else its name."""
    return _found(name) or name


def is_installed(name: str) -> bool:
    """Tell whether a program is installed beside this Python or on the PATH."""
    return _found(name) is not None


def python_of(name: str) -> str:
    """Return the Python of the environment that a program belongs to: the first on the PATH, else beside this Python.

    The PATH comes first, because this environment may have the program without all that it needs. If the program is
    nowhere, its own name is returned.
    """
    found = shutil.which(name) or _found(name)
    return str(Path(found).resolve().with_name("python3")) if found else name


def _found(name: str) -> str | None:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)
