"""A number -> generated documents for measurements: any number of them, of many forms, the same in every run."""

import random
from collections.abc import Iterator

from axolotl_augft.sources.documents import Document, document_id

LOCAL = {"strategy": "local", "unit_tokens": 96, "example_choice": "fitting"}
"""The `augment` entry that the measurements take: the one whose requests are the most work to make."""
_SYLLABLES = "an bel cor dra el fen gar hol im jor kel lum mar nor os pel quin ros sel tor ul ven wil yar zim".split()
_SUBJECTS = [
    "{n}",
    "The {r} of {n}",
    "{n}, who was born in {n},",
    "No {t} from {n}",
    "Every {t}",
    "The {t} that {n} bought",
    "A {t}",
]
_VERBS = (
    "is the {r} of {n}|was founded by {n} in {y}|is {c} than the {t} of {n}|lies north of {n}|belongs to the {r} of "
    "{n}|"
    "replaced {n} after the flood of {y}|carries a {t} of {y} kilograms|never leaves {n} without a {t}|was painted by "
    "{n}|"
    "cannot be {c} than {n}|teaches the {r} how a {t} is built|costs {y} marks at the market in {n}|has two floors "
    "and a {t}"
).split("|")
_ENDS = [
    ".",
    " since {y}.",
    ", as {n} wrote.",
    " and does so without a {t}.",
    " because the {t} is {c}.",
    " before the {r} comes.",
]
_ROLES = "harbour master|head baker|editor|captain|gardener|clock maker|mayor|librarian|surveyor|organist".split("|")
_THINGS = "pump|valve|kettle|bridge|barge|clock|mill|lantern|ledger|crane|furnace|harness|compass|loom|bell".split("|")
_COMPARISONS = "older|heavier|quieter|more curious|brighter|less costly|taller|more reliable|colder|slower".split("|")


def text(number: int, most_sentences: int = 3) -> str:
    """Generate document `number`: one to `most_sentences` sentences; by default, about 130 bytes."""
    draw = random.Random(number)
    return " ".join(_sentence(draw) for _ in range(draw.randint(1, most_sentences)))


def _sentence(draw: random.Random) -> str:
    form = draw.choice(_SUBJECTS) + " " + draw.choice(_VERBS) + draw.choice(_ENDS)
    parts = (
        form.replace("{n}", "\0n")
        .replace("{r}", "\0r")
        .replace("{t}", "\0t")
        .replace("{c}", "\0c")
        .replace("{y}", "\0y")
        .split("\0")
    )
    return parts[0] + "".join(_fill(part[0], draw) + part[1:] for part in parts[1:])


def _fill(kind: str, draw: random.Random) -> str:
    if kind == "n":
        return " ".join(
            "".join(draw.choices(_SYLLABLES, k=draw.randint(2, 3))).capitalize() for _ in range(draw.randint(1, 2))
        )
    if kind == "y":
        return str(draw.randint(2, 1999))
    return draw.choice({"r": _ROLES, "t": _THINGS, "c": _COMPARISONS}[kind])


def documents(count: int, start: int = 0, most_sentences: int = 3) -> Iterator[Document]:
    """Generate documents one at a time; none is kept."""
    for i in range(start, start + count):
        content = text(i, most_sentences)
        yield Document(document_id(content), content, 0, i)
