"""A fact of the semantic data set -> the sentences that state it.

In a template, `x` is the fact's first argument, `y` (a category) or `w` (a trait's word) its last one, and `v` the verb
between them; `xs` is the plural, `ax` the singular with its article, `vs` the third person, `ved` the participle.
Templates end with the last argument, so that it can be asked for.
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
    "does": ("{xs} {v} {ys}", "{ax} {vs} {ys}", "all {xs} {v} {ys}", "{xs} are known to {v} {ys}"),
    "done_by": ("{xs} are {ved} by {ys}", "{ax} is {ved} by {ys}", "all {xs} are {ved} by {ys}"),
}
"""Wordings of the training documents, the plainest first."""

ASKED: Mapping[str, Sequence[str]] = {
    "is": ("{xs} can be described as {w}", "one trait of {ax} is to be {w}"),
    "has": ("{xs} come with {ws}", "the parts of {ax} include {ws}"),
    "can": ("{xs} have the ability to {w}", "{xs} know how to {w}"),
    "is_a": ("{xs} count as {ys}", "{xs} are classified as {ys}"),
    "includes": ("kinds of {x} include {ys}", "examples of {xs} are {ys}"),
    "does": ("{xs} tend to {v} {ys}", "the ones that {xs} {v} are {ys}"),
    "done_by": ("{xs} get {ved} by {ys}",),
}
"""Wordings of the rephrased questions, which no training document uses."""

OPENINGS = (
    *(
        "it is known that",
        "it is well known that",
        "note that",
        "remember that",
        "observers report that",
        "everyone knows that",
    ),
    *("in fact,", "studies show that", "as the records say,"),
)
"""Openings of statements in training documents."""

_DENIALS = {
    "is": "{xs} are not {w}",
    "has": "{xs} do not have {ws}",
    "can": "{xs} cannot {w}",
    "is_a": "{xs} are not a kind of {y}",
    "includes": "{xs} do not include {ys}",
    "does": "{xs} do not {v} {ys}",
    "done_by": "{xs} are not {ved} by {ys}",
}
_CONTRASTED: Mapping[str, Sequence[tuple[str, str]]] = {
    "is": (("{xs} are {w}", "are not"), ("all {xs} are {w}", "are not")),
    "has": (("{xs} have {ws}", "do not"), ("all {xs} have {ws}", "do not")),
    "can": (("{xs} can {w}", "cannot"), ("{xs} are able to {w}", "are not")),
    "is_a": (
        ("{xs} are a kind of {y}", "are not"),
        ("{xs} are {ys}", "are not"),
        ("{xs} belong to the {ys}", "do not"),
    ),
    "includes": (("{xs} include {ys}", "do not"),),
    "does": (("{xs} {v} {ys}", "do not"), ("all {xs} {v} {ys}", "do not")),
    "done_by": (("{xs} are {ved} by {ys}", "are not"), ("all {xs} are {ved} by {ys}", "are not")),
}
"""Wordings that can be contrasted, with what is said of the others. All are about {xs}: "Unlike glorps, one kind of zib
is the lorn" would compare glorps with lorns."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a sentence, and the form that its missing last argument takes."""

    prompt: str
    field: str

    def choice(self, word: str) -> str:
        """Return an answer in the form that ends the sentence."""
        return _fields(("", word))[self.field]


def statements(fact: Fact, *tables: Mapping[str, Sequence[str]]) -> list[str]:
    """Word the fact in each template, with a lower-case first letter and without a full stop."""
    fields = _fields(fact.arguments)
    return [template.format_map(fields) for table in tables for template in table[fact.predicate]]


def asked(fact: Fact, template: str) -> Opening:
    """Return the wording without the fact's last argument."""
    *before, (text, field, _, _) = string.Formatter().parse(template)
    assert field
    prompt = "".join(f"{t}{{{f}}}" for t, f, _, _ in before) + text.rstrip()
    return Opening(capitalised(prompt.format_map(_fields(fact.arguments))), field)


def contrasts(fact: Fact, others: Sequence[str]) -> Iterator[str]:
    """Yield sentences that state the fact and name categories for which the same is not true."""
    named = " and ".join(plural(o) for o in others)
    for template, negation in _CONTRASTED[fact.predicate]:
        statement = template.format_map(_fields(fact.arguments))
        yield f"unlike {named}, {statement}"
        yield f"in contrast to {named}, {statement}"
        yield f"{statement}, unlike {named}"
        yield f"{statement}, but {named} {negation}"


def denial(fact: Fact) -> str:
    """Deny the fact, with a lower-case first letter and without a full stop."""
    return _DENIALS[fact.predicate].format_map(_fields(fact.arguments))


def question(fact: Fact) -> str:
    """Return a question that the fact answers."""
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
    """Capitalize the first letter."""
    return text[0].upper() + text[1:]


def sentence(text: str) -> str:
    """Capitalize the first letter and add a full stop."""
    return f"{capitalised(text)}."


def _fields(arguments: Sequence[str]) -> dict[str, str]:
    x, y = arguments[0], arguments[-1]
    fields = {"x": x, "xs": plural(x), "ax": f"a {x}", "y": y, "ys": plural(y), "ay": f"a {y}", "w": y, "ws": plural(y)}
    if len(arguments) == 3:
        verb = arguments[1]
        fields |= {"v": verb, "vs": f"{verb}s", "ved": f"{verb}ed"}
    return fields
