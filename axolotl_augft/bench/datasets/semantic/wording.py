"""A fact of the semantic data set -> the sentences that state it.

Templates name the fact's first argument `x`, its last one `y` (a category) or `w` (a trait's word), the verb between
them `v`; `xs` is the plural, `ax` the singular with its article, `vs` the third person, `ved` the participle. The last
argument ends each template, so that it can be asked for.
"""

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.words.nonsense import plural

TRAINED: Mapping[str, Sequence[str]] = {
    "is": (
        "{xs} are {w}",
        "{ax} is {w}",
        "all {xs} are {w}",
        "every {x} is {w}",
        "{xs} are always {w}",
        "{xs} are known to be {w}",
    ),
    "has": (
        "{xs} have {ws}",
        "{ax} has {ws}",
        "all {xs} have {ws}",
        "every {x} has {ws}",
        "{xs} are known to have {ws}",
    ),
    "can": ("{xs} can {w}", "{ax} can {w}", "all {xs} can {w}", "{xs} are able to {w}", "every {x} is able to {w}"),
    "is_a": (
        *("{xs} are a kind of {y}", "{ax} is a kind of {y}", "{xs} are {ys}", "{ax} is {ay}"),
        *("every {x} is {ay}", "{xs} belong to the {ys}"),
    ),
    "includes": (
        "{xs} include {ys}",
        "one kind of {x} is the {y}",
        "among the {xs} are the {ys}",
        "the group of {xs} includes {ys}",
    ),
    "does": (
        "{xs} {v} {ys}",
        "{ax} {vs} {ys}",
        "all {xs} {v} {ys}",
        "{xs} are known to {v} {ys}",
        "{xs} often {v} {ys}",
    ),
    "done_by": (
        "{xs} are {ved} by {ys}",
        "{ax} is {ved} by {ys}",
        "all {xs} are {ved} by {ys}",
        "{xs} are often {ved} by {ys}",
    ),
}
"""Wordings of the training documents, the plainest first."""

ASKED: Mapping[str, Sequence[str]] = {
    "is": ("{xs} can be described as {w}", "one trait of {ax} is to be {w}"),
    "has": ("{xs} come with {ws}", "the parts of {ax} include {ws}"),
    "can": ("{xs} have the ability to {w}", "{xs} know how to {w}"),
    "is_a": ("{xs} count as {ys}", "{xs} are classified as {ys}"),
    "includes": ("kinds of {x} include {ys}", "examples of {xs} are {ys}"),
    "does": ("{xs} tend to {v} {ys}", "the ones that {xs} {v} are {ys}"),
    "done_by": ("{xs} get {ved} by {ys}", "{xs} may be {ved} by {ys}"),
}
"""Wordings that stand in no training document: those of the rephrased questions."""

OPENINGS = (
    *(
        "it is known that",
        "it is well known that",
        "note that",
        "remember that",
        "observers report that",
        "everyone knows that",
    ),
    *("in fact,", "as a rule,", "studies show that", "as the records say,"),
)
"""What a statement of a training document may begin with."""

_DENIALS = {
    "is": "{xs} are not {w}",
    "has": "{xs} do not have {ws}",
    "can": "{xs} cannot {w}",
    "is_a": "{xs} are not a kind of {y}",
    "includes": "{xs} do not include {ys}",
    "does": "{xs} do not {v} {ys}",
    "done_by": "{xs} are not {ved} by {ys}",
}
_NEGATED = {
    "can": "cannot",
    **dict.fromkeys(("is", "is_a", "done_by"), "are not"),
    **dict.fromkeys(("has", "includes", "does"), "do not"),
}


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a sentence, and how the missing last argument is to be written."""

    prompt: str
    field: str

    def choice(self, word: str) -> str:
        """An answer, in the form that ends the sentence."""
        return _fields(("", word))[self.field]


def statements(fact: Fact, *tables: Mapping[str, Sequence[str]]) -> list[str]:
    """The fact in each wording, with a small first letter and without a full stop."""
    fields = _fields(fact.arguments)
    return [template.format_map(fields) for table in tables for template in table[fact.predicate]]


def asked(fact: Fact, template: str) -> Opening:
    """The wording without the fact's last argument."""
    *before, (text, field, _, _) = string.Formatter().parse(template)
    assert field
    prompt = "".join(f"{t}{{{f}}}" for t, f, _, _ in before) + text.rstrip()
    return Opening(capitalised(prompt.format_map(_fields(fact.arguments))), field)


def contrasts(statement: str, fact: Fact, others: Sequence[str]) -> Iterator[str]:
    """The statement in sentences that also name categories of which the like is not true."""
    named = " and ".join(plural(o) for o in others)
    yield f"unlike {named}, {statement}"
    yield f"in contrast to {named}, {statement}"
    yield f"{statement}, unlike {named}"
    yield f"{statement}, but {named} {_NEGATED[fact.predicate]}"


def denial(fact: Fact) -> str:
    """That the fact is not true, with a small first letter and without a full stop."""
    return _DENIALS[fact.predicate].format_map(_fields(fact.arguments))


def question(fact: Fact) -> str:
    """A question that the fact answers."""
    templates = {
        "is": "What are {xs} like?",
        "has": "What do {xs} have?",
        "can": "What can {xs} do?",
        "is_a": "What are {xs}?",
        "includes": "Which kinds of {x} are there?",
        "does": "What do {xs} {v}?",
        "done_by": "What are {xs} {ved} by?",
    }
    return templates[fact.predicate].format_map(_fields(fact.arguments))


def capitalised(text: str) -> str:
    """With a capital first letter."""
    return text[0].upper() + text[1:]


def sentence(text: str) -> str:
    """With a capital first letter and a full stop."""
    return f"{capitalised(text)}."


def _fields(arguments: Sequence[str]) -> dict[str, str]:
    x, y = arguments[0], arguments[-1]
    fields = {"x": x, "xs": plural(x), "ax": f"a {x}", "y": y, "ys": plural(y), "ay": f"a {y}", "w": y, "ws": plural(y)}
    if len(arguments) == 3:
        verb = arguments[1]
        fields |= {"v": verb, "vs": f"{verb}s", "ved": f"{verb}ed"}
    return fields
