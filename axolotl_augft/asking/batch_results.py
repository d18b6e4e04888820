"""Files of results from a provider's Batch API -> answers in the store, and what is left to ask."""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import orjson

from axolotl_augft.asking.batch_provider import BatchProvider, ProviderBatch
from axolotl_augft.asking.round import EarlyInvalid, Round
from axolotl_augft.batched import batched
from axolotl_augft.errors import TeacherError
from axolotl_augft.files.durable import scratch_file
from axolotl_augft.store.batches import AGAIN, BatchLedger, SentBatch
from axolotl_augft.teacher.answer import Answer, Failure
from axolotl_augft.teacher.client import Client
from axolotl_augft.teacher.request import Request

LOG = logging.getLogger("axolotl_augft")


class Results:
    """Reads results into the store, and counts them.

    `others`: keys of requests in an earlier run's batch that this run does not ask. Their answers are stored, but not
    counted as this run's, and never asked for again.

    Args:
        round_: The round that they belong to.
    """

    def __init__(self, round_: Round) -> None:
        self.others: set[bytes] = set()
        self._client = Client(round_.server)
        self._store = round_.store
        self._budget = round_.budget
        self._watcher = round_.watcher
        self._counts = round_.counts
        self._max_retries = round_.pace.max_retries
        self._early_invalid = EarlyInvalid(round_.trusted)
        self._tries: Counter[bytes] = Counter()
        self._lasting: Counter[bytes] = Counter()
        self._reasons: dict[bytes, str] = {}
        self._refused: TeacherError | None = None

    def read(self, provider: BatchProvider, ledger: BatchLedger, sent: SentBatch, batch: ProviderBatch) -> bool:
        """Stores the answers in a batch's files; says whether all that is in them was understood.

        Raises:
            OutputError: There is no room for a file in the temporary folder.
        """
        understood = True
        for file_id in batch.files:
            with scratch_file(f"results of batch {batch.id}") as file:
                if not provider.fetch(file_id, file):
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
        """Counts the tries of what has no answer, and leaves it for another batch or gives it up."""
        early = self._early_invalid.keys
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
        """Raises what concerns all requests."""
        if self._refused is not None:
            raise self._refused
        if self._early_invalid:
            raise self._early_invalid.error()

    def _store_answers(self, ledger: BatchLedger, sent: SentBatch, rows: list["_Row"]) -> bool:
        """Whether all results were understood."""
        understood = True
        requests = ledger.named(sent.tag, [row.key for row in rows])
        answered: list[tuple[Request, Answer]] = []
        for row in rows:
            request = requests.pop(row.key, None)
            if request is None:
                continue
            result = self._result(request, row)
            if isinstance(result, Failure):
                self._note(request, row, result)
                understood &= row.status != 200
                continue
            answered += self._early_invalid.admit(request, self._settled(request, result))
        self._store.put(answered)
        for request, answer in answered:
            if request.key not in self.others:
                self._counts.add(answer)
        self._watcher.update(self._counts)
        return understood

    def _note(self, request: Request, row: "_Row", failure: Failure) -> None:
        """Counts a try that failed.

        One that came back with a 200 was paid for: the budget keeps it, and it is not paid for often.
        """
        if request.key in self.others:
            return
        self._reasons[request.key] = failure.reason
        self._counts.passing[failure.reason] += 1
        self._lasting[request.key] += failure.lasting
        if row.status == 200:
            self._budget.settle(request, failure)

    def _settled(self, request: Request, answer: Answer) -> Answer:
        """The answer with its price, which is this run's to pay only if it is this run's request."""
        if request.key in self.others:
            return replace(answer, nanodollars=self._budget.price_of(answer))
        settled = self._budget.settle(request, answer)
        assert isinstance(settled, Answer)
        return settled

    def _result(self, request: Request, row: "_Row") -> Answer | Failure:
        if row.status is None:
            return Failure(f"batch: {row.code}")
        try:
            return self._client.read(request, row.status, {}, orjson.dumps(row.body))
        except TeacherError as error:
            self._refused = self._refused or error
            return Failure("refused")


@dataclass(frozen=True)
class _Row:
    """A line of a results file: the response's status and body, or the code of the provider's own error."""

    key: bytes
    status: int | None
    body: Any
    code: str


def _row(line: bytes) -> _Row | None:
    """None for a line that is none of a batch's: its request counts as one without a result."""
    try:
        row = orjson.loads(line)
        response, error = row.get("response") or {}, row.get("error") or {}
        return _Row(
            bytes.fromhex(row["custom_id"]),
            response.get("status_code"),
            response.get("body"),
            str(error.get("code"))[:60],
        )
    except (orjson.JSONDecodeError, KeyError, ValueError, AttributeError, TypeError):
        return None
