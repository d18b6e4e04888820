"""An answer of the teacher model -> inferences: its statements and its reasoning trace; nothing is judged here.

Answers are read leniently: bullets, numbers, labels, tables, JSON. `judging.rules` decides whether a statement is kept.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from axolotl_augft.formats.content import Exchange, Text
from axolotl_augft.judging.answer_lines import statement_lines
from axolotl_augft.judging.json_items import json_items
from axolotl_augft.judging.labels import Line, labelled_by, read_line, without_citation
from axolotl_augft.judging.markup import without_thinking
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.answer import Answer
from axolotl_augft.text.sentences import split_sentences

_OPENING_FENCE = re.compile(r"```+[ \t]*(?:[\w+-]{1,20}(?=\n))?")
_ENDS = tuple(".!?…。！？।؟")
_AFTER_END = "\"'”’»›)]」』*_`|"
_NONE = re.compile(r"conclusions?[*_ ]*[:：][*_\s-]*(?:none|nothing)\b[.*_ ]*(?:\n|\Z)", re.IGNORECASE)
_CHECKED_END = 4096
# Markdown in a longer text; and a label such as "Ana:" or "Question 2:" before a sentence.
_HEADING = re.compile(r"[ \t]{0,3}(?:#{1,6}[ \t]|[-*_=]{3,}[ \t]*\Z)")
_BULLET = re.compile(r"\A[ \t]{0,8}(?:[-*+•][ \t]+|\d{1,2}[.)][ \t]+)")
_EMPHASIS = re.compile(r"\*\*|__")
_LABELLED = re.compile(r"[^\W_]+(?:[ ][^\W_]+){0,2}[ ]?[:：](?=\s)")
_MOST_HEADING_WORDS = 4
_after_reasoning = labelled_by("(?i:(?:step-by-step[ ])?reasoning(?:[ ]steps)?)")


@dataclass(frozen=True, slots=True)
class Inference:
    """One statement, one trace, or one question with its answer.

    Attributes:
        text: The statement, the trace or the answer.
        kind: Its kind: rephrasing, reversal, consequence, conclusion, trace, …
        sentence: Number of the sentence in the document that it is about, from 0; None if unknown.
        cut: The end is missing, because the teacher's answer reached `max_tokens`.
        question: The question that `text` answers, None for statements and traces.
        keeps_answer: The answer is the source row's own.
        stray: It is a line without a label in an answer whose statements are labelled.
        rests_on: Labels of the documents that a conclusion is said to rest on, beside the target.
        line: Number of the line that a sentence of a longer text stands in; None for what is no part of a text.
    """

    text: str
    kind: str
    sentence: int | None = None
    cut: bool = False
    question: str | None = None
    keeps_answer: bool = False
    stray: bool = False
    rests_on: tuple[str, ...] = ()
    line: int | None = None

    @property
    def stated(self) -> str:
        """What is verified: the whole inference; of a sentence of a longer text, all but the labels of its lines."""
        if self.line is None:
            return self.full_text
        return "\n".join(_LABELLED.sub("", line).strip() for line in self.text.split("\n"))

    @property
    def content(self) -> Text | Exchange:
        """The content of the row that it becomes."""
        return Text(self.text) if self.question is None else Exchange(self.question, self.text)

    @property
    def full_text(self) -> str:
        """The whole inference as one text; a pair as labelled question and answer."""
        return self.text if self.question is None else f"Question: {self.question}\nAnswer: {self.text}"


def read_inferences(task: Task, answer: Answer) -> list[Inference]:
    """Read the inferences of an answer, in order.

    Args:
        task: The task that was answered.
        answer: An answer whose outcome is `Outcome.ANSWERED`.
    """
    text = without_thinking(answer.text, task.premises)
    if not text:
        return []
    if not task.reading.ends_in_conclusions:
        return list(_statements(text, task.kind, task, answer.was_cut))
    return _trace_and_conclusions(_without_fence(text), task, answer.was_cut)


def read_text(task: Task, answer: Answer, language: str) -> list[Inference]:
    """Read the sentences of an answer that is one text, in order, without bullets, emphasis and headings.

    A line that begins with a short label ("Question:", the speaker of a dialogue) counts as one sentence, and so does a
    question with what follows it, because a question alone states nothing. An unfinished end is left out.

    Args:
        task: The task that was answered.
        answer: An answer whose outcome is `Outcome.ANSWERED`.
        language: ISO 639 code of the documents.
    """
    text = _without_fence(without_thinking(answer.text, task.premises)).replace("\r\n", "\n")
    lines = (_complete_sentences(text) if answer.was_cut else text).split("\n")
    found = []
    asked = ""
    for number, line in enumerate(lines):
        said = _EMPHASIS.sub("", _BULLET.sub("", "" if _HEADING.match(line) else line)).strip()
        for sentence in [said] if _LABELLED.match(said) else split_sentences(said, language):
            if _is_question(sentence):
                asked += sentence + "\n"
            elif sentence:
                found.append(Inference(asked + sentence, task.kind, line=number))
                asked = ""
    return found


def _is_question(text: str) -> bool:
    return text.rstrip(_AFTER_END).endswith(("?", "？", "؟"))


def says_none(answer: Answer) -> bool:
    """Whether an answer says that nothing follows: its first conclusion is "none", whatever it goes on to say."""
    return bool(_NONE.search(answer.text))


def complete_trace(text: str, cut: bool = False) -> Inference:
    """Make a trace of a text, without the sentence at its end if that is incomplete.

    Args:
        text: The trace.
        cut: Whether the answer reached `max_tokens` in it. Other answers, too, may end in the middle of a word.
    """
    text = text.strip()
    complete = text if not cut and _is_ended(text) else _complete_sentences(text)
    return Inference(complete or text, "trace", cut=not complete)


def _trace_and_conclusions(text: str, task: Task, was_cut: bool) -> list[Inference]:
    keep = task.reading.keep
    lines = text.replace("\r\n", "\n").split("\n")
    at, first = _conclusions_at(lines)
    has_conclusions = at < len(lines)
    trace = _unlabelled("\n".join(lines[:at]).strip())
    found = []
    if trace and (keep != "conclusions" or (was_cut and not has_conclusions)):
        whole = complete_trace(trace, was_cut) if not has_conclusions else Inference(trace, "trace")
        found += [whole] if keep != "conclusions" or whole.cut else []
    if keep != "trace" and has_conclusions:
        found.extend(map(_cited(task), _statements("\n".join(lines[first:]), "conclusion", task, was_cut)))
    return found


def _cited(task: Task) -> Callable[[Inference], Inference]:
    """Return a function that takes the labels off a conclusion's end, and notes the documents that they name."""

    def read(inference: Inference) -> Inference:
        cited = without_citation(inference.text, task.labels)
        return replace(inference, text=cited.text, rests_on=tuple(x for x in cited.labels if x != task.target.id))

    return read


def _conclusions_at(lines: Sequence[str]) -> tuple[int, int]:
    """Find where a trace ends, and the first line of the conclusions after it; the number of lines if there are none.

    The conclusions stand below the last heading that names them, in lines that are labelled with their kind at the end
    of the answer, or in bullets at its end below a short line that ends in a colon, in whatever language.
    """
    last = len(lines)
    for i in range(last - 1, -1, -1):
        if _names_conclusions(line := _heading(lines[i])) and not line.text:
            return i, i + 1
    start = last
    for i in range(last - 1, -1, -1):
        line = read_line(lines[i])
        if _names_conclusions(line) and line.text:
            start = i
        elif line.raw and not line.bullet:
            short = line.raw.rstrip("*_ ").endswith((":", "：")) and len(line.raw.split()) <= _MOST_HEADING_WORDS
            bullets = any(read_line(rest).bullet for rest in lines[i + 1 : i + 3])
            return (i, i + 1) if short and start == last and bullets else (start, start)
    return start, start


def _heading(line: str) -> Line:
    """Read a line that may be a heading such as "Final conclusions:"."""
    bare = line.strip("#*_ \t")[:40]
    return read_line(bare[len("final ") :] if bare.lower().startswith("final ") else line.strip())


def _names_conclusions(line: Line) -> bool:
    return line.labelled and line.kind == "conclusion"


def _is_ended(text: str) -> bool:
    return text.rstrip(_AFTER_END).endswith(_ENDS)


def _complete_sentences(text: str) -> str:
    """Drop the unfinished sentence at the end of a text; "" if no sentence is complete."""
    start = max(0, len(text) - _CHECKED_END)
    sentences = split_sentences(text[start:])
    while sentences and not _is_ended(sentences[-1]):
        sentences.pop()
    if not sentences:
        return ""
    end = text.rindex(sentences[-1], start) + len(sentences[-1])
    while end < len(text) and text[end] in _AFTER_END:
        end += 1
    return text[:end]


def _unlabelled(trace: str) -> str:
    rest = _after_reasoning(trace)
    return trace if rest is None else rest


def _without_fence(text: str) -> str:
    """Drop a code fence around a text."""
    if fence := _OPENING_FENCE.match(text):
        text = text[fence.end() :]
    return text.removesuffix("```").strip()


def _statements(text: str, kind: str, task: Task, was_cut: bool) -> Iterator[Inference]:
    if (found := json_items(text)) is not None:
        for item in found.items:
            line = read_line(item.text)
            body, number = (line.text, item.number or line.number) if line.labelled else (line.raw, item.number)
            yield Inference(body, item.kind or line.kind or kind, _sentence(task, number))
        if not found.whole:
            yield Inference("", kind, cut=was_cut)
        return
    for statement in statement_lines(_without_fence(text), task.premises):
        line, cut = statement.line, was_cut and statement.last
        yield Inference(line.text, line.kind or kind, _sentence(task, line.number), cut, stray=statement.stray)


def _sentence(task: Task, number: int | None) -> int | None:
    """Return the position in the document of the sentence with this number in the prompt, None if there is none.

    In a request about a single sentence, every statement is about that sentence.
    """
    if len(task.sentences) == 1:
        return task.first_sentence
    return task.first_sentence + number - 1 if number is not None and 1 <= number <= len(task.sentences) else None
