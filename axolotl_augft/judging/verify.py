"""Kept statements -> statements that the teacher model itself confirms (`verify: teacher`).

Each statement takes one short request, whose answer goes through the same response store.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from axolotl_augft.batched import batched
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.templates import load_prompt
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.request import Prefix, Request
from axolotl_augft.teacher.teacher import Teacher

VARIABLES = {"premises": "the texts it must follow from", "statement": "the statement"}
_MAX_TOKENS = 8
_WORD = re.compile(r"^\W*(?:answer\W+)?(yes|no)\b", re.IGNORECASE)


class Verifier:
    """Asks the teacher model whether statements follow from their premises.

    Args:
        teacher: The teacher model.
    """

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._greedy = teacher.config.model_copy(update={"temperature": 0.0, "top_p": None})
        self._template = load_prompt(f"verify.{teacher.api}.jinja", None, VARIABLES)
        self._system = self._template.render("system")

    def request(self, judged: Judged) -> Request:
        """Build the request that asks about one statement."""
        prefix = Prefix(self._system, self._template.render("prefix", premises=judged.task.premises))
        target = self._template.render("target", statement=judged.inference.full_text)
        stop = ("\n",) if self._teacher.api == "completions" else ()
        return replace(self._teacher, config=self._greedy).request(prefix, target, _MAX_TOKENS, stop)

    def requests(self, judged: Iterable[Judged]) -> Iterator[Request]:
        """Yield the requests for all statements that are not rejected yet."""
        return (self.request(j) for j in judged if j.rejected is None)

    def apply(self, judged: Iterable[Judged], store: ResponseStore) -> Iterator[Judged]:
        """Yield all statements in order, rejecting those that the teacher did not confirm.

        The answers must be in `store`; a statement without one is rejected as `unverified`.
        """
        for some in batched(judged):
            open_ones = [j for j in some if j.rejected is None]
            answers = iter(store.get([self.request(j) for j in open_ones]))
            for j in some:
                yield j if j.rejected is not None else replace(j, rejected=_verdict(next(answers)))


def _verdict(answer: Answer | None) -> Reason | None:
    """Return None for yes, UNSUPPORTED for no, and UNVERIFIED for any other answer or none."""
    word = _WORD.match(answer.text) if answer is not None and answer.outcome is Outcome.ANSWERED else None
    if word is None:
        return Reason.UNVERIFIED
    return None if word[1].lower() == "yes" else Reason.UNSUPPORTED
