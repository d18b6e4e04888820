"""Files of requests -> a provider's batches -> files of results: the calls to `/v1/files` and `/v1/batches`.

Calls go through the `openai` library, are repeated after temporary failures, and raise one-line errors.
"""

import importlib.util
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar

import httpx

from axolotl_augft.errors import ConfigError, TeacherError, TeacherRefusedAccess, TeacherUnreachable
from axolotl_augft.teacher.answer import Failure
from axolotl_augft.teacher.bodies import BodyTooLong, BoundedTransport, shown_address
from axolotl_augft.teacher.client import Server, proxy_for
from axolotl_augft.teacher.failures import shown_code

if TYPE_CHECKING:
    import openai
    from openai import APIResponse
    from openai.types import Batch

LOG = logging.getLogger("axolotl_augft")
T = TypeVar("T")
TAG = "augft_tag"
_LISTED = 1000
# A hundred batches take a few hundred kilobytes.
_MOST_BYTES = 16 << 20
_DELETING_SECONDS = 30.0
Endpoint = Literal["/v1/chat/completions", "/v1/completions"]
ENDPOINTS: dict[str, Endpoint] = {"chat": "/v1/chat/completions", "completions": "/v1/completions"}
ENDED = {"completed", "expired", "cancelled", "failed"}


@dataclass(frozen=True)
class ProviderBatch:
    """What the provider reports about a batch.

    Attributes:
        id: The provider's id of the batch.
        status: The provider's word for its state; a status in `ENDED` is final.
        input_file: The provider's id of the file of requests.
        files: The provider's ids of the files of results and of errors, as far as they exist.
        codes: Error codes, if the batch failed as a whole.
        done: Number of requests with a result, failed ones included.
    """

    id: str
    status: str
    input_file: str
    files: tuple[str, ...]
    codes: tuple[str, ...]
    done: int

    @classmethod
    def of(cls, batch: "Batch", key: str) -> "ProviderBatch":
        """Convert the `openai` library's object; in `files`, the file of results comes before the file of errors.

        Args:
            batch: The object.
            key: The key, which no code may repeat.

        Raises:
            TypeError: A field has another type than it should have, which the library does not check.
        """
        files = tuple(_name(f) for f in (batch.output_file_id, batch.error_file_id) if f)
        errors = batch.errors.data if batch.errors and batch.errors.data else []
        counts = batch.request_counts
        codes = tuple(shown_code(e.code, key) or "unknown" for e in errors)
        done = (counts.completed or 0) + (counts.failed or 0) if counts else 0
        return cls(_name(batch.id), _name(batch.status), _name(batch.input_file_id), files, codes, done)


def _name(value: object) -> str:
    """Return a name that the provider gave.

    Raises:
        TypeError: It is no text, or empty.
    """
    if not isinstance(value, str) or not value:
        raise TypeError("a name that is no text")
    return value


@dataclass(frozen=True)
class RetryPolicy:
    """How calls are repeated.

    Attributes:
        max_retries: How often a failed call is repeated.
        sleep: Waits for a number of seconds; replaced in tests.
        wait: Returns the seconds to wait after a failure; the int counts the failed tries, from 0.
    """

    max_retries: int
    sleep: Callable[[float], None]
    wait: Callable[[Failure, int], float]


class AnswerCutShort(Exception):
    """The body of a response ended early. Handled in this module, as a failed try like any other."""


class BatchProvider:
    """Client for a provider's Batch API.

    All methods except `close` and `delete` raise `TeacherError` if the provider refuses the call, and
    `TeacherUnreachable` if the last try fails.

    Args:
        server: The provider's server.
        patience: How calls are repeated.

    Raises:
        ConfigError: The `openai` library is not installed.
    """

    def __init__(self, server: Server, patience: RetryPolicy) -> None:
        if importlib.util.find_spec("openai") is None:
            raise ConfigError(
                "augft.teacher.batch needs the openai library; install it with `pip install 'axolotl-augft[batch]'`"
            )
        import openai

        # As for all other requests: the environment's proxy, if it applies to this address, Python's certificates, no
        # redirects, and an end to each body.
        self._transport = BoundedTransport(proxy_for(server.base_url), _MOST_BYTES)
        # Any: version 3 of `openai` takes httpx's clients, but its annotations name only httpx2's.
        http: Any = httpx.Client(trust_env=False, transport=self._transport, headers={"Accept-Encoding": "identity"})
        self._client = openai.OpenAI(
            base_url=server.base_url,
            api_key=server.api_key or "none",
            timeout=server.timeout,
            max_retries=0,
            http_client=http,
        )
        self.host = server.host
        self._key = server.api_key or ""
        self._patience = patience

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def upload(self, name: str, file: IO[bytes]) -> str:
        """Upload a file of requests, and return the provider's id of it."""

        def call() -> str:
            file.seek(0)
            return _name(self._client.files.create(file=(name, file), purpose="batch").id)

        return self._with_retries(call)

    def create(self, file_id: str, endpoint: Endpoint, tag: str, refused: Callable[[], None]) -> ProviderBatch:
        """Start a batch.

        A try whose response was lost may have started it, so each further try first looks for a batch with this tag.

        Args:
            file_id: The provider's id of the file of requests.
            endpoint: The endpoint that the requests are for.
            tag: Our own name for the batch.
            refused: Called before the error is raised if the first try is refused for good, so that no batch exists.
        """
        import openai

        tries = 0

        def call() -> ProviderBatch:
            nonlocal tries
            tries += 1
            if tries > 1 and (there := self._find(tag)) is not None:
                return there
            try:
                made = self._client.batches.create(
                    input_file_id=file_id, endpoint=endpoint, completion_window="24h", metadata={TAG: tag}
                )
            except openai.APIStatusError as error:
                if tries == 1 and not _is_temporary(error.status_code):
                    refused()
                raise
            return self._batch(made)

        return self._with_retries(call)

    def find(self, tag: str) -> ProviderBatch | None:
        """Find the batch with this tag among the latest 1,000; None if there is none."""
        return self._with_retries(lambda: self._find(tag))

    def get(self, batch_id: str, tag: str) -> ProviderBatch | None:
        """Return the current state of a batch; None if the provider no longer knows it.

        A 404 alone does not prove that, because a wrong address answers 404 to everything. Therefore the batch must be
        missing from the list of batches, too.
        """
        import openai

        def call() -> ProviderBatch | None:
            try:
                return self._batch(self._client.batches.retrieve(batch_id))
            except openai.NotFoundError:
                return self._find(tag)

        return self._with_retries(call)

    def fetch(self, file_id: str, into: IO[bytes], most: int) -> bool:
        """Download a file of results.

        Args:
            file_id: The provider's id of it.
            into: Where to write it.
            most: The most bytes that it may have.

        Returns:
            False if the provider still answers at the last try that it does not have the file.

        Raises:
            OSError: `into` cannot be written.
        """

        def call() -> bool:
            into.seek(0)
            into.truncate()
            with self._client.files.with_streaming_response.content(file_id) as response:
                into.writelines(_body_parts(response))
            into.flush()
            return True

        with self._transport.up_to(most):
            return self._with_retries(call, gone=False)

    def delete(self, *file_ids: str) -> None:
        """Delete files at the provider; each is tried once, and failures are only logged."""
        import openai

        for file_id in file_ids:
            try:
                self._client.files.delete(file_id, timeout=_DELETING_SECONDS)
            except (openai.APIError, ValueError) as error:
                # ValueError: a response that is not JSON, which `openai` 2 does not wrap.
                LOG.debug("augft: file %s stays at %s (%s)", file_id, self.host, type(error).__name__)

    def _batch(self, batch: "Batch") -> ProviderBatch:
        return ProviderBatch.of(batch, self._key)

    def _find(self, tag: str) -> ProviderBatch | None:
        latest = islice(self._client.batches.list(limit=100), _LISTED)
        return next((self._batch(batch) for batch in latest if (batch.metadata or {}).get(TAG) == tag), None)

    def _with_retries(self, call: Callable[[], T], gone: T | None = None) -> T:
        """Repeat a call until it succeeds, and return its result.

        Args:
            call: The call.
            gone: Returned if the last try answers 404; None to treat a 404 as a refusal.
        """
        import openai

        for attempt in range(self._patience.max_retries + 1):
            try:
                return call()
            except openai.APIStatusError as error:
                if not _is_temporary(error.status_code) and not (error.status_code == 404 and gone is not None):
                    raise self._refused(error) from None
                failure = Failure(f"HTTP {error.status_code}")
            except BodyTooLong:
                raise TeacherError(
                    f"the Batch API at {self.host} sends more than {self._transport.most:,} bytes where no answer can "
                    "have as many; nothing of that is stored: check augft.teacher.base_url, and whether the provider "
                    "observes max_tokens"
                ) from None
            except (openai.APIConnectionError, httpx.HTTPError, AnswerCutShort) as error:
                failure = Failure(type(error).__name__)
            except (AttributeError, TypeError, ValueError):
                # `openai` returns a response that is not JSON as a string or raises a ValueError for it, and does not
                # check the types of an object.
                raise TeacherError(
                    f"the Batch API at {self.host} answers with something that is neither a file nor a batch; check "
                    "augft.teacher.base_url, and if the server has no Batch API, remove augft.teacher.batch"
                ) from None
            if attempt < self._patience.max_retries:
                self._patience.sleep(self._patience.wait(failure, attempt))
        if failure.reason == "HTTP 404" and gone is not None:
            return gone
        raise TeacherUnreachable(
            f"the Batch API at {self.host} does not answer ({failure.reason}, {attempt + 1} tries); batches that were "
            "sent continue there: run again to resume them"
        )

    def _refused(self, error: "openai.APIStatusError") -> TeacherError:
        if 300 <= error.status_code < 400:
            target = shown_address(error.response.headers.get("Location", ""))
            return TeacherError(
                f"the Batch API at {self.host} redirects to {target} (HTTP {error.status_code}), "
                "and no text is sent on to another address; if you trust it, set augft.teacher.base_url to it"
            )
        code = shown_code(error.code, self._key)
        said = f"HTTP {error.status_code}" + (f", {code}" if code else "")
        if error.status_code in (401, 402, 403):
            return TeacherRefusedAccess(
                f"the Batch API at {self.host} refuses access ({said}); check the key in the variable that "
                "augft.teacher.api_key_env names, and the account"
            )
        return TeacherError(
            f"the Batch API at {self.host} refuses a call ({said}); if the server has no Batch API, remove "
            f"augft.teacher.batch"
        )


def _is_temporary(status: int) -> bool:
    """Whether a call with this HTTP status may succeed later."""
    return status in (408, 409, 429) or status >= 500


def _body_parts(response: "APIResponse[bytes]") -> Iterator[bytes]:
    """Yield the parts of a response's body."""
    try:
        yield from response.iter_bytes()
    except httpx.HTTPError as error:
        raise AnswerCutShort from error
