"""Requests that the store does not answer -> stored answers, through a provider's Batch API.

The API is `/v1/files` and `/v1/batches`. A run may end at any moment: every batch is recorded in the response store
(`store.batches`), and the next run resumes it by its id. Requests that got no result (expired batches, temporary
failures of single requests) go into another batch, at most `max_retries` times. Once a batch's results are stored, its
files at the provider are deleted.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO

import orjson

from axolotl_augft.asking.batch_provider import ENDED, ENDPOINTS, BatchProvider, ProviderBatch, RetryPolicy
from axolotl_augft.asking.batch_results import Results
from axolotl_augft.asking.round import Round, RoundCounts
from axolotl_augft.batched import batched
from axolotl_augft.errors import TeacherError
from axolotl_augft.files.durable import scratch_file
from axolotl_augft.store.batches import AGAIN, BatchLedger, SentBatch
from axolotl_augft.teacher.request import Request

LOG = logging.getLogger("axolotl_augft")
_QUEUE_FULL = "token_limit_exceeded"
_FIRST_LOOK = 5.0
_LONGEST_LOOK = 60.0


@dataclass(frozen=True)
class BatchLimits:
    """Size limits of one file of requests; the defaults are the documented limits of OpenAI and Azure.

    Attributes:
        requests: Most requests in a file.
        bytes: Most bytes in a file.
    """

    requests: int = 50_000
    bytes: int = 200_000_000


DOCUMENTED = BatchLimits()


def ask_in_batches(
    requests: Callable[[], Iterable[Request]],
    round_: Round,
    limits: BatchLimits = DOCUMENTED,
    sleep: Callable[[float], None] = time.sleep,
) -> RoundCounts:
    """Send the requests that the store does not answer, and return once each is answered or has failed for good.

    Open batches of earlier runs that contain a request of this run are waited for, and their answers to its requests
    count as this run's. Open batches that contain none are left to the recipe that sent them.

    Args:
        requests: Returns the requests; called more than once. Equal requests are sent once.
        round_: The provider, the store and the pace. `pace.max_retries` limits both how often a failed call to the
            provider is repeated and how often a request may go into another batch.
        limits: Size limits of one file of requests.
        sleep: Waits for a number of seconds; replaced in tests.

    Raises:
        TeacherError: The provider refuses access or a whole batch, calls all requests invalid, or no longer responds;
            or a batch was cancelled.
        StoreError: The store cannot be written.
        OutputError: The temporary folder has no room for a file of requests or results.
        ConfigError: The `openai` library is not installed.
    """
    start = time.monotonic()
    with closing(
        BatchProvider(round_.server, RetryPolicy(round_.pace.max_retries, sleep, round_.pace.wait))
    ) as provider:
        _Batching(requests, round_, provider, limits, sleep).run()
    round_.counts.seconds = time.monotonic() - start
    return round_.counts


class _Batching:
    """Fills and sends batches, waits for them, and passes their results to `Results`."""

    def __init__(
        self,
        requests: Callable[[], Iterable[Request]],
        round_: Round,
        provider: BatchProvider,
        limits: BatchLimits,
        sleep: Callable[[float], None],
    ) -> None:
        self._server = round_.server
        self._store = round_.store
        self._budget = round_.budget
        self._provider = provider
        self._results = Results(round_)
        self._limits = limits
        self._sleep = sleep
        self._ledger = BatchLedger(round_.store, provider.host)
        self._requests = requests
        self._source = self._unsent(requests())
        self._source_is_dry = False
        self._put_back: list[Request] = []
        self._most_open: float = math.inf

    def run(self) -> None:
        self._ledger.forget_waiting()
        self._warn_of_other_servers()
        waiting = list(self._resumed())
        while True:
            while len(waiting) < self._most_open and (sent := self._send_next()) is not None:
                waiting.append(sent)
            if not waiting:
                return
            for sent, batch in self._wait_for_ended(waiting):
                waiting.remove(sent)
                self._end(sent, batch, waiting)

    def _warn_of_other_servers(self) -> None:
        if servers := self._ledger.other_servers():
            LOG.warning(
                "augft: batches at %s have no result yet; requests of this recipe in them are sent, and paid for, "
                "at %s too",
                ", ".join(servers), self._provider.host,
            )  # fmt: skip

    def _resumed(self) -> Iterator[SentBatch]:
        """Yield the open batches of earlier runs that contain a request of this run."""
        open_batches = self._ledger.open_batches()
        own = self._own_pending() if open_batches else set()
        for sent in open_batches:
            keys = self._ledger.unanswered(sent.tag)
            if not keys:
                # A run ended after it stored the last answer but before it closed the batch, or the answers came from
                # elsewhere.
                self._ledger.end(sent.tag)
                continue
            if not keys & own:
                LOG.info(
                    "augft: batch %s at %s contains no request of this recipe; leaving it to the recipe that sent it",
                    sent.id,
                    self._provider.host,
                )
                continue
            if (known := self._with_id(sent)) is None:
                self._ledger.end(sent.tag)
                continue
            self._results.others |= keys - own
            for request in self._ledger.requests(sent.tag):
                if request.key in own:
                    self._budget.hold(request)
            LOG.info("augft: resuming batch %s of an earlier run", known.id)
            yield known

    def _with_id(self, sent: SentBatch) -> SentBatch | None:
        """Return the batch with the provider's id, or None if the provider does not have it.

        The run that created the batch may have ended before it could record the id.
        """
        if sent.id is not None:
            return sent
        if (batch := self._provider.find(sent.tag)) is None:
            LOG.warning(
                "augft: batch %s was about to be created when an earlier run ended, and %s does not list it; its "
                "requests are sent again, and paid for twice if the batch exists after all",
                sent.tag, self._provider.host,
            )  # fmt: skip
            return None
        self._ledger.sent(sent.tag, batch.id)
        return SentBatch(sent.tag, batch.id)

    def _own_pending(self) -> set[bytes]:
        """Return the keys of this run's requests that are in an open batch."""
        own: set[bytes] = set()
        for some in batched(self._requests()):
            own |= self._ledger.pending([request.key for request in some])
        return own

    def _unsent(self, requests: Iterable[Request]) -> Iterator[Request]:
        for some in batched(requests):
            for request in self._store.missing(some):
                # Checked again for each request: an equal one may have been sent or answered since the look-up above.
                if not self._ledger.pending([request.key]) and self._store.missing([request]):
                    yield request

    def _next(self) -> Request | None:
        """Return the next request to send; None at the end of the current source of requests."""
        if self._put_back:
            return self._put_back.pop()
        request = next(self._source, None)
        self._source_is_dry = request is None
        return request

    def _send_next(self) -> SentBatch | None:
        """Send another batch; return None if there is nothing to send now."""
        with scratch_file("a file of requests") as file:
            taken = self._fill(file)
            return self._send(taken, file) if taken else None

    def _fill(self, file: IO[bytes]) -> list[Request]:
        if self._source_is_dry:
            self._source = self._ledger.requests(AGAIN)
        taken: dict[bytes, Request] = {}
        size = 0
        while len(taken) < self._limits.requests and (request := self._next()) is not None:
            if request.key in taken:
                continue
            line = self._line(request)
            if (taken and size + len(line) > self._limits.bytes) or not self._budget.try_admit(request):
                self._put_back.append(request)
                break
            file.write(line)
            size += len(line)
            taken[request.key] = request
        return list(taken.values())

    def _line(self, request: Request) -> bytes:
        body = orjson.Fragment(request.encoded(self._server.shape(request, request.settings(self._server.model))))
        line = {"custom_id": request.key.hex(), "method": "POST", "url": ENDPOINTS[request.api], "body": body}
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)

    def _send(self, taken: list[Request], file: IO[bytes]) -> SentBatch:
        file_id = self._provider.upload("augft.jsonl", file)
        tag = self._ledger.begin(taken)

        def forget() -> None:
            self._ledger.end(tag)
            self._provider.delete(file_id)

        batch = self._provider.create(file_id, ENDPOINTS[taken[0].api], tag, refused=forget)
        self._ledger.sent(tag, batch.id)
        LOG.info("augft: sent batch %s with %d requests", batch.id, len(taken))
        return SentBatch(tag, batch.id)

    def _wait_for_ended(self, waiting: list[SentBatch]) -> list[tuple[SentBatch, ProviderBatch | None]]:
        """Wait until at least one batch has ended; return the ended ones, with None if the provider lost the batch."""
        look, said = _FIRST_LOOK, -1
        while True:
            states = [(sent, self._provider.get(sent.id or "", sent.tag)) for sent in waiting]
            if ended := [(sent, batch) for sent, batch in states if batch is None or batch.status in ENDED]:
                return ended
            done = sum(batch.done for _, batch in states if batch)
            if done != said:
                said = done
                LOG.info(
                    "augft: waiting for %d batches at %s; %d of their requests are done",
                    len(waiting),
                    self._provider.host,
                    done,
                )
            self._sleep(look)
            look = min(_LONGEST_LOOK, look * 1.5)

    def _end(self, sent: SentBatch, batch: ProviderBatch | None, others: list[SentBatch]) -> None:
        status = batch.status if batch else "no longer known"
        if batch is not None and batch.status == "failed":
            self._failed_whole(sent, batch, len(others))
            return
        understood = batch is not None and self._results.read(self._provider, self._ledger, sent, batch)
        if batch is None:
            LOG.warning(
                "augft: batch %s is no longer known at %s (does the key belong to another account?); its requests "
                "are sent again, and may be paid for twice",
                sent.id, self._provider.host,
            )  # fmt: skip
        self._results.set_aside(self._ledger, sent, status)
        self._ledger.end(sent.tag)
        self._results.check()
        if batch is not None and understood:
            self._provider.delete(batch.input_file, *batch.files)
        if status == "cancelled":
            raise TeacherError(
                f"batch {sent.id} was cancelled at {self._provider.host}; its answers so far are stored: run again "
                f"to send the rest"
            )

    def _failed_whole(self, sent: SentBatch, batch: ProviderBatch, others: int) -> None:
        """Handle a batch that failed as a whole, without any result.

        A batch that did not fit into the account's queue is sent again: beside fewer other batches, or in halves if
        there were no others.

        Raises:
            TeacherError: It failed for another reason, or cannot be made smaller.
        """
        keys = []
        for request in self._ledger.requests(sent.tag):
            self._budget.release(request)
            if request.key not in self._results.others:
                keys.append(request.key)
        self._ledger.move(keys, AGAIN)
        self._ledger.end(sent.tag)
        if _QUEUE_FULL not in batch.codes or (len(keys) <= 1 and not others):
            codes = ", ".join(dict.fromkeys(batch.codes)) or "no reason given"
            raise TeacherError(
                f"batch {sent.id} failed at {self._provider.host} ({codes}); none of its requests was processed: check "
                "augft.teacher (model, extra_body) and the account's limits, and run again"
            )
        self._provider.delete(batch.input_file, *batch.files)
        self._most_open = others or math.inf
        if not others:
            self._limits = BatchLimits(max(1, len(keys) // 2), self._limits.bytes)
        LOG.info(
            "augft: batch %s does not fit the account's queue; its requests are sent again %s",
            sent.id, "once another has ended" if others else f"in batches of {self._limits.requests} at most",
        )  # fmt: skip
