"""The `augft:` block: YAML -> typed settings.

Every default stands here and nowhere else. `parse_augft` is the one place where a block is validated; inside the package the
values are plain and typed. The models survive axolotl's dump-and-validate-again round trip (`use_ray`).
"""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from axolotl_augft.errors import ConfigError

_ENVIRONMENT_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_SECRET_FIELD = re.compile(r"(?i)(^|_)(key|api_?key|token|secret|password|authorization|sig|signature)$")

_SECRET_VALUE = re.compile(r"(sk-|hf_|gsk_|ghp_|xox|AKIA|Bearer )\S{6,}")


def _secret_field(value: Any) -> str | None:
    """The first key at any depth that looks like a secret's."""
    if isinstance(value, Mapping):
        return next((str(k) for k in value if _SECRET_FIELD.search(str(k))), None) or _secret_field(list(value.values()))
    if isinstance(value, list):
        return next((found for v in value if (found := _secret_field(v))), None)
    return None


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TeacherPrice(_Block):
    """What the teacher's tokens cost, in dollars per million."""

    input: float = Field(ge=0, allow_inf_nan=False, description="Prompt tokens.")
    cached_input: float | None = Field(None, ge=0, allow_inf_nan=False, description="Prompt tokens from a prefix cache. Default: as input.")
    output: float = Field(ge=0, allow_inf_nan=False, description="Tokens of answers.")


class TeacherConfig(_Block):
    """Which model writes the augmentations, and how it is reached."""

    backend: Literal["endpoint", "transformers", "vllm"] | None = Field(
        None,
        description="endpoint: a server that runs already. transformers, vllm: the stage starts `transformers serve` or `vllm serve` and "
        "stops it. Default: endpoint if base_url is given, else transformers.",
    )
    model: str | None = Field(None, min_length=1, description="Model name or local folder. Default: the recipe's base_model.")
    id: str | None = Field(
        None,
        min_length=1,
        description="Name of the teacher in the response store. Default: the model's name, plus a digest for a local folder.",
    )
    base_url: str | None = Field(None, description="Address of an OpenAI-compatible server, e.g. http://localhost:8000/v1")
    api_key_env: str | None = Field(None, description="NAME of the environment variable that holds the key; never the key.")
    api: Literal["chat", "completions"] | None = Field(
        None, description="chat, or completions with a few-shot text. Default: chat if the model has a chat template."
    )
    temperature: float = Field(0.7, ge=0, le=2, description="Sampling temperature; 0 is greedy.")
    seed: int | None = Field(
        None,
        description="Seed of the first sample. Default: the recipe's. Set it to train with several seeds on the same answers.",
    )
    top_p: float | None = Field(None, gt=0, le=1, description="Nucleus sampling mass. Default: the server's.")
    max_tokens: int | None = Field(None, ge=1, description="Longest answer, in tokens. Default: 512 local, 2048 global.")
    max_concurrency: int | None = Field(
        None, ge=1, le=4096, description="Requests in flight. Default: 64 for an endpoint, 256 for vllm, 16 for another managed server."
    )
    requests_per_minute: float | None = Field(
        None, gt=0, description="Requests sent in a minute at most, evenly spread. Default: no limit."
    )
    tokens_per_minute: float | None = Field(
        None, gt=0, description="Tokens of prompts and answers in a minute at most, as far as they can be foreseen. Default: no limit."
    )
    timeout: float = Field(600, gt=0, description="Seconds one request may take.")
    max_retries: int = Field(6, ge=0, le=100, description="Further tries of a request after a passing failure.")
    stall_timeout: float = Field(
        1800, gt=0, description="Seconds without any answer after which the run ends with what was seen (at least `timeout`)."
    )
    structured_output: bool | None = Field(
        None,
        description="Whether questions are asked for with a JSON schema (response_format). Default: for a chat endpoint, not for a managed "
        "server. Set it to false where the server calls such requests invalid.",
    )
    extra_body: dict[str, Any] | None = Field(
        None,
        description="Further fields of every request's JSON body, e.g. {chat_template_kwargs: {enable_thinking: false}}",
    )
    serve_args: list[str] = Field(default_factory=list, description="Further arguments of a managed server's command.")
    serve_command: list[str] | None = Field(
        None,
        min_length=1,
        description="Command of any other OpenAI-compatible server, which the stage starts on 127.0.0.1 and stops: a list of words, in "
        "which {port} and {model} are filled in, e.g. [llama-server, -m, model.gguf, --port, '{port}'].",
    )
    start_timeout: float = Field(1200, gt=0, description="Seconds a managed server may take to become healthy.")
    price: TeacherPrice | None = Field(
        None,
        description="Dollars per million tokens: {input, output} and, if cheaper, {cached_input}; with batch, the batch prices. "
        "Default: the list price of the provider that base_url names (package genai-prices), unknown for other servers.",
    )
    batch: bool = Field(
        False,
        description="Send through the provider's Batch API (files of requests, answers within a day, about half the price). "
        "Needs the extra `batch`.",
    )

    @field_validator("api_key_env")
    @classmethod
    def _name_not_key(cls, value: str | None) -> str | None:
        if value is not None and not _ENVIRONMENT_NAME.fullmatch(value):
            raise ValueError(
                "must be the NAME of an environment variable (capitals, digits, underscores), not the key itself; "
                "export the key under a name and give that name"
            )
        return value

    @field_validator("base_url")
    @classmethod
    def _url_without_credentials(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.username or parts.password or any(_SECRET_FIELD.search(k) for k, _ in parse_qsl(parts.query)):
            raise ValueError("must not hold credentials; put the key in an environment variable and name it in api_key_env")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an http:// or https:// address, e.g. http://localhost:8000/v1")
        return value.rstrip("/")

    @field_validator("extra_body")
    @classmethod
    def _no_secret_in_body(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        secret = _secret_field(value)
        if secret is not None:
            raise ValueError(f"field {secret!r} looks like a secret; put it in an environment variable and name it in api_key_env")
        return value

    @field_validator("serve_command")
    @classmethod
    def _names_the_port(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and not any("{port}" in word for word in value[1:]):
            raise ValueError("must hold {port}, which is where the server is to listen on 127.0.0.1, e.g. --port '{port}'")
        return value

    @field_validator("serve_args", "serve_command")
    @classmethod
    def _no_secret_in_arguments(cls, value: list[str] | None) -> list[str] | None:
        for argument in value or []:
            if _SECRET_FIELD.search(argument.split("=")[0].lstrip("-").replace("-", "_")) or _SECRET_VALUE.match(argument.split("=")[-1]):
                raise ValueError("an argument looks like a secret; export it as an environment variable, which the server sees too")
        return value

    @model_validator(mode="after")
    def _backend_fits(self) -> "TeacherConfig":
        if self.backend == "endpoint" and self.base_url is None:
            raise ValueError("backend endpoint needs base_url, the address of the server, e.g. http://localhost:8000/v1")
        if self.backend in ("transformers", "vllm") and self.base_url is not None:
            raise ValueError("base_url is for backend endpoint; a managed server gets its own address. Remove one of the two")
        if self.backend == "endpoint" and self.serve_args:
            raise ValueError("serve_args are for a managed server, but backend is endpoint; remove them")
        if self.serve_command is not None and (self.backend or self.base_url or self.serve_args):
            raise ValueError("serve_command is a server of its own; remove backend, base_url and serve_args, or serve_command")
        if self.batch and self.base_url is None:
            raise ValueError("batch needs base_url, the address of a provider with a Batch API, e.g. https://api.openai.com/v1")
        return self


class _Strategy(_Block):
    samples: int = Field(1, ge=1, le=100, description="Answers asked for per request, each with its own index and seed.")
    max_tokens: int | None = Field(None, ge=1, description="Longest answer, in tokens. Default: teacher.max_tokens.")
    prompt: str | None = Field(None, min_length=1, description="A Jinja file with the blocks of the package's own prompt.")
    stop: list[str] | None = Field(
        None, max_length=4, description="Stop sequences. Default: none for chat, the template's for completions."
    )
    write: Literal["statements", "questions"] | None = Field(
        None,
        description="What documents become: statements (more text), or questions with answers (chat rows). Default: what the source holds; "
        "rows that are questions with answers always become such.",
    )


Kind = Literal["rephrasing", "reversal", "consequence"]


def _all_kinds() -> list[Kind]:
    return ["rephrasing", "reversal", "consequence"]


class LocalAugment(_Strategy):
    """Sentence level: rephrasings, reversals and one-step consequences (paper, local augmentation)."""

    strategy: Literal["local"] = "local"
    kinds: list[Kind] = Field(
        default_factory=_all_kinds,
        min_length=1,
        description="Kinds of statements asked for. A small teacher does better with one kind a request (two entries).",
    )
    unit_tokens: int = Field(96, ge=1, description="Tokens of consecutive sentences asked about in one request (at least one sentence).")
    examples: str | None = Field(
        None, min_length=1, description="JSON lines with your own pool of worked examples. Default: the package's."
    )
    num_examples: int = Field(6, ge=0, le=32, description="Worked examples in a prompt, those that fit its sentences best.")
    example_choice: Literal["fitting", "fixed"] = Field(
        "fitting",
        description="fitting: by similarity to the sentences. fixed: the same ones in every prompt (to compare with).",
    )


class GlobalAugment(_Strategy):
    """Data set level: what follows from a document together with the others (paper, global augmentation)."""

    strategy: Literal["global"] = "global"
    context_tokens: int | None = Field(
        None,
        ge=64,
        description="Tokens of documents in one prompt. Default: 16000, or what the model's context leaves.",
    )
    passes: int = Field(1, ge=1, le=100, description="How often all documents are grouped anew, so that new pairs meet.")
    keep: Literal["trace", "conclusions", "both"] = Field(
        "both", description="Which parts of an answer become training text: the reasoning trace, the conclusions it ends with, or both."
    )
    keep_reasoning: bool = Field(
        False,
        description="Whether a reasoning model's own reasoning (reasoning_content, <think>) becomes a trace too. It is stored only for "
        "requests that are sent while this is set.",
    )

    @model_validator(mode="after")
    def _reasoning_is_a_trace(self) -> "GlobalAugment":
        if self.keep_reasoning and self.keep == "conclusions":
            raise ValueError("keep_reasoning makes traces, but keep is conclusions; set keep to trace or both, or drop keep_reasoning")
        return self


Augment = Annotated[LocalAugment | GlobalAugment, Field(discriminator="strategy")]
STRATEGIES = ("local", "global")
DEFAULT_MAX_TOKENS = {"local": 512, "global": 2048}
DEFAULT_CONTEXT_TOKENS = 16_000


def _default_augment() -> list[Augment]:
    return [LocalAugment(), GlobalAugment()]


class SourceConfig(_Block):
    """Settings of one `datasets` entry."""

    path: str = Field(min_length=1, description="`path` of the datasets entry.")
    augment: list[Augment] = Field(description="What is asked about it, in place of augft.augment. [] asks nothing.")

    @model_validator(mode="before")
    @classmethod
    def _bare_names(cls, data: Any) -> Any:
        return _with_named_strategies(data)

    @model_validator(mode="after")
    def _no_entry_twice(self) -> "SourceConfig":
        _refuse_equal_entries(self.augment)
        return self


class DocumentsConfig(_Block):
    """Files and folders whose text is trained on. A bare path, or a list of paths, stands for the block with its defaults."""

    paths: list[Annotated[str, Field(min_length=1)]] = Field(
        min_length=1,
        description="Files and folders of documents (Markdown, HTML, PDF, DOCX, text) to train on, beside or in place of `datasets`. "
        "`documents: ./handbook/` is short for it.",
    )
    on_error: Literal["skip", "stop"] = Field(
        "skip", description="A broken, encrypted, empty or scanned file is named and left out (skip), or ends the run (stop)."
    )

    @model_validator(mode="before")
    @classmethod
    def _bare_paths(cls, data: Any) -> Any:
        block = data if isinstance(data, Mapping) else {"paths": data}
        return {**block, "paths": [block["paths"]]} if isinstance(block.get("paths"), str) else block

    @field_validator("paths")
    @classmethod
    def _none_twice(cls, value: list[str]) -> list[str]:
        for i, path in enumerate(value):
            for j, other in enumerate(value):
                if i != j and Path(os.path.abspath(path)).is_relative_to(os.path.abspath(other)):
                    raise ValueError(f"{path!r} is or lies in {other!r}, so its rows would be there twice; remove one of them")
        return value


class AugftConfig(_Block):
    """The whole `augft:` block."""

    documents: DocumentsConfig | None = Field(None, description="Files and folders whose text is trained on.")

    teacher: TeacherConfig = Field(default_factory=TeacherConfig, description="The model that writes. Default: base_model, served here.")
    augment: list[Augment] = Field(
        default_factory=_default_augment,
        description="What is asked. Default: local and global. [] asks nothing and only splits sentences.",
    )
    sources: list[SourceConfig] = Field(
        default_factory=list,
        description="Settings of single datasets entries: path, augment. Documents with settings in common share context groups.",
    )
    sentence_splitting: Literal["none", "independent", "cumulative"] = Field(
        "none",
        description="Cut training rows into one per sentence: alone (independent), or after the preceding ones (cumulative).",
    )
    language: str = Field("en", pattern=r"^[a-z]{2,3}$", description="ISO 639 code of the documents' language, for sentence splitting.")
    exclude: list[str] = Field(default_factory=list, description="`path` of each datasets entry that is not to be augmented.")
    verify: Literal["none", "names", "teacher"] = Field(
        "none",
        description="Reject statements their premises do not support. names: a name, a number or (in English) a word of no dictionary "
        "that the premises lack, or a sentence whose ends are merely swapped; teacher: the teacher is asked (a request a statement).",
    )
    include_original: bool = Field(True, description="Whether the source rows are trained on too.")
    repeat_original: int = Field(1, ge=1, le=1000, description="Times each source row is trained on per epoch.")
    repeat_augmented: int = Field(1, ge=1, le=1000, description="Times each augmentation is trained on per epoch.")
    max_augmented_per_original: int | None = Field(None, ge=1, description="Most augmentations kept per document. Default: all.")
    output_dir: str | None = Field(
        None, min_length=1, description="Folder of everything the stage writes. Default: <dataset_prepared_path>/augft"
    )
    store: str | None = Field(None, min_length=1, description="File of the response store. Default: <output_dir>/responses.sqlite")
    max_failed_fraction: float = Field(0, ge=0, le=1, description="Share of requests that may stay unanswered after all retries.")
    max_cost_usd: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Most dollars that the answers of this recipe may cost, over all its runs; nothing is sent that could exceed it.",
    )
    max_requests: int | None = Field(
        None,
        ge=1,
        description="Most requests of this recipe that are answered, over all its runs; a request counts once, however often it is tried.",
    )
    wait_timeout: float = Field(86400, gt=0, description="Seconds other ranks, nodes and launches wait for the one that runs the stage.")
    val_set_size: float | None = Field(
        None,
        ge=0,
        description="Set by the plugin itself: the recipe's val_set_size, once its held-out rows are on disk.",
    )

    @model_validator(mode="before")
    @classmethod
    def _bare_names(cls, data: Any) -> Any:
        return _with_named_strategies(data)

    @model_validator(mode="after")
    def _something_to_do(self) -> "AugftConfig":
        asks = self.augment or any(source.augment for source in self.sources)
        if not asks and self.sentence_splitting == "none":
            raise ValueError("augment is empty and sentence_splitting is none: there is nothing to do; name a strategy or drop the plugin")
        return self

    @model_validator(mode="after")
    def _no_entry_twice(self) -> "AugftConfig":
        _refuse_equal_entries(self.augment)
        paths = [source.path for source in self.sources]
        for i, path in enumerate(paths):
            if path in paths[:i]:
                raise ValueError(f"sources[{i}] repeats the path {path!r}; give all its settings in one place")
        return self


def _with_named_strategies(data: Any) -> Any:
    """A bare strategy name stands for that strategy with its defaults."""
    if not isinstance(data, Mapping) or not isinstance(data.get("augment"), list):
        return data
    return {**data, "augment": [{"strategy": a} if isinstance(a, str) else a for a in data["augment"]]}


def _refuse_equal_entries(augment: list[Augment]) -> None:
    for i, entry in enumerate(augment):
        if entry in augment[:i]:
            raise ValueError(
                f"augment[{i}] repeats augment[{augment.index(entry)}] (strategy {entry.strategy} with equal settings); "
                "remove one, or raise `samples` for more answers"
            )


class AugftArgs(BaseModel):
    """What the plugin adds to axolotl's own schema (`get_input_args`)."""

    augft: AugftConfig = Field(description="Augmented fine-tuning (axolotl-augft).")


def parse_augft(block: Any) -> AugftConfig:
    """Validates an `augft:` block.

    Raises:
        ConfigError: One line with the first wrong key, its value and what was expected.
    """
    if isinstance(block, AugftConfig):
        return block
    if not isinstance(block, Mapping):
        raise ConfigError(f"augft must be a block of keys, got {type(block).__name__}; see the README's table of keys")
    try:
        return AugftConfig.model_validate(_plain(block))
    except ValidationError as error:
        raise ConfigError(_one_line(error)) from None


def _plain(value: Any) -> Any:
    """Axolotl's DictDefault answers None for a missing key, which pydantic must not see."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    path = "augft" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"] if p not in STRATEGIES)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    kind, value = first["type"], first.get("input")
    if kind == "extra_forbidden":
        return _unknown_key(path, first["loc"]) + more
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        named = value.get("strategy") if isinstance(value, dict) else value
        return f"{path}.strategy must be one of {', '.join(STRATEGIES)}, got {named!r}{more}"
    if kind == "value_error":
        return f"{path}: {first['msg'].removeprefix('Value error, ')}{more}"
    return f"{path}: {first['msg'][0].lower()}{first['msg'][1:]}, got {_shown(path, value)}{more}"


def _shown(path: str, value: Any) -> str:
    if _SECRET_FIELD.search(path) or isinstance(value, dict):
        return f"a {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown_key(path: str, location: tuple[int | str, ...]) -> str:
    key = str(location[-1])
    known = _known_keys(location)
    if _SECRET_FIELD.search(key) and not difflib.get_close_matches(key, known, n=1, cutoff=0.85):
        return f"{path}: a literal key is refused; put it in an environment variable and name that in augft.teacher.api_key_env"
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    return f"{path}: unknown key; {hint}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    if "teacher" in location[:-1]:
        return list(TeacherConfig.model_fields)
    if "documents" in location[:-1]:
        return list(DocumentsConfig.model_fields)
    if "augment" in location[:-1]:
        return list((GlobalAugment if "global" in location else LocalAugment).model_fields)
    if "sources" in location[:-1]:
        return list(SourceConfig.model_fields)
    return [name for name in AugftConfig.model_fields if name != "val_set_size"]
