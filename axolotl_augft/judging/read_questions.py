"""An answer -> questions with their answers, as inferences; and the JSON schema by which they are asked for. Nothing is judged here.

Read leniently: JSON with or without a fence or words around it, cut off or whole, or lines labelled "Question:",
"Answer:" and by kind. Labels of one letter count with a capital only, and none counts within a fence of code.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from axolotl_augft.judging.read_statements import Inference, kind_of, without_bullet
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.answer import Answer

_QUESTION = re.compile(r"^\W{0,2}(?:(?i:question)|Instruction|Q)(?:\s*\d+)?\W{0,2}:\W{0,2}\s*")
_ANSWER = re.compile(r"^\W{0,2}(?:(?i:answer)|Response|A)(?:\s*\d+)?\W{0,2}:\W{0,2}\s*")
_CODE = re.compile(r"^\s*```")
_KIND = re.compile(
    r"^\W{0,2}(?P<kind>rephras\w*|paraphras\w*|in other words|revers\w*|turned around|consequen\w*|also|conclusions?)\b"
    r"(?:\s*\d+)?(?:\s*(?:question|q)\b)?\W{0,2}(?:[:.)]\W{0,2}\s*|$)",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"^\W{0,2}(?:reasoning|explanation|thoughts?|further questions|pairs)\b\W{0,3}:?", re.IGNORECASE)
_JSON = re.compile(r"\A\s*(?:```\w*\s*)?[\[{]\s*[\[{\"\]}]|\"(?:question|instruction|prompt)\"\s*:")
_NOTE = re.compile(r"^\W{0,2}note\b\W{0,3}:", re.IGNORECASE)
_LEAD_INS = {"in other words": "rephrasing", "turned around": "reversal", "also": "consequence"}
_QUESTION_KEYS = ("question", "instruction", "prompt")
_ANSWER_KEYS = ("answer", "response", "output")


def read_pairs(task: Task, answer: Answer) -> list[Inference]:
    """The questions of an answer with their answers, in its order; the last one of an answer that was cut is marked so."""
    text = answer.text.strip()
    if _JSON.search(text):
        found, whole = _from_json(task, text)
        return found if whole else [*found, Inference("", task.kind, cut=answer.was_cut, question="")]
    found = list(_from_lines(task, text))
    if answer.was_cut and found:
        found[-1] = replace(found[-1], cut=True)
    return found


def _inference(task: Task, question: str, answer: str, kind: str) -> Inference:
    """A rephrased question keeps its source's answer, whatever the teacher made of it."""
    keeps = kind == "rephrasing" and task.exchange is not None and task.reading.rephrases_the_source
    text = task.exchange.answer if keeps and task.exchange else answer.strip()
    sentence = task.first_sentence if len(task.sentences) == 1 else None
    return Inference(text, kind, sentence, question=question.strip(), keeps_answer=keeps)


def _from_json(task: Task, text: str) -> tuple[list[Inference], bool]:
    """The pairs of a JSON text, and whether it could be read to its end."""
    objects, whole = _objects(text)
    found = []
    for item in objects:
        question = next((q for k in _QUESTION_KEYS if (q := _said(item.get(k)))), None)
        answer = next((a for k in _ANSWER_KEYS if (a := _said(item.get(k)))), "")
        if question is not None:
            found.append(_inference(task, question, answer, kind_of(str(item.get("kind") or "")) or task.kind))
    return found, whole


def _said(value: Any) -> str | None:
    """A text or a number as text. Half a character, which JSON can hold, becomes a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _objects(text: str) -> tuple[list[Mapping[str, Any]], bool]:
    """All complete objects that may be pairs, also those of a list that was cut off; and whether nothing was left incomplete."""
    decoder = json.JSONDecoder(strict=False)
    found: list[Mapping[str, Any]] = []
    whole = True
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:
            return found, False
        except ValueError:
            whole = False
            at = text.find("{", at + 1)
            continue
        inner = [v for own in value.values() if isinstance(own, list) for v in own if isinstance(v, dict)]
        found += [value] if any(k in value for k in _QUESTION_KEYS) else inner or [value]
        at = text.find("{", end)
    return found, whole


@dataclass
class _Pair:
    """A pair that is being read. `field`: where a further line belongs, None for an aside."""

    kind: str
    question: list[str]
    answer: list[str]
    field: list[str] | None


def _from_lines(task: Task, text: str) -> Iterator[Inference]:
    """Reads lines; where only questions are asked for, each line is one."""
    only_questions = task.reading.rephrases_the_source and task.kind == "rephrasing" and task.exchange is not None
    pair: _Pair | None = None
    in_code = after_gap = False
    for line in text.splitlines():
        if _CODE.match(line) or in_code:
            in_code = in_code != bool(_CODE.match(line))
            if pair is not None and pair.field is not None:
                pair.field.append(line)
            continue
        new = _labelled(task, line, pair, only_questions, after_gap)
        after_gap = not line.strip()
        if new is not pair and pair is not None:
            yield from _finished(task, pair)
        pair = new
    if pair is not None:
        yield from _finished(task, pair)


def _finished(task: Task, pair: _Pair) -> Iterator[Inference]:
    if question := "\n".join(pair.question).strip():
        yield _inference(task, question, "\n".join(pair.answer), pair.kind)


def _labelled(task: Task, line: str, pair: _Pair | None, only_questions: bool, after_gap: bool) -> _Pair | None:
    """Takes a line to the pair it belongs to, and gives back that pair: the one being read, or a new one."""
    body = without_bullet(line)
    if match := _KIND.match(body):
        return _begun(
            _LEAD_INS.get(match["kind"].lower()) or kind_of(match["kind"]) or task.kind,
            _after(_QUESTION, body[match.end() :]),
        )
    if match := _QUESTION.match(body):
        if pair is not None and not pair.question and not pair.answer:
            pair.question.append(body[match.end() :])
            return pair
        return _begun(task.kind, body[match.end() :])
    if (match := _ANSWER.match(body)) and pair is not None:
        pair.answer.append(body[match.end() :])
        pair.field = pair.answer
    elif _ASIDE.match(body) or (_NOTE.match(body) and after_gap):
        if pair is not None:
            pair.field = None
    elif pair is None or (only_questions and body and pair.question and pair.field is pair.question):
        # "Here are two ways to put it:" is no question.
        return _begun(task.kind, body) if body and not body.endswith(":") else pair
    elif pair.field is not None:
        pair.field.append(line)
    return pair


def _begun(kind: str, question: str) -> _Pair:
    lines = [question] if question else []
    return _Pair(kind, lines, [], lines)


def _after(label: re.Pattern[str], text: str) -> str:
    match = label.match(text)
    return text[match.end() :] if match else text
