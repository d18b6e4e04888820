"""Rounds of requests -> stored answers and a record of the run, all within one budget."""

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType

from axolotl_augft.asking.batch import ask_in_batches
from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.feed import StoredCounts, count_requests
from axolotl_augft.asking.pacing.pace import teacher_pace
from axolotl_augft.asking.progress import Progress
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.asking.window import ask
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import StoreError, TeacherError
from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.files.item_file import ItemFile
from axolotl_augft.steady import steadily
from axolotl_augft.store.batches import BatchLedger
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.store.round_log import LoggedRound, log_round
from axolotl_augft.store.run_record import RunRecord
from axolotl_augft.teacher.prompt_window import PromptWindow
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.serving.session import TeacherSession
from axolotl_augft.teacher.spending import Spent
from axolotl_augft.teacher.teacher import Teacher

LOG = logging.getLogger("axolotl_augft")
_NOTHING = Spent()
Requests = Callable[[], Iterable[Request]]


@dataclass
class RoundTotals:
    """The sums over all rounds of a run.

    Attributes:
        counts: What became of the requests.
        requests: Number of distinct requests, summed over the rounds.
        before: Tokens and dollars of the answers that were stored before each round.
        keys: Keys of the requests of each round; a request counts in the first round that it is part of.
    """

    counts: RoundCounts = field(default_factory=RoundCounts)
    requests: int = 0
    before: Spent = field(default_factory=Spent)
    keys: list[DigestSet] = field(default_factory=list)

    def add(self, tally: StoredCounts, counts: RoundCounts) -> None:
        """Add a round: what was stored before it, and what became of its requests."""
        self.counts += counts
        self.requests += tally.total
        self.before += tally.spent
        self.keys.append(tally.keys)

    def record(self) -> RunRecord:
        """Summarize what all rounds asked and what all of the recipe's answers cost."""
        return RunRecord(
            asked=self.counts.total,
            answered_before=max(0, self.requests - self.counts.total),
            failed_tries=dict(self.counts.failed_tries),
            remarks=dict(self.counts.remarks),
            seconds=round(self.counts.seconds, 3),
            usage=self.counts.spent.usage(),
            all_runs=(self.before + self.counts.spent).usage(),
        )


class Rounds:
    """Sends rounds of requests to one model.

    From the first round with something to send, no other run may ask this model for answers in this store.

    Args:
        teacher: The model to ask: the teacher, or the model that verifies.
        store: The response store that answers are looked up in and written to.
        session: The model's server.
        budget: Limits and prices.
        max_failed_fraction: Share of a round's requests that may stay unanswered.
        alone: The exclusive right to ask this model for answers in this store.
        totals: The sums to which each round is added.
    """

    def __init__(
        self,
        teacher: Teacher,
        store: ResponseStore,
        session: TeacherSession,
        budget: Budget,
        max_failed_fraction: float,
        alone: AskingLock,
        totals: RoundTotals | None = None,
    ) -> None:
        self._teacher = teacher
        self._store = store
        self._session = session
        self._budget = budget
        self._max_failed_fraction = max_failed_fraction
        self._alone = alone
        self._totals = totals or RoundTotals()

    def ask(
        self,
        requests: Requests,
        title: str,
        counted: Spent = _NOTHING,
        trusted: bool = False,
        note: Callable[[], str] = str,
    ) -> None:
        """Send the requests that the store does not answer.

        Args:
            requests: Returns the requests of the round; called again if another run has to end first.
            title: Name of the round, for progress messages.
            counted: Tokens and dollars of the stored answers that the budget has already counted.
            trusted: A request that the server calls invalid says nothing about the others.
            note: What else to say of the progress.

        Raises:
            BudgetReached: A limit ended the round; the answers to the requests in flight are stored.
            TeacherError: The server failed, or too many requests stayed unanswered.
            WaitingFailed: Another run kept the right to ask for too long.
            ConfigError: The variable that holds the key is not set, or `openai` is not installed but needed.
            StoreError: The store cannot be read or written.
            OutputError: The store's folder or the temporary folder cannot be written.
        """
        is_alone = self._alone.try_acquire()
        with ExitStack() as stack:
            laid_out = self._lay_out(requests, title, stack)
            if laid_out.counts.missing and not is_alone:
                self._alone.wait()
                laid_out = self._lay_out(requests, title, stack)
            tally, counts = laid_out.counts, RoundCounts()
            self._budget.count(tally.spent - counted)
            try:
                if tally.missing:
                    self._send(laid_out, partial(Progress, title=title, note=note), counts, trusted)
            except BaseException:
                with suppress(StoreError):
                    self._note(tally, counts)
                raise
        self._note(tally, counts)
        if self._budget.reached:
            raise self._budget.error(max(0, tally.missing - counts.total + counts.failed.total()))
        self._check_failures(counts, tally.total)

    def _lay_out(self, requests: Requests, title: str, stack: ExitStack) -> "_LaidOut":
        # Beside the store, whose disk needs room for as much text anyway once the requests are answered.
        missing: ItemFile[Request] = stack.enter_context(ItemFile(self._store.path.parent))
        steady = steadily(requests(), f"{title}: laying out", "requests")
        return _LaidOut(count_requests(steady, self._store, self._totals.keys, missing.add), missing)

    def _note(self, tally: StoredCounts, counts: RoundCounts) -> None:
        """Add a round to the totals and to the store's log, however it ended.

        Batches are logged with 0 seconds, because the hours they wait say nothing about the teacher's speed.
        """
        self._totals.add(tally, counts)
        seconds = 0.0 if self._teacher.config.batch else counts.seconds
        known = tally.total - tally.missing
        log_round(
            self._store, LoggedRound.of(self._teacher.id, known + counts.total, counts.total, seconds, counts.spent)
        )

    def _send(
        self,
        laid_out: "_LaidOut",
        follow: Callable[[int], Progress],
        counts: RoundCounts,
        trusted: bool,
    ) -> None:
        opened = self._session.open()
        with follow(laid_out.counts.missing) as progress:
            pace = teacher_pace(self._teacher, opened.check)
            prompts = PromptWindow(self._teacher.tokens)
            trusted = trusted or laid_out.counts.answered > 0
            round_ = Round(
                opened.server,
                self._store,
                pace,
                progress,
                trusted,
                self._budget,
                counts,
                prompts,
                further=opened.further,
            )
            if self._teacher.config.batch:
                ask_in_batches(lambda: laid_out.missing, round_)
            else:
                self._warn_of_batches(opened.server.host)
                ask(laid_out.missing, round_, missing=True)
                self._ask_again(laid_out.missing, round_)
            LOG.info("augft: %s", progress.last_line(counts))

    def _ask_again(self, requests: Iterable[Request], round_: Round) -> None:
        """Ask once more, at the end of a round, for what failed: one unlucky request must not end a long run."""
        counts = round_.counts
        if not counts.failed or self._budget.reached:
            return
        LOG.info("augft: asking once more for %d requests that failed", counts.failed.total())
        counts.failed.clear()
        ask(requests, replace(round_, trusted=round_.trusted or counts.answered > 0, again=True))

    def _warn_of_batches(self, host: str) -> None:
        if waiting := BatchLedger(self._store, host).open_batches():
            LOG.warning(
                "augft: %d batches at %s have no result yet; their requests are sent, and paid for, once more unless "
                "augft.teacher.batch is true",
                len(waiting), host,
            )  # fmt: skip

    def _check_failures(self, counts: RoundCounts, requests: int) -> None:
        unanswered = counts.failed.total()
        if unanswered > self._max_failed_fraction * requests:
            raise TeacherError(
                f"{unanswered} of {requests} requests stayed unanswered after all retries "
                f"({counts.listed(counts.failed)}); every answer is stored: run again to ask for the rest, or raise "
                f"augft.max_failed_fraction (now {self._max_failed_fraction:g})"
            )


@dataclass(frozen=True)
class _LaidOut:
    """The requests of a round.

    Attributes:
        counts: What the store knows about them.
        missing: Those that it does not answer, so that they need not be made again.
    """

    counts: StoredCounts
    missing: ItemFile[Request]


class Turns:
    """Context manager that gives each model its turn; a server runs from its first request to the next turn.

    The server of one model is stopped before that of the next is started, because both may need the same GPU.

    Attributes:
        totals: The sums over the rounds of all models.

    Args:
        recipe: The recipe, for its limits and folders.
        teacher: The teacher model.
        store: The response store.
        budget: Limits and prices.
        student: The student, if it is probed; any other model that is asked verifies.
    """

    def __init__(
        self, recipe: Recipe, teacher: Teacher, store: ResponseStore, budget: Budget, student: Teacher | None = None
    ) -> None:
        self._recipe = recipe
        self._teacher = teacher
        self._store = store
        self._budget = budget
        self._student = student
        self._stack = ExitStack()
        self._asked: Teacher | None = None
        self._rounds: Rounds | None = None
        self.totals = RoundTotals()

    def __enter__(self) -> "Turns":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def of(self, model: Teacher) -> Rounds:
        """Return the rounds of a model, after ending another model's turn."""
        if self._rounds is None or self._asked is not model:
            self._stack.close()
            # The lock is released only after a managed server has stopped: the next run starts one on the same GPU.
            lock = AskingLock(self._store.path, model.id, self._recipe.augft.wait_timeout)
            alone = self._stack.enter_context(lock)
            role = "teacher" if model is self._teacher else "student" if model is self._student else "verifier"
            log = self._recipe.output_dir / "logs" / f"{role}.log"
            session = self._stack.enter_context(TeacherSession(model, log))
            failed = self._recipe.augft.max_failed_fraction
            self._rounds = Rounds(model, self._store, session, self._budget, failed, alone, self.totals)
            self._asked = model
        return self._rounds
