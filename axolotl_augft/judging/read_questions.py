"""An answer of the teacher model -> question-and-answer pairs, as inferences; nothing is judged here.

Answers are read leniently: JSON with or without a code fence or surrounding text, complete or cut off, or lines
labelled "Question:", "Answer:" and with a kind. One-letter labels count only as capitals; no label counts inside a code
fence.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from axolotl_augft.judging.answer_lines import statement_lines
from axolotl_augft.judging.labels import Line, kind_of, labelled_by, read_line
from axolotl_augft.judging.markup import without_thinking
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.answer import Answer

_after_question = labelled_by("(?i:question)|Instruction|Q")
_after_answer = labelled_by("(?i:answer)|Response|A")
_LEAD_INS = {"in other words": "rephrasing", "turned around": "reversal", "also": "consequence"}
_after_lead_in = {kind: labelled_by(f"(?i:{words})") for words, kind in _LEAD_INS.items()}
_DETAIL = re.compile(r"(?i:(?:in )?details?)")
_after_lead_in_or_detail = {**_after_lead_in, "detail": labelled_by(_DETAIL.pattern)}
_CODE = re.compile(r"^[ \t]*```")
_ASIDE = re.compile(r"^\W{0,2}(?:reasoning|explanation|thoughts?|further questions|pairs)\b\W{0,3}:?", re.IGNORECASE)
_JSON = re.compile(
    r"\A(?:```\w{0,20}\s{0,40})?[\[{]\s{0,80}[\[{\"\]}]|\"(?:question|instruction|prompt)\"[ \t\r\n]{0,40}:"
)
_MOST_WORK = 4
_LEAST_WORK = 100_000
_NOTE = re.compile(r"^\W{0,2}note\b\W{0,3}:", re.IGNORECASE)
_QUESTION_KEYS = ("question", "instruction", "prompt")
_ANSWER_KEYS = ("answer", "response", "output")


def read_pairs(task: Task, answer: Answer) -> list[Inference]:
    """Read the question-and-answer pairs of an answer, in order.

    If the answer reached `max_tokens`, its last pair has `cut` set. Incomplete JSON adds an empty pair for the part
    that could not be read, and then that pair has `cut` set.
    """
    text = without_thinking(answer.text, task.premises)
    if _JSON.search(text):
        found, whole = _from_json(task, text)
        return found if whole else [*found, Inference("", task.kind, cut=answer.was_cut, question="")]
    found = list(_from_lines(task, text))
    if answer.was_cut and found:
        found[-1] = replace(found[-1], cut=True)
    return found


def _inference(task: Task, question: str, answer: str, kind: str) -> Inference:
    """Make an inference; a rephrased question keeps the source's answer, whatever the teacher wrote as its answer."""
    keeps = kind == "rephrasing" and task.exchange is not None and task.reading.rephrases_the_source
    text = task.exchange.answer if keeps and task.exchange else answer.strip()
    sentence = task.first_sentence if len(task.sentences) == 1 else None
    return Inference(text, kind, sentence, question=question.strip(), keeps_answer=keeps)


def _from_json(task: Task, text: str) -> tuple[list[Inference], bool]:
    """Return the pairs of a JSON text, and whether all of it could be read."""
    objects, whole = _objects(text)
    found = []
    for item in objects:
        question = next((q for k in _QUESTION_KEYS if (q := _as_text(item.get(k)))), None)
        answer = next((a for k in _ANSWER_KEYS if (a := _as_text(item.get(k)))), "")
        if question is not None:
            found.append(_inference(task, question, answer, _kind_of(task, str(item.get("kind") or ""))))
    return found, whole


def _kind_of(task: Task, label: str) -> str:
    """Return the kind that a pair names, or that of the task if it names none."""
    if task.reading.labels_details and _DETAIL.fullmatch(label):
        return "detail"
    return kind_of(label) or task.kind


def _as_text(value: Any) -> str | None:
    """Return a string or number as text, else None. Lone surrogates, which JSON can hold, become question marks."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _objects(text: str) -> tuple[list[Mapping[str, Any]], bool]:
    """Return all complete JSON objects that may be pairs, and whether everything else was complete too.

    A list that was cut off still gives its complete objects. Where braces begin no object again and again, the rest of
    the text is given up once several times its length has been read.
    """
    decoder = json.JSONDecoder(strict=False)
    found: list[Mapping[str, Any]] = []
    whole = True
    at = text.find("{")
    work = _MOST_WORK * len(text) + _LEAST_WORK
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:
            return found, False
        except json.JSONDecodeError as error:
            whole = False
            # A string without an end was read to the end of the text; the error counts the lines before it.
            work -= error.pos + (len(text) if error.msg.startswith("Unterminated") else error.pos) - at
            if work < 0:
                return found, False
            at = text.find("{", at + 1)
            continue
        inner = [v for own in value.values() if isinstance(own, list) for v in own if isinstance(v, dict)]
        found += [value] if any(k in value for k in _QUESTION_KEYS) else inner or [value]
        at = text.find("{", end)
    return found, whole


@dataclass
class _Pair:
    """A pair that is being read.

    Attributes:
        kind: The kind of the pair.
        question: Lines of the question.
        answer: Lines of the answer.
        field: The list that takes the next line, `question` or `answer`; None while reading an aside.
        labelled: Whether its question was labelled; chatter before the first label is not.
    """

    kind: str
    question: list[str]
    answer: list[str]
    field: list[str] | None
    labelled: bool = True


@dataclass(frozen=True, slots=True)
class _LeadIn:
    """The kind that a line names, and the rest of the line."""

    kind: str
    rest: str


def _from_lines(task: Task, text: str) -> Iterator[Inference]:
    """Read labelled lines; if the task asks for questions only, every line is a question."""
    only_questions = task.reading.rephrases_the_source and task.kind == "rephrasing" and task.exchange is not None
    if only_questions and not any(_is_part(read_line(line)) for line in text.split("\n")):
        for found in statement_lines(text, task.premises):
            if not found.stray and not found.line.text.endswith((":", "：")):
                yield _inference(task, found.line.text, "", found.line.kind or task.kind)
        return
    pair: _Pair | None = None
    in_code = after_gap = False
    for line in text.replace("\r\n", "\n").split("\n"):
        if _CODE.match(line) or in_code:
            in_code = in_code != bool(_CODE.match(line))
            if pair is not None and pair.field is not None:
                pair.field.append(line)
            continue
        new = _add_line(task, line, pair, only_questions, after_gap)
        after_gap = not line.strip()
        if new is not pair and pair is not None and (pair.labelled or pair.answer or _continues_prompt(task)):
            yield from _finished(task, pair)
        pair = new
    if pair is not None:
        yield from _finished(task, pair)


def _is_part(line: Line) -> bool:
    """Whether a line is labelled as a question, an answer or a lead-in."""
    readers = (_after_question, _after_answer, *_after_lead_in.values())
    return any(after(line.text) is not None for after in readers)


def _continues_prompt(task: Task) -> bool:
    """Whether an answer may begin with a question whose label stands at the end of the prompt."""
    return task.request.api == "completions"


def _finished(task: Task, pair: _Pair) -> Iterator[Inference]:
    if question := "\n".join(pair.question).strip():
        yield _inference(task, question, "\n".join(pair.answer), pair.kind)


def _add_line(task: Task, line: str, pair: _Pair | None, only_questions: bool, after_gap: bool) -> _Pair | None:
    """Add a line to the pair it belongs to, and return that pair: the current one or a new one."""
    read = read_line(line)
    body = read.text
    if lead_in := _lead_in(task, body) or (_LeadIn(read.kind, body) if read.kind else None):
        asked = _after_question(lead_in.rest)
        return _new_pair(lead_in.kind, lead_in.rest if asked is None else asked)
    if (asked := _after_question(body)) is not None:
        if pair is not None and not pair.question and not pair.answer:
            pair.question.append(asked)
            return pair
        return _new_pair(task.kind, asked)
    if (answered := _after_answer(body)) is not None and pair is not None:
        pair.answer.append(answered)
        pair.field = pair.answer
    elif _ASIDE.match(body) or (_NOTE.match(body) and after_gap):
        if pair is not None:
            pair.field = None
    elif pair is None or (only_questions and body and pair.question and pair.field is pair.question):
        # A line such as "Here are two ways to put it:" introduces questions and is not one itself.
        return _new_pair(task.kind, read.unlisted or body, False) if body and not body.endswith(":") else pair
    elif pair.field is not None:
        pair.field.append(line)
    return pair


def _lead_in(task: Task, body: str) -> _LeadIn | None:
    """Read the words before a question that tell its kind; None if there are none."""
    if task.reading.labels_details and _DETAIL.fullmatch(body.strip("*_#: ")):
        return _LeadIn("detail", "")
    readers = _after_lead_in_or_detail if task.reading.labels_details else _after_lead_in
    rests = ((kind, after(body)) for kind, after in readers.items())
    return next((_LeadIn(kind, rest) for kind, rest in rests if rest is not None), None)


def _new_pair(kind: str, question: str, labelled: bool = True) -> _Pair:
    lines = [question] if question else []
    return _Pair(kind, lines, [], lines, labelled)
