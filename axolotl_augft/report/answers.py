"""Requests of statements -> blocks with their prompts and raw answers, each line of a shared prefix stored once.

The lines of all prefixes (instructions, worked examples, the documents of a context group) stand in one table; a prefix
is a list of their numbers.
"""

from collections.abc import Sequence

from axolotl_augft.report.blocks import Blocks
from axolotl_augft.store.responses import ResponseStore

ANSWERS_IN_BLOCK = 500
_PREFIXES_IN_BLOCK = 500
_LINES_IN_BLOCK = 10_000
_QUERY = (
    "SELECT r.key, r.prefix, r.target, r.outcome, r.text, r.finish_reason, t.text, r.prompt_tokens, "
    "r.cached_tokens, r.completion_tokens FROM responses r LEFT JOIN reasonings t ON t.key = r.key WHERE r.key IN "
)
_MISSING = ("", "missing", "", "", None, None, None, None)


class Answers:
    """Numbers requests in the order in which they are named, and writes what the store holds of them.

    The blocks, whose names end in the number of the run: `answers` holds lists of prefix, target, outcome, answer,
    finish reason, reasoning, and the tokens of the prompt, those of them cached, and those of the answer; `prefixes`
    holds pairs of lists of line numbers, of the system prompt and of the text; `lines` holds lines.

    Args:
        store: The response store; None if it is gone, and then every number is -1.
        blocks: Where the blocks go.
        run: Number of the run.
    """

    def __init__(self, store: ResponseStore | None, blocks: Blocks, run: int) -> None:
        self._run = run
        self._store = store
        self._blocks = blocks
        self._numbers: dict[bytes, int] = {}
        self._waiting: list[bytes] = []
        self._written = 0
        self._prefixes: dict[bytes, int] = {}
        self._lines: dict[str, int] = {}
        self._prefix_lines: list[tuple[list[int], list[int]]] = []

    def number(self, request: str | None) -> int:
        """Return the number of the request with this key (hexadecimal); -1 without a request."""
        if self._store is None or request is None:
            return -1
        key = bytes.fromhex(request)
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == self._written + len(self._waiting):
            self._waiting.append(key)
            if len(self._waiting) == ANSWERS_IN_BLOCK:
                self._write_answers()
        return number

    def finish(self) -> None:
        """Write what is left: the last answers, the prefixes and their lines."""
        if self._waiting:
            self._write_answers()
        for start in range(0, len(self._prefix_lines), _PREFIXES_IN_BLOCK):
            self._blocks.write(f"prefixes-{self._run}", self._prefix_lines[start : start + _PREFIXES_IN_BLOCK])
        lines = list(self._lines)
        for start in range(0, len(lines), _LINES_IN_BLOCK):
            self._blocks.write(f"lines-{self._run}", lines[start : start + _LINES_IN_BLOCK])

    def _write_answers(self) -> None:
        assert self._store is not None
        marks = ",".join("?" * len(self._waiting))
        found = {key: rest for key, *rest in self._store.rows(f"{_QUERY}({marks})", self._waiting)}
        self._add_prefixes(self._store, [digest for digest, *_ in found.values()])
        answers = []
        for key in self._waiting:
            digest, *rest = found.get(key) or [None, *_MISSING]
            answers.append((-1 if digest is None else self._prefixes[digest], *rest))
        self._blocks.write(f"answers-{self._run}", answers)
        self._written += len(self._waiting)
        self._waiting = []

    def _add_prefixes(self, store: ResponseStore, digests: Sequence[bytes]) -> None:
        new = [digest for digest in dict.fromkeys(digests) if digest not in self._prefixes]
        marks = ",".join("?" * len(new))
        for digest, system, text in store.rows(
            f"SELECT digest, system, text FROM prefixes WHERE digest IN ({marks})", new
        ):
            self._prefixes[digest] = len(self._prefix_lines)
            self._prefix_lines.append((self._numbered(system), self._numbered(text)))
        for digest in new:
            self._prefixes.setdefault(digest, -1)

    def _numbered(self, text: str) -> list[int]:
        return [self._lines.setdefault(line, len(self._lines)) for line in text.split("\n")] if text else []
