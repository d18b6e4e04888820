"""Sentences of the semantic data set -> the facts that they state.

A sentence is reduced to a pattern: known words become slots (N category, Q quality, P part, A ability, R verb, D its
participle), forms of one English word become one ("is", "are" -> "be"), and articles, "all" and the like are dropped.
Only whole patterns are recognised, so a sentence that says anything beyond a known wording, such as "some" or "only",
is not understood.
"""

import itertools
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.semantic.wording import ASKED, OPENINGS, TRAINED, sentence, statements
from axolotl_augft.bench.datasets.words.nonsense import plural

_HEARD: Mapping[str, Sequence[str]] = {
    "is": ("{xs} can be {w}", "{xs} tend to be {w}", "{xs} are described as {w}", "being {ax} means being {w}"),
    "has": ("{xs} possess {ws}", "{xs} are equipped with {ws}", "{xs} have {ws} as parts"),
    "can": ("{xs} are known to {w}", "{xs} {w}", "{xs} are capable to {w}"),
    "is_a": (
        *("{xs} are one kind of {y}", "{xs} are members of {ys}", "{xs} are examples of {ys}", "{xs} fall under {ys}"),
        *(
            "{xs} are part of {ys}",
            "{xs} belong to the group of {ys}",
            "{xs} are among the {ys}",
            "{xs} are known to be {ys}",
        ),
        *("if something is {ax}, it is {ay}", "{xs} are included in {ys}"),
    ),
    "includes": (
        *(
            "kinds of {x} are {ys}",
            "one of the kinds of {x} is {ys}",
            "among the {xs} one finds {ys}",
            "examples of {xs} include {ys}",
        ),
        *(
            "{xs} comprise {ys}",
            "members of {xs} include {ys}",
            "one example of {x} is {ys}",
            "among the {xs} is the {y}",
        ),
    ),
    "does": ("what {xs} {v} is {ys}", "{xs} like to {v} {ys}", "{xs} can {v} {ys}"),
    "done_by": ("{xs} can be {ved} by {ys}", "the ones that {v} {xs} are {ys}", "{xs} are known to be {ved} by {ys}"),
}
"""Wordings that are understood although no document or question uses them."""

_HEARD_OPENINGS = (
    *(
        "did you know that",
        "it is true that",
        "it follows that",
        "this means that",
        "we know that",
        "we can conclude that",
    ),
    *(
        "it is clear that",
        "it is a fact that",
        "it is said that",
        "experts say that",
        "one can say that",
        "we can say that",
    ),
    *(
        "as is well known",
        "therefore",
        "thus",
        "hence",
        "so",
        "consequently",
        "in general",
        "generally",
        "in other words",
        "that is",
    ),
    *("also", "moreover", "furthermore", "indeed"),
)
_OPENING = re.compile(f"(?:{'|'.join(re.escape(o.rstrip(',')) for o in (*OPENINGS, *_HEARD_OPENINGS))}),? ")
_LABEL = re.compile(r"^(?:[qa]|question|answer|conclusion)\s*:\s*|^(?:[-*•]|\d+[.)])\s+")
_TOKEN = re.compile(r"[\w'’]+|[,;?]")
_DROPPED = frozenset("a an the all every each any both always often usually typically also too".split())
_SAME_WORDS = {
    "be": "is are",
    "have": "has",
    "kind": "kinds type types sort sorts variety varieties",
    "include": "includes",
    "belong": "belongs",
    "count": "counts",
    "get": "gets",
    "come": "comes",
    "know": "knows",
    "tend": "tends",
    "member": "members",
    "example": "examples",
    "fall": "falls",
    "possess": "possesses",
    "comprise": "comprises",
    "mean": "means",
    "do": "does",
}
_SAME = {form: word for word, forms in _SAME_WORDS.items() for form in forms.split()}
# A comma before "and" belongs to a list of three or more; after two members it begins a new clause.
_LIST = re.compile(r"\b([NQPAR])\d+(?:(?: , \1\d+)*|(?: , \1\d+)+ ,) and \1\d+\b")
_AGAINST = r"(?:unlike|in contrast to|in contrast with|as opposed to|different from|but not)"
_ASIDE = re.compile(rf"^{_AGAINST} N\d+ , | , {_AGAINST} N\d+(?: ,|$)")
_NEGATION = re.compile(r"(N\d+) (be not|do not|cannot|can not)(?: (.+))?")
_AFFIRMED = {"be not": " be", "do not": "", "cannot": " can", "can not": " can"}
# Of which predicates "glorps are not" can be said after the whole statement about others.
_LEFT_OUT = {"be not": ("is", "is_a", "done_by", "can"), "do not": ("has", "includes", "does", "is_a")}
# "Not all glorps", "not always": says less than a denial.
_NOT_ALL = re.compile(r"(?:\bnot|n't|\bcannot)(?: \w+)? (?:all|always|any|each|every|both|often|usually|typically)\b")
_REASON = re.compile(r"(?:since|because|as) (.+?) , (?:then )?(.+)")
_RELATIVE = re.compile(r"(N\d+) , which (.+?) , (.+)")
_CLAUSES = re.compile(
    r" , (?:and|but|while|whereas|so|because|since) | ; | (?:so|because|since) | and (?=N\d+ (?:be|have|can|R))"
)
# What rules out a second predicate, as in "zibs are frant and have spons": another clause in between, or a negation,
# which might cover both predicates.
_UNJOINED = re.compile(rf"{_CLAUSES.pattern}|\b(?:not|cannot)\b")
_PREDICATES_JOINED = re.compile(r"(N\d+) (.+?)(?: ,)? and ((?:be|have|can|belong|R\d+)\b.+)")


@dataclass(frozen=True, slots=True)
class _Meaning:
    """The fact that a pattern states.

    Attributes:
        places: For each slot of the pattern, the place of its word among the fact's arguments.
    """

    predicate: str
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Understood:
    """What a sentence or a clause says; nothing if any of it is not understood."""

    stated: tuple[Fact, ...] = ()
    denied: tuple[Fact, ...] = ()


_NOTHING = _Understood()


@dataclass(frozen=True, slots=True)
class _Clause:
    """A statement with its subject, and the slots of the categories that it is contrasted with."""

    pattern: str
    against: tuple[str, ...] = ()


class SemanticGrammar:
    """The wording of the semantic data set's facts.

    Args:
        data: The data set; its facts provide the known words.
    """

    is_complete = True

    def __init__(self, data: BenchData) -> None:
        verbs = dict.fromkeys(f.arguments[1] for f in data.facts if len(f.arguments) == 3)
        spoken = [phrase for verb in verbs for phrase in (verb, f"are {verb}ed by")]
        self.relations = ["are", "have", "can", "are a kind of", "include", *spoken]
        self._slots = dict(_forms(data))

    def wordings(self, fact: Fact) -> Sequence[str]:
        """Word a fact as `Grammar.wordings` says."""
        return [sentence(s) for s in statements(fact, TRAINED, ASKED)]

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """Read a sentence as `Grammar.read` says."""
        return self._understood(sentence).stated

    def denied(self, sentence: str) -> tuple[Fact, ...]:
        """Read the denials and contrasts of a sentence as `Grammar.denied` says."""
        return self._understood(sentence).denied

    def _understood(self, sentence: str) -> "_Understood":
        text = _LABEL.sub("", sentence.strip(" \t\r\n\"'“”").casefold())
        if _NOT_ALL.search(text) or (text.endswith("?") and not text.startswith("did you know")):
            return _NOTHING
        while opening := _OPENING.match(text):
            text = text[opening.end() :]
        pattern, words = self._pattern(text.rstrip(" .!?"))
        stated: list[Fact] = []
        denied: list[Fact] = []
        before: Sequence[Fact] = ()
        for clause in _clauses(pattern):
            found = _meant(clause, words, before)
            if found is None:
                return _NOTHING
            stated += found.stated
            denied += found.denied
            before = found.stated
        return _Understood(tuple(dict.fromkeys(stated)), tuple(dict.fromkeys(denied)))

    def _pattern(self, text: str) -> tuple[str, list[tuple[str, ...]]]:
        """The text with numbered slots, and the words of each slot; a list of words of one type is one slot."""
        tokens: list[str] = []
        words: list[tuple[str, ...]] = []
        for token in _TOKEN.findall(text):
            if slot := self._slots.get(token):
                tokens.append(f"{slot[0]}{len(words)}")
                words.append((slot[1],))
            elif token not in _DROPPED:
                tokens.append(_SAME.get(token, token))

        def joined(match: re.Match[str]) -> str:
            members = [int(i) for i in re.findall(r"\d+", match[0])]
            words.append(tuple(w for i in members for w in words[i]))
            return f"{match[1]}{len(words) - 1}"

        return _LIST.sub(joined, " ".join(tokens)), words


def _forms(data: BenchData) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield every form of every word, with its slot and the word itself."""
    trait_slots = {"is": "Q", "has": "P", "can": "A"}
    for fact in (*data.facts, *(f for q in data.questions for f in (q.fact, *q.distractors) if f)):
        last = fact.arguments[-1]
        for word, slot in ((fact.arguments[0], "N"), (last, trait_slots.get(fact.predicate, "N"))):
            yield word, (slot, word)
            if slot != "Q":
                yield plural(word), (slot, word)
        if len(fact.arguments) == 3:
            verb = fact.arguments[1]
            yield from ((verb, ("R", verb)), (f"{verb}s", ("R", verb)), (f"{verb}ed", ("D", verb)))


def _clauses(pattern: str, against: tuple[str, ...] = ()) -> Iterator[_Clause]:
    """Split a sentence's pattern into statements, each with its subject."""
    against = (*against, *(slot for aside in _ASIDE.finditer(pattern) for slot in re.findall(r"N\d+", aside[0])))
    pattern = _ASIDE.sub("", pattern).strip()
    parts: Sequence[str]
    if _pattern_key(pattern) in _MEANINGS:
        parts = ()
    elif reason := _REASON.fullmatch(pattern):
        parts = reason.groups()
    elif relative := _RELATIVE.fullmatch(pattern):
        parts = (f"{relative[1]} {relative[2]}", f"{relative[1]} {relative[3]}")
    elif (joined := _PREDICATES_JOINED.fullmatch(pattern)) and not _UNJOINED.search(joined[2]):
        parts = (f"{joined[1]} {joined[2]}", f"{joined[1]} {joined[3]}")
    else:
        parts = _CLAUSES.split(pattern, maxsplit=1)
    if len(parts) < 2:
        yield _Clause(pattern, against)
    for part in parts if len(parts) == 2 else ():
        yield from _clauses(part, against)


def _meant(clause: _Clause, words: Sequence[tuple[str, ...]], before: Sequence[Fact]) -> _Understood | None:
    """What a clause says; None if it is not understood.

    Args:
        clause: The clause.
        words: The words of each slot.
        before: What the clause before it states, to which "but glorps are not" refers.
    """
    negation = _NEGATION.fullmatch(clause.pattern)
    if negation is None:
        stated = _facts(clause.pattern, words)
        if stated is None:
            return None
        others = [_with_subject(f, c) for f in stated for slot in clause.against for c in words[int(slot[1:])]]
        return _Understood(stated, tuple(others))
    subject, negated, rest = negation.groups()
    if clause.against:
        return None
    if rest is not None:
        denied = _facts(f"{subject}{_AFFIRMED[negated]} {rest}", words)
        return None if denied is None else _Understood(denied=denied)
    fitting = [f for f in before if f.predicate in _LEFT_OUT.get(negated, ("can",))]
    if not before or len(fitting) < len(before):
        return None
    return _Understood(denied=tuple(_with_subject(f, c) for f in before for c in words[int(subject[1:])]))


def _facts(pattern: str, words: Sequence[tuple[str, ...]]) -> tuple[Fact, ...] | None:
    """Facts of a statement; None if it is not understood."""
    meaning = _MEANINGS.get(_pattern_key(pattern))
    if meaning is None:
        return None
    slots = [words[int(i)] for i in re.findall(r"\b[NQPARD](\d+)", pattern)]
    facts = []
    for chosen in itertools.product(*slots):
        arguments = [word for _, word in sorted(zip(meaning.places, chosen, strict=True))]
        facts.append(Fact(meaning.predicate, tuple(arguments)))
    return tuple(facts)


def _with_subject(fact: Fact, subject: str) -> Fact:
    return Fact(fact.predicate, (subject, *fact.arguments[1:]))


def _pattern_key(clause: str) -> str:
    return re.sub(r"\b([NQPARD])\d+", r"\1", clause)


def _meaning(predicate: str, template: str) -> tuple[str, _Meaning]:
    """Reduce a template to its pattern and what it states."""
    trait = {"is": "Q", "has": "P", "can": "A"}.get(predicate, "N")
    last = 2 if predicate in ("does", "done_by") else 1
    slots = {"x": ("N", 0), "xs": ("N", 0), "ax": ("N", 0), "v": ("R", 1), "vs": ("R", 1), "ved": ("D", 1)}
    slots |= {name: (trait, last) for name in ("y", "ys", "ay", "w", "ws")}
    tokens: list[str] = []
    places: list[int] = []
    for text, field, _, _ in string.Formatter().parse(template):
        tokens += [_SAME.get(t, t) for t in _TOKEN.findall(text) if t not in _DROPPED]
        if field:
            slot, place = slots[field]
            tokens.append(slot)
            places.append(place)
    return " ".join(tokens), _Meaning(predicate, tuple(places))


_MEANINGS = dict(
    _meaning(p, t) for table in (_HEARD, ASKED, TRAINED) for p, templates in table.items() for t in templates
)
