"""SQuAD 1.1 (Rajpurkar et al. 2016, arXiv 1606.05250), in a folder or on the hub -> passages with their questions.

The data stay where they are: nothing of them is part of this package.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import orjson

from axolotl_augft.errors import BenchError

HUB = "rajpurkar/squad"
FILE = "passages.jsonl"
_TOGETHER = 5
_WORDS = range(40, 181)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its answer, in words of the passage."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Combined:
    """A question about two passages, with its answer and three wrong ones.

    Attributes:
        places: Indices of the two passages.
    """

    asked: Asked
    wrong: tuple[str, ...]
    places: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph of an article.

    Attributes:
        title: The article's title.
    """

    title: str
    text: str
    questions: tuple[Asked, ...]


@dataclass(frozen=True)
class Chosen:
    """Passages to train on, and those of all articles that none of them is from."""

    passages: tuple[Passage, ...]
    elsewhere: tuple[Passage, ...]


def read_passages(source: Path | None) -> list[Passage]:
    """Read the passages of a folder, or of the hub's validation set if no folder is given.

    Raises:
        BenchError: The file is missing, a line is malformed, or the hub cannot be reached.
    """
    return _of_file(source / FILE) if source else _of_hub()


def choose(passages: Sequence[Passage], count: int, seed: int) -> Chosen:
    """Draw passages, five in a row from each article drawn, so that some of them are about the same things.

    Only passages of 40 to 180 words are taken, which fit into 256 tokens.

    Raises:
        BenchError: The articles have too few such passages, or none has a question.
    """
    if not any(p.questions for p in passages):
        raise BenchError(
            f"passages: none of {len(passages):,} has a question, so there is nothing to ask; give each line questions "
            f"(question, answer), or have a teacher write some about your own recipe: axolotl augft bench questions"
        )
    rng = random.Random(f"squad {count} {seed}")
    articles = {title: list(group) for title, group in groupby(passages, key=lambda p: p.title)}
    chosen: list[Passage] = []
    used: set[str] = set()
    for title in rng.sample(sorted(articles), len(articles)):
        wanted = min(_TOGETHER, count - len(chosen))
        fitting = [p for p in articles[title] if len(p.text.split()) in _WORDS and p.questions]
        if not wanted or len(fitting) < _TOGETHER:
            continue
        start = rng.randrange(len(fitting) - _TOGETHER + 1)
        chosen += fitting[start : start + wanted]
        used.add(title)
    if len(chosen) < count:
        raise BenchError(
            f"passages: {count:,} wanted, but {len(articles):,} articles give {len(chosen):,} ({_WORDS.start} to "
            f"{_WORDS.stop - 1} words long, with questions, five of an article); take fewer"
        )
    return Chosen(tuple(chosen), tuple(p for p in passages if p.title not in used))


def _of_file(path: Path) -> list[Passage]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BenchError(
            f"{path}: cannot be read ({error.strerror}); give the folder of {FILE}, whose lines have title, text and "
            f"questions (question, answer)"
        ) from None
    return [_passage(line, f"{path.name}, line {n}") for n, line in enumerate(lines, 1) if line.strip()]


def _passage(line: bytes, where: str) -> Passage:
    try:
        row = orjson.loads(line)
        questions = tuple(Asked(str(q["question"]), str(q["answer"])) for q in row["questions"])
        return Passage(str(row["title"]), str(row["text"]), questions)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise BenchError(f"{where}: not a JSON object with title, text and questions (question, answer)") from None


def _of_hub() -> list[Passage]:
    from datasets import load_dataset

    try:
        rows: Iterable[dict[str, object]] = load_dataset(HUB, split="validation")
    # The errors of datasets, huggingface_hub and httpx have no other common base class.
    except Exception as error:
        raise BenchError(
            f"data set {HUB}: cannot be loaded from the hub ({type(error).__name__}); give a folder with {FILE}: "
            f"--source FOLDER"
        ) from error
    return passages_of(rows)


def passages_of(rows: Iterable[dict[str, object]]) -> list[Passage]:
    """Collect the rows of the hub's data set, one per question, into passages; the first answer of several is taken."""
    found: dict[tuple[str, str], list[Asked]] = {}
    for row in rows:
        answers = row["answers"]
        assert isinstance(answers, dict), "a row of SQuAD has `answers: {text: [...], answer_start: [...]}`"
        place = str(row["title"]).replace("_", " "), str(row["context"])
        found.setdefault(place, []).append(Asked(str(row["question"]), str(answers["text"][0])))
    return [Passage(title, text, tuple(questions)) for (title, text), questions in found.items()]
