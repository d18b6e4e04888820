"""A response on the wire -> its body, up to a limit; and what a server says of its models and its address."""

import zlib
from urllib.parse import urlsplit

import aiohttp
import orjson

from axolotl_augft.teacher.request import Request

# What a response may hold beside its tokens, and of each token (a character may take 6 bytes of JSON, and log
# probabilities may be asked for).
_FIXED_BYTES = 1 << 20
_BYTES_PER_TOKEN = 256
_INFLATED = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def most_bytes(request: Request) -> int:
    """Return the most bytes that a response to a request may have."""
    extra = dict(request.extra_body)
    numbers = [n for k in ("max_tokens", "max_completion_tokens") if isinstance(n := extra.get(k), int)]
    copies = n if isinstance(n := extra.get("n"), int) else 1
    return _FIXED_BYTES + _BYTES_PER_TOKEN * max(request.sampling.max_tokens, *numbers, 0) * max(1, copies)


async def read_content(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """Read a body of at most so many bytes; None if it is longer."""
    encoding = response.headers.get("Content-Encoding", "").lower()
    length = response.content_length
    if length is not None and length <= most and not encoding:
        return await response.read()
    if encoding not in ("", "identity", *_INFLATED):
        raise aiohttp.ClientPayloadError("unknown content encoding")
    inflater = zlib.decompressobj(_INFLATED[encoding]) if encoding in _INFLATED else None
    content = bytearray()
    async for part in response.content.iter_any():
        try:
            content += inflater.decompress(part, most + 1 - len(content)) if inflater else part
        except zlib.error:
            raise aiohttp.ClientPayloadError("broken content encoding") from None
        if len(content) > most:
            response.close()
            return None
    return bytes(content)


def window_of(content: bytes, model: str) -> int | None:
    """Find the most tokens of a model in the list of a server's models."""
    try:
        models = orjson.loads(content)["data"]
        entry = next((m for m in models if m.get("id") == model), models[0] if len(models) == 1 else {})
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return None
    length = entry.get("max_model_len")
    return length if type(length) is int and length > 0 else None


def shown_address(location: str) -> str:
    """Return an address without what may be secret: user name, password and query."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "another address"
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path
    return "".join(c for c in shown if c.isprintable())[:200] or "another address"
