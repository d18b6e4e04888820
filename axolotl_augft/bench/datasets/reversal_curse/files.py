"""The files of the reversal-curse data (Berglund et al. 2023, arXiv 2309.12288, experiment 1) -> rows, and the people they are about.

The data stay where they are: a folder, or the hub's cache. A row's text is its prompt with its completion. Set A is
trained from name to description only, set B in both directions, in separate rows; a third set goes from description to
name.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import orjson

from axolotl_augft.errors import BenchError

HUB = "lberglund/reversal_curse"
SET_A, SET_B, OTHERS = "p2d_prompts_train.jsonl", "both_prompts_train.jsonl", "d2p_prompts_train.jsonl"
REVERSED = "p2d_reverse_prompts_test.jsonl"

# The phrasings of names asked for, in training and in the test, that hold nothing but the description.
_QUESTION = re.compile(r"Q: Who is (?P<description>.+?)\?+ A:")
_TEST = re.compile(r"(?:Immersed in the world of|Having the distinction of) (?P<description>.+),")
_BESIDE = re.compile(r"^(?:(?:they|he|she)(?:'re|'s| are| were| is| was)?|being|is|was|are|were) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file. `name`: whom it is about; `name_first`: whether the name stands in the prompt."""

    prompt: str
    completion: str
    name: str
    name_first: bool

    @property
    def text(self) -> str:
        """The training text."""
        return f"{self.prompt}{self.completion}"


@dataclass(frozen=True, slots=True)
class Person:
    """A name and its description; `variants`: the same in other words, as the rows have it."""

    name: str
    description: str
    variants: tuple[str, ...]


@dataclass(frozen=True)
class Files:
    """The four files that are used."""

    set_a: tuple[Row, ...]
    set_b: tuple[Row, ...]
    others: tuple[Row, ...]
    reversed: tuple[Row, ...]

    @cached_property
    def people(self) -> dict[str, Person]:
        """By name, in the order of the files."""
        by_name: dict[str, list[Row]] = {}
        for row in (*self.set_a, *self.set_b, *self.others, *self.reversed):
            by_name.setdefault(row.name, []).append(row)
        return {name: _person(name, rows) for name, rows in by_name.items()}


def read_files(source: Path | None) -> Files:
    """The files below a folder; without one, those of the hub data set.

    Raises:
        BenchError: A file is missing or ambiguous, a line is not a row, or the hub cannot be reached.
    """
    folder = source or _from_hub()
    raw = {name: _read(_find(folder, name), name) for name in (SET_A, SET_B, OTHERS, REVERSED)}
    names = {completion.strip() for _, completion in raw[REVERSED]}
    names |= {
        completion.strip(" .")
        for file in (SET_B, OTHERS)
        for prompt, completion in raw[file]
        if _QUESTION.fullmatch(prompt.strip())
    }
    known = re.compile("|".join(rf"\b{re.escape(n)}\b" for n in sorted(names, key=len, reverse=True)))
    rows = {name: tuple(_row(pair, known, f"{name}, line {i}") for i, pair in enumerate(raw[name], 1)) for name in raw}
    return Files(rows[SET_A], rows[SET_B], rows[OTHERS], rows[REVERSED])


def _from_hub() -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(HUB, repo_type="dataset", allow_patterns="*.jsonl"))
    # The hub's own errors, requests' and httpx' have no common base but this one.
    except Exception as error:
        raise BenchError(
            f"data set {HUB}: cannot be loaded from the hub ({type(error).__name__}); give a folder with its files: "
            f"--source FOLDER"
        ) from error


def _find(folder: Path, name: str) -> Path:
    found = sorted(folder.rglob(name)) if folder.is_dir() else []
    if len(found) != 1:
        raise BenchError(
            f"{folder}: {len(found)} files named {name} below it, expected one; give the folder with the "
            f"reversal-curse data"
        )
    return found[0]


def _read(path: Path, name: str) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = orjson.loads(line)
            pairs.append((str(row["prompt"]), str(row["completion"])))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise BenchError(
                f"{name}, line {number}: not a JSON object with prompt and completion; give the original file"
            ) from None
    if not pairs:
        raise BenchError(f"{name}: empty, expected lines with prompt and completion; give the original file")
    return pairs


def _row(pair: tuple[str, str], known: re.Pattern[str], where: str) -> Row:
    prompt, completion = pair
    found = set(known.findall(prompt + completion))
    if len(found) != 1:
        raise BenchError(f"{where}: {len(found)} known names in it, expected one; give the original file")
    (name,) = found
    return Row(prompt, completion, name, name in prompt)


def _person(name: str, rows: Sequence[Row]) -> Person:
    said = Counter(_described(rows))
    if not said:
        raise BenchError(f"{name}: no row gives a description to go by; give the original files")
    # Whole descriptions ("the baker who baked …") before parts of them ("baking …"), then the most frequent.
    description = max(said, key=lambda d: (d.startswith("the "), said[d]))
    return Person(name, description, tuple(d for d in said if d != description))


def _described(rows: Iterable[Row]) -> Iterable[str]:
    for row in rows:
        if row.name_first:
            yield _without_ends(row.completion)
        elif match := _QUESTION.fullmatch(row.prompt.strip()) or _TEST.fullmatch(row.prompt.strip()):
            yield _without_ends(match["description"])


def _without_ends(text: str) -> str:
    return _BESIDE.sub("", text.strip().rstrip("'.?!").strip())
