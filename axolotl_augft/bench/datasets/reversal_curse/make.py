"""Files of the reversal-curse data (arXiv 2309.12288; data set 3 of arXiv 2505.00661) -> questions and ground truth.

Documents describe invented celebrities; those of set A are trained from name to description. A question gives a
description of set A and asks for the name, among three random wrong names of set A. The data are not ours: they are
read from a folder or the hub (`reversal_curse.files`), and bag-of-words scorers beat chance on them, since a name and
its description occur in the same row.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact, Rule
from axolotl_augft.bench.datasets.reversal_curse.files import Files, Row, read_files
from axolotl_augft.bench.datasets.reversal_curse.grammar import ReversalCurseGrammar
from axolotl_augft.bench.datasets.words.scorer import sentences_of
from axolotl_augft.errors import BenchError

NAME = "reversal-curse"
WRONG_NAMES = 3
RULES = (
    Rule((Fact("described", ("?n", "?d")),), Fact("named", ("?d", "?n"))),
    Rule((Fact("named", ("?d", "?n")),), Fact("described", ("?n", "?d"))),
)


@dataclass(frozen=True, slots=True)
class _Size:
    """How much of the data a scale uses; None stands for all of it.

    If only a part of the rows is used, it is drawn from rows of a single sentence, so that every document states its
    fact by itself.

    Attributes:
        people: People of set A.
        rows: Rows per person of set A.
        questions: Questions per person of set A.
        rows_b: Rows per person of set B, in each direction.
        others: Whether the third set is used.
        form: Form rows per person of set B: further rows that give the description first, as the questions do.
    """

    people: int | None
    rows: int | None
    questions: int | None
    rows_b: int | None
    others: bool
    form: int


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(people=8, rows=3, questions=3, rows_b=0, others=False, form=0),
    "small": _Size(people=30, rows=6, questions=None, rows_b=2, others=False, form=10),
    "paper": _Size(people=None, rows=None, questions=None, rows_b=None, others=True, form=0),
}


def make_reversal_curse(source: Path | None, scale: Scale, seed: int) -> BenchData:
    """Make the data set.

    `paper` scale has 3,600 documents and 300 questions, `small` 300 documents and 300 questions, `tiny` 24 of each.
    `small` has 300 form rows besides: sentences about people of set B in the order that the questions have.

    Args:
        source: Folder with the files; None to download them from the hub.
        scale: How much of the data to use.
        seed: Seed of the choice of rows and wrong names.

    Raises:
        BenchError: The files cannot be read, or contain less than the scale needs.
    """
    files, size, rng = read_files(source), _SIZES[scale], random.Random(f"{NAME} {scale} {seed}")
    names = _chosen(sorted({r.name for r in files.set_a}), size.people, rng)
    rows = _rows(files, size, names, rng)
    asked = _some_each([r for r in files.reversed if r.name in names], size.questions, rng)
    data = BenchData(
        name=NAME,
        scale=scale,
        seed=seed,
        documents=tuple(r.text for r in rows),
        questions=tuple(_question(i, row, names, files, rng) for i, row in enumerate(asked)),
        stated=_stated(rows, files),
        rules=RULES,
        about="Reversal curse (Berglund et al. 2023, arXiv 2309.12288): invented celebrities. "
        "Set A is trained from name to description, set B in both directions in separate rows; asked is set A's name, "
        "given its description, beside three wrong names of set A.",
        background=tuple(
            Fact("worded", (files.people[n].description, v)) for n in _names(rows) for v in files.people[n].variants
        ),
        strict_words=False,
        made_words=False,
        form_rows=_form_rows(files, size, rows, rng),
    )
    return replace(data, stated=_readable(data))


def _chosen(names: Sequence[str], count: int | None, rng: random.Random) -> list[str]:
    needed = WRONG_NAMES + 1 if count is None else count
    if len(names) < needed:
        raise BenchError(
            f"reversal-curse data: {len(names)} people of set A, this scale needs {needed}; give the original files "
            f"or another --scale"
        )
    return rng.sample(names, len(names) if count is None else count)


def _rows(files: Files, size: _Size, names: Sequence[str], rng: random.Random) -> list[Row]:
    rows = _some_each([r for r in files.set_a if r.name in names], size.rows, rng)
    for name_first in (True, False):
        rows += _some_each([r for r in files.set_b if r.name_first == name_first], size.rows_b, rng)
    rows += files.others if size.others else ()
    rng.shuffle(rows)
    return rows


def _form_rows(files: Files, size: _Size, used: Sequence[Row], rng: random.Random) -> tuple[str, ...]:
    """Draw rows of set B that no document has: they show the order that is asked for, and say nothing about set A."""
    if not size.form:
        return ()
    taken = {r.text for r in used}
    return tuple(
        r.text for r in _some_each([r for r in files.set_b if not r.name_first and r.text not in taken], size.form, rng)
    )


def _some_each(rows: Sequence[Row], count: int | None, rng: random.Random) -> list[Row]:
    """Draw `count` rows per person, in the file's order; all rows if `count` is None."""
    if count is None:
        return list(rows)
    kept: list[Row] = []
    for name in dict.fromkeys(r.name for r in rows):
        own = [r for r in rows if r.name == name and len(sentences_of(r.text)) == 1]
        if len(own) < count:
            raise BenchError(
                f"reversal-curse data: {len(own)} rows of one sentence about {name}, this scale needs {count}; give "
                f"the original files"
            )
        kept += [own[i] for i in sorted(rng.sample(range(len(own)), count))]
    return kept


def _names(rows: Sequence[Row]) -> list[str]:
    return sorted({r.name for r in rows})


def _question(number: int, row: Row, names: Sequence[str], files: Files, rng: random.Random) -> Question:
    choices = [row.name, *rng.sample([n for n in names if n != row.name], WRONG_NAMES)]
    rng.shuffle(choices)
    facts = [Fact("named", (files.people[row.name].description, n)) for n in choices]
    answer = choices.index(row.name)
    return Question(
        id=f"{NAME}-{number:03}",
        prompt=row.prompt.strip(),
        choices=tuple(choices),
        answer=answer,
        split="reversed",
        fact=facts.pop(answer),
        subset=row.name,
        distractors=tuple(facts),
    )


def _fact(row: Row, files: Files) -> Fact:
    description = files.people[row.name].description
    return Fact("described", (row.name, description)) if row.name_first else Fact("named", (description, row.name))


def _stated(rows: Sequence[Row], files: Files) -> tuple[Stated, ...]:
    by_fact: dict[Fact, list[int]] = {}
    for i, row in enumerate(rows):
        by_fact.setdefault(_fact(row, files), []).append(i)
    return tuple(Stated(fact, tuple(documents)) for fact, documents in by_fact.items())


def _readable(data: BenchData) -> tuple[Stated, ...]:
    """Limit each fact's documents to those in which a single sentence states it."""
    grammar = ReversalCurseGrammar(data)
    read = [{f for s in sentences_of(d) for f in grammar.read(s)} for d in data.documents]
    return tuple(Stated(s.fact, tuple(i for i in s.documents if s.fact in read[i])) for s in data.stated)
