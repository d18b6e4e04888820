"""One request to an OpenAI-compatible server -> a final answer or a transient failure.

This is the only module that interprets failures; `asking` decides how often a request is retried.
"""

import ssl
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from axolotl_augft.errors import ConfigError, TeacherError, TeacherRefusedAccess
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.bodies import ServedModels, most_bytes, read_content, read_models, shown_address
from axolotl_augft.teacher.failures import (
    Quota,
    ServerError,
    error_of,
    has_error,
    quota,
    quotes,
    quotes_key,
    retry_after,
    shown_code,
)
from axolotl_augft.teacher.reading import read_answer
from axolotl_augft.teacher.request import Request

_PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}
_BUSY = {429, 503, 529}
_THIS_MACHINE = ("localhost", "::1", "0.0.0.0")
_LEAST_SECRET = 16
_MODELS_SECONDS = 5.0
_MODELS_BYTES = 8 << 20


@dataclass(frozen=True)
class Server:
    """The server to send requests to.

    Attributes:
        base_url: Its address, to which `/chat/completions` or `/completions` is appended.
        model: The name by which it knows the model.
        timeout: Seconds per try.
        api_key: Sent as a bearer token, if there is one.
        shape: Maps a request and its JSON body to the body for this server, which may need more fields.
    """

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
    """Sends requests to one server over one session, and reads its responses. `read` alone needs no session.

    Attributes:
        quota: What the latest response said of the requests that are still allowed, None if it said nothing.
    """

    def __init__(self, server: Server, session: aiohttp.ClientSession | None = None) -> None:
        self._server = server
        self._session = session
        self.quota: Quota | None = None
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

    @property
    def address(self) -> str:
        """The server's address, which differs from that of another server behind the same host."""
        return self._server.base_url

    async def send(self, request: Request, leave_out: str | None = None) -> Answer | Failure:
        """Send a request once.

        Args:
            request: The request.
            leave_out: A setting that is not sent, to find out whether it makes the request fail.

        Raises:
            TeacherRefusedAccess: 401, 402, no credit left, or 407 from a proxy; other requests would fail too.
            TeacherError: The server redirects to another address, or its certificate is not valid.
        """
        assert self._session is not None
        settings = self._server.shape(request, request.settings(self._server.model))
        body = request.encoded({k: v for k, v in settings.items() if k != leave_out} if leave_out else settings)
        try:
            async with self._session.post(
                self._urls[request.api], data=body, headers=self._headers, allow_redirects=False
            ) as response:
                content = await read_content(response, most_bytes(request))
                if content is None:
                    return Failure("answer without end", lasting=True)
                self.quota = quota(response.headers)
                return self.read(request, response.status, response.headers, content)
        except TimeoutError:
            return Failure("timeout")
        except aiohttp.ClientConnectorCertificateError:
            raise TeacherError(
                f"the certificate of the teacher's server at {self.host} is not valid here; check "
                "augft.teacher.base_url, or make the certificate known to Python (SSL_CERT_FILE)"
            ) from None
        except aiohttp.ClientHttpProxyError as error:
            if error.status == 407:
                raise self._proxy_refused() from None
            return Failure(f"proxy: HTTP {error.status}", unconnected=True)
        except (aiohttp.ClientError, OSError) as error:
            return _lost(error)

    async def models(self) -> ServedModels | None:
        """Ask the server for its models; None if it does not say."""
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=_MODELS_SECONDS)
        try:
            async with self._session.get(
                URL(f"{self._server.base_url}/models"), headers=self._headers, allow_redirects=False, timeout=timeout
            ) as response:
                content = await read_content(response, _MODELS_BYTES)
                return read_models(content, self._server.model) if content and response.status == 200 else None
        except (TimeoutError, aiohttp.ClientError, OSError):
            return None

    def _proxy_refused(self) -> TeacherError:
        variable = f"{urlsplit(self._server.base_url).scheme.upper()}_PROXY"
        return TeacherRefusedAccess(
            f"the proxy on the way to {self.host} requires a user name and a password (HTTP 407); put them into the "
            f"variable {variable}: http://USER:PASSWORD@HOST:PORT"
        )

    def read(self, request: Request, status: int, headers: Mapping[str, str], content: bytes) -> Answer | Failure:
        """Interpret a response to a request.

        Raises:
            TeacherError: As in `send`.
        """
        if status == 200:
            result = read_answer(request, content, headers.get("Content-Type", ""))
            if isinstance(result, Answer) and self._holds_key(result):
                return Failure("answer that holds the key", lasting=True)
            if isinstance(result, Answer) and not has_error(content):
                return result
            error = error_of(content)
            if error.is_empty:
                return result
            # Some servers report their own failures, or those of a server behind them, with 200.
            return self._failed(request, error.status or status, headers, error)
        if status == 407:
            raise self._proxy_refused()
        if 300 <= status < 400:
            raise TeacherError(
                f"the teacher's server at {self.host} redirects to {shown_address(headers.get('Location', ''))} "
                f"(HTTP {status}), and no text is sent on to another address; if you trust it, set "
                "augft.teacher.base_url to it"
            )
        return self._failed(request, status, headers, error_of(content))

    def _failed(
        self, request: Request, status: int, headers: Mapping[str, str], error: ServerError
    ) -> Answer | Failure:
        words = self._quotable(request, error)
        said = (f"HTTP {status}" if status != 200 else "an error with HTTP 200") + words
        own_words = bool(error.message) and not words
        wait = retry_after(headers) if error.retry_after is None else error.retry_after
        if code := error.filter_code:
            return Answer(Outcome.FILTERED, finish_reason=code)
        if status in (401, 402) or error.is_about_credit(own_words, wait is not None):
            raise self._refuses_access(said)
        if status == 403 and error.refuses_content(own_words):
            return Answer(Outcome.FILTERED, finish_reason=said[:200])
        if status == 403:
            return Failure("HTTP 403", said=words[2:], denial=self._refuses_access(said))
        if status == 404 or "model_not_found" in error.codes:
            return Failure(f"HTTP {status}", said=words[2:], denial=self._knows_no_model(said))
        if status in _PASSING or status >= 500:
            over_limit = status == 429
            return Failure(f"HTTP {status}", wait, busy=status in _BUSY, over_limit=over_limit, said=words[2:])
        if status < 400:
            # No refusal of this request: an error in a 200, or a status that no answer has (101, 202, 204).
            return Failure("an error with HTTP 200" if status == 200 else f"HTTP {status}", said=words[2:])
        return Answer(Outcome.INVALID, finish_reason=said[:200])

    def _refuses_access(self, said: str) -> TeacherRefusedAccess:
        return TeacherRefusedAccess(
            f"the teacher's server at {self.host} refuses access ({said}); check the key in the variable that "
            "augft.teacher.api_key_env names, and the account"
        )

    def _knows_no_model(self, said: str) -> TeacherError:
        return TeacherError(
            f"the teacher's server at {self.host} does not know model {self._server.model!r} or this address ({said}); "
            "check augft.teacher.model and base_url"
        )

    def _holds_key(self, answer: Answer) -> bool:
        """Tell whether an answer holds the key, as that of a server that echoes the request's headers does.

        A shorter key, such as the `EMPTY` of local servers, is no secret, and may be a word.
        """
        key = self._server.api_key or ""
        return len(key) >= _LEAST_SECRET and (key in answer.text or key in (answer.reasoning or ""))

    def _quotable(self, request: Request, error: ServerError) -> str:
        """Return the server's error text, unless it quotes the request or the key, which errors and logs never do."""
        code = next((code for code in error.codes if not code.isdecimal()), "")
        # Look for the key before shortening the text, which could cut the key in two.
        key = self._server.api_key or ""
        if quotes_key(f"{code} {error.message}", key):
            return ""
        text = "".join(c if c.isprintable() else " " for c in error.message)
        text = " ".join(text.split())[:200]
        if quotes(text, request.prefix.system + request.prefix.text + request.target):
            text = ""
        return "".join(f", {part}" for part in (shown_code(code, key), text) if part)


def _lost(error: Exception) -> Failure:
    """Name what happened to a connection."""
    match error:
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Failure("TLS error", unconnected=True)
        case aiohttp.ClientConnectorDNSError():
            return Failure("unknown host", unconnected=True)
        case aiohttp.ClientProxyConnectionError():
            return Failure("no connection to the proxy", unconnected=True)
        case aiohttp.ClientPayloadError():
            return Failure("answer cut short")
        case aiohttp.ClientConnectorError():
            return Failure("no connection", unconnected=True)
        case aiohttp.ClientConnectionError() | OSError():
            return Failure("connection lost", unconnected=True)
    return Failure(f"protocol error ({type(error).__name__})")


def open_session(server: Server) -> aiohttp.ClientSession:
    """Open a session without a limit on connections: the caller limits the requests in flight.

    Raises:
        ConfigError: The environment names a proxy whose URL is not http:// or https://.
    """
    timeout = aiohttp.ClientTimeout(total=server.timeout)
    connector = aiohttp.TCPConnector(limit=0)
    cookies = aiohttp.DummyCookieJar()
    # Compressed bodies are expanded here, up to a limit (`read_content`).
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=cookies,
        proxy=proxy_for(server.base_url),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
    )


def proxy_for(base_url: str) -> str | None:
    """Return the proxy from HTTP_PROXY or HTTPS_PROXY; None if NO_PROXY lists the server or it is on this machine.

    The HTTP libraries cannot do this: aiohttp's `trust_env` would also send the credentials that `~/.netrc` holds for
    the host, and httpx does not exempt this machine.

    Raises:
        ConfigError: The proxy's URL is not http:// or https://.
    """
    url = urlsplit(base_url)
    host = url.hostname or ""
    proxy = urllib.request.getproxies().get(url.scheme)
    if proxy is None or is_this_machine(host) or urllib.request.proxy_bypass(url.netloc.rpartition("@")[2]):
        return None
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise ConfigError(
            f"the proxy in the variable {url.scheme.upper()}_PROXY is not an http:// or https:// address; set one, or "
            f"add {host} to NO_PROXY"
        )
    return proxy


def is_this_machine(host: str) -> bool:
    """Tell whether a host name or address means this machine."""
    return host in _THIS_MACHINE or host.startswith("127.")
