"""Documents -> tasks whose statements are written already: sentences turned so that a name is the last thing said.

No model is asked. Nothing is added to a sentence and nothing taken away but marks, so what it says cannot become false.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from axolotl_augft.config.augment import ClozeAugment
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import NO_REQUEST, Task
from axolotl_augft.text.names import Capitals, Name, with_blanks, words_beside
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.text.words import WORD

_CLOSING = " \t\n.!?…。！？;:；：\"'”’»›)]」』"
_FEWEST_WORDS = 3
"""Words of a sentence beside the name; with fewer, a heading or a list item has nothing that tells the name."""


class ClozeStrategy:
    """Makes the tasks of a `strategy: cloze` entry, one for each sentence and kind.

    Args:
        entry: The settings of the entry.
        documents: The documents to augment; iterated once to learn how words are written, and for every call.
        language: ISO 639 code for sentence splitting.
    """

    def __init__(self, entry: ClozeAugment, documents: Iterable[Document], language: str) -> None:
        self.settings = entry
        self._documents = documents
        self._language = language

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks document by document; none for a sentence without a name to turn it by."""
        for document in self._documents:
            for position, sentence in enumerate(self._sentences(document)):
                yield from self._tasks_of(document, position, sentence)

    def in_sending_order(self) -> Iterator[Task]:
        """Yield nothing: nobody is asked."""
        return iter(())

    def scope(self, units: int) -> str:
        """Describe what is written: `units` is 0, because there are no requests."""
        rows = sentences = 0
        last: tuple[Document, int] | None = None
        for task in self.tasks():
            sentences += (task.target, task.first_sentence) != last
            last = task.target, task.first_sentence
            rows += len(task.written)
        return f"{rows:,} statements made of {sentences:,} sentences, no teacher needed"

    def warnings(self) -> Iterator[str]:
        """Warn if there is no name in any sentence."""
        if next(self.tasks(), None) is None:
            yield (
                "cloze writes nothing: no sentence has a name or number that is not its last word already. Names are "
                "told by their capitals, so scripts without capitals have none"
            )

    @cached_property
    def _capitals(self) -> Capitals:
        capitals = Capitals()
        for document in self._documents:
            for sentence in self._sentences(document):
                capitals.add(sentence)
        return capitals

    def _sentences(self, document: Document) -> Sequence[str]:
        return [] if document.exchange else split_sentences(document.text, self._language)

    def _tasks_of(self, document: Document, position: int, sentence: str) -> Iterator[Task]:
        names = self._capitals.names(sentence)
        said = sentence.rstrip(_CLOSING)
        turnable = [name for name in names if name.end < len(said) and words_beside(sentence, name) >= _FEWEST_WORDS]
        for kind in self.settings.kinds if turnable else ():
            written = self._with_blanks(said, names, turnable) if kind == "blank" else [reversed_words(said, names)]
            yield Task(
                request=NO_REQUEST,
                strategy="cloze",
                target=document,
                premises=(sentence,),
                first_sentence=position,
                kind=kind,
                written=tuple(dict.fromkeys(written)),
            )

    def _with_blanks(self, said: str, names: Sequence[Name], turnable: Sequence[Name]) -> Iterator[str]:
        for text in dict.fromkeys(name.text for name in turnable):
            sentence = with_blanks(said, names, text, self.settings.blank)
            yield self.settings.form.format(sentence=sentence, name=text)


def reversed_words(sentence: str, names: Sequence[Name]) -> str:
    """Return the words of a sentence in reverse, with its names whole and without its marks (Golovneva et al. 2024).

    Args:
        sentence: The sentence.
        names: The names in it, in their order.
    """
    pieces: list[str] = []
    at = 0
    for name in names:
        pieces += [*WORD.findall(sentence[at : name.start]), name.text]
        at = name.end
    pieces += WORD.findall(sentence[at:])
    return " ".join(reversed(pieces))
