"""The teacher's server for the length of a run: opened at the first request that needs it, closed at the end."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from axolotl_augft.errors import ConfigError
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.servers import managed_server
from axolotl_augft.teacher.teacher import Teacher


@dataclass(frozen=True)
class OpenServer:
    """A server that answers; `check` raises TeacherServerFailed if it is known to be gone."""

    server: Server
    check: Callable[[], None]


class TeacherSession:
    """Opens the server lazily: a run whose requests are all answered needs no server and no key.

    Args:
        teacher: Who is asked.
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
        """The server, started if need be.

        Raises:
            ConfigError: The variable that holds the key is not set.
            TeacherServerFailed: A managed server does not start.
        """
        if self._opened is None:
            self._opened = self._endpoint() if self._teacher.backend == "endpoint" else self._managed()
        return self._opened

    def _endpoint(self) -> OpenServer:
        config = self._teacher.config
        assert config.base_url is not None
        server = Server(config.base_url, self._teacher.model, config.timeout, _api_key(config.api_key_env))
        return OpenServer(server, lambda: None)

    def _managed(self) -> OpenServer:
        running = self._stack.enter_context(managed_server(self._teacher, self._log))
        server = Server(running.base_url, self._teacher.model, self._teacher.config.timeout, shape=running.shape)
        return OpenServer(server, running.check)


def _api_key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"augft.teacher.api_key_env: the environment variable {variable} is not set; export it, or write it into "
            f".env"
        )
    return key
