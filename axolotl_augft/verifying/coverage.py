"""Kept statements -> which sentences of their sources they are about, and which sentences nothing is about."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from axolotl_augft.judging.rules import Judged
from axolotl_augft.sources.documents import Place
from axolotl_augft.strategies.task import Missed, Task
from axolotl_augft.text.words import WORD
from axolotl_augft.verifying.records import ANY, QUESTION, Coverage


class CoverageCounter:
    """Counts, document by document, the sentences that kept statements are about."""

    def __init__(self) -> None:
        self._sentences = 0
        self._covered: Counter[str] = Counter()
        self._documents = 0
        self._concluded = 0

    def add(self, judged: Sequence[Judged], kept: Iterable[Judged]) -> tuple[int, ...]:
        """Count one document.

        Args:
            judged: All statements about the document, of which there is at least one for each answer.
            kept: Those that are trained on.

        Returns:
            The positions of the sentences that nothing kept is about.
        """
        asked = sorted(sentences_asked_about(judged))
        by_kind: dict[str, set[int]] = {ANY: set()}
        concluded = False
        for j in kept:
            concluded = concluded or (j.task.reading.ends_in_conclusions and j.inference.kind != "trace")
            if (sentence := covered_sentence(j)) is not None:
                by_kind.setdefault(j.inference.kind, set()).add(sentence)
                by_kind[ANY].add(sentence)
                if j.inference.question is not None and j.task.exchange is None:
                    by_kind.setdefault(QUESTION, set()).add(sentence)
        self._sentences += len(asked)
        self._covered.update({kind: len(sentences) for kind, sentences in by_kind.items()})
        self._documents += any(j.task.reading.ends_in_conclusions for j in judged)
        self._concluded += concluded
        return tuple(sentence for sentence in asked if sentence not in by_kind[ANY])

    def update(self, other: "CoverageCounter") -> None:
        """Add the counts of other documents."""
        self._sentences += other._sentences
        self._covered.update(other._covered)
        self._documents += other._documents
        self._concluded += other._concluded

    def coverage(self) -> Coverage:
        """Return the counts."""
        return Coverage(self._sentences, dict(sorted(self._covered.items())), self._documents, self._concluded)


def missed_sentences(judged: Iterable[Judged]) -> Missed:
    """Find the sentences that no kept statement is about.

    Args:
        judged: All statements, in document order.
    """
    counter = CoverageCounter()
    found: dict[Place, tuple[int, ...]] = {}
    for place, of_document in groupby(judged, key=lambda j: j.task.target.place):
        own = list(of_document)
        if missed := counter.add(own, [j for j in own if j.rejected is None]):
            found[place] = missed
    return found


def sentences_asked_about(judged: Iterable[Judged]) -> set[int]:
    """Return the positions of the sentences of a document that its tasks are about."""
    return {j.task.first_sentence + i for j in judged for i in range(len(j.task.sentences))}


def count_sentences(tasks: Iterable[Task]) -> int:
    """Count the sentences that tasks are about, answered or not.

    Args:
        tasks: The tasks, in document order.
    """
    positions = (
        {task.first_sentence + i for task in of_document for i in range(len(task.sentences))}
        for _, of_document in groupby(tasks, key=lambda task: task.target.place)
    )
    return sum(map(len, positions))


def covered_sentence(judged: Judged) -> int | None:
    """Return the position of the sentence that a statement covers if it is kept, None if it covers none."""
    return sentence_of(judged) if _asks_about_it(judged) else None


def sentence_of(judged: Judged) -> int | None:
    """Return the position of the sentence that a statement is about, None if its task is not about sentences.

    That is the one it names; if it names none, the one that shares the most words with it.
    """
    if not judged.task.sentences:
        return None
    if judged.inference.sentence is not None:
        return judged.inference.sentence
    return judged.task.first_sentence + _nearest(judged.inference.full_text, judged.task)


def _asks_about_it(judged: Judged) -> bool:
    """Whether a question about a sentence asks about it, instead of about the sentences shown before it.

    Small models like to ask about the beginning of the document. Then neither question nor answer has a word of the
    sentence that the beginning lacks. Statements are taken to be about their sentence.
    """
    task = judged.task
    if judged.inference.question is None or task.exchange is not None:
        return True
    before = [p for p in task.premises if p not in task.sentences]
    telling = _words(*task.sentences) - _words(*before)
    return not telling or not telling.isdisjoint(_words(judged.inference.full_text))


def _words(*texts: str) -> set[str]:
    return {word for text in texts for word in WORD.findall(text.casefold())}


def _nearest(text: str, task: Task) -> int:
    words = _words(text)
    shared = [len(words & _words(sentence)) for sentence in task.sentences]
    return shared.index(max(shared))
