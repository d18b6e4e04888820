"""The package's own code -> a digest: a result made by other code, other prompts or other worked examples is made anew."""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
_READ = {".jinja", ".jsonl"}


@cache
def code_digest(package: Path = PACKAGE) -> str:
    """Digest of the package's modules, prompts and worked examples, which decide what comes out as settings do.

    Modules count without comments, docstrings, descriptions of settings and layout, so that an edit of words throws no
    result away. `bench` is left out: it measures results and makes none.

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
    """A module's code without comments, docstrings and descriptions, laid out by Python itself."""
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
