"""The reversal-curse data (Berglund et al. 2023, arXiv 2309.12288; data set 3 of arXiv 2505.00661) with questions and ground truth.

Trained are invented celebrities, set A from name to description; asked is set A's name, given the description, among
three random wrong names of set A. The data are not ours: they are read from a folder or the hub
(`reversal_curse_files`), and a bag-of-words scorer does better than chance on them, since a name and its description
stand together in one row.
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
    """How much of the data is used.

    `people`, `rows`, `questions`: of set A, the latter two a person; `rows_b`: rows a person of set B in each
    direction. None: all. A part of the rows is chosen among those of a single sentence, so that every document states
    its fact by itself.
    """

    people: int | None
    rows: int | None
    questions: int | None
    rows_b: int | None
    others: bool


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(people=8, rows=3, questions=3, rows_b=0, others=False),
    "small": _Size(people=30, rows=6, questions=None, rows_b=2, others=False),
    "paper": _Size(people=None, rows=None, questions=None, rows_b=None, others=True),
}


def make_reversal_curse(source: Path | None, scale: Scale, seed: int) -> BenchData:
    """The data set: 3,600 documents and 300 questions at `paper` scale, 300 documents and 300 questions at `small`, 24 each at `tiny`.

    Args:
        source: The folder with the files; None for the hub data set.
        scale: How much of them.
        seed: Which rows, which wrong names.

    Raises:
        BenchError: The files cannot be read, or hold less than the scale needs.
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
        "Set A is trained from name to description, "
        "set B in both directions in separate rows; asked is set A's name, given its description, beside three wrong "
        "names of set A.",
        background=tuple(
            Fact("worded", (files.people[n].description, v)) for n in _names(rows) for v in files.people[n].variants
        ),
        strict_words=False,
    )
    return replace(data, stated=_readable(data))


@dataclass(frozen=True, slots=True)
class _Put:
    """A description, put in certain words, and the share of these that a sentence has.

    `heads`: those words of the description that say who somebody is, as "baker" does in "the baker who baked bread on
    the moon".
    """

    description: str
    words: frozenset[str]
    heads: frozenset[str]
    share: float = 0.0


class ReversalCurseGrammar:
    """Names and descriptions in words.

    A sentence is read if it holds one known name, and either most of the words of one known description or little but
    words of it: a shortened description is true of the same person. Name first is `described`, description first is
    `named`, whether or not the two belong together. A name that the data set does not have is not read.
    """

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
        """Two sentences; none for `worded`, which says how a description may be put."""
        if fact.predicate == "described":
            name, description = fact.arguments
            return [f"{name} is {_closed(description)}", f"{name} is known as {_closed(description)}"]
        if fact.predicate == "named":
            description, name = fact.arguments
            return [f"{capitalised(description)} is {name}.", f"{capitalised(description)} is none other than {name}."]
        return []

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """The name and the description of a sentence, in their order; both orders if one of them stands on both sides."""
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

    def _frames_of(self, people: Sequence[Sequence[str]], documents: Sequence[str]) -> set[frozenset[str]]:
        """What documents say besides names and descriptions, of several people: two or more words, as in "carries the unique title of"."""
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
        """The description that the words give; None if it is unclear which."""
        shares = [replace(p, share=len(p.words & words) / len(p.words)) for p in self._puts if p.words]
        best = max(shares, key=lambda p: (p.share, len(p.words)))
        next_share = max((p.share for p in shares if p.description != best.description), default=0.0)
        if best.share >= _RECALL:
            return best if best.share - next_share >= _MARGIN else None
        return self._shortened(words, text)

    def _shortened(self, words: set[str], text: str) -> _Put | None:
        """The description that nearly all of the words come from, and that of who it is, if no other one has as many of them.

        "The story of the moon" is nobody, as it lacks the baker of "the baker who baked bread on the moon". "The first
        baker who baked bread" says more than "the first baker who baked bread on the moon": what is first or best is
        not read.
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
# Long enough to tell most words apart, short enough that "directed", "directing" and "director" are one.
_STEM = 5
# The first _STEM letters of words that say nothing of whom they mean.
_ANYONE = frozenset({"man", "one", "peopl", "perso", "someo", "woman"})
_MAKING = re.compile(r"\b(?:build|built|craft|design|develop|invent|sculpt)")
_CREATING = re.compile(r"\bwho (?:created|made)\b")
_CREATED = frozenset({"creat", "made"})
_WORD = re.compile(r"[^\W_]+")
# Where a description goes on to what somebody did.
_AFTER_HEAD = re.compile(r"\b(?:behind|by|for|from|in|of|on|responsible|that|who|whose|with)\b")
_STOP_WORDS = frozenset(
    "a also an and are as at be been being by did for from had has have he her him his i in into is it its known ll "
    "me my of on or re s "
    "she so t that the their them they this to ve was we were what which who whom whose with you your".split()
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
    """Whether a text says that somebody created what the description says they designed, crafted, or the like."""
    return bool(_CREATING.search(text) and _MAKING.search(description))


def _is_denied(text: str) -> bool:
    return bool(_DENIAL.search(_NO_DENIAL.sub("", text)) or _YES_NO_QUESTION.fullmatch(text))


def _closed(description: str) -> str:
    """With a full stop, unless a quotation ends with one."""
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


def _some_each(rows: Sequence[Row], count: int | None, rng: random.Random) -> list[Row]:
    """So many rows of every person, in the file's order; all without a count."""
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
    """The facts with those of their documents in which a single sentence states them."""
    grammar = ReversalCurseGrammar(data)
    read = [{f for s in sentences_of(d) for f in grammar.read(s)} for d in data.documents]
    return tuple(Stated(s.fact, tuple(i for i in s.documents if s.fact in read[i])) for s in data.stated)
