"""Sentences in free phrasing -> what a model reads in them, as plain sentences that the grammar understands.

A model takes a sentence apart: who, relation, whom, whether all, some or no such things are meant, and whether it is
denied. It does not judge. Each part becomes a plain sentence ("zibs" "are" "frant"), which the data set's grammar must
understand; if it understands one of them not, the sentence counts as not understood. The closure judges the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.datasets.reading import Reader, SentenceReading
from axolotl_augft.teacher.request import Prefix

QUANTIFIERS = ("all", "some", "no")
_TRAITS = ("are", "have", "can")
Ask = Callable[[Sequence[str]], Mapping[str, str]]
"""Asks a model about sentences; returns its answers by sentence."""

_SYSTEM = (
    "You take sentences about invented things apart into the plain claims that they make. You never judge whether a "
    "claim is true, and you add none that the sentence does not make."
)
_RULES = """Write a JSON object with the list "claims". Each claim has
* "quantifier": "all", unless the sentence speaks of some or of no such things;
* "who": the plural of one invented noun, the subject;
* "relation": one of the phrases below;
* "whom": one invented word, a noun in the plural if it is one;
* "denied": true if the sentence says that it is not so.
A contrast ("unlike zibs", "but not zibs") denies the claim for what it names. One claim for each subject and each word.
"Zibs can do what no lorn can: tolk" makes two claims: zibs can tolk, and, denied, lorns can tolk.
A comparison makes one claim, with the relation that says it.

Relations: {relations}

"""
_EXAMPLES = {
    "have": (
        ("Unlike mips, every tolk has grends.", ("all tolks have grends", "all mips have grends, denied")),
        ("You will find no mip that is not frand.", ("all mips are frand",)),
        ("Neither mips nor tolks are able to brell.", ("all mips can brell, denied", "all tolks can brell, denied")),
        (
            "Mips, being tolks, are frand and have grends.",
            (
                "all mips are a kind of tolks",
                "all mips are frand",
                "all mips have grends",
            ),
        ),
    ),
    "are": (
        ("Whatever is a mip is a tolk.", ("all mips are tolks",)),
        ("You can find a mip that is a tolk.", ("some mips are tolks",)),
        ("At least a few mips turn out to be tolks.", ("some mips are tolks",)),
        ("Being a mip rules out being a tolk.", ("no mips are tolks",)),
        ("A mip is never a tolk.", ("no mips are tolks",)),
        ("It is not true that all mips are tolks.", ("all mips are tolks, denied",)),
    ),
    "than": (
        ("Compared with tolks, mips are ahead in being sturdy.", ("all mips are more sturdy than tolks",)),
        ("Mips are not nearly as sturdy as tolks.", ("all mips are less sturdy than tolks",)),
    ),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as a model read it."""

    quantifier: str
    who: str
    relation: str
    whom: str
    denied: bool


class FreeReader:
    """Reads with the grammar, and with a model what the grammar does not understand.

    Args:
        grammar: The data set's grammar.
        ask: Asks the model.
    """

    def __init__(self, grammar: Grammar, ask: Ask) -> None:
        self._grammar = grammar
        self._plain = Reader(grammar)
        self._ask = ask
        self._read: dict[str, SentenceReading] = {}

    @classmethod
    def taught(cls, grammar: Grammar, ask: Ask, texts: Iterable[str]) -> "FreeReader":
        """Make a reader that can read these texts."""
        reader = cls(grammar, ask)
        reader.learn(texts)
        return reader

    def learn(self, texts: Iterable[str]) -> None:
        """Have the model read the sentences of these texts that the grammar does not understand, all at once."""
        readings = (reading for text in texts for reading in self._plain.sentences(text))
        unread = dict.fromkeys(r.sentence for r in readings if not r.is_understood and not _is_question(r.sentence))
        for sentence, answer in self._ask([s for s in unread if s not in self._read]).items():
            self._read[sentence] = self._understood(sentence, answer)

    def sentences(self, text: str) -> tuple[SentenceReading, ...]:
        """Return the reading of each sentence, by the grammar or else by the model."""
        return tuple(self._read.get(r.sentence, r) for r in self._plain.sentences(text))

    def _understood(self, sentence: str, answer: str) -> SentenceReading:
        """What the grammar understands of all claims; nothing if one of them is not understood."""
        found: dict[bool, list[Fact]] = {True: [], False: []}
        for claim in read_claims(answer):
            said, denied = self._facts(claim)
            if not said:
                return SentenceReading(sentence)
            found[denied] += said
        return SentenceReading(sentence, tuple(found[False]), tuple(found[True]))

    def _facts(self, claim: Claim) -> tuple[tuple[Fact, ...], bool]:
        """The facts of a claim, and whether they are denied. "No zibs are frant" denies "zibs are frant"."""
        for relation in self._relations(claim.relation):
            bare = f"{claim.who} {relation} {claim.whom}"
            if said := self._grammar.read(f"{claim.quantifier} {bare}"):
                return said, claim.denied
            plain = claim.quantifier == "all" or (claim.quantifier == "no" and not claim.denied)
            if plain and (said := self._grammar.read(bare)):
                return said, claim.quantifier == "no" or claim.denied
        return (), claim.denied

    def _relations(self, relation: str) -> list[str]:
        """The relation, and those that are tried in its place: small models mix them up, but a word fits only one."""
        others = _TRAITS if relation in _TRAITS else ()
        return list(dict.fromkeys((relation, *(o for o in others if o in self._grammar.relations))))


def _is_question(sentence: str) -> bool:
    """Whether a sentence asks, and so claims nothing; a model would make a claim of it."""
    return sentence.rstrip("\"' ”’").endswith("?")


def prefix(grammar: Grammar) -> Prefix:
    """Return the instructions and worked examples for a data set; the sentence follows."""
    relations = grammar.relations
    kind = "have" if "have" in relations else "are" if "are" in relations else "than"
    examples = "".join(f"Sentence: {s}\n{_json(claims)}\n\n" for s, claims in _EXAMPLES[kind])
    return Prefix(_SYSTEM, _RULES.format(relations=", ".join(relations)) + examples)


def target(sentence: str) -> str:
    """Return the rest of the prompt."""
    return f"Sentence: {sentence}\n"


def response_format(grammar: Grammar) -> dict[str, Any]:
    """Build the OpenAI `response_format` field for claims with the relations of a data set."""
    word = {"type": "string", "maxLength": 40}
    properties = {
        "quantifier": {"type": "string", "enum": list(QUANTIFIERS)},
        "who": word,
        "relation": {"type": "string", "enum": list(grammar.relations)},
        "whom": word,
        "denied": {"type": "boolean"},
    }
    claim = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"claims": {"type": "array", "items": claim, "maxItems": 6}},
        "required": ["claims"],
        "additionalProperties": False,
    }
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": "claims", "strict": True, "schema": schema}}
    }


def read_claims(answer: str) -> tuple[Claim, ...]:
    """Read an answer; no claims if it is not of the form that was asked for."""
    try:
        return tuple(_claim(row) for row in orjson.loads(answer)["claims"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ()


def _claim(row: Mapping[str, Any]) -> Claim:
    return Claim(str(row["quantifier"]), str(row["who"]), str(row["relation"]), str(row["whom"]), row["denied"] is True)


def _json(claims: Sequence[str]) -> str:
    """The JSON of an example's claims, each written as "quantifier who relation whom", with ", denied" if it is."""
    rows = []
    for claim in claims:
        plain = claim.removesuffix(", denied")
        quantifier, who, *relation, whom = plain.split()
        row = {"quantifier": quantifier, "who": who, "relation": " ".join(relation), "whom": whom}
        rows.append({**row, "denied": plain != claim})
    return orjson.dumps({"claims": rows}).decode()
