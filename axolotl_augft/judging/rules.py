"""Inferences -> kept, or rejected with a reason. Rejections are not failures: they are counted and saved for review."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.judging.labels import read_line
from axolotl_augft.judging.markup import has_markup, has_odd_characters, has_token_like, has_tokens
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.support import copies_example, copies_prompt, is_echo, unsupported
from axolotl_augft.strategies.task import Task
from axolotl_augft.text.wording import wording
from axolotl_augft.text.words import WORD, normalised_sentences


class Reason(StrEnum):
    """Why an inference (or a whole answer) was rejected."""

    EMPTY = "empty"
    NOTHING_FOLLOWS = "nothing_follows"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    REPETITION = "repetition"
    REFUSAL = "refusal"
    CHATTER = "chatter"
    LABEL_LEAK = "label_leak"
    ECHO = "echo"
    COPIED_PROMPT = "copied_prompt"
    COPIED_EXAMPLE = "copied_example"
    GIVEN_AWAY = "given_away"
    UNSUPPORTED = "unsupported"
    UNVERIFIED = "unverified"
    NOT_ALONE = "not_alone"
    CONTRADICTED = "contradicted"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    LEAK = "leak"
    FILTERED = "content_filter"
    INVALID = "invalid_request"
    MARKED = "marked"


@dataclass(frozen=True, slots=True)
class Judged:
    """An inference with the verdict on it.

    Attributes:
        task: The task that it comes from.
        inference: The inference.
        rejected: Why it is not used; None if it is kept.
        probability: Probability that it must be true if its premises are; None if no verifier was asked, or could tell.
        alone: Probability that it can be understood without its source; None likewise.
        overruled: What it would be rejected for, had a person not brought it in; None otherwise.
        brought_in: A person brought it in, whether or not it would be rejected.
    """

    task: Task
    inference: Inference
    rejected: Reason | None
    probability: float | None = None
    alone: float | None = None
    overruled: Reason | None = None
    brought_in: bool = False

    @property
    def evidence(self) -> list[tuple[str, ...]]:
        """The texts that a verifier compares it with: the documents that it rests on, and all that the teacher saw."""
        shown = self.task.evidence
        if not self.inference.rests_on:
            return [shown]
        texts = dict(zip(self.task.labels, self.task.premises, strict=True))
        return [(self.task.target.text, *(texts[label] for label in self.inference.rests_on)), shown]


REFUSAL = re.compile(
    r"\b(as an? (ai|language model)|i(’|')?m sorry|i am sorry"
    r"|i (can(no|['’])?t|am unable to|won['’]t) (help|assist|provide|answer|comply|fulfil))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(documents?|texts?|passages?|sentences?|facts?|statements?)\s+(\[|\(?#?\d+\b|(?:no|number)\b\.?\s*\d)"
    r"|\b(the|this|that|given|above|chosen|target) (documents?|passages?|sentences?|text)"
    r" (says?|states?|mentions?|implies|imply|describes?|tells?)\b"
    r"|\baccording to (the|this) (document|passage|sentence|text)\b",
    re.IGNORECASE,
)
# What a text about a document calls it, although its reader has not seen it.
_DOCUMENT = re.compile(r"\b(?:the|this|both|first|second|related) documents?\b", re.IGNORECASE)
_WRITTEN = (
    "statement|sentence|rephras|paraphras|revers|consequen|conclusion|list|answer|reasoning|question|version|result"
)
# What a model says to its user instead of about the data, at the beginning of a sentence.
_CHATTER = re.compile(
    r"(?:\A|\n|(?<=[.!?:]\s))[^\w\n]{0,3}(?:"
    r"(?:sure|certainly|absolutely|okay|ok|alright|of course|got it|understood|great|happy to help)[!.,](?=[\s*_\"]|\Z)"
    rf"|(?:here(?:['’]s| is| are)|below (?:is|are)|(?:these|the following) are)\b[^.!?\n]{{0,60}}(?:{_WRITTEN})"
    r"|i hope (?:this|that|these|it)\b|(?:please )?let me know\b|feel free to\b|would you like me\b"
    r"|is there anything else"
    r"|if you (?:have|need|want|would like)\b[^.!?\n]{0,30}(?:questions|help|assistance|statements|examples)"
    r"|i(?:['’]ve| have) (?:re)?(?:written|phrased|provided|listed|generated|stated|created)\b"
    r"|i(?:['’]ll| will) (?:now |first )?(?:write|provide|rephrase|list|restate|generate)\b)",
    re.IGNORECASE,
)
# A number or kind label in the middle of a line, as after "Sure! [1] reversal: …".
_KIND = r"(?:rephras|paraphras|revers|consequen|conclusion)\w{0,8}"
_INNER_LABEL = re.compile(rf"\[\d{{1,3}}\][ *_]{{0,3}}{_KIND}|{_KIND}[ ]?(?:of|for)?[ ]?\[\d{{1,3}}\]", re.IGNORECASE)
_KIND_FIRST = re.compile(
    rf"[*_`(\[]{{0,3}}{_KIND}[ ]?\d{{0,3}}(?:[*_`)\]]|[ ]?[-–—=|→>:：;])|(?:\w[ ]){{5,12}}\w?[ ]?[:：]", re.IGNORECASE
)
_KIND_LAST = re.compile(rf"[\[(]{_KIND}[^\w\])]{{0,3}}\d{{0,3}}[\])][.]?\Z", re.IGNORECASE)
_JSON_KEY = re.compile(r"[\[{(]?[ ]?[\"“”'][^\"“”\n]{1,40}[\"“”'][ ]?:")
_LABEL_SIGNS = " *_#>`[]()\u00a0"
_LONGEST_LABEL = 48
_MOST_LABEL_WORDS = 3
_FENCE = "```"
_INCHES = re.compile(r'(?<=\d)"')
_ENDS = tuple(".!?。！？…\"'”’)»」』|।؟")
_FEWEST_WORDS = 2
_CIRCLE = 3


def judge(
    task: Task, inference: Inference, check_names: bool = False, special_tokens: Sequence[str] = ()
) -> Reason | None:
    """Return the first reason to reject an inference, or None. `Duplicates` finds duplicates.

    Args:
        task: The task that it answers.
        inference: A statement or a trace.
        check_names: Reject statements that name what their premises lack (`verify: names`).
        special_tokens: The student's special tokens.
    """
    text = inference.text
    if inference.cut:
        return Reason.TRUNCATED
    if _malformed(task, text, inference.kind) or has_tokens(text, special_tokens):
        return Reason.MALFORMED
    if repeats_itself(text):
        return Reason.REPETITION
    if reason := _reason_for_talk(task, text):
        return reason
    if leaks_label(task, text) or (inference.kind != "trace" and keeps_label(task, text)):
        return Reason.LABEL_LEAK
    if is_echo(text, task.premises):
        return Reason.ECHO
    if copies_example(task, text):
        return Reason.COPIED_EXAMPLE
    if check_names and unsupported(task, inference, text):
        return Reason.UNSUPPORTED
    return Reason.CHATTER if inference.stray else None


def _reason_for_talk(task: Task, text: str) -> Reason | None:
    """Return why a text is a model's talk with its user, and not about the data; None if it is about them."""
    if REFUSAL.search(text):
        return Reason.REFUSAL
    if is_chatter(task, text):
        return Reason.CHATTER
    return Reason.COPIED_PROMPT if copies_prompt(task, text) else None


def judge_sentence(
    task: Task, sentence: Inference, check_names: bool = False, special_tokens: Sequence[str] = ()
) -> Reason | None:
    """Return the first reason to leave a sentence out of the text that it is part of, or None.

    It may have a label, and may be a sentence of the source; too many of these make the text an echo. The arguments are
    those of `judge`.
    """
    text = sentence.text
    # A question and its answer stand in two lines.
    if _malformed(task, text.replace("\n", " "), "sentence") or has_tokens(text, special_tokens):
        return Reason.MALFORMED
    if reason := _reason_for_talk(task, text):
        return reason
    speaks_of_it = _DOCUMENT.search(text) and not any(_DOCUMENT.search(p) for p in task.premises)
    if speaks_of_it or leaks_label(task, text):
        return Reason.LABEL_LEAK
    return Reason.UNSUPPORTED if check_names and unsupported(task, sentence, text) else None


class Duplicates:
    """Finds statements that were already kept anywhere in the data set, in one pass.

    Args:
        language: ISO 639 code of the statements.
    """

    def __init__(self, language: str = "en") -> None:
        self._language = language
        self._seen = DigestSet()

    def is_new(self, text: str) -> bool:
        """Record a statement, and return whether it is the first of its wording."""
        return self._seen.add(hashlib.blake2b(wording(text, self._language).encode(), digest_size=8).digest())


def _malformed(task: Task, text: str, kind: str) -> bool:
    words = WORD.findall(text)
    if len(words) < _FEWEST_WORDS and not _is_unspaced(text):
        return True
    if _FENCE in text or has_markup(text, task.premises) or has_token_like(text, task.premises):
        return True
    if has_odd_characters(text, "\n\t\r" if kind == "trace" else "", task.premises):
        return True
    if kind == "trace":
        return False
    if text.startswith("|") or _JSON_KEY.match(text):
        return True
    return not text.endswith(_ENDS) or _opens_a_quotation(text) or text.count("(") != text.count(")")


def _opens_a_quotation(text: str) -> bool:
    """Tell whether straight quotation marks do not come in pairs; a mark after a digit may mean inches (a 2" pipe)."""
    marks = text.count('"')
    return marks % 2 == 1 and (marks - len(_INCHES.findall(text))) % 2 == 1


def repeats_itself(text: str) -> bool:
    """Whether some sentence occurs at least three times: the sign of a model caught in a loop."""
    sentences = Counter(normalised_sentences(text))
    return bool(sentences) and sentences.most_common(1)[0][1] >= _CIRCLE


def _is_unspaced(text: str) -> bool:
    """Whether a text may be in a script without spaces, where a long sentence can look like a single word."""
    return len(text) >= 6 and not text.isascii()


def leaks_label(task: Task, text: str) -> bool:
    """Whether a text refers to its documents ("the text says", a document id) in a way that the documents do not."""
    if _LABEL.search(text) and not any(_LABEL.search(p) for p in task.premises):
        return True
    return any(label in text for label in task.labels)


def is_chatter(task: Task, text: str) -> bool:
    """Whether a text speaks to the user ("I hope this helps") and its premises do not."""
    return bool(_CHATTER.search(text)) and not any(_CHATTER.search(p) for p in task.premises)


def keeps_label(task: Task, text: str) -> bool:
    """Whether a statement still holds a bullet, a number or a kind as a label, in whatever language.

    A label in another language than the prompt's is a short beginning before a colon, of which the premises have no
    word. A list number or a bullet that the premises put before the same word belongs to the statement.
    """
    line = read_line(text)
    if line.labelled or _KIND_FIRST.match(text) or _INNER_LABEL.search(text) or _KIND_LAST.search(text[-40:]):
        return True
    numbered = line.listed is not None and (line.listed == 1 or not line.unlisted.startswith(f"{line.listed}. "))
    if (line.bullet or numbered) and not any(" ".join(text.split(maxsplit=2)[:2]) in p for p in task.premises):
        return True
    return _has_foreign_label(task, text)


def _has_foreign_label(task: Task, text: str) -> bool:
    start = text[:_LONGEST_LABEL].lstrip(_LABEL_SIGNS)
    ends = [at for mark in (":", "：", " - ", " – ", " — ") if (at := start.find(mark)) > 0]
    label = start[: min(ends, default=0)].strip(_LABEL_SIGNS)
    words = label.replace("/", " ").split()
    most = _MOST_LABEL_WORDS if start[min(ends, default=0) :][:1] in (":", "：") else 1
    if not 0 < len(words) <= most or not all(w.isalpha() and len(w) > 1 for w in words):
        return False
    known = [p.casefold() for p in task.premises]
    return not any(word.casefold() in premise for word in words for premise in known)
