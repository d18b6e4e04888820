"""SQuAD -> passages to train on, questions asked without them, and questions with answers about other articles.

The last ones are the *form rows*: they show a student how questions are answered and say nothing about the passages.
With them in every condition, no condition is ahead because it has seen questions (`ft` alone goes without).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Container, Sequence
from dataclasses import replace
from pathlib import Path

from axolotl_augft.bench.datasets.dataset import BenchData, Scale
from axolotl_augft.bench.datasets.squad.choices import LONGEST_ANSWER
from axolotl_augft.bench.datasets.squad.passages import Passage, choose, read_passages
from axolotl_augft.bench.datasets.squad.questions import NAME, prompt_of, questions_of
from axolotl_augft.bench.datasets.squad.two_passages import TwoPassages, TwoPassagesWanted, two_passages_of
from axolotl_augft.errors import BenchError

COUNTS: dict[Scale, int] = {"tiny": 5, "small": 20, "paper": 200}
"""Passages of each scale."""
_FORM_ROWS_A_PASSAGE = 7


def make_squad(
    source: Path | None,
    scale: Scale,
    seed: int,
    passages: int | None = None,
    two_passages: TwoPassagesWanted | None = None,
) -> BenchData:
    """Make the data set.

    Args:
        source: Folder with `passages.jsonl`; None to download the validation set from the hub.
        scale: Number of passages: tiny 5, small 20, paper 200.
        seed: Seed of the choice of passages, wrong choices and form rows.
        passages: Another number of passages than the scale's.
        two_passages: Adds questions that need two passages, if set. All others stay as they are without them.

    Raises:
        BenchError: The data cannot be read, or hold too few passages or questions.
        AugftError: The teacher cannot be asked. Every answer that arrived is stored.
    """
    count = passages or COUNTS[scale]
    chosen = choose(read_passages(source), count, seed)
    asked = frozenset(prompt_of(q.question) for p in chosen.passages for q in p.questions)
    rng = random.Random(f"{NAME} questions {count} {seed}")
    left_out: Counter[str] = Counter()
    questions = tuple(questions_of(chosen.passages, rng, left_out))
    if not questions:
        raise BenchError(f"{NAME}: none of {count:,} passages has a question that can be asked ({_listed(left_out)})")
    data = BenchData(
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
    if not two_passages:
        return data
    # Its own draws, so that the other questions and the form rows stay the same.
    rng = random.Random(f"{NAME} two passages {count} {seed}")
    return _with_two_passages(data, two_passages_of(chosen.passages, rng, two_passages))


def _with_two_passages(data: BenchData, found: TwoPassages) -> BenchData:
    tried = ", or were proposed by a teacher, which found their answers with both passages alone"
    return replace(
        data,
        questions=(*data.questions, *found.questions),
        about=f"{data.about} Questions that need two passages compare dates that people asked for"
        f"{tried if found.proposed else ''}.",
        settings={**data.settings, "two_passages": found.settings},
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
        short = [a for a in passage.questions if len(a.answer.split()) <= LONGEST_ANSWER]
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
