"""Rounds of requests within one budget: what the store does not answer is asked, at once or in batches, and what it cost is noted."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from axolotl_augft.asking.batch import ask_in_batches
from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.feed import StoredCounts, count_requests
from axolotl_augft.asking.pacing import teacher_pace
from axolotl_augft.asking.progress import Progress
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.asking.window import ask
from axolotl_augft.errors import StoreError, TeacherError
from axolotl_augft.store.batches import BatchLedger
from axolotl_augft.store.lock import AskingAlone
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.store.round_log import LoggedRound, log_round
from axolotl_augft.store.run_record import RunRecord
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.session import TeacherSession
from axolotl_augft.teacher.spending import Spent
from axolotl_augft.teacher.teacher import Teacher

LOG = logging.getLogger("axolotl_augft")
_NOTHING = Spent()
Requests = Callable[[], Iterable[Request]]


class Rounds:
    """Asks rounds of requests. From the first that has something to ask to the end of all, no other run asks this teacher for the store.

    Attributes:
        counts: What became of the requests of all rounds.
        requests: How many different requests there were.
        before: What the answers cost that were stored before each round.

    Args:
        teacher: The teacher model.
        store: Where answers are looked up and kept.
        session: The teacher's server.
        budget: Limits, and prices.
        max_failed_fraction: Share of a round's requests that may stay unanswered.
        alone: The right to ask this teacher for answers in this store.
    """

    def __init__(
        self,
        teacher: Teacher,
        store: ResponseStore,
        session: TeacherSession,
        budget: Budget,
        max_failed_fraction: float,
        alone: AskingAlone,
    ) -> None:
        self._teacher = teacher
        self._store = store
        self._session = session
        self._budget = budget
        self._max_failed_fraction = max_failed_fraction
        self._alone = alone
        self.counts = RoundCounts()
        self.requests = 0
        self.before = Spent()

    def count(self, requests: Requests) -> Spent:
        """Has the budget count the stored answers to requests that a later round is about."""
        known = count_requests(requests(), self._store).spent
        self._budget.count(known)
        return known

    def ask(self, requests: Requests, title: str, counted: Spent = _NOTHING) -> None:
        """Asks what the store does not answer.

        Args:
            requests: Gives the requests, more than once.
            title: What to call the round.
            counted: The part of the stored answers that the budget has counted.

        Raises:
            BudgetReached: A limit ended the round; what was in flight is stored.
            TeacherError: Too many requests stayed unanswered.
            WaitingFailed: Another run keeps asking.
        """
        is_alone = self._alone.try_to_take()
        tally = count_requests(requests(), self._store)
        if tally.missing and not is_alone:
            self._alone.wait()
            tally = count_requests(requests(), self._store)
        self._budget.count(tally.spent - counted)
        counts = RoundCounts()
        try:
            if tally.missing:
                self._send(requests, tally, title, counts)
        except BaseException:
            with suppress(StoreError):
                self._note(tally, counts)
            raise
        self._note(tally, counts)
        if self._budget.reached:
            raise self._budget.error(max(0, tally.missing - counts.total + counts.failed.total()))
        self._check_failures(counts, tally.total)

    def record(self) -> RunRecord:
        """What all rounds asked, and what all of the recipe's answers cost."""
        return RunRecord(
            asked=self.counts.total,
            answered_before=max(0, self.requests - self.counts.total),
            passing_failures=dict(self.counts.passing),
            remarks=dict(self.counts.remarks),
            seconds=round(self.counts.seconds, 3),
            usage=self.counts.spent.usage(),
            all_runs=(self.before + self.counts.spent).usage(),
        )

    def _note(self, tally: StoredCounts, counts: RoundCounts) -> None:
        """Counts a round, however it ended. The hours that batches wait say nothing of a teacher's speed."""
        self.counts, self.requests, self.before = (
            self.counts + counts,
            self.requests + tally.total,
            self.before + tally.spent,
        )
        seconds = 0.0 if self._teacher.config.batch else counts.seconds
        known = tally.total - tally.missing
        log_round(
            self._store, LoggedRound.of(self._teacher.id, known + counts.total, counts.total, seconds, counts.spent)
        )

    def _send(self, requests: Requests, tally: StoredCounts, title: str, counts: RoundCounts) -> None:
        opened = self._session.open()
        with Progress(tally.missing, title) as progress:
            pace = teacher_pace(self._teacher, opened.check)
            round_ = Round(opened.server, self._store, pace, progress, tally.answered > 0, self._budget, counts)
            if self._teacher.config.batch:
                ask_in_batches(requests, round_)
            else:
                self._warn_of_batches(opened.server.host)
                ask(requests(), round_)
            LOG.info("augft: %s", progress.line(counts))

    def _warn_of_batches(self, host: str) -> None:
        if waiting := BatchLedger(self._store, host).open_batches():
            LOG.warning(
                "augft: %d batches at %s have no result yet; their requests are asked, and paid for, once more unless "
                "augft.teacher.batch "
                "is true", len(waiting), host,
            )  # fmt: skip

    def _check_failures(self, counts: RoundCounts, requests: int) -> None:
        unanswered = counts.failed.total()
        if unanswered > self._max_failed_fraction * requests:
            reasons = ", ".join(f"{reason} {n}" for reason, n in counts.failed.most_common())
            raise TeacherError(
                f"{unanswered} of {requests} requests stayed unanswered after all retries ({reasons}); every answer "
                f"is stored: run again "
                f"to ask for the rest, or raise augft.max_failed_fraction (now {self._max_failed_fraction:g})"
            )
