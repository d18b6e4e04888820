"""Sentences -> a model's answers about what they claim, from the response store or over HTTP."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.rounds import Rounds
from axolotl_augft.bench.audit.free_reading import Ask, prefix, response_format, target
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import ConfigError
from axolotl_augft.store.lock import AskingLock
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.serving.session import TeacherSession
from axolotl_augft.teacher.teacher import resolve_teacher, settled

_MAX_TOKENS = 400
_WAIT_SECONDS = 600.0


@contextmanager
def asking_model(config: TeacherConfig, store: ResponseStore, log: Path) -> Iterator[Callable[[Grammar], Ask]]:
    """Open a model that reads sentences; yields what makes an `Ask` of a grammar.

    Args:
        config: Names the model's server. The model is asked as a chat model at temperature 0.
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

        def ask_with(grammar: Grammar, sentences: Sequence[str]) -> dict[str, str]:
            opening, extra = prefix(grammar), response_format(grammar)
            wave = [model.request(opening, target(s), _MAX_TOKENS, (), extra=extra) for s in sentences]
            if wave:
                rounds.ask(partial(iter, wave), "reading")
            answers = zip(sentences, store.get(wave), strict=True)
            return {sentence: answer.text for sentence, answer in answers if answer is not None}

        yield lambda grammar: partial(ask_with, grammar)


def reader_config(base_url: str | None, model: str | None, api_key_env: str | None) -> TeacherConfig | None:
    """Return the settings of a model that reads; None if nothing is set.

    Raises:
        ConfigError: Only the server or only the model is named, or a setting is not valid.
    """
    if base_url is None and model is None:
        return None
    if base_url is None or model is None:
        raise ConfigError("a model that reads needs both --reader-url and --reader-model; name the other one, too")
    try:
        return TeacherConfig(base_url=base_url, model=model, api_key_env=api_key_env, api="chat", temperature=0)
    except ValidationError as error:
        raise ConfigError(f"--reader-url, --reader-model, --reader-key-env: {error.errors()[0]['msg']}") from None
