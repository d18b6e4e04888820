"""Failures of a round's requests -> the error that ends the round, once there is no sense in going on."""

from collections.abc import Iterator
from contextlib import contextmanager

from axolotl_augft.asking.round import Round
from axolotl_augft.errors import TeacherUnreachable
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.request import Request

_DENIALS = 8
_FAILED_IN_A_ROW = 8


class Patience:
    """How long a round goes on in spite of failures.

    Attributes:
        any_answered: Whether a request was answered in this round.

    Args:
        round_: The round.
    """

    def __init__(self, round_: Round) -> None:
        self._round = round_
        self._clock = round_.pace.clock
        self._denied: set[bytes] = set()
        self._failed_in_a_row = 0
        self._under_way = 0
        self._silent_since: float | None = None
        self.any_answered = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark that a server has a request.

        Only time with a request in flight counts as silence, not waiting for a limit with nothing sent.
        """
        if self._silent_since is None:
            self._silent_since = self._clock()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def heard(self) -> None:
        """Count the silence anew, because an answer has arrived."""
        self._silent_since = self._clock() if self._under_way else None

    def answered(self, answer: Answer) -> None:
        """Take note of a final answer."""
        self._failed_in_a_row = 0
        if answer.outcome is Outcome.ANSWERED:
            self.any_answered = True
            self._denied.clear()

    def failed(self, failure: Failure) -> None:
        """Take note of a request that failed after all retries.

        Raises:
            TeacherUnreachable: So many have, one after the other, that the server must have stopped answering.
        """
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= max(_FAILED_IN_A_ROW, self._round.most_in_flight) and not self._round.again:
            said = f", {failure.said}" if failure.said else ""
            raise TeacherUnreachable(
                f"the teacher's server stopped answering: {self._failed_in_a_row} requests in a row failed after all "
                f"retries (last: {failure.reason}{said}); every answer so far is stored, so run again once the server "
                "works"
            )

    def check(self, request: Request, failure: Failure) -> None:
        """Raise an error if a failed try shows that no further one can succeed.

        Raises:
            TeacherError: The server refuses access, or does not know the model, whatever it is asked.
            TeacherUnreachable: It has been silent for `stall_timeout`.
        """
        self._check_denied(request, failure)
        self._check_stall()

    def _check_denied(self, request: Request, failure: Failure) -> None:
        # One request among many may get 403 or 404 from a server behind the provider's; it is tried again.
        if failure.denial is None:
            return
        self._denied.add(request.key)
        if len(self._denied) >= _DENIALS or not (self.any_answered or self._round.again):
            raise failure.denial

    def _check_stall(self) -> None:
        silent = self._clock() - self._silent_since if self._silent_since is not None else 0.0
        if silent >= self._round.pace.stall_timeout:
            counts = self._round.counts
            raise TeacherUnreachable(
                f"no answer from the teacher's server for {silent:.0f} s (augft.teacher.stall_timeout); failures so "
                f"far: {counts.listed(counts.failed_tries)}; every answer so far is stored, so run again once the "
                "server works"
            )
