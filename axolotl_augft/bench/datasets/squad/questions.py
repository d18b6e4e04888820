"""Passages with what people asked about them -> multiple-choice questions, asked without the passages."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from axolotl_augft.bench.datasets.dataset import Question
from axolotl_augft.bench.datasets.squad.choices import LONGEST_ANSWER, TOO_FEW, wrong_answers
from axolotl_augft.bench.datasets.squad.needs import needs_of
from axolotl_augft.bench.datasets.squad.passages import Asked, Passage

NAME = "squad"
_SPACES = re.compile(r"\s+")


def prompt_of(question: str) -> str:
    """Word a question as it is asked, and as form rows show it."""
    return f"Question: {_SPACES.sub(' ', question).strip()}\nAnswer:"


def questions_of(passages: Sequence[Passage], rng: random.Random, left_out: Counter[str]) -> Iterator[Question]:
    """Yield the questions of single passages that can be asked.

    Args:
        passages: The passages that are trained on.
        rng: Draws wrong answers and places.
        left_out: Counts the other questions, by reason.
    """
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
                left_out[TOO_FEW] += 1
                continue
            name, subset = f"{NAME}-{len(seen):04}", f"passage {number}"
            yield with_choices(asked, wrong, name, needs, subset, rng)


def _unusable(asked: Asked, needs: str | None, seen: bool) -> str | None:
    if needs is None:
        return "answer not in the passage"
    if seen:
        return "asked twice"
    return "answer too long" if len(asked.answer.split()) > LONGEST_ANSWER else None


def with_choices(
    asked: Asked, wrong: Sequence[str], name: str, split: str, subset: str, rng: random.Random
) -> Question:
    """Make a question, its right answer at a place that is drawn.

    Args:
        asked: The question and its right answer.
        wrong: The wrong answers.
        name: Id of the question.
        split: Part of the test that it belongs to.
        subset: Task subset for error bars.
        rng: Draws the place.
    """
    place = rng.randrange(len(wrong) + 1)
    choices = (*wrong[:place], asked.answer, *wrong[place:])
    return Question(
        id=name, prompt=prompt_of(asked.question), choices=choices, answer=place, split=split, subset=subset
    )
