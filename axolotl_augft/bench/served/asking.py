"""Prompts -> a served model's answers, from the response store or over HTTP."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.rounds import Rounds
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import ConfigError
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.request import Prefix
from axolotl_augft.teacher.serving.session import TeacherSession
from axolotl_augft.teacher.teacher import resolve_teacher, settled

_WAIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked.

    Attributes:
        prefix: The part of the prompt that other prompts share.
        target: The rest of the prompt.
        max_tokens: Most tokens of the answer.
        sample: Number of this answer among those to the same prompt, from 0.
        extra: Further fields of the request's body; None removes a field.
    """

    prefix: Prefix
    target: str
    max_tokens: int
    sample: int = 0
    extra: Mapping[str, Any] | None = None


Ask = Callable[[Sequence[Prompt], str], list[str]]
"""Asks a model; takes prompts and a title for progress messages, returns the answers' texts in order.

A text is "" if the server refused to answer.
"""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The names of the command line's options that name a served model, for error messages."""

    url: str
    model: str
    key_env: str


@contextmanager
def asking(config: TeacherConfig, store: ResponseStore, log: Path) -> Iterator[Ask]:
    """Open a model.

    Args:
        config: Names the model's server.
        store: Where answers are looked up and kept.
        log: File for a managed server's output.

    Raises:
        AugftError: The server, its key or the store cannot be used. Every answer that arrived is stored.
    """
    model = settled(resolve_teacher(config, "", 0, []), store)
    with (
        AskingLock(store.path, model.id, _WAIT_SECONDS) as alone,
        TeacherSession(model, log) as session,
    ):
        rounds = Rounds(model, store, session, Budget.unlimited(), max_failed_fraction=0, alone=alone)

        def ask(prompts: Sequence[Prompt], title: str) -> list[str]:
            wave = [model.request(p.prefix, p.target, p.max_tokens, (), p.sample, p.extra) for p in prompts]
            if wave:
                rounds.ask(partial(iter, wave), title)
            return [answer.text if answer else "" for answer in store.get(wave)]

        yield ask


def served_model(
    base_url: str | None, model: str | None, api_key_env: str | None, temperature: float, options: ServerOptions
) -> TeacherConfig | None:
    """Return the settings of a chat model that is served already; None if nothing is set.

    Raises:
        ConfigError: Only the server or only the model is named, or a setting is not valid.
    """
    if base_url is None and model is None:
        return None
    if base_url is None or model is None:
        raise ConfigError(f"a served model needs both {options.url} and {options.model}; name the other one, too")
    try:
        return TeacherConfig(
            base_url=base_url, model=model, api_key_env=api_key_env, api="chat", temperature=temperature
        )
    except ValidationError as error:
        names = ", ".join((options.url, options.model, options.key_env))
        raise ConfigError(f"{names}: {error.errors()[0]['msg']}") from None
