"""Reversal-curse data and a seed -> documents about people of whom the student is to know a half, and what taught it.

Each document states one fact by itself: who a person is, name first. Questions give the description and ask for the
name. About half of the people, the student is taught before: in other sentences than the documents, in both directions,
and in the form of the probe's own questions, which so small a student could not answer otherwise. Some people of the
data's set B are taught in the same way, as examples of how people are spoken of; no document or question is about them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Stated
from axolotl_augft.bench.datasets.reversal_curse.files import Files, Row, read_files
from axolotl_augft.bench.datasets.reversal_curse.make import WRONG_NAMES, make_reversal_curse
from axolotl_augft.bench.datasets.words.scorer import sentences_of
from axolotl_augft.probing.questions import Questions, Wording

KNOWN, NEW = "known before", "new"
ANSWER = "\nAnswer:"
CHAT_TEMPLATE = "{{ bos_token }}{{ messages[-1]['content'] }}" + ANSWER
"""What a server makes of a question to the student; it ends where the answer begins in the rows that taught it."""
_SENTENCES = 6
"""Sentences about a person, in each direction, that the student is taught."""
_ASKED, _QUESTIONS = 4, 4
"""Sentences about a person in the form of the probe's questions, and most questions about one of them."""
_OTHERS = 12
"""People of set B that the student is taught about."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A row that the student is taught: a text, or a question of which it is to learn the answer alone.

    Attributes:
        prompt: What is shown; empty for a text.
        told: What is learnt.
    """

    prompt: str
    told: str


@dataclass(frozen=True)
class HalfKnown:
    """What the student is taught before, and what it is trained on and asked then.

    Attributes:
        data: The documents about all people, and the questions; their split says which half they are about.
        before: The rows that the student is taught before.
        known: The people that these rows are about, of those that the documents are about.
        words: Texts with all words that the tokenizer has to know.
    """

    data: BenchData
    before: tuple[Lesson, ...]
    known: frozenset[str]
    words: tuple[str, ...]

    @property
    def known_documents(self) -> frozenset[int]:
        """Indices of the documents about people that the student was taught about."""
        return frozenset(
            i for stated in self.data.stated if stated.fact.arguments[0] in self.known for i in stated.documents
        )


def half_known(source: Path | None, seed: int, documents: int) -> HalfKnown:
    """Draw the half of the people and the sentences.

    Args:
        source: Folder of the reversal-curse data; None to download them from the hub.
        seed: Seed of all that is drawn.
        documents: Documents about each person, 1 to 6.
    """
    rng = random.Random(f"half known {seed}")
    files, whole = read_files(source), make_reversal_curse(source, "small", seed)
    names = sorted({question.subset for question in whole.questions})
    known = frozenset(rng.sample(names, len(names) // 2))
    data = _some_documents(whole, names, documents)
    questions = (_within_half(question, known, names, rng) for question in whole.questions)
    data = replace(data, seed=seed, questions=tuple(questions), form_rows=())
    before = list(_taught(files, sorted(known), frozenset(whole.documents), rng))
    rng.shuffle(before)
    taught = (row.prompt + row.told for row in before)
    words = (*taught, *data.documents, *(question.statement for question in data.questions))
    return HalfKnown(data, tuple(before), known, words)


def _some_documents(data: BenchData, names: Sequence[str], count: int) -> BenchData:
    """Keep the first documents about each of some people, name first."""
    kept = [s for s in data.stated if s.fact.predicate == "described" and s.fact.arguments[0] in names]
    of_fact = {s.fact: s.documents[:count] for s in kept}
    order = sorted(i for documents in of_fact.values() for i in documents)
    place = {old: new for new, old in enumerate(order)}
    stated = tuple(Stated(fact, tuple(place[i] for i in of_fact[fact])) for fact in of_fact)
    return replace(data, documents=tuple(data.documents[i] for i in order), stated=stated)


def _within_half(question: Question, known: frozenset[str], names: Sequence[str], rng: random.Random) -> Question:
    """Take the wrong names from the half of the right one, so that a name does not stand out by having been seen."""
    is_known = question.subset in known
    others = [name for name in names if (name in known) == is_known and name != question.subset]
    choices = [question.subset, *rng.sample(others, WRONG_NAMES)]
    rng.shuffle(choices)
    split = KNOWN if is_known else NEW
    # What the wrong choices would state is of use to checks alone, which were made of the whole data set.
    return replace(question, choices=tuple(choices), answer=choices.index(question.subset), split=split, distractors=())


def _taught(files: Files, known: Sequence[str], documents: frozenset[str], rng: random.Random) -> Iterator[Lesson]:
    """Yield the rows that the student is taught."""
    others = rng.sample(sorted({row.name for row in files.set_b}), _OTHERS)
    turned = [row for row in files.set_b if not row.name_first and files.people[row.name].description in row.text]
    about = {
        name: [
            row.text
            for row in (*files.set_a, *files.set_b)
            if row.name == name and row.name_first and row.text not in documents and len(sentences_of(row.text)) == 1
        ]
        for name in (*known, *others)
    }
    questions, wording = Questions((text for texts in about.values() for text in texts), _QUESTIONS), Wording("chat")
    for name, texts in about.items():
        chosen = rng.sample(texts, _SENTENCES)
        turned_here = [_about(row, name, files) for row in rng.sample(turned, _SENTENCES)]
        yield from (Lesson("", text) for text in (*chosen, *turned_here))
        for text in chosen[:_ASKED]:
            for question in questions.about(text):
                yield Lesson(f"{wording.prefix.text}{wording.target(question)}{ANSWER}", f" {question.name}")


def _about(row: Row, name: str, files: Files) -> str:
    """Say of another person what a row says of its own."""
    text = row.text.replace(files.people[row.name].description, files.people[name].description)
    return text.replace(row.name, name)
