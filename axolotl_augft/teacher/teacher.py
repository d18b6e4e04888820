"""The `teacher:` block and the recipe's base_model -> the resolved teacher, which makes requests."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from axolotl_augft.config.strategy_settings import AskingSettings
from axolotl_augft.config.teacher import MAX_CONCURRENCY, TeacherConfig
from axolotl_augft.errors import ConfigError
from axolotl_augft.files.fingerprints import FileStamp, combined_digest
from axolotl_augft.teacher.entailment.settings import EntailmentModel
from axolotl_augft.teacher.programs import is_installed
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.text.tokens import ESTIMATE, TokenCounter, has_chat_template, local_model_file, token_counter

# Most tokenizers encode ### as one token, so that servers which can stop only at tokens can stop at it too.
_COMPLETIONS_STOP = ("###",)
# Part of an entailment model's id. A change of how our server uses models gets the next number, so that the
# probabilities are asked for anew.
_ENTAILMENT_VERSION = 1
# One object for equal settings, so that a file of many requests holds it once.
_sampling = lru_cache(maxsize=64)(Sampling)


@dataclass(frozen=True)
class Teacher:
    """A teacher with every setting resolved.

    Attributes:
        config: The `teacher:` block.
        backend: `endpoint`, or a name in `servers.BACKENDS`.
        model: The model's name or folder.
        id: Identifies the model in request keys.
        api: The kind of endpoint to use.
        max_concurrency: Most requests in flight.
        tokens: Counts tokens as the model does, or estimates them.
        context_length: Most tokens of prompt and answer together; None if the model's configuration is not at hand.
        seed: Seed of a prompt's first sample.
    """

    config: TeacherConfig
    backend: str
    model: str
    id: str
    api: Literal["chat", "completions"]
    max_concurrency: int
    tokens: TokenCounter
    context_length: int | None
    seed: int

    def max_tokens(self, entry: AskingSettings) -> int:
        """Return the most tokens of an answer for an `augment` entry.

        The default is at most a quarter of the context, which leaves the rest to the prompt.
        """
        default = entry.default_max_tokens
        if self.context_length is not None:
            default = min(default, self.context_length // 4)
        return entry.max_tokens or self.config.max_tokens or default

    def stop(self, entry: AskingSettings) -> tuple[str, ...]:
        """Return the stop sequences for an `augment` entry; by default, a completion ends at the next heading."""
        if entry.stop is not None:
            return tuple(entry.stop)
        return _COMPLETIONS_STOP if self.api == "completions" else ()

    @property
    def structured(self) -> bool:
        """True if answers that hold questions are requested as JSON with a schema."""
        asked = self.config.structured_output
        return self.api == "chat" and (self.backend == "endpoint" if asked is None else asked)

    def request(
        self,
        prefix: Prefix,
        target: str,
        max_tokens: int,
        stop: tuple[str, ...],
        sample: int = 0,
        extra: Mapping[str, Any] | None = None,
        keep_reasoning: bool = False,
    ) -> Request:
        """Make a request to this teacher.

        Args:
            prefix: The part of the prompt shared with other requests.
            target: The rest of the prompt.
            max_tokens: Most tokens of the answer.
            stop: Stop sequences.
            sample: Number of this sample among those of the prompt, from 0; added to the seed.
            extra: Further fields of the JSON body; those in the user's `extra_body` override them.
            keep_reasoning: Whether to store the reasoning of a reasoning model.
        """
        sampling = _sampling(self.config.temperature, self.config.top_p, max_tokens, stop, self.seed + sample)
        fields = {**(extra or {}), **(self.config.extra_body or {})}
        return Request(
            self.id, self.api, prefix, target, sampling, sample, tuple(sorted(fields.items())), keep_reasoning
        )


class TeacherMemory(Protocol):
    """Storage for what is known of teachers, by id."""

    def load_teacher(self, teacher_id: str) -> dict[str, Any] | None:
        """Return what was saved; None if nothing was."""

    def save_teacher(self, teacher_id: str, known: dict[str, Any]) -> None:
        """Save what is known."""


def teacher_model(config: TeacherConfig, base_model: str) -> str:
    """Return the name or folder of the teacher's model.

    Raises:
        ConfigError: Neither the teacher nor the recipe names a model.
    """
    model = config.model or base_model
    if not model:
        raise ConfigError(
            "augft.teacher.model is not set and the recipe has no base_model to take its place; name a model"
        )
    return model


def resolve_teacher(config: TeacherConfig, base_model: str, seed: int, model_stamps: list[FileStamp]) -> Teacher:
    """Fill in the settings that the `teacher:` block leaves open.

    Args:
        config: The `teacher:` block.
        base_model: The recipe's student, which is the teacher if the block names no model.
        seed: The recipe's seed, used if the block sets none.
        model_stamps: Stamps of the model's files; empty unless the model is a local folder.

    Raises:
        ConfigError: Neither the teacher nor the recipe names a model.
    """
    backend = _backend(config)
    model = teacher_model(config, base_model)
    if backend != "endpoint" and not model_stamps:
        _download_small_files(model)
    return Teacher(
        config=config,
        backend=backend,
        model=model,
        id=config.id or _model_id(model, model_stamps),
        api=config.api or ("chat" if has_chat_template(model) else "completions"),
        max_concurrency=config.max_concurrency or MAX_CONCURRENCY[backend],
        tokens=token_counter(model),
        context_length=_context_length(model),
        seed=seed if config.seed is None else config.seed,
    )


def entailment_teacher(wanted: EntailmentModel, config: TeacherConfig, model_stamps: list[FileStamp]) -> Teacher:
    """Make a teacher of an entailment model, whose requests hold pairs (`entailment.pair`).

    Args:
        wanted: The model.
        config: The `teacher:` block, whose limits of time and retries hold for this server too, and whose key is kept
            from it.
        model_stamps: Stamps of the model's files; empty unless the model is a local folder.
    """
    own = TeacherConfig(
        model=wanted.model,
        api="completions",
        api_key_env=config.api_key_env,
        temperature=0,
        timeout=config.timeout,
        max_retries=config.max_retries,
        stall_timeout=config.stall_timeout,
        start_timeout=config.start_timeout,
    )
    name = _model_id(wanted.model, model_stamps)
    return Teacher(
        # Set afterwards, because a template is a text, in which anything may stand, and no argument of the user's.
        config=own.model_copy(update={"serve_args": wanted.arguments()}),
        backend="entailment",
        model=wanted.model,
        id=" ".join(filter(None, [f"entailment-{_ENTAILMENT_VERSION}", name, wanted.use])),
        api="completions",
        max_concurrency=MAX_CONCURRENCY["entailment"],
        tokens=ESTIMATE,
        context_length=None,
        seed=0,
    )


def _model_id(model: str, stamps: list[FileStamp]) -> str:
    """Return what identifies a model: its name, or a folder's name and a digest of its files."""
    return f"{Path(model).name}@{combined_digest(stamps)[:16]}" if stamps else model


def _backend(config: TeacherConfig) -> str:
    if config.serve_command is not None:
        return "command"
    if config.backend is not None or config.base_url is not None:
        return config.backend or "endpoint"
    # Arguments are those of one program, and this was the default before vLLM was looked for.
    return "vllm" if is_installed("vllm") and not config.serve_args else "transformers"


def settled(teacher: Teacher, memory: TeacherMemory) -> Teacher:
    """Return the teacher with what was known of it when it was first used; record that on first use.

    What is known of a model may change between runs, for example when its tokenizer arrives in the hub's cache. The
    requests must not change with it, or their answers would be requested, and paid for, again.
    """
    known = memory.load_teacher(teacher.id)
    if known is None:
        memory.save_teacher(
            teacher.id, {"api": teacher.api, "context_length": teacher.context_length, "exact": teacher.tokens.exact}
        )
        return teacher
    return replace(
        teacher,
        api=teacher.config.api or known["api"],
        context_length=known["context_length"],
        tokens=teacher.tokens if known["exact"] else ESTIMATE,
    )


def _download_small_files(model: str) -> None:
    """Download a hub model's tokenizer and configuration into the local cache, where its server needs them too.

    Nothing is tried any more once the hub cannot be reached: the model may be in the cache.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # The hub's library (1.17) answers a refused connection by a second try on a client that it has closed, which is a
    # RuntimeError.
    with suppress(OSError, RuntimeError):
        for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json"):
            with suppress(HfHubHTTPError, HFValidationError):
                hf_hub_download(model, name)


def _context_length(model: str) -> int | None:
    file = local_model_file(model, "config.json")
    if file is None:
        return None
    config: dict[str, Any] = orjson.loads(file.read_bytes())
    length = config.get("max_position_embeddings") or config.get("text_config", {}).get("max_position_embeddings")
    return length if isinstance(length, int) and length > 0 else None
