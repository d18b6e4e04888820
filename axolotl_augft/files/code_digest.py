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

    It covers modules, prompts and worked examples. Modules count without comments, layout, docstrings and descriptions
    of settings, so that rewording them invalidates no result. `bench` is left
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
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_string(statement)] or [ast.Pass()]
        elif isinstance(node, ast.Call):
            node.keywords = [k for k in node.keywords if k.arg != "description"]
    return ast.unparse(tree)


def _is_string(statement: ast.stmt) -> bool:
    """Return whether a statement is a bare string: a docstring, or one that describes the assignment above it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
