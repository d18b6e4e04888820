"""One request to an OpenAI-compatible server -> a final answer or a passing failure.

What a failure means is decided here and nowhere else; how often it is tried again is decided in `asking`.
"""

import email.utils
import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from axolotl_augft.errors import ConfigError, TeacherError, TeacherRefusedAccess
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.request import Request

_PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}
_BUSY = {429, 503, 529}
_FILTER_CODES = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation"}
_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_credits"}
# Some chat templates open the block in the prompt, so that the answer only closes it.
_THINKING = re.compile(r"^\s*(?:<think>.*?(?:</think>|\Z)|(?:(?!<think>).)*?</think>)\s*", re.DOTALL)
_THIS_MACHINE = ("localhost", "::1", "0.0.0.0")
_QUOTED_CHARACTERS = 14
_QUOTED_CHARACTERS_UNSPACED = 4


@dataclass(frozen=True)
class Server:
    """Where requests go. `shape` may add what a certain server wants to a request's JSON body."""

    base_url: str
    model: str
    timeout: float
    api_key: str | None = None
    shape: Callable[[Request, dict[str, Any]], dict[str, Any]] = lambda request, body: body

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc

    def __repr__(self) -> str:
        return f"Server({self.base_url!r}, model={self.model!r}, api_key={'***' if self.api_key else None})"


class Client:
    """Sends requests to one server over one session, and reads what it answers; reading alone needs no session."""

    def __init__(self, server: Server, session: aiohttp.ClientSession | None = None) -> None:
        self._server = server
        self._session = session
        headers = {"Content-Type": "application/json"}
        if server.api_key:
            headers["Authorization"] = f"Bearer {server.api_key}"
        self._headers = CIMultiDict(headers)
        self._urls = {
            "chat": URL(f"{server.base_url}/chat/completions"),
            "completions": URL(f"{server.base_url}/completions"),
        }

    @property
    def host(self) -> str:
        """Host and port of the server."""
        return self._server.host

    async def send(self, request: Request) -> Answer | Failure:
        """One try.

        Raises:
            TeacherRefusedAccess: 401, 403, or no credit left; further requests would fail alike.
            TeacherError: The server does not know the model or the path, or shows a certificate that is not valid.
        """
        assert self._session is not None
        body = request.encoded(self._server.shape(request, request.settings(self._server.model)))
        try:
            async with self._session.post(self._urls[request.api], data=body, headers=self._headers) as response:
                return self.read(request, response.status, response.headers, await response.read())
        except TimeoutError:
            return Failure("timeout")
        except aiohttp.ClientConnectorCertificateError:
            raise TeacherError(
                f"the certificate of the teacher's server at {self.host} is not valid here; check "
                f"augft.teacher.base_url, or let Python "
                "know the certificate (SSL_CERT_FILE)"
            ) from None
        except (aiohttp.ClientSSLError, ssl.SSLError):
            return Failure("TLS error", unconnected=True)
        except aiohttp.ClientConnectorDNSError:
            return Failure("unknown host", unconnected=True)
        except aiohttp.ClientHttpProxyError as error:
            if error.status == 407:
                raise self._proxy_refused() from None
            return Failure(f"proxy: HTTP {error.status}", unconnected=True)
        except aiohttp.ClientProxyConnectionError:
            return Failure("no connection to the proxy", unconnected=True)
        except aiohttp.ClientPayloadError:
            return Failure("answer cut short")
        except aiohttp.ClientConnectorError:
            return Failure("no connection", unconnected=True)
        except (aiohttp.ClientConnectionError, OSError):
            return Failure("connection lost", unconnected=True)
        except aiohttp.ClientError as error:
            return Failure(f"protocol error ({type(error).__name__})")

    def _proxy_refused(self) -> TeacherError:
        variable = f"{urlsplit(self._server.base_url).scheme.upper()}_PROXY"
        return TeacherRefusedAccess(
            f"the proxy on the way to {self.host} wants a user name and a password (HTTP 407); put them into the "
            f"variable {variable}, "
            "http://USER:PASSWORD@HOST:PORT"
        )

    def read(self, request: Request, status: int, headers: Mapping[str, str], content: bytes) -> Answer | Failure:
        """What a response to a request means.

        Raises:
            TeacherError: As `send`.
        """
        if status == 200:
            return read_answer(request, content, headers.get("Content-Type", ""))
        if status == 407:
            raise self._proxy_refused()
        error = _error_of(content)
        code = error.code
        said = f"HTTP {status}" + self._quotable(request, error)
        host = self.host
        if code in _FILTER_CODES:
            return Answer(Outcome.FILTERED, finish_reason=code)
        if status in (401, 402, 403) or code in _NO_CREDIT:
            raise TeacherRefusedAccess(
                f"the teacher's server at {host} refuses access ({said}); check the key in the variable that "
                "augft.teacher.api_key_env names, and the account"
            )
        if status == 404 or code == "model_not_found":
            raise TeacherError(
                f"the teacher's server at {host} does not know model {self._server.model!r} or this address ({said}); "
                "check augft.teacher.model and base_url"
            )
        if status in _PASSING or status >= 500:
            return Failure(f"HTTP {status}", _retry_after(headers), busy=status in _BUSY)
        return Answer(Outcome.INVALID, finish_reason=said[:200])

    def _quotable(self, request: Request, error: "_ServerError") -> str:
        """The server's own words, unless they quote the request or the key: errors and logs hold neither."""
        # The key is looked for in the whole: what is cut could begin within it.
        if self._server.api_key and self._server.api_key.casefold() in f"{error.code} {error.message}".casefold():
            return ""
        text = " ".join(error.message.split())[:200]
        if quotes(text, request.prefix.system + request.prefix.text + request.target):
            text = ""
        return "".join(f", {part}" for part in (error.code[:60], text) if part)


def quotes(message: str, prompt: str) -> bool:
    """Whether a message repeats a piece of a prompt: 14 letters in a row, or 4 of a script that is not ASCII."""
    own, other = ("".join(c for c in text.casefold() if c.isalnum()) for text in (message, prompt))

    def repeats(n: int, plain: bool) -> bool:
        pieces = (own[i : i + n] for i in range(len(own) - n + 1))
        return any(piece in other for piece in pieces if plain or not piece.isascii())

    return repeats(_QUOTED_CHARACTERS, plain=True) or repeats(_QUOTED_CHARACTERS_UNSPACED, plain=False)


def read_answer(request: Request, content: bytes, content_type: str = "application/json") -> Answer | Failure:
    """A 200 answer's body -> the answer. Stop sequences are applied here too: some servers ignore them."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return Failure("broken JSON" if "json" in content_type else "wrong content type")
    try:
        choice = body["choices"][0]
        message = choice if request.api == "completions" else choice["message"]
        said = _joined(message["text"] if request.api == "completions" else message.get("content") or "")
        reason = choice.get("finish_reason") or ""
        usage = body.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        counts = usage.get("prompt_tokens"), details.get("cached_tokens"), usage.get("completion_tokens")
    except (LookupError, TypeError, AttributeError):
        return Failure("wrong shape", lasting=True)
    if not isinstance(said.text, str) or not all(isinstance(n, int | None) for n in counts):
        return Failure("wrong shape", lasting=True)
    if reason == "content_filter":
        return Answer(Outcome.FILTERED, "", reason, *counts)
    said = _without_reasoning(said.text, message.get("reasoning_content") or message.get("reasoning") or said.reasoning)
    text, reasoning = said.text, said.reasoning
    ends = [i for stop in request.sampling.stop if (i := text.find(stop)) >= 0]
    if ends:
        text, reason = text[: min(ends)], "stop"
    if reasoning and not request.keep_reasoning:
        reasoning = ""
    return Answer(Outcome.ANSWERED, text, str(reason), *counts, reasoning)


@dataclass(frozen=True, slots=True)
class _Said:
    """A message's text, and what the model thought before it, if the message says so."""

    text: Any
    reasoning: str | None = None


def _joined(content: Any) -> _Said:
    """Text and reasoning of a message's content, which some servers cut into parts; what is no list is left as it is."""
    if not isinstance(content, list):
        return _Said(content)
    thinking = [part["thinking"] for part in content if part["type"] == "thinking"]
    text = "".join(part["text"] for part in content if part["type"] == "text")
    return _Said(text, "".join(t if isinstance(t, str) else _joined(t).text for t in thinking) or None)


def _without_reasoning(text: str, field: Any) -> _Said:
    """An answer without its `<think>` block, and the reasoning, from there or from a field of its own."""
    block = _THINKING.match(text) if "think>" in text else None
    if block is None:
        return _Said(text, field if isinstance(field, str) else None)
    thought = block.group().replace("<think>", "").replace("</think>", "").strip()
    return _Said(text[block.end() :], field if isinstance(field, str) else thought)


@dataclass(frozen=True, slots=True)
class _ServerError:
    """Code (lower case) and message of an error body, as far as it has them."""

    code: str = ""
    message: str = ""


def _error_of(content: bytes) -> _ServerError:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return _ServerError()
    error = body.get("error", body) if isinstance(body, dict) else {}
    if isinstance(error, str):
        return _ServerError(message=error)
    if not isinstance(error, dict):
        return _ServerError()
    message = error.get("message") or error.get("detail") or ""
    return _ServerError(str(error.get("code") or "").lower(), message if isinstance(message, str) else "")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait that the server asked for, as a number or a date."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def open_session(server: Server) -> aiohttp.ClientSession:
    """A session without a limit of its own on connections; the number in flight is the caller's business.

    Raises:
        ConfigError: The environment names a proxy that is none for HTTP.
    """
    timeout = aiohttp.ClientTimeout(total=server.timeout)
    connector = aiohttp.TCPConnector(limit=0)
    cookies = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=cookies, proxy=proxy_for(server.base_url)
    )


def proxy_for(base_url: str) -> str | None:
    """The proxy of HTTP_PROXY or HTTPS_PROXY, unless NO_PROXY excepts the server or it is on this machine.

    Not left to the HTTP libraries: aiohttp's `trust_env` would also send what `~/.netrc` holds for the host, and httpx
    knows no exception for this machine.

    Raises:
        ConfigError: The proxy is none for HTTP.
    """
    url = urlsplit(base_url)
    host = url.hostname or ""
    proxy = urllib.request.getproxies().get(url.scheme)
    if (
        proxy is None
        or host in _THIS_MACHINE
        or host.startswith("127.")
        or urllib.request.proxy_bypass(url.netloc.rpartition("@")[2])
    ):
        return None
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise ConfigError(
            f"the proxy of the variable {url.scheme.upper()}_PROXY is no http:// address; set one, or add {host} to "
            f"NO_PROXY"
        )
    return proxy
