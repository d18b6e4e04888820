"""This package's code, prompts and worked examples -> a digest; results with a different digest are remade."""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
_READ = {".jinja", ".jsonl"}


@cache
def code_digest(package: Path = PACKAGE) -> str:
    """Return the SHA-256 (hexadecimal) of everything in the package that affects results, as settings do.

    It covers modules, prompts and worked examples. Modules count without comments, layout, descriptions of settings,
    and the docstrings of modules, classes and functions, so that rewording them invalidates no result. `bench` is left
    out, because it measures results and makes none.

    Args:
        package: The package's folder.
    """
    digest = hashlib.sha256()
    for file in sorted(
        f for f in package.rglob("*") if f.suffix in {".py", *_READ} and f.relative_to(package).parts[0] != "bench"
    ):
        content = file.read_bytes() if file.suffix in _READ else _code(file.read_text(encoding="utf-8")).encode()
        digest.update(f"{file.relative_to(package).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _code(source: str) -> str:
    """Return a module's code without comments, docstrings and descriptions, formatted by `ast.unparse`."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.Call):
            node.keywords = [k for k in node.keywords if k.arg != "description"]
    return ast.unparse(tree)
