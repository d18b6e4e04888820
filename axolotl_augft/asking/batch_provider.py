"""A provider's `/v1/files` and `/v1/batches`, through the `openai` library: calls that are tried again, and errors in one line."""

import importlib.util
import logging
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Literal, TypeVar

from axolotl_augft.errors import ConfigError, TeacherError, TeacherRefusedAccess, TeacherUnreachable
from axolotl_augft.teacher.answer import Failure
from axolotl_augft.teacher.client import Server, proxy_for

if TYPE_CHECKING:
    import openai
    from openai import APIResponse
    from openai.types import Batch

LOG = logging.getLogger("axolotl_augft")
T = TypeVar("T")
TAG = "augft_tag"
_LISTED = 1000
_DELETING_SECONDS = 30.0
Endpoint = Literal["/v1/chat/completions", "/v1/completions"]
ENDPOINTS: dict[str, Endpoint] = {"chat": "/v1/chat/completions", "completions": "/v1/completions"}
ENDED = {"completed", "expired", "cancelled", "failed"}


@dataclass(frozen=True)
class ProviderBatch:
    """What the provider says of a batch.

    `input_file`, `files`: the provider's ids of the file of requests and those of results, if there are any yet.
    `codes`: of the errors for which a whole batch failed. `done`: requests with a result.
    """

    id: str
    status: str
    input_file: str
    files: tuple[str, ...]
    codes: tuple[str, ...]
    done: int

    @classmethod
    def of(cls, batch: "Batch") -> "ProviderBatch":
        """The parts of the library's object that are used; results come first, errors second."""
        files = tuple(f for f in (batch.output_file_id, batch.error_file_id) if f)
        errors = batch.errors.data if batch.errors and batch.errors.data else []
        counts = batch.request_counts
        codes = tuple(e.code or "unknown" for e in errors)
        return cls(
            batch.id, batch.status, batch.input_file_id, files, codes, counts.completed + counts.failed if counts else 0
        )


@dataclass(frozen=True)
class Patience:
    """How often a call is tried again, and how long is waited: `wait` gives seconds for the n-th try; tests replace `sleep`."""

    max_retries: int
    sleep: Callable[[float], None]
    wait: Callable[[Failure, int], float]


class AnswerCutShort(Exception):
    """A body ended before it was whole. Private to this module: a failed try like others."""


class BatchProvider:
    """Uploads, creates, looks up, reads and deletes batches' files.

    Raises:
        ConfigError: The `openai` library is not installed.
    """

    def __init__(self, server: Server, patience: Patience) -> None:
        if importlib.util.find_spec("openai") is None:
            raise ConfigError(
                "augft.teacher.batch needs the openai library; install it with `pip install 'axolotl-augft[batch]'`"
            )
        import openai

        # As everywhere else: the proxy of the environment where there is one to take, and Python's own certificates.
        http = openai.DefaultHttpxClient(
            trust_env=False, proxy=proxy_for(server.base_url), verify=ssl.create_default_context()
        )
        self._client = openai.OpenAI(
            base_url=server.base_url,
            api_key=server.api_key or "none",
            timeout=server.timeout,
            max_retries=0,
            http_client=http,
        )
        self.host = server.host
        self._patience = patience

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def upload(self, name: str, file: IO[bytes]) -> str:
        """Uploads a file of requests; returns the provider's id of it."""

        def call() -> str:
            file.seek(0)
            return self._client.files.create(file=(name, file), purpose="batch").id

        return self._tried(call)

    def create(self, file_id: str, endpoint: Endpoint, tag: str, refused: Callable[[], None]) -> ProviderBatch:
        """Starts a batch. A try whose answer was lost may have started it: before another try the provider is asked for the tag.

        Args:
            file_id: The file of its requests.
            endpoint: Where they go.
            tag: Names the batch.
            refused: Called before the error of a first try that was refused for good: no batch was made.
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
                if tries == 1 and not _may_pass(error.status_code):
                    refused()
                raise
            return ProviderBatch.of(made)

        return self._tried(call)

    def find(self, tag: str) -> ProviderBatch | None:
        """The batch with this tag among the latest thousand, None if there is none."""
        return self._tried(lambda: self._find(tag))

    def get(self, batch_id: str, tag: str) -> ProviderBatch | None:
        """What the provider says of a batch now; None if it does not know it any more.

        A 404 alone does not say that: at a wrong address everything is unknown. The list of batches has the last word.
        """
        import openai

        def call() -> ProviderBatch | None:
            try:
                return ProviderBatch.of(self._client.batches.retrieve(batch_id))
            except openai.NotFoundError:
                return self._find(tag)

        return self._tried(call)

    def fetch(self, file_id: str, into: IO[bytes]) -> bool:
        """Copies a file of results; False if the provider says at each try that it has none.

        Raises:
            OSError: `into` cannot be written.
        """

        def call() -> bool:
            into.seek(0)
            into.truncate()
            with self._client.files.with_streaming_response.content(file_id) as response:
                into.writelines(_received(response))
            into.flush()
            return True

        return self._tried(call, gone=False)

    def delete(self, *file_ids: str) -> None:
        """Deletes files, as far as the provider lets them go at the first try."""
        import openai

        for file_id in file_ids:
            try:
                self._client.files.delete(file_id, timeout=_DELETING_SECONDS)
            except (openai.APIError, ValueError) as error:
                # ValueError: an answer that is no JSON, which `openai` 2 does not wrap.
                LOG.debug("augft: file %s stays at %s (%s)", file_id, self.host, type(error).__name__)

    def _find(self, tag: str) -> ProviderBatch | None:
        latest = islice(self._client.batches.list(limit=100), _LISTED)
        return next((ProviderBatch.of(batch) for batch in latest if (batch.metadata or {}).get(TAG) == tag), None)

    def _tried(self, call: Callable[[], T], gone: T | None = None) -> T:
        """What a call returns; `gone` where the last of all tries says 404 and the caller gave a value for that."""
        import openai

        for attempt in range(self._patience.max_retries + 1):
            try:
                return call()
            except openai.APIStatusError as error:
                if not _may_pass(error.status_code) and not (error.status_code == 404 and gone is not None):
                    raise self._refused(error) from None
                failure = Failure(f"HTTP {error.status_code}")
            except (openai.APIConnectionError, AnswerCutShort) as error:
                failure = Failure(type(error).__name__)
            except AttributeError:
                # `openai` hands on what is no JSON as a text, and any object in place of the one that was expected.
                raise TeacherError(
                    f"the Batch API at {self.host} answers with something that is no file or batch; check "
                    f"augft.teacher.base_url, and "
                    "if the server has no Batch API, remove augft.teacher.batch"
                ) from None
            if attempt < self._patience.max_retries:
                self._patience.sleep(self._patience.wait(failure, attempt))
        if failure.reason == "HTTP 404" and gone is not None:
            return gone
        raise TeacherUnreachable(
            f"the Batch API at {self.host} does not answer ({failure.reason}, {attempt + 1} tries); what was sent "
            f"goes on there: run "
            "again to pick it up"
        )

    def _refused(self, error: "openai.APIStatusError") -> TeacherError:
        said = f"HTTP {error.status_code}" + (f", {error.code[:60]}" if isinstance(error.code, str) else "")
        if error.status_code in (401, 402, 403):
            return TeacherRefusedAccess(
                f"the Batch API at {self.host} refuses access ({said}); check the key in the variable that "
                f"augft.teacher.api_key_env "
                "names, and the account"
            )
        return TeacherError(
            f"the Batch API at {self.host} refuses a call ({said}); if the server has no Batch API, remove "
            f"augft.teacher.batch"
        )


def _may_pass(status: int) -> bool:
    """Whether a call with this HTTP status may succeed later."""
    return status in (408, 409, 429) or status >= 500


def _received(response: "APIResponse[bytes]") -> Iterator[bytes]:
    """The parts of a body.

    `openai` wraps no error of its HTTP library (httpx, httpx2 since version 3) once a body has begun.
    """
    try:
        yield from response.iter_bytes()
    except Exception as error:
        raise AnswerCutShort from error
