"""Kept statements -> statements that the teacher itself confirms (`verify: teacher`): one short request each, through the same store."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from axolotl_augft.answers import Answer, Outcome
from axolotl_augft.judging import Judged, Reason
from axolotl_augft.prompts import load_prompt
from axolotl_augft.requests import Prefix, Request
from axolotl_augft.store import ResponseStore
from axolotl_augft.teacher import Teacher

VARIABLES = {"premises": "the texts it must follow from", "statement": "the statement"}
_MAX_TOKENS = 8
_CHUNK = 500
_YES = re.compile(r"^\W*(?:answer\W+)?yes\b", re.IGNORECASE)


class Verifier:
    """Asks whether statements follow from their premises."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._template = load_prompt(f"verify.{teacher.api}.jinja", None, VARIABLES)
        self._system = self._template.render("system")

    def request(self, judged: Judged) -> Request:
        """The question about one statement."""
        prefix = Prefix(self._system, self._template.render("prefix", premises=judged.task.premises))
        target = self._template.render("target", statement=judged.inference.text)
        stop = ("\n",) if self._teacher.api == "completions" else ()
        return self._teacher.request(prefix, target, _MAX_TOKENS, stop)

    def requests(self, judged: Iterable[Judged]) -> Iterator[Request]:
        """The questions about all statements that are not rejected yet."""
        return (self.request(j) for j in judged if j.rejected is None)

    def apply(self, judged: Iterable[Judged], store: ResponseStore) -> Iterator[Judged]:
        """Rejects what the teacher did not confirm."""
        iterator = iter(judged)
        while some := list(islice(iterator, _CHUNK)):
            open_ones = [j for j in some if j.rejected is None]
            answers = iter(store.get([self.request(j) for j in open_ones]))
            for j in some:
                yield j if j.rejected is not None or _confirmed(next(answers)) else replace(j, rejected=Reason.UNSUPPORTED)


def _confirmed(answer: Answer | None) -> bool:
    return answer is not None and answer.outcome is Outcome.ANSWERED and bool(_YES.match(answer.text))
