"""Facts of the process data set <-> sentences, such as "The drem of (zib plon lorn) is (furn skav kel)."."""

import re
from collections.abc import Sequence

from axolotl_augft.bench.datasets.dataset import BenchData
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.process.rules import Expression, maps, parsed, parts

WORDINGS = (
    "The {op} of {e} is {r}.",
    "{e} has the {op} {r}.",
    "Taking the {op} of {e} gives {r}.",
    "We get {r} as the {op} of {e}.",
    "If we take the {op} of {e}, we get {r}.",
)
"""The plainest first; the questions' prompts are its beginning."""

_HEARD = (
    *("{op} of {e} is {r}", "the {op} of {e} equals {r}", "the {op} of {e} = {r}", "{op}({e}) = {r}", "{op} {e} = {r}"),
    "{r} is the {op} of {e}",
    *(
        "the {op} of {e} will be {r}",
        "the {op} of {e} must be {r}",
        "applying {op} to {e} gives {r}",
        "the {op} of {e} becomes {r}",
    ),
    *("the {op} of the function {e} is {r}", "we know that the {op} of {e} is {r}", "to get {r}, take the {op} of {e}"),
)
_OPENING = re.compile(
    r"(?:so|thus|hence|therefore|first|second|next|then|finally|now|also|and|in all|step \d+|it follows that|it is "
    r"known that|note that|"
    r"recall that|remember that|did you know that|we conclude that|this means that|which means that|as a "
    r"result)\b[,:]? "
)
_LABEL = re.compile(r"^(?:[qa]|question|answer|conclusion|example)\s*:\s*|^(?:[-*•]|\d+[.)])\s+")
_TWO = re.compile(r",? and (?=the |taking |if )|; |, so ")


class ProcessGrammar:
    """The wording of the process data set's facts.

    Args:
        data: The data set; its settings name the operator, its facts the functions.
    """

    is_complete = False
    relations = ()

    def __init__(self, data: BenchData) -> None:
        self._operator = str(data.settings["operator"])
        self._functions = {
            f.arguments[0] for f in data.facts if f.predicate == "maps" and isinstance(parsed(f.arguments[0]), str)
        }
        self._operations = {f.arguments[1] for f in data.background}
        self._patterns = [self._compiled(w.rstrip(".").casefold()) for w in (*WORDINGS, *_HEARD)]

    def wordings(self, fact: Fact) -> Sequence[str]:
        """Word a fact as `Grammar.wordings` says; `joins` facts (syntax) have no wording."""
        if fact.predicate != "maps":
            return ()
        e, r = fact.arguments
        return [w.format(op=self._operator, e=e, r=r) for w in WORDINGS]

    def read(self, sentence: str) -> tuple[Fact, ...]:
        """Read a sentence as `Grammar.read` says."""
        text = " ".join(_LABEL.sub("", sentence.strip(" \t\r\n\"'“”").casefold()).split())
        if text.endswith("?") and not text.startswith("did you know"):
            return ()
        facts = [self._statement(clause) for clause in _TWO.split(text.rstrip(" .!?"))]
        return tuple(f for f in facts if f) if all(facts) else ()

    def denied(self, sentence: str) -> tuple[Fact, ...]:
        """Return nothing: sentences that deny something are not understood."""
        return ()

    def _statement(self, text: str) -> Fact | None:
        while opening := _OPENING.match(text):
            text = text[opening.end() :]
        for pattern in self._patterns:
            if match := pattern.fullmatch(text):
                e, r = parsed(match["e"]), parsed(match["r"])
                if e is not None and r is not None and self._knows(e) and self._knows(r):
                    return maps(e, r)
        return None

    def _knows(self, expression: Expression) -> bool:
        return all(
            p in self._functions if isinstance(p, str) else p.operation in self._operations for p in parts(expression)
        )

    def _compiled(self, wording: str) -> re.Pattern[str]:
        fields = {"{op}": re.escape(self._operator), "{e}": "(?P<e>.+)", "{r}": "(?P<r>.+)"}
        return re.compile("".join(fields.get(part, re.escape(part)) for part in re.split(r"(\{\w+\})", wording)))
