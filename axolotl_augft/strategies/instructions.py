"""A prompt template -> the runs of words of its instructions, by which a statement that repeats them is found.

Instructions are the template's own text, without worked examples and without anything from the data. A run has eight
words: the rules that teachers were seen to repeat begin with so many ("Restate every fact that you use in full"), while
no text and no statement of the package's 167 worked examples shares such a run with a prompt. A shorter sentence counts
only as a whole.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from axolotl_augft.errors import ConfigError
from axolotl_augft.strategies.templates import BLOCKS, PromptTemplate
from axolotl_augft.text.words import matched_words, normalised_sentences, word_size

RUN = 8
_FEWEST_WORDS = 4
# Stands for the data's text when a template is rendered for its instructions; it is in no text.
DATA = "\ue000"


@dataclass(frozen=True)
class Instructions:
    """What the instructions of a prompt say.

    Attributes:
        runs: Every run of `RUN` words in them.
        sentences: Every whole sentence or line of at least four words.
    """

    runs: frozenset[str] = frozenset()
    sentences: frozenset[str] = frozenset()

    def repeated_in(self, text: str) -> Iterator[str]:
        """Yield each stretch of the instructions that a text repeats, as words joined by spaces."""
        if self.runs:
            yield from (run for run in runs_of(text) if run in self.runs)
        if self.sentences:
            yield from (s for sentence in normalised_sentences(text) if (s := _joined(sentence)) in self.sentences)


def instructions_of(template: PromptTemplate, *neutral: Mapping[str, Any]) -> Instructions:
    """Collect the instructions of a template.

    Args:
        template: The template.
        neutral: Values for its variables, with `DATA` in place of each text from the data. The template is rendered
            with each; one that it cannot be rendered with is skipped, since its literal text is collected in any case.
    """
    pieces = list(template.literals)
    for values in neutral:
        for block in BLOCKS:
            try:
                pieces += template.for_instructions.render(block, **values).split(DATA)
            except ConfigError:
                continue
    return _instructions(pieces)


def merged(instructions: Iterable[Instructions]) -> Instructions:
    """Join the instructions of several templates."""
    some = list(instructions)
    return Instructions(frozenset().union(*(i.runs for i in some)), frozenset().union(*(i.sentences for i in some)))


def _instructions(pieces: Iterable[str]) -> Instructions:
    some = list(dict.fromkeys(pieces))
    sentences = (s for piece in some for s in normalised_sentences(piece))
    long = (s for s in sentences if sum(map(word_size, matched_words(s))) >= _FEWEST_WORDS)
    return Instructions(frozenset(run for piece in some for run in runs_of(piece)), frozenset(map(_joined, long)))


def runs_of(text: str) -> Iterator[str]:
    """Yield every run of eight words of a text; in a script without spaces, two characters count as a word."""
    words = matched_words(text)
    sizes = [word_size(word) for word in words]
    end, size = 0, 0.0
    for start in range(len(words)):
        while size < RUN and end < len(words):
            size += sizes[end]
            end += 1
        if size < RUN:
            return
        yield " ".join(words[start:end])
        size -= sizes[start]


def _joined(text: str) -> str:
    return " ".join(matched_words(text))
