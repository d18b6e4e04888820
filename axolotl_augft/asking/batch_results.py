"""Files of results from a provider's Batch API -> stored answers, and the requests to send again."""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import orjson

from axolotl_augft.asking.batch_provider import BatchProvider, ProviderBatch
from axolotl_augft.asking.round import Refusals, Round
from axolotl_augft.batched import batched
from axolotl_augft.errors import TeacherError
from axolotl_augft.files.durable import scratch_file
from axolotl_augft.store.batches import AGAIN, BatchLedger, SentBatch
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.bodies import most_bytes
from axolotl_augft.teacher.client import Client
from axolotl_augft.teacher.failures import shown_code
from axolotl_augft.teacher.request import Request

LOG = logging.getLogger("axolotl_augft")


class Results:
    """Reads results into the store and counts them.

    Attributes:
        others: Keys of requests in an earlier run's batches that are not requests of this run. Their answers are
            stored but not counted, and they are not sent again.

    Args:
        round_: The round that the results belong to.
    """

    def __init__(self, round_: Round) -> None:
        self.others: set[bytes] = set()
        self._client = Client(round_.server)
        self._key = round_.server.api_key or ""
        self._store = round_.store
        self._budget = round_.budget
        self._watcher = round_.watcher
        self._counts = round_.counts
        self._max_retries = round_.pace.max_retries
        self._refusals = Refusals(round_.trusted)
        self._accepts = False
        self._denial: TeacherError | None = None
        self._tries: Counter[bytes] = Counter()
        self._lasting: Counter[bytes] = Counter()
        self._reasons: dict[bytes, str] = {}
        self._refused: TeacherError | None = None

    def read(self, provider: BatchProvider, ledger: BatchLedger, sent: SentBatch, batch: ProviderBatch) -> bool:
        """Store the answers in a batch's files.

        Returns:
            Whether all results in the files were understood. If not, the files should stay at the provider.

        Raises:
            OutputError: The temporary folder has no room for a file.
            StoreError: The store cannot be written.
            TeacherError: A file cannot be downloaded.
        """
        understood = True
        self._accepts, self._denial = False, None
        most = most_bytes(*ledger.requests(sent.tag, answered=True))
        for file_id in batch.files:
            with scratch_file(f"results of batch {batch.id}") as file:
                if not provider.fetch(file_id, file, most):
                    LOG.warning(
                        "augft: file %s of batch %s is gone from %s; requests whose results were in it are sent "
                        "again, and paid for twice",
                        file_id, batch.id, provider.host,
                    )  # fmt: skip
                    continue
                file.seek(0)
                for lines in batched(file):
                    rows = [row for line in lines if (row := _row(line))]
                    understood &= self._store_answers(ledger, sent, rows) and len(rows) == len(lines)
        return understood

    def set_aside(self, ledger: BatchLedger, sent: SentBatch, status: str) -> None:
        """Put the unanswered requests of a batch aside for another batch; count those with too many tries as failed.

        Args:
            ledger: The record of batches.
            sent: The batch that ended.
            status: Its final status, the reason for requests without a result of their own.
        """
        early = self._refusals.keys
        again = []
        for request in ledger.requests(sent.tag):
            if request.key in early:
                continue
            self._budget.release(request)
            if request.key in self.others:
                continue
            self._tries[request.key] += 1
            if self._tries[request.key] <= self._max_retries and self._lasting[request.key] <= 1:
                again.append(request.key)
            else:
                self._counts.failed[self._reasons.get(request.key, f"batch {status}")] += 1
        ledger.move(again, AGAIN)
        self._reasons.clear()
        self._watcher.update(self._counts)

    def check(self) -> None:
        """Raise an error that concerns all requests, if there is one.

        Raises:
            TeacherError: The provider refused access or does not know the model, or called all requests invalid.
        """
        if self._refused is not None:
            raise self._refused
        if self._denial is not None and not self._accepts:
            raise self._denial
        self._store_and_count(self._refusals.rest())

    def _store_answers(self, ledger: BatchLedger, sent: SentBatch, rows: list["_Row"]) -> bool:
        """Store the answers in rows of results; return whether all of them were understood."""
        understood = True
        requests = ledger.named(sent.tag, [row.key for row in rows])
        answered: list[tuple[Request, Answer]] = []
        for row in rows:
            request = requests.pop(row.key, None)
            if request is None:
                continue
            result = self._result(request, row)
            if isinstance(result, Failure):
                self._denial = result.denial or self._denial
                self._note(request, row, result)
                understood &= row.status != 200
                continue
            answer = self._settled(request, result)
            # The answers of a batch come in no order, so the first one that the server gave shows that it accepts them.
            self._accepts = self._accepts or answer.outcome is not Outcome.INVALID
            answered += [(request, answer)] if self._accepts else self._refusals.admit(request, answer, 0)
            if self._accepts:
                answered += self._refusals.release()
        self._store_and_count(answered)
        return understood

    def _store_and_count(self, answered: list[tuple[Request, Answer]]) -> None:
        self._store.put(answered)
        for request, answer in answered:
            if request.key not in self.others:
                self._counts.add(answer)
        self._watcher.update(self._counts)

    def _note(self, request: Request, row: "_Row", failure: Failure) -> None:
        """Count a failed try.

        One with status 200 was paid for, although its body is unusable: the budget keeps its cost.
        """
        if request.key in self.others:
            return
        self._reasons[request.key] = failure.reason
        self._counts.failed_try(failure)
        # In a batch, a body without an answer was paid for, so it gets one more try only.
        self._lasting[request.key] += failure.lasting or failure.reason == "wrong shape"
        if row.status == 200:
            self._budget.settle(request, failure)

    def _settled(self, request: Request, answer: Answer) -> Answer:
        """Return the answer with its price, which counts towards the budget only if the request is this run's."""
        if request.key in self.others:
            return replace(answer, nanodollars=self._budget.price_of(request, answer))
        settled = self._budget.settle(request, answer)
        assert isinstance(settled, Answer)
        return settled

    def _result(self, request: Request, row: "_Row") -> Answer | Failure:
        if row.status is None:
            return Failure(f"batch: {shown_code(row.code, self._key) or 'unknown'}")
        try:
            return self._client.read(request, row.status, {}, orjson.dumps(row.body))
        except TeacherError as error:
            self._refused = self._refused or error
            return Failure("refused")


@dataclass(frozen=True)
class _Row:
    """A line of a file of results.

    Attributes:
        key: Key of the request.
        status: HTTP status of the response; None if there was no response.
        body: The response's body.
        code: Code of the provider's own error, "None" if there was none.
    """

    key: bytes
    status: int | None
    body: Any
    code: str


def _row(line: bytes) -> _Row | None:
    """Parse a line; None if it is not a line of results, so that its request counts as one without a result."""
    try:
        row = orjson.loads(line)
        response, error = row.get("response") or {}, row.get("error") or {}
        return _Row(
            bytes.fromhex(row["custom_id"]),
            response.get("status_code"),
            response.get("body"),
            str(error.get("code")),
        )
    except (orjson.JSONDecodeError, KeyError, ValueError, AttributeError, TypeError):
        return None
