"""Rounds of requests within one budget: what the store does not answer is asked, at once or in batches, and what it cost is noted."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from axolotl_augft.asking import batch, window
from axolotl_augft.asking.batch_results import Results
from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.feed import Tally, count_requests
from axolotl_augft.asking.pacing import teacher_pace
from axolotl_augft.asking.progress import Progress
from axolotl_augft.asking.window import Asked
from axolotl_augft.errors import StoreError, TeacherError
from axolotl_augft.store.batches import BatchLedger
from axolotl_augft.store.lock import AskingAlone
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.store.runs import Run, save_run
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.session import TeacherSession
from axolotl_augft.teacher.spending import Spent
from axolotl_augft.teacher.teacher import Teacher

LOG = logging.getLogger("axolotl_augft")
_NOTHING = Spent()
Requests = Callable[[], Iterable[Request]]


class Rounds:
    """Asks rounds of requests. From the first that has something to ask to the end of all, no other run asks this teacher for the store.

    `asked`: what all rounds asked now. `requests`: how many different ones there were. `before`: what was stored before each round.

    Args:
        teacher: Who is asked.
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
        self.asked = Asked()
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
        asked = Asked()
        try:
            if tally.missing:
                self._send(requests, tally, title, asked)
        except BaseException:
            with suppress(StoreError):
                self._note(tally, asked)
            raise
        self._note(tally, asked)
        if self._budget.reached:
            raise self._budget.error(max(0, tally.missing - asked.total + asked.failed.total()))
        self._check_failures(asked, tally.total)

    def record(self) -> dict[str, Any]:
        """What this run asked, and what all of the recipe's answers cost, whichever run asked for them: each counts once."""
        return {
            "asked": self.asked.total,
            "hits": max(0, self.requests - self.asked.total),
            "passing_failures": dict(self.asked.passing),
            "remarks": dict(self.asked.remarks),
            "seconds": round(self.asked.seconds, 3),
            **self.asked.spent.usage().as_json(),
            "all_runs": (self.before + self.asked.spent).usage().as_json(),
        }

    def _note(self, tally: Tally, asked: Asked) -> None:
        """Counts a round, however it ended. The hours that batches wait say nothing of a teacher's speed."""
        self.asked, self.requests, self.before = self.asked + asked, self.requests + tally.total, self.before + tally.spent
        seconds = 0.0 if self._teacher.config.batch else asked.seconds
        known = tally.total - tally.missing
        save_run(self._store, Run.of(self._teacher.id, known + asked.total, asked.total, seconds, asked.spent))

    def _send(self, requests: Requests, tally: Tally, title: str, asked: Asked) -> None:
        server, check = self._session.open()
        pace = teacher_pace(self._teacher, check)
        trusted = tally.answered > 0
        with Progress(tally.missing, title) as progress:
            if self._teacher.config.batch:
                results = Results(server, self._store, self._budget, progress, pace.max_retries, trusted, asked)
                batch.ask_in_batches(requests, server, self._store, pace, self._budget, results)
            else:
                self._warn_of_batches(server.host)
                window.ask(requests(), server, self._store, pace, progress, trusted, self._budget, asked)
            LOG.info("augft: %s", progress.line(asked))

    def _warn_of_batches(self, host: str) -> None:
        if waiting := BatchLedger(self._store, host).open_batches():
            LOG.warning(
                "augft: %d batches at %s have no result yet; their requests are asked, and paid for, once more unless augft.teacher.batch "
                "is true", len(waiting), host,
            )  # fmt: skip

    def _check_failures(self, asked: Asked, requests: int) -> None:
        unanswered = asked.failed.total()
        if unanswered > self._max_failed_fraction * requests:
            reasons = ", ".join(f"{reason} {n}" for reason, n in asked.failed.most_common())
            raise TeacherError(
                f"{unanswered} of {requests} requests stayed unanswered after all retries ({reasons}); every answer is stored: run again "
                f"to ask for the rest, or raise augft.max_failed_fraction (now {self._max_failed_fraction:g})"
            )
