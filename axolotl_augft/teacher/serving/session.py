"""The teacher -> its server, opened for the first request that needs it and closed at the end of the run."""

import logging
import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from axolotl_augft.errors import ConfigError
from axolotl_augft.teacher.client import Server, is_this_machine
from axolotl_augft.teacher.serving.servers import managed_server
from axolotl_augft.teacher.teacher import Teacher

LOG = logging.getLogger("axolotl_augft")
_DOTENV = Path(".env")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class OpenServer:
    """A server that is ready for requests.

    Attributes:
        server: The server to send to.
        further: Servers of the same model, which are asked beside it.
        check: Raises TeacherServerFailed if a managed server has ended; does nothing for an endpoint.
    """

    server: Server
    check: Callable[[], None]
    further: tuple[Server, ...] = ()


class TeacherSession:
    """Context manager that opens the server lazily: a run that has every answer needs neither a server nor a key.

    Args:
        teacher: The teacher whose server to open.
        log: File for a managed server's output.
    """

    def __init__(self, teacher: Teacher, log: Path) -> None:
        self._teacher = teacher
        self._log = log
        self._stack = ExitStack()
        self._opened: OpenServer | None = None

    def __enter__(self) -> "TeacherSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def open(self) -> OpenServer:
        """Return the server, starting a managed one on the first call.

        Raises:
            ConfigError: The variable that should hold the key is not set, or is empty.
            TeacherServerFailed: A managed server cannot be started, died, or did not become healthy in time.
        """
        if self._opened is None:
            self._opened = self._endpoint() if self._teacher.backend == "endpoint" else self._managed()
        return self._opened

    def _endpoint(self) -> OpenServer:
        config = self._teacher.config
        key = _api_key(config.api_key_env)
        server, *further = (Server(url, self._teacher.model, config.timeout, key) for url in config.base_urls)
        for one in (server, *further):
            _warn_of_plain_http(one)
        return OpenServer(server, lambda: None, tuple(further))

    def _managed(self) -> OpenServer:
        running = self._stack.enter_context(managed_server(self._teacher, self._log))
        timeout = self._teacher.config.timeout
        server = Server(running.base_url, self._teacher.model, timeout, running.api_key, running.shape)
        return OpenServer(server, running.check)


def _api_key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = (os.environ.get(variable) or _in_dotenv(variable)).strip()
    if not key:
        raise ConfigError(
            f"augft.teacher.api_key_env: the environment variable {variable} is not set; export it, or write it into "
            ".env"
        )
    if not _HEADER_VALUE.fullmatch(key):
        raise ConfigError(
            f"augft.teacher.api_key_env: the value of {variable} cannot be sent as a key, because it holds a line "
            "break, a space or a character outside ASCII; set the variable to the key alone"
        )
    return key


def _in_dotenv(variable: str) -> str:
    """Return the value of one variable in the working directory's `.env`; nothing else of the file is used."""
    from dotenv import dotenv_values

    try:
        return dotenv_values(_DOTENV, interpolate=False).get(variable) or ""
    except (OSError, UnicodeDecodeError):
        return ""


def _warn_of_plain_http(server: Server) -> None:
    url = urlsplit(server.base_url)
    if server.api_key and url.scheme == "http" and not is_this_machine(url.hostname or ""):
        LOG.warning(
            "augft: the key and all texts are sent to %s without encryption (augft.teacher.base_url is http://); use "
            "https:// unless you trust everyone on the way",
            server.host,
        )
