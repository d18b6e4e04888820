"""Judged statements -> the rounds of requests that verify them, and what is kept in the end.

First the statements of all answers are verified. Sentences that nothing kept is about are then asked about once more,
in another way, and what comes back is verified too. Last, what is kept is compared with its sources and each other.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.judging.rules import Judged
from axolotl_augft.strategies.make import AllTasks
from axolotl_augft.strategies.task import Missed, Task
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.verifying.contradictions import Contradictions
from axolotl_augft.verifying.coverage import missed_sentences
from axolotl_augft.verifying.records import Calibration, ContradictionRecord, VerificationRecord
from axolotl_augft.verifying.verifier import Verifier

Judge = Callable[[Iterable[Task]], Iterator[Judged]]
"""Judges the stored answers to tasks, in their order."""


@dataclass(frozen=True)
class FirstAnswers:
    """The statements of the first answers to all tasks; each call looks at the store again.

    Attributes:
        judged: Judges them, in document order.
        together: Judges them, those with the same premises one after the other.
        scored: Judges them, in document order, and gives those that were asked about their probabilities.
    """

    judged: Callable[[], Iterator[Judged]]
    together: Callable[[], Iterator[Judged]]
    scored: Callable[[], Iterator[Judged]]


@dataclass(frozen=True)
class VerifyRound:
    """Requests that are to be answered before the next round is known.

    Attributes:
        title: Name of the round, for progress messages.
        model: The model to ask.
        requests: Makes the requests; may be called more than once.
        may_be_refused: A refusal is an answer: the server cannot do what it was asked.
    """

    title: str
    model: Teacher
    requests: Callable[[], Iterable[Request]]
    may_be_refused: bool = False


class Verification:
    """The verification of a recipe's statements, by the answers that are stored when they are first looked at.

    Args:
        config: The `verify:` block.
        verifier: Asks about statements.
        teacher: The teacher model, for sentences that are asked about once more.
        tasks: The tasks of the recipe.
        first: The statements of the first answers.
        judge: Judges the stored answers to further tasks.
    """

    def __init__(
        self,
        config: VerifyConfig,
        verifier: Verifier,
        teacher: Teacher,
        tasks: AllTasks,
        first: FirstAnswers,
        judge: Judge,
    ) -> None:
        self._config = config
        self._verifier = verifier
        self._teacher = teacher
        self._tasks = tasks
        self._first = first
        self._judge = judge

    def rounds(self) -> Iterator[VerifyRound]:
        """Yield round after round; the requests of each must be answered before the next is taken.

        Where an answer that the next round depends on is missing, nothing more is yielded.
        """
        yield from self.rounds_of_first()
        if self._verifier.inquiry.is_ready and self.missed:
            again = self._tasks.again_in_sending_order
            yield VerifyRound(
                "augmentation of sentences that nothing covers",
                self._teacher,
                lambda: (task.request for task in again(self.missed)),
            )
            model = self._verifier.model
            yield VerifyRound("verification of these", model, lambda: self._verifier.requests(self._second))
        if self._verifier.inquiry.is_ready and (contradictions := self._contradictions):
            yield VerifyRound(
                "verification: contradictions",
                self._verifier.model,
                lambda: contradictions.requests(self._verified()),
            )

    def rounds_of_first(self) -> Iterator[VerifyRound]:
        """Yield the rounds that verify the first answers: those about sentences that nothing covers come later."""
        model = self._verifier.model
        if probe := self._verifier.inquiry.probe():
            yield VerifyRound("verification: what the server can do", model, lambda: probe, may_be_refused=True)
        if not self._verifier.inquiry.is_ready:
            return
        verifier, first = self._verifier, self._first
        yield VerifyRound("verification", model, lambda: verifier.requests(first.together))
        yield VerifyRound("verification: planted slips", model, lambda: verifier.planted_requests(first.judged))

    @cached_property
    def calibrations(self) -> Mapping[str, Calibration]:
        """What the verifier was found to be worth for the statements of each strategy."""
        return self._verifier.calibrations(self._first.scored())

    @cached_property
    def missed(self) -> Missed:
        """The sentences that nothing kept of the first answers is about.

        None, if sentences are not asked about again, or if the model has told nothing about any statement: then all of
        them would be missed.
        """
        has_told = any(calibration.statements for calibration in self.calibrations.values())
        if not self._config.ask_again or not has_told:
            return {}
        return missed_sentences(self._verifier.decided(self._first.scored(), self.calibrations))

    @property
    def record(self) -> VerificationRecord:
        """How statements are verified, for the manifest."""
        calibrations = tuple(c for c in self.calibrations.values() if c.statements)
        method = self._verifier.inquiry.method
        return VerificationRecord(self._verifier.model.id, method, calibrations, self._contradiction_record)

    def decided(self) -> Iterator[Judged]:
        """Yield all statements in document order, with their probabilities, rejecting those that fail."""
        verified = self._verified()
        if self._contradictions and self._contradiction_record:
            return self._contradictions.decided(verified, self._contradiction_record)
        return verified

    @cached_property
    def _contradictions(self) -> Contradictions | None:
        return self._verifier.contradictions(self._first.judged)

    @cached_property
    def _contradiction_record(self) -> ContradictionRecord | None:
        return self._contradictions.record() if self._contradictions else None

    def _verified(self) -> Iterator[Judged]:
        again = self._verifier.scored(self._second())
        order = heapq.merge(self._first.scored(), again, key=lambda j: j.task.target.place)
        return self._verifier.decided(order, self.calibrations)

    def _second(self) -> Iterator[Judged]:
        return self._judge(self._tasks.again_in_document_order(self.missed)) if self.missed else iter(())
