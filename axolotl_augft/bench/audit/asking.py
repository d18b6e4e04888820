"""Sentences -> a model's answers about what they claim."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from axolotl_augft.bench.audit.free_reading import Ask, prefix, response_format, target
from axolotl_augft.bench.datasets.grammar import Grammar
from axolotl_augft.bench.served.asking import Prompt, ServerOptions, asking, served_model
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.store.responses import ResponseStore

_MAX_TOKENS = 400
_OPTIONS = ServerOptions("--reader-url", "--reader-model", "--reader-key-env")


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
    with asking(config, store, log) as ask:

        def ask_with(grammar: Grammar, sentences: Sequence[str]) -> dict[str, str]:
            opening, extra = prefix(grammar), response_format(grammar)
            answers = ask([Prompt(opening, target(s), _MAX_TOKENS, extra=extra) for s in sentences], "reading")
            return dict(zip(sentences, answers, strict=True))

        yield lambda grammar: partial(ask_with, grammar)


def reader_config(base_url: str | None, model: str | None, api_key_env: str | None) -> TeacherConfig | None:
    """Return the settings of a model that reads; None if nothing is set.

    Raises:
        ConfigError: Only the server or only the model is named, or a setting is not valid.
    """
    return served_model(base_url, model, api_key_env, 0, _OPTIONS)
