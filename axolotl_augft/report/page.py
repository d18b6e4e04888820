"""Result -> one self-contained HTML file: figures, charts, and every source beside its statements.

The file needs no network and no other file. Its style and its script are allowed by their digests (Content Security
Policy), and everything from data is in blocks that no browser runs (`report.blocks`). `docs/report.md` describes them.
"""

import base64
import hashlib
import os
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from axolotl_augft.batched import batched
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import OutputError
from axolotl_augft.files.durable import scratch_file, sync
from axolotl_augft.marks import read_marks
from axolotl_augft.output.manifest import Manifest, result_folder
from axolotl_augft.report.answers import ANSWERS_IN_BLOCK, Answers
from axolotl_augft.report.blocks import Blocks, block
from axolotl_augft.report.figures import Figures, new_words, sentence_ends
from axolotl_augft.report.reviewed import Reviewed, Statement, read_reviewed
from axolotl_augft.report.run_figures import run_figures
from axolotl_augft.sources.loading import load_sources
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.store.round_log import logged_rounds
from axolotl_augft.text.tokens import token_counter

FORMAT = 1
_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = ("elements", "data", "charts", "head", "filters", "list", "marks", "answer", "start")
_SOURCES_IN_BLOCK = 500


@dataclass(frozen=True)
class ShownRun:
    """A recipe with its result.

    Attributes:
        recipe: The recipe.
        name: What the page calls it.
        manifest: The result.
        unfinished: What a run that has not finished has come to, "" for a finished one.
        verifying: How far its verification has come, "" if it has finished or there is none.
    """

    recipe: Recipe
    name: str
    manifest: Manifest
    unfinished: str = ""
    verifying: str = ""


@dataclass(frozen=True, slots=True)
class _Counted:
    """A document, the ends of its sentences, and the tokens of its statements."""

    reviewed: Reviewed
    ends: list[int]
    tokens: list[int]


def write_report(run: ShownRun, out: Path, against: ShownRun | None = None, plain: bool = False) -> None:
    """Write the page.

    Args:
        run: The result to show.
        out: The file; an existing one is replaced once the new one is whole.
        against: Another result, whose statements stand beside those of the first.
        plain: Leave the data unpacked, for browsers from before 2023.

    Raises:
        OutputError: The file or a temporary file cannot be written.
        AugftError: A source or the store cannot be read.
    """
    with scratch_file("the report") as scratch:
        content = _Content(Blocks(scratch, plain))
        head = content.write(run, against)
        scratch.seek(0)
        _assemble(out, block("head", head, plain=True), scratch)


class _Content:
    """Writes the blocks of one or two runs, and collects what stands at the top of the page."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._kinds: dict[str, int] = {}
        self._reasons: dict[str, int] = {}
        self._files: dict[str, int] = {}

    def write(self, run: ShownRun, against: ShownRun | None) -> dict[str, Any]:
        """Write all blocks but the head, and return the head."""
        with ExitStack() as stack:
            other = _Run(against, 1, self._blocks, stack) if against else None
            beside = {c.reviewed.document.id: c for c in other.counted()} if other else {}
            own = _Run(run, 0, self._blocks, stack)
            for batch in batched(self._rows(own, other, beside), _SOURCES_IN_BLOCK):
                self._blocks.write("sources", batch)
            runs = [r for r in (own, other) if r]
            for each in runs:
                each.answers.finish()
            return {
                "format": FORMAT,
                "runs": [each.figures() for each in runs],
                "kinds": list(self._kinds),
                "reasons": list(self._reasons),
                "files": list(self._files),
                "answers_in_block": ANSWERS_IN_BLOCK,
                "marks": _marks(run.recipe),
            }

    def _rows(self, own: "_Run", other: "_Run | None", beside: dict[str, _Counted]) -> Iterator[list[Any]]:
        for counted in own.counted():
            also = beside.pop(counted.reviewed.document.id, None)
            yield self._row(counted, [(0, own, counted), *([(1, other, also)] if other and also else [])])
        for counted in beside.values() if other else ():
            yield self._row(counted, [(1, other, counted)])

    def _row(self, counted: _Counted, sides: list[tuple[int, Any, _Counted]]) -> list[Any]:
        """Return a source as a list: id, entry, row, file, section, text, sentence ends, statements."""
        reviewed, document = counted.reviewed, counted.reviewed.document
        statements = [
            self._statement(side, statement, size, run.answers, document.text)
            for side, run, of_side in sides
            for statement, size in zip(of_side.reviewed.statements, of_side.tokens, strict=True)
        ]
        file = self._files.setdefault(reviewed.file, len(self._files))
        place = [document.id, document.entry, document.row, file, reviewed.section]
        return [*place, document.text, counted.ends, statements]

    def _statement(self, side: int, statement: Statement, tokens: int, answers: Answers, source: str) -> list[Any]:
        """Return a statement as a list.

        It holds the run, the reason (-1 if kept), the kind, the sentence (-1 if unknown), text, question, probability,
        probability that it stands alone, the answer's number, the sample, tokens, the share of new words, the ids of
        the documents that it rests on, and the reason that a person overruled (-1 if none).
        """
        s = statement
        reason, overruled = (self._reason(name) for name in (s.reason, s.overruled))
        kind = self._kinds.setdefault(f"{s.strategy}/{s.kind}", len(self._kinds))
        sentence = -1 if s.sentence is None else s.sentence
        numbers = [_rounded(s.probability), _rounded(s.alone), answers.number(s.request), s.sample, tokens]
        new = _rounded(new_words(s, source))
        return [side, reason, kind, sentence, s.text, s.question, *numbers, new, s.rests_on, overruled]

    def _reason(self, name: str | None) -> int:
        return -1 if name is None else self._reasons.setdefault(name, len(self._reasons))


class _Run:
    """One run's documents, answers and figures."""

    def __init__(self, run: ShownRun, number: int, blocks: Blocks, stack: ExitStack) -> None:
        self._run = run
        path = run.recipe.store_path
        store = stack.enter_context(ResponseStore.opened(path)) if path.is_file() else None
        self._rounds = logged_rounds(store) if store else []
        self._figures = Figures()
        self.answers = Answers(store, blocks, number)

    def counted(self) -> Iterator[_Counted]:
        """Read and count the documents and their statements."""
        recipe, manifest = self._run.recipe, self._run.manifest
        tokens = token_counter(recipe.tokenizer)
        folder = result_folder(recipe, manifest.fingerprint)
        for batch in batched(read_reviewed(folder, manifest.entries, load_sources(recipe))):
            sizes = deque(tokens.count_all([s.pair for r in batch for s in r.statements]))
            for reviewed in batch:
                document = reviewed.document
                ends = sentence_ends(document.text, document.exchange is not None, recipe.augft.language)
                counted = _Counted(reviewed, ends, [sizes.popleft() for _ in reviewed.statements])
                self._figures.add(reviewed, len(ends), counted.tokens)
                yield counted

    def figures(self) -> dict[str, Any]:
        """Return the figures of the run, once all of its documents are counted."""
        run = self._run
        figures = run_figures(run.recipe, run.name, run.manifest, self._figures, self._rounds, run.verifying)
        return {**figures, "unfinished": run.unfinished}


def _marks(recipe: Recipe) -> list[dict[str, Any]]:
    """Return the marks that the recipe applies already, so that the page goes on from them."""
    return [asdict(mark) for mark in read_marks(Path(recipe.augft.marks))] if recipe.augft.marks else []


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _assemble(out: Path, head: bytes, blocks: IO[bytes]) -> None:
    """Put the page together; the file appears whole or not at all."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    before, after = _frame()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # It holds the data and the prompts, so it is as private as the response store.
        with open(temporary, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(before.replace(b"<!--head-->", head))
            shutil.copyfileobj(blocks, file)
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(out)
        sync(out.parent)
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror or type(error).__name__}); free some disk space, or name "
            "another file with --out"
        ) from error
    finally:
        # It is there only if the page could not be finished, for whatever reason.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _frame() -> tuple[bytes, bytes]:
    """Return the page before and after the blocks of data."""
    style = (_ASSETS / "page.css").read_bytes()
    script = b'"use strict";\n' + b"".join((_ASSETS / f"{name}.js").read_bytes() for name in _SCRIPTS)
    page = (_ASSETS / "page.html").read_bytes()
    for place, content in ((b"/*style*/", style), (b"/*script*/", script)):
        page = page.replace(place, content)
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; base-uri 'none'; "
        "form-action 'none'"
    )
    before, after = page.replace(b"<!--policy-->", policy.encode()).split(b"<!--blocks-->")
    return before, after


def _digest(content: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"
