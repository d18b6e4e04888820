"""A response on the wire -> its body, up to a limit; and what a server says of its models and its address."""

import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import httpx
import orjson

from axolotl_augft.teacher.request import Request

# What a response, and a line of a file of responses, may hold beside its tokens, and of each token (a character may
# take 6 bytes of JSON, and log probabilities may be asked for).
_FIXED_BYTES = 1 << 20
_BYTES_PER_TOKEN = 256
_LINE_BYTES = 8192
_INFLATED = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def most_bytes(*requests: Request) -> int:
    """Return the most bytes that a response to a request, or a file of the responses to several, may have."""
    return _FIXED_BYTES + sum(_LINE_BYTES + _BYTES_PER_TOKEN * _most_tokens(request) for request in requests)


def _most_tokens(request: Request) -> int:
    extra = dict(request.extra_body)
    numbers = [n for k in ("max_tokens", "max_completion_tokens") if isinstance(n := extra.get(k), int)]
    copies = n if isinstance(n := extra.get("n"), int) else 1
    return max(request.sampling.max_tokens, *numbers, 0) * max(1, copies)


class BodyTooLong(Exception):
    """A body has more bytes than it may have."""


class BrokenEncoding(Exception):
    """A body is compressed in an unknown way, or wrongly."""


class _Inflater:
    """Expands the parts of a body, and counts its bytes before it has more than it may.

    Args:
        headers: The response's headers.
        most: The most bytes of the body, before and after decompression.

    Raises:
        BrokenEncoding: The body is compressed in an unknown way.
    """

    def __init__(self, headers: Mapping[str, str], most: int) -> None:
        encoding = headers.get("Content-Encoding", "identity").lower()
        if encoding not in ("identity", *_INFLATED):
            raise BrokenEncoding
        self._inflater = zlib.decompressobj(_INFLATED[encoding]) if encoding in _INFLATED else None
        self._left = most

    def expand(self, part: bytes) -> bytes:
        """Return the bytes of the next part.

        Raises:
            BodyTooLong: The body has more bytes than it may have.
            BrokenEncoding: It is wrongly compressed.
        """
        try:
            content = self._inflater.decompress(part, self._left + 1) if self._inflater else part
        except zlib.error:
            raise BrokenEncoding from None
        self._left -= len(content)
        if self._left < 0:
            raise BodyTooLong
        return content


async def read_content(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """Read a body of at most so many bytes; None if it is longer."""
    content = bytearray()
    try:
        inflater = _Inflater(response.headers, most)
        async for part in response.content.iter_any():
            content += inflater.expand(part)
    except BrokenEncoding:
        raise aiohttp.ClientPayloadError("broken content encoding") from None
    except BodyTooLong:
        response.close()
        return None
    return bytes(content)


class _BoundedStream(httpx.SyncByteStream):
    """The body of a response, expanded and limited."""

    def __init__(self, response: httpx.Response, most: int) -> None:
        self._response = response
        self._most = most

    def __iter__(self) -> Iterator[bytes]:
        try:
            inflater = _Inflater(self._response.headers, self._most)
            for part in self._response.iter_raw():
                yield inflater.expand(part)
        except BrokenEncoding:
            raise httpx.DecodingError("broken content encoding") from None

    def close(self) -> None:
        self._response.close()


class BoundedTransport(httpx.BaseTransport):
    """A way to a server whose responses have a limit, for libraries that read whole bodies.

    Args:
        proxy: The proxy's URL, None for a direct connection.
        most: The most bytes of a body, before and after decompression; more raise `BodyTooLong`.

    Attributes:
        most: The limit that holds now.
    """

    def __init__(self, proxy: str | None, most: int) -> None:
        self._transport = httpx.HTTPTransport(verify=ssl.create_default_context(), proxy=proxy)
        self.most = most

    @contextmanager
    def up_to(self, most: int) -> Iterator[None]:
        """Set another limit for the length of a `with` block."""
        before, self.most = self.most, most
        try:
            yield
        finally:
            self.most = before

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        response = self._transport.handle_request(request)
        headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
        return httpx.Response(
            response.status_code,
            headers=headers,
            stream=_BoundedStream(response, self.most),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


@dataclass(frozen=True)
class ServedModels:
    """What a server says of its models.

    Attributes:
        offered: The name of the model that is asked for, if it is among the server's models, else all their names.
        window: Most tokens of prompt and answer together, None if the server does not say.
    """

    offered: frozenset[str]
    window: int | None


def read_models(content: bytes, model: str) -> ServedModels | None:
    """Read the list of a server's models, of which one is asked for; None if it is no such list."""
    try:
        models = orjson.loads(content)["data"]
        names = frozenset(str(m.get("id"))[:80] for m in models)
        entry = next((m for m in models if m.get("id") == model), models[0] if len(models) == 1 else {})
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return None
    metadata = entry.get("metadata")
    # vLLM names the window, and Ray Serve's LLM app (2.60) names it in another place.
    length = entry.get("max_model_len") or (
        metadata.get("max_request_context_length") if isinstance(metadata, dict) else None
    )
    window = length if type(length) is int and length > 0 else None
    return ServedModels(frozenset([model]) if model in names else names, window)


def shown_address(location: str) -> str:
    """Return an address without what may be secret: user name, password and query."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "another address"
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path
    return "".join(c for c in shown if c.isprintable())[:200] or "another address"
