"""This package's code, prompts and other data -> a digest; results with a different digest are remade."""

import ast
import hashlib
import tokenize
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
_READ = {".jinja", ".json", ".jsonl"}
_MAKE_NO_RESULTS = {"bench", "cli", "report"}


@cache
def code_digest(package: Path = PACKAGE) -> str:
    """Return the SHA-256 (hexadecimal) of everything in the package that affects results, as settings do.

    It covers modules, prompts, worked examples and lists of words. Modules count without comments, docstrings and
    descriptions of settings, so that rewording them invalidates no result. `bench`, `cli` and `report` are left out,
    because they measure and show results and make none.

    Args:
        package: The package's folder.
    """
    digest = hashlib.sha256()
    for file in sorted(
        f
        for f in package.rglob("*")
        if f.suffix in {".py", *_READ} and f.relative_to(package).parts[0] not in _MAKE_NO_RESULTS
    ):
        content = file.read_bytes() if file.suffix in _READ else _code(file.read_text(encoding="utf-8")).encode()
        digest.update(f"{file.relative_to(package).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _code(source: str) -> str:
    """Return a module's text without comments, docstrings and descriptions of settings, and without blank lines.

    It is text and not Python's own rendering of the syntax tree, which differs between versions of Python.
    """
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, start = token.start
            lines[row - 1] = lines[row - 1][:start] + "\n"
    plain = "".join(lines).encode()
    for start, end in sorted(_spans_of_words(plain), reverse=True):
        plain = plain[:start] + plain[end:]
    return "\n".join(line.rstrip() for line in plain.decode().splitlines() if line.strip())


def _spans_of_words(source: bytes) -> Iterator[tuple[int, int]]:
    """Yield where bare strings (docstrings, and descriptions of assignments) and `description=` stand, in bytes."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Expr | ast.keyword) or node.end_lineno is None or node.end_col_offset is None:
            continue
        if _is_string(node) if isinstance(node, ast.Expr) else node.arg == "description":
            yield starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset


def _is_string(statement: ast.Expr) -> bool:
    """Return whether a statement is a string and nothing else."""
    return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
