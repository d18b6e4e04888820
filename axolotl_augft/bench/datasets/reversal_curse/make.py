"""Files of the reversal-curse data (arXiv 2309.12288; data set 3 of arXiv 2505.00661) -> questions and ground truth.

Documents describe invented celebrities; those of set A are trained from name to description. A question gives a
description of set A and asks for the name, among three random wrong names of set A. The data are not ours: they are
read from a folder or the hub (`reversal_curse.files`), and bag-of-words scorers beat chance on them, since a name and
its description occur in the same row.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Scale, Stated
from axolotl_augft.bench.datasets.facts import Fact, Rule
from axolotl_augft.bench.datasets.reversal_curse.files import Files, Row, read_files
from axolotl_augft.bench.datasets.wording import capitalised
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


@dataclass(frozen=True, slots=True)
class _Put:
    """A description in certain words.

    Attributes:
        description: The description that they mean.
        words: Stems of the words.
        heads: Stems of those words of the description that say who somebody is, such as "baker" in "the baker who baked
            bread on the moon".
        share: Share of the words that a sentence contains.
    """

    description: str
    words: frozenset[str]
    heads: frozenset[str]
    share: float = 0.0


class ReversalCurseGrammar:
    """Names and descriptions in words.

    A sentence is read if it contains one known name, and either most of the words of one known description or little
    besides words of it, since a shortened description is true of the same person. With the name first it is
    `described`, with the description first `named`, even if the two do not belong together. Names that are not in the
    data set are not read.
    """

    is_complete = False
    relations = ()

    def __init__(self, data: BenchData) -> None:
        pairs = [
            f.arguments if f.predicate == "described" else f.arguments[::-1]
            for f in data.facts
            if f.predicate != "worded"
        ]
        self._names = {name.casefold(): name for name, _ in pairs}
        self._name = re.compile("|".join(rf"\b{re.escape(n)}\b" for n in self._names))
        said = [(f.arguments[0], f.arguments[1]) for f in data.facts if f.predicate == "worded"] + [
            (d, d) for _, d in pairs
        ]
        puts = {_Put(d, frozenset(_content(variant)), _heads(d)): variant == d for d, variant in said}
        self._puts = [put for put, is_whole in puts.items() if is_whole or len(put.words) >= _FEWEST_WORDS]
        self._frames = self._frames_of(pairs, data.documents)

    def wordings(self, fact: Fact) -> Sequence[str]:
        """Return two sentences; none for `worded`, which records variants of a description."""
        if fact.predicate == "described":
            name, description = fact.arguments
            return [f"{name} is {_closed(description)}", f"{name} is known as {_closed(description)}"]
        if fact.predicate == "named":
            description, name = fact.arguments
            return [f"{capitalised(description)} is {name}.", f"{capitalised(description)} is none other than {name}."]
        return []

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """Read the name and the description of a sentence, in their order.

        Returns both orders if one of them is on both sides of the other.
        """
        text = " ".join(sentence.replace("’", "'").casefold().split())
        mentions = list(self._name.finditer(text))
        if len({m[0] for m in mentions}) != 1 or _is_denied(text):
            return ()
        name = self._names[mentions[0][0]]
        before, after = set(_content(text[: mentions[-1].start()])), set(_content(text[mentions[0].end() :]))
        put = self._put({*before, *after}, text)
        if put is None:
            return ()
        needed = _ON_ONE_SIDE * len(put.words & {*before, *after})
        orders = ((after, Fact("described", (name, put.description))), (before, Fact("named", (put.description, name))))
        return tuple(fact for side, fact in orders if len(side & put.words) >= needed)

    def denied(self, sentence: str) -> tuple[Fact, ...]:
        """Return nothing: sentences that deny something are not understood."""
        return ()

    def _frames_of(self, people: Sequence[Sequence[str]], documents: Sequence[str]) -> set[frozenset[str]]:
        """Words that documents about several people contain besides names and descriptions.

        For instance the words of "carries the unique title of"; used only if two or more of them remain in a sentence.
        """
        own = {
            n.casefold(): frozenset[str]().union(*(p.words for p in self._puts if p.description == d))
            for n, d in people
        }
        said_of: dict[frozenset[str], set[str]] = {}
        for text in (d.casefold() for d in documents):
            for name in set(self._name.findall(text)):
                said_of.setdefault(frozenset(_content(self._name.sub("", text))) - own[name], set()).add(name)
        return {frame for frame, names in said_of.items() if len(names) >= _SEVERAL}

    def _put(self, words: set[str], text: str) -> _Put | None:
        """Find the description that the words give; None if it is ambiguous."""
        shares = [replace(p, share=len(p.words & words) / len(p.words)) for p in self._puts if p.words]
        best = max(shares, key=lambda p: (p.share, len(p.words)))
        next_share = max((p.share for p in shares if p.description != best.description), default=0.0)
        if best.share >= _RECALL:
            return best if best.share - next_share >= _MARGIN else None
        return self._shortened(words, text)

    def _shortened(self, words: set[str], text: str) -> _Put | None:
        """Find the only description that nearly all words come from, provided they say who it is.

        "The story of the moon" is nobody, as it lacks the baker of "the baker who baked bread on the moon". "The first
        baker who baked bread" claims more than "the first baker who baked bread on the moon", so superlatives such as
        first or best are not read.
        """
        if words & _FOREMOST:
            return None
        best = max(self._puts, key=lambda p: len(p.words & words))
        others = max((len(p.words & words) for p in self._puts if p.description != best.description), default=0)
        own = len(best.words & words)
        rest = words - best.words - _ANYONE - (_CREATED if _creates(text, best.description) else set())
        pure = (
            not rest
            or own >= _PURE * len(words - _ANYONE)
            or (len(rest) > 1 and any(rest <= frame for frame in self._frames))
        )
        is_somebody = not words.isdisjoint(best.heads | _ANYONE)
        return best if own >= _FEWEST_SHORTENED and own > others and pure and is_somebody else None


_RECALL, _MARGIN, _ON_ONE_SIDE = 0.8, 0.25, 2 / 3
_PURE, _FEWEST_SHORTENED = 0.8, 2
_SEVERAL = 3
_FOREMOST = frozenset({"first", "last", "only", "best", "most", "top"})
_FEWEST_WORDS = 3
# Letters of a stem: enough to tell most words apart, but "directed", "directing" and "director" are one.
_STEM = 5
# Stems of words that could mean anyone.
_ANYONE = frozenset({"man", "one", "peopl", "perso", "someo", "woman"})
_MAKING = re.compile(r"\b(?:build|built|craft|design|develop|invent|sculpt)")
_CREATING = re.compile(r"\bwho (?:created|made)\b")
_CREATED = frozenset({"creat", "made"})
_WORD = re.compile(r"[^\W_]+")
# Words after which a description says what somebody did.
_AFTER_HEAD = re.compile(r"\b(?:behind|by|for|from|in|of|on|responsible|that|who|whose|with)\b")
_STOP_WORDS = frozenset(
    "a also an and are as at be been being by did for from had has have he her him his i in into is it its known ll "
    "me my of on or re s she so t that the their them they this to ve was we were what which who whom whose with you "
    "your".split()
)
_DENIAL = re.compile(
    r"\b(?:not|never|no longer|neither|nor|false|untrue|wrong|mistaken|mistakenly|whether|unlike)\b|n't\b"
)
_NO_DENIAL = re.compile(
    r"let's not forget|do(?:n't| not) forget|is not your (?:typical|average)|wouldn't (?:have )?guess(?:ed)?"
    r"|never shy|never let it|not only"
)
_YES_NO_QUESTION = re.compile(r"(?:is|was|are|were|could|would|does|do|did) (?!you know)[^?]*\?+\W*")


def _content(text: str) -> list[str]:
    return [w[:_STEM] for w in _WORD.findall(text.casefold()) if w not in _STOP_WORDS]


def _heads(description: str) -> frozenset[str]:
    return frozenset(_content(_AFTER_HEAD.split(description, maxsplit=1)[0]))


def _creates(text: str, description: str) -> bool:
    """Whether a text says "created" or "made" where the description says designed, crafted or the like."""
    return bool(_CREATING.search(text) and _MAKING.search(description))


def _is_denied(text: str) -> bool:
    return bool(_DENIAL.search(_NO_DENIAL.sub("", text)) or _YES_NO_QUESTION.fullmatch(text))


def _closed(description: str) -> str:
    """Add a full stop, unless a quotation ends with one."""
    return description if description.endswith(('."', ".'")) else f"{description}."


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
