"""A text -> its passages that read as instructions to a language model, such as "Ignore all previous instructions".

The patterns are few: those by which a text takes the word away from whoever asks a model about it. What only speaks of
such instructions is left alone, as far as a quotation or its grammar shows it. A request that names neither a model nor
its answer ("Whoever rewrites this should add …") is not found; only a model could tell.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from axolotl_augft.text.directive_patterns import PATTERNS, TRIGGERS, DirectiveKind
from axolotl_augft.text.sentences import split_sentences


@dataclass(frozen=True, slots=True)
class Directive:
    """A passage that reads as an instruction to a model.

    Attributes:
        kind: What makes it read like one.
        start: Index of its first character in the text.
        end: Index after its last character.
    """

    kind: DirectiveKind
    start: int
    end: int


# A turn of a chat in the markup of some model, up to the end of the turn or of the paragraph.
_TURN = re.compile(
    r"<\|(?:im_start|start_header_id|system|user|assistant)\|>.*?(?:<\|(?:im_end|eot_id|end)\|>|\n\s*\n|\Z)"
    r"|<start_of_turn>.*?(?:<end_of_turn>|\n\s*\n|\Z)"
    r"|\[INST\].*?(?:\[/INST\]|\n\s*\n|\Z)|<<SYS>>.*?(?:<</SYS>>|\n\s*\n|\Z)"
    r"|^\#{2,3} (?:Instruction|System|Human|User)s?:\s?.*?(?=\n\s*\n|\n\#|\Z)",
    re.DOTALL | re.MULTILINE,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_QUOTED = re.compile(r"\"[^\"\n]{1,300}\"|“[^”\n]{1,300}”|„[^“”\n]{1,300}[“”]|«[^»\n]{1,300}»|`[^`\n]{1,300}`")


def find_directives(text: str, language: str = "en") -> list[Directive]:
    """Find the passages of a text that read as instructions to a model, in order and apart from each other.

    A passage is a whole sentence, a comment, or a turn in the markup of a chat.

    Args:
        text: Plain text of any length.
        language: ISO 639 code for sentence splitting; the patterns of all languages are tried.
    """
    if not TRIGGERS.search(text.casefold()):
        return []
    found: list[Directive] = []
    for directive in sorted(_passages(text, language), key=lambda d: (d.start, -d.end)):
        if not found or directive.start >= found[-1].end:
            found.append(directive)
    return found


def without_passages(text: str, directives: Sequence[Directive]) -> str:
    """Return a text without the passages that were found in it; "" if nothing else is in it."""
    if not directives:
        return text
    starts, ends = [0, *(d.end for d in directives)], [*(d.start for d in directives), len(text)]
    return " ".join(part for s, e in zip(starts, ends, strict=True) if (part := text[s:e].strip()))


def without_directives(text: str, language: str = "en") -> str:
    """Return a text without the passages that `find_directives` finds in it."""
    return without_passages(text, find_directives(text, language))


def _passages(text: str, language: str) -> Iterator[Directive]:
    for comment in _COMMENT.finditer(text):
        if any(map(_kind, split_sentences(comment.group()[4:].removesuffix("-->"), language))):
            yield Directive(DirectiveKind.COMMENT, *comment.span())
    text = _COMMENT.sub(_blank, text)
    yield from (Directive(DirectiveKind.MARKUP, *turn.span()) for turn in _TURN.finditer(text))
    text = _TURN.sub(_blank, text)
    at = 0
    for sentence in split_sentences(text, language):
        for line in filter(None, map(str.strip, sentence.split("\n"))):
            at = text.index(line, at)
            if kind := _kind(line):
                yield Directive(kind, at, at + len(line))
            at += len(line)


def _blank(passage: re.Match[str]) -> str:
    return " " * len(passage.group())


def _kind(sentence: str) -> DirectiveKind | None:
    """Return what makes a sentence read as an instruction to a model; what it quotes does not count."""
    if not sentence.isascii():
        normal = unicodedata.normalize("NFKC", sentence).replace("’", "'")
        sentence = "".join(c for c in normal if unicodedata.category(c) != "Cf")
    plain = " ".join(_QUOTED.sub('"…"', sentence).casefold().split())
    return next((kind for kind, pattern in PATTERNS if pattern.search(plain)), None)
