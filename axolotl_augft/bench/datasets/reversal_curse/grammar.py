"""Sentences about the reversal curse's celebrities -> who is described as what, by words of names and descriptions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.wording import capitalised

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
