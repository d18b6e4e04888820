"""The `teacher:` block and the recipe's base_model -> the teacher as the rest of the stage sees it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from axolotl_augft.config.augment import Augment
from axolotl_augft.config.teacher import MAX_CONCURRENCY, TeacherConfig
from axolotl_augft.errors import ConfigError
from axolotl_augft.files.fingerprints import FileStamp, combined_digest
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.text.tokens import ESTIMATE, TokenCounter, has_chat_template, local_model_file, token_counter


@dataclass(frozen=True)
class Teacher:
    """A resolved teacher.

    `id` stands for the model in request keys. `context_length`: tokens of prompt and answer together, None where the
    model's configuration is not at hand.
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

    def max_tokens(self, entry: Augment) -> int:
        """Longest answer for an `augment` entry, in tokens; the default leaves three quarters of a short context to the prompt."""
        default = entry.default_max_tokens
        if self.context_length is not None:
            default = min(default, self.context_length // 4)
        return entry.max_tokens or self.config.max_tokens or default

    @property
    def structured(self) -> bool:
        """Whether answers that are questions are asked for as JSON with a schema."""
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
        """A request to this teacher.

        Args:
            prefix: What it shares with others.
            target: What is its own.
            max_tokens: Longest answer.
            stop: Stop sequences.
            sample: Its number among the samples of a prompt; each has its own seed.
            extra: Further fields of the JSON body; the user's `extra_body` goes before them.
            keep_reasoning: Whether a reasoning model's thoughts are kept.
        """
        sampling = Sampling(self.config.temperature, self.config.top_p, max_tokens, stop, self.seed + sample)
        fields = {**(extra or {}), **(self.config.extra_body or {})}
        return Request(
            self.id, self.api, prefix, target, sampling, sample, tuple(sorted(fields.items())), keep_reasoning
        )


class TeacherMemory(Protocol):
    """Remembers what was known of a teacher."""

    def load_teacher(self, teacher_id: str) -> dict[str, Any] | None:
        """What was saved, None if nothing was."""

    def save_teacher(self, teacher_id: str, known: dict[str, Any]) -> None:
        """Saves it."""


def teacher_model(config: TeacherConfig, base_model: str) -> str:
    """The model's name or folder.

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
    """Fills in what the block leaves open.

    Args:
        config: The `teacher:` block.
        base_model: The recipe's student, the teacher where none is named.
        seed: The recipe's, seed of the first sample where the block has none.
        model_stamps: Stamps of the model's files, empty unless the model is a local folder.
    """
    backend = _backend(config)
    model = teacher_model(config, base_model)
    if backend != "endpoint" and not model_stamps:
        _download_small_files(model)
    name = Path(model).name if model_stamps else model
    return Teacher(
        config=config,
        backend=backend,
        model=model,
        id=config.id or (f"{name}@{combined_digest(model_stamps)[:16]}" if model_stamps else name),
        api=config.api or ("chat" if has_chat_template(model) else "completions"),
        max_concurrency=config.max_concurrency or MAX_CONCURRENCY[backend],
        tokens=token_counter(model),
        context_length=_context_length(model),
        seed=seed if config.seed is None else config.seed,
    )


def _backend(config: TeacherConfig) -> str:
    if config.serve_command is not None:
        return "command"
    return config.backend or ("endpoint" if config.base_url else "transformers")


def settled(teacher: Teacher, memory: TeacherMemory) -> Teacher:
    """The teacher as an earlier run saw it.

    What is known of a model may change between runs (its tokenizer comes into the hub's cache); requests must not
    change with it, or their answers would be asked for again.
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
    """Brings a hub model's tokenizer and configuration into the local cache, where the server will want them too."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json"):
        with suppress(HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError):
            hf_hub_download(model, name)


def _context_length(model: str) -> int | None:
    file = local_model_file(model, "config.json")
    if file is None:
        return None
    config: dict[str, Any] = orjson.loads(file.read_bytes())
    length = config.get("max_position_embeddings") or config.get("text_config", {}).get("max_position_embeddings")
    return length if isinstance(length, int) and length > 0 else None
