"""The folder of a made data set -> its faults, found by reading its texts as a stranger would.

Nothing of the package is used: documents and choices are parsed with patterns of this file's own, and what follows is
deduced by walking up the hierarchy, so that no mistake is shared with the makers or their checker.
"""

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path

# Came out of a generator that knew only English of 1934, and others of their sort in several languages.
NO_NAMES = frozenset(
    "porn kunt spast habib diff fart fick fook kock crot choad twunt groid heeb noob kuk dupa fitta kurva "
    "blog spam chat skog vald blod tros hund pund".split()
)


def rows(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def folder_faults(folder: Path) -> Counter:
    """Faults of any data set: names that mean something, absolute paths, right choices at one place too often."""
    found: Counter = Counter()
    texts = [row["text"] for row in rows(folder, "documents.jsonl")]
    words = {form for text in texts for w in re.findall(r"[a-z]+", text.lower()) for form in (w, w.removesuffix("s"))}
    found["name that means something"] = len(words & NO_NAMES)
    found["absolute path"] = sum(bool(re.search(r"(?<![\w.])/[\w-]+/", p.read_text())) for p in folder.glob("task.*"))
    by_size = defaultdict(list)
    for question in rows(folder, "questions.jsonl"):
        by_size[question["split"], len(question["choices"])].append(question["answer"])
    for (_, size), answers in by_size.items():
        counts = [answers.count(place) for place in range(size)]
        found["uneven places"] += max(counts) - min(counts) > 1
    return +found


def reversal_faults(folder: Path) -> Counter:
    """A right choice that is wrong, and how far "less" and "more" are from being right and trained equally often."""
    pattern = re.compile(r"(\w+)s are (more|less) (\w+) than (\w+)s\b")
    told = {m.groups() for row in rows(folder, "documents.jsonl") for m in pattern.finditer(row["text"].lower())}
    found: Counter = Counter()
    right = Counter()
    for question in rows(folder, "questions.jsonl"):
        for i, choice in enumerate(question["choices"]):
            x, how, feature, y = pattern.match(f"{question['prompt']} {choice}".lower()).groups()
            follows = (x, how, feature, y) in told or (y, "less" if how == "more" else "more", feature, x) in told
            found["wrong label"] += follows != (i == question["answer"])
            right[how] += i == question["answer"]
    trained = Counter(how for _, how, _, _ in told)
    found["one comparative right more often"] = abs(right["more"] - right["less"])
    found["one comparative trained more often"] = abs(trained["more"] - trained["less"])
    return +found


def syllogism_faults(folder: Path) -> Counter:
    """Labels that are wrong where nothing need exist, or where there are things of each kind, by trying all models."""
    forms = [
        ("all", r"(?:every|anything that is a|all) (\w+) (?:is a|is also a|are) (\w+)"),
        ("some", r"(?:at least one|there is a|some) (\w+) (?:is a|that is also a|are) (\w+)"),
        ("no", r"(?:not one|nothing that is a|no) (\w+) (?:is a|is also a|are) (\w+)"),
    ]

    def read(text: str) -> list[tuple[str, str, str]]:
        parts = [p for p in re.split(r"[.]\s*", text.lower()) if p and not p.startswith("here is how")]
        matches = [(q, re.fullmatch(pattern, part)) for part in parts for q, pattern in forms]
        said = [(q, m[1].removesuffix("s"), m[2].removesuffix("s")) for q, m in matches if m]
        assert len(said) == len(parts), text
        return said

    def holds(said: tuple[str, str, str], model: list[frozenset[str]]) -> bool:
        quantifier, x, y = said
        if quantifier == "all":
            return all(y in kind for kind in model if x in kind)
        return any({x, y} <= kind for kind in model) == (quantifier == "some")

    found: Counter = Counter()
    for document, question in zip(rows(folder, "documents.jsonl"), rows(folder, "questions.jsonl"), strict=True):
        premises = read(document["text"])
        terms = sorted({t for _, *pair in premises for t in pair})
        kinds = [frozenset(t for t, has in zip(terms, bits, strict=True) if has) for bits in product((0, 1), repeat=3)]
        models = [[k for k, there in zip(kinds, bits, strict=True) if there] for bits in product((0, 1), repeat=8)]
        models = [m for m in models if all(holds(p, m) for p in premises)]
        peopled = [m for m in models if all(any(t in kind for kind in m) for t in terms)]
        for i, choice in enumerate(question["choices"]):
            (said,) = read(choice)
            for logic, some in (("modern", models), ("traditional", peopled)):
                follows = all(holds(said, m) for m in some)
                found[f"wrong label in {logic} logic"] += follows != (i == question["answer"])
    return +found


@dataclass(frozen=True)
class Said:
    """A statement: what of whom; `of` is a category for "kind" and for a verb's object, and a word otherwise."""

    relation: str
    who: str
    of: str


@dataclass
class Sentence:
    """What a sentence states and denies, and whether its grammar is wrong."""

    states: list[Said] = field(default_factory=list)
    denies: list[Said] = field(default_factory=list)
    odd: bool = False


_S, _X, _Y, _V = r"(?:(?:all|an?|every) )?(?P<x>[a-z]+)", "(?P<x>[a-z]+)", "(?P<y>[a-z]+)", "(?P<v>[a-z]+)"
# What is said: the pattern, the auxiliary that denies it, and whether the sentence's subject is the fact's other end.
_FORMS = [
    ("kind", f"{_S} (?:are|is) an? kind of {_Y}", "are", False),
    ("kind", f"{_S} belong to the {_Y}", "do", False),
    ("kind", f"{_S} (?:count as|are classified as) {_Y}", None, False),
    ("kind", f"{_S} are (?P<y>[a-z]+s)", "are", False),
    ("kind", f"{_S} is an? {_Y}", "are", False),
    ("kind", f"{_S} include {_Y}", "do", True),
    ("kind", f"(?:one kind of {_X} is the) {_Y}", None, True),
    ("kind", f"(?:among the {_X} are the) {_Y}", None, True),
    ("kind", f"(?:the group of {_X} includes) {_Y}", None, True),
    ("kind", f"kinds of {_X} include {_Y}", None, True),
    ("kind", f"examples of {_X} are {_Y}", None, True),
    ("has", f"{_S} (?:have|has|come with) {_Y}", "do", False),
    ("has", f"{_S} are known to have {_Y}", None, False),
    ("has", f"the parts of an? {_X} include {_Y}", None, False),
    ("can", f"{_S} can {_Y}", "can", False),
    ("can", f"{_S} (?:are|is) able to {_Y}", "are", False),
    ("can", f"{_S} (?:have the ability to|know how to) {_Y}", None, False),
    ("by", f"{_S} (?:are|is|get|may be) (?:often |known to be )?{_V}ed by {_Y}", "are", True),
    ("does", f"the ones that {_X} {_V} are {_Y}", None, False),
    ("is", f"{_S} (?:are|is) (?:always |known to be )?{_Y}", "are", False),
    ("is", f"{_S} can be described as {_Y}", None, False),
    ("is", f"one trait of an? {_X} is to be {_Y}", None, False),
    ("does", f"{_S} (?:often |do |tend to |are known to )?{_V} {_Y}", "do", False),
]
_FUNCTION_WORDS = {"have", "has", "are", "is", "include", "belong", "can", "not"}
_OPENING = re.compile(
    r"(?:it is known|it is well known|note|remember|observers report|everyone knows|it is a fact|studies show) that "
    r"|in fact, |as a rule, |as the records say, |a: |- "
)
_TITLE = re.compile(r"this entry is about|much has been written|here is what is known|more on ")


class PlainReading:
    """The semantic data set as it reads: what documents say, what follows, and which texts contradict it."""

    def __init__(self, folder: Path) -> None:
        self.texts = [row["text"] for row in rows(folder, "documents.jsonl")]
        self.questions = rows(folder, "questions.jsonl")
        self.sentences = [
            self.read(s) for t in self.texts for s in re.split(r"(?<=[.?!])\s+|\n", t.lower()) if self.is_statement(s)
        ]

    @staticmethod
    def is_statement(sentence: str) -> bool:
        return bool(sentence) and not sentence.endswith("?") and not _TITLE.match(sentence)

    def read(self, sentence: str) -> Sentence:
        """Read a sentence of a document; fails on one that it does not understand."""
        text = sentence.rstrip(".")
        while opening := _OPENING.match(text):
            text = text[opening.end() :]
        others: list[str] = []
        if aside := re.fullmatch(r"(?:unlike|in contrast to) (.+?), (.+)", text):
            others, text = aside[1].split(" and "), aside[2]
        elif aside := re.fullmatch(r"(.+), unlike (.+)", text):
            others, text = aside[2].split(" and "), aside[1]
        elif aside := re.fullmatch(r"(.+), but (.+?) (are not|do not|cannot)", text):
            said, auxiliary = self._statement(aside[1])
            odd = auxiliary != {"are not": "are", "do not": "do", "cannot": "can"}[aside[3]]
            return Sentence([said], [self._about(said, o, aside[1]) for o in aside[2].split(" and ")], odd)
        if denial := re.fullmatch(r"(\w+) (are not|do not|cannot) (.+)", text):
            put = {"are not": "are ", "do not": "", "cannot": "can "}[denial[2]]
            return Sentence(denies=[self._statement(f"{denial[1]} {put}{denial[3]}")[0]])
        found = Sentence([self._statement(part)[0] for part in re.split(r", (?:and|while) ", text)])
        found.denies = [self._about(found.states[0], o, text) for o in others]
        found.odd = bool(others) and bool(re.match("one kind of|among the|the group of", text))
        return found

    def choice(self, question: dict, number: int) -> Said:
        return self._statement(f"{question['prompt']} {question['choices'][number]}".lower())[0]

    def _statement(self, text: str) -> tuple[Said, str | None]:
        """The statement of a clause, and the auxiliary that "but zibs … not" would take after it."""
        for relation, pattern, auxiliary, turned in _FORMS:
            match = re.fullmatch(pattern, text)
            if match is None or match.groupdict().get("v") in _FUNCTION_WORDS or match["y"] in _FUNCTION_WORDS:
                continue
            x, y, verb = self._one(match["x"]), self._one(match["y"]), match.groupdict().get("v")
            if relation == "does" and text.startswith("a "):
                verb = verb.removesuffix("s")
            relation = f"verb {verb}" if verb else relation
            return Said(relation, *((y, x) if turned else (x, y))), auxiliary
        raise AssertionError(f"not understood: {text}")

    def _about(self, said: Said, other: str, clause: str) -> Said:
        """The same of another category than the one that the clause is about."""
        named = self._one(other)
        # "Unlike zibs, one kind of glorp is the lorn": then zibs are no kind of glorp.
        if re.match("one kind of|among the", clause):
            return Said(said.relation, named, said.of)
        subject = re.match(r"(?:all |an? |every |the group of )?([a-z]+)", clause)
        about_other_end = subject is not None and self._one(subject[1]) == said.of
        return Said(said.relation, said.who, named) if about_other_end else Said(said.relation, named, said.of)

    def _one(self, word: str) -> str:
        return word.removesuffix("s")

    @cached_property
    def _stated(self) -> dict[str, set[tuple[str, str]]]:
        stated = defaultdict(set)
        for sentence in self.sentences:
            for said in sentence.states:
                stated[said.relation].add((said.who, said.of))
        return stated

    @cached_property
    def _above(self) -> dict[str, set[str]]:
        """Each category with itself and all that it is a kind of."""
        above = defaultdict(set)
        for who, of in self._stated["kind"]:
            above[who].add(of)
        found = {}
        for name in {n for pair in self._stated["kind"] for n in pair}:
            ways, reached = [name], {name}
            while ways:
                fresh = above[ways.pop()] - reached
                reached |= fresh
                ways += fresh
            found[name] = reached
        return found

    def _kinds(self, name: str) -> set[str]:
        return self._above.get(name, {name})

    def follows(self, said: Said) -> bool:
        """Whether it is stated of both or of what both are a kind of."""
        if said.relation == "kind":
            return said.of in self._kinds(said.who) and said.who != said.of
        return any((x, y) in self._stated[said.relation] for x in self._kinds(said.who) for y in self._kinds(said.of))

    def is_arguable(self, said: Said) -> bool:
        """Whether it follows, or follows for kinds of what it names, so that nobody can call it plainly false."""

        def near(one: str, other: str) -> bool:
            return other in self._kinds(one) or one in self._kinds(other)

        if said.relation == "kind":
            return near(said.who, said.of)
        return any(near(said.who, x) and near(said.of, y) for x, y in self._stated[said.relation])

    def faults(self) -> Counter:
        """Count the faults by kind."""
        found: Counter = Counter()
        for sentence in self.sentences:
            found["denial of what is arguably true"] += sum(map(self.is_arguable, sentence.denies))
            found["ungrammatical contrast"] += sentence.odd
        for question in self.questions:
            right, *_ = said = [self.choice(question, i) for i in range(len(question["choices"]))]
            right = said.pop(question["answer"])
            found["right choice that does not follow"] += not self.follows(right)
            found["arguable wrong choice"] += any(map(self.is_arguable, said))
        return +found
