"""SQuAD -> passages to train on, questions asked without them, and questions with answers about other articles.

The last ones are the *form rows*: they show a student how questions are answered and say nothing about the passages.
With them in every condition, no condition is ahead because it has seen questions (`ft` alone goes without).
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Scale
from axolotl_augft.bench.datasets.squad.choices import WRONG, wrong_answers
from axolotl_augft.bench.datasets.squad.needs import needs_of
from axolotl_augft.bench.datasets.squad.passages import Asked, Passage, choose, read_passages
from axolotl_augft.errors import BenchError

NAME = "squad"
COUNTS: dict[Scale, int] = {"tiny": 5, "small": 20, "paper": 200}
"""Passages of each scale."""
_FORM_ROWS_A_PASSAGE = 7
_LONGEST_ANSWER = 12
_SPACES = re.compile(r"\s+")


def make_squad(source: Path | None, scale: Scale, seed: int, passages: int | None = None) -> BenchData:
    """Make the data set.

    Args:
        source: Folder with `passages.jsonl`; None to download the validation set from the hub.
        scale: Number of passages: tiny 5, small 20, paper 200.
        seed: Seed of the choice of passages, wrong choices and form rows.
        passages: Another number of passages than the scale's.

    Raises:
        BenchError: The data cannot be read, or hold too few passages or questions.
    """
    count = passages or COUNTS[scale]
    chosen = choose(read_passages(source), count, seed)
    asked = frozenset(prompt_of(q.question) for p in chosen.passages for q in p.questions)
    rng = random.Random(f"{NAME} questions {count} {seed}")
    left_out: Counter[str] = Counter()
    questions = tuple(_questions(chosen.passages, rng, left_out))
    if not questions:
        raise BenchError(f"{NAME}: none of {count:,} passages has a question that can be asked ({_listed(left_out)})")
    return BenchData(
        name=NAME,
        scale=scale,
        seed=seed,
        documents=tuple(p.text for p in chosen.passages),
        questions=questions,
        stated=(),
        rules=(),
        about=f"Passages of SQuAD 1.1 (Rajpurkar et al. 2016, arXiv 1606.05250; Wikipedia text, CC BY-SA 4.0) and "
        f"their questions, asked without them; wrong choices are of the same kind and from the same article's "
        f"passages. A question's split is what it needs by a rule about words (`needs`). Left out: "
        f"{_listed(left_out)}.",
        strict_words=False,
        settings={"passages": count, "form_rows": _FORM_ROWS_A_PASSAGE * count},
        form_rows=_form_rows(chosen.elsewhere, asked, _FORM_ROWS_A_PASSAGE * count, rng),
    )


def prompt_of(question: str) -> str:
    """Word a question as it is asked, and as form rows show it."""
    return f"Question: {_SPACES.sub(' ', question).strip()}\nAnswer:"


def _questions(passages: Sequence[Passage], rng: random.Random, left_out: Counter[str]) -> Iterator[Question]:
    by_title: defaultdict[str, list[Passage]] = defaultdict(list)
    for passage in passages:
        by_title[passage.title].append(passage)
    seen: set[str] = set()
    for number, passage in enumerate(passages):
        for asked in passage.questions:
            key, needs = prompt_of(asked.question).casefold(), needs_of(asked.question, asked.answer, passage.text)
            if reason := _unusable(asked, needs, key in seen):
                left_out[reason] += 1
                continue
            seen.add(key)
            wrong = wrong_answers(asked, by_title[passage.title], rng)
            if needs is None or wrong is None:
                left_out["too few wrong answers of its kind"] += 1
                continue
            yield _question(asked, wrong, needs, number, len(seen), rng)


def _unusable(asked: Asked, needs: str | None, seen: bool) -> str | None:
    if needs is None:
        return "answer not in the passage"
    if seen:
        return "asked twice"
    return "answer too long" if len(asked.answer.split()) > _LONGEST_ANSWER else None


def _question(
    asked: Asked, wrong: Sequence[str], needs: str, passage: int, number: int, rng: random.Random
) -> Question:
    place = rng.randrange(WRONG + 1)
    choices = [*wrong[:place], asked.answer, *wrong[place:]]
    return Question(
        id=f"{NAME}-{number:04}",
        prompt=prompt_of(asked.question),
        choices=tuple(choices),
        answer=place,
        split=needs,
        subset=f"passage {passage}",
    )


def _form_rows(elsewhere: Sequence[Passage], asked: Container[str], count: int, rng: random.Random) -> tuple[str, ...]:
    """Questions with short answers about other articles, as texts; at most one of a passage until all have given one.

    Args:
        elsewhere: The other articles' passages.
        asked: Prompts of the questions about the passages that are trained on, which must not come twice.
        count: Number of rows.
        rng: Draws the questions.

    Raises:
        BenchError: The other articles have too few questions.
    """
    rounds: defaultdict[int, list[str]] = defaultdict(list)
    for passage in rng.sample(elsewhere, len(elsewhere)):
        short = [a for a in passage.questions if len(a.answer.split()) <= _LONGEST_ANSWER]
        for n, question in enumerate(rng.sample(short, len(short))):
            if prompt_of(question.question) not in asked:
                rounds[n].append(f"{prompt_of(question.question)} {question.answer}")
    rows = list(dict.fromkeys(row for n in sorted(rounds) for row in rounds[n]))[:count]
    if len(rows) < count:
        raise BenchError(
            f"{NAME}: the articles that no passage is from give {len(rows):,} form rows, {count:,} are needed; take "
            f"fewer passages"
        )
    return tuple(rows)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {n:,}" for reason, n in counts.most_common()) or "none"
