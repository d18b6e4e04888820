"""The `augft.teacher:` block: which model writes, and how it is reached. No secret can stand in it."""

import re
from typing import Any, Literal

import orjson
from pydantic import Field, field_validator, model_validator

from axolotl_augft.config.values.address import checked_address
from axolotl_augft.config.values.block import SettingsBlock
from axolotl_augft.config.values.secret_names import is_secret_name, is_secret_value, secret_field

MAX_CONCURRENCY = {"endpoint": 64, "transformers": 16, "vllm": 256, "ray": 1024, "command": 16, "entailment": 256}
"""Requests in flight by default, for each backend, for a `serve_command` and for an entailment model."""

REMOVABLE_FIELDS = ("max_tokens", "temperature", "seed", "top_p", "stop")
_ENVIRONMENT_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_MODULE_AND_BUILDER = re.compile(r"\w+(\.\w+)*:\w+")


class TeacherPrice(SettingsBlock):
    """What the teacher's tokens cost, in dollars per million."""

    input: float = Field(ge=0, allow_inf_nan=False, description="Price of prompt tokens.")
    cached_input: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Price of prompt tokens that a prefix cache answers. Default: the price of input.",
    )
    output: float = Field(ge=0, allow_inf_nan=False, description="Price of answer tokens.")

    @model_validator(mode="after")
    def _cached_is_no_dearer(self) -> "TeacherPrice":
        if self.cached_input is not None and self.cached_input > self.input:
            raise ValueError(
                f"cached_input ({self.cached_input:g}) must not be above input ({self.input:g}); are they swapped?"
            )
        return self


class ReplicaRange(SettingsBlock):
    """How many replicas of the teacher a Ray cluster runs."""

    min: int = Field(1, ge=1, description="Replicas that always run, also when they have nothing to do.")
    max: int | None = Field(
        None,
        ge=1,
        description="Replicas that run at most. Default: as many as the cluster's GPUs have room for at the start.",
    )

    @model_validator(mode="after")
    def _max_is_not_below(self) -> "ReplicaRange":
        if self.max is not None and self.max < self.min:
            raise ValueError(f"max ({self.max}) must not be below min ({self.min}); are they swapped?")
        return self


class TeacherConfig(SettingsBlock):
    """Which model writes the augmentations, and how it is reached."""

    backend: Literal["endpoint", "transformers", "vllm", "ray"] | None = Field(
        None,
        description="`endpoint` uses a server that is already running. With `transformers` or `vllm` the stage "
        "starts `transformers serve` or `vllm serve` itself and stops it before training; with `ray` it puts replicas "
        "of the teacher on a Ray cluster for that time, with Ray Serve. Default: "
        "endpoint if base_url is set, else vllm if it is installed and serve_args are not set, else transformers.",
    )
    model: str | None = Field(
        None, min_length=1, description="Model name or local folder. Default: the recipe's base_model."
    )
    id: str | None = Field(
        None,
        min_length=1,
        description=(
            "Name of the teacher in the response store. Default: the model's name, plus a digest if it is a local "
            "folder."
        ),
    )
    base_url: str | list[str] | None = Field(
        None,
        description="Address of an OpenAI-compatible server, e.g. http://localhost:8000/v1, or a list of addresses of "
        "servers of the same model, over which requests are spread.",
    )
    api_key_env: str | None = Field(
        None, description="Name of the environment variable that holds the API key. The key itself is refused here."
    )
    api: Literal["chat", "completions"] | None = Field(
        None,
        description="`chat` sends chat messages; `completions` sends a few-shot text, which suits base models and "
        "small ones. Default: chat if the model has a chat template.",
    )
    temperature: float = Field(
        0.3,
        ge=0,
        le=2,
        description="Sampling temperature; 0 is greedy. Small teachers invent more the higher it is.",
    )
    seed: int | None = Field(
        None,
        description=(
            "Seed of the first sample. Set it to train several seeds on the same answers. Default: the recipe's seed."
        ),
    )
    top_p: float | None = Field(
        None, gt=0, le=1, description="Probability mass for nucleus sampling. Default: the server's."
    )
    max_tokens: int | None = Field(
        None,
        ge=1,
        description="Maximum length of an answer, in tokens. Default: 512 for local, 768 for study, 2048 for global.",
    )
    max_concurrency: int | None = Field(
        None,
        ge=1,
        le=4096,
        description=(
            "Maximum number of requests in flight at each server. Default: 64 for an endpoint, 256 for vllm, 1024 for "
            "ray, 16 for another managed server."
        ),
    )
    requests_per_minute: float | None = Field(
        None, gt=0, description="Maximum number of requests per minute, evenly spread. Default: no limit."
    )
    tokens_per_minute: float | None = Field(
        None,
        gt=0,
        description="Maximum number of prompt and answer tokens per minute, estimated before a request is sent and "
        "corrected afterwards. Default: no limit.",
    )
    timeout: float = Field(600, gt=0, description="Time limit of one request, in seconds.")
    max_retries: int = Field(6, ge=0, le=100, description="How often a request is retried after a transient failure.")
    stall_timeout: float = Field(
        1800,
        gt=0,
        description="End the run, and report the failures so far, if no answer arrives for this many seconds. It is "
        "never shorter than `timeout`.",
    )
    structured_output: bool | None = Field(
        None,
        description="Request questions as JSON that follows a schema (response_format). Set it to false if the "
        "server rejects such requests. Default: true for a chat endpoint, false for a managed server.",
    )
    extra_body: dict[str, Any] | None = Field(
        None,
        description="Additional fields for the JSON body of every request, such as {chat_template_kwargs: "
        "{enable_thinking: false}}. A null removes a field that is sent by default: {max_tokens: null, "
        "max_completion_tokens: 2048, temperature: null} suits OpenAI's newer models.",
    )
    serve_args: list[str] = Field(
        default_factory=list, description="Additional arguments for a managed server's command."
    )
    serve_command: list[str] | None = Field(
        None,
        min_length=1,
        description="Command of any other OpenAI-compatible server, as a list of words. The stage starts it on "
        "127.0.0.1, fills in {port} and {model}, and stops it: [llama-server, -m, model.gguf, --port, "
        "'{port}'].",
    )
    replicas: int | ReplicaRange | None = Field(
        None,
        description="With backend ray: the number of replicas, or {min, max}, between which Ray Serve chooses by the "
        "requests that wait. Default: {min: 1}.",
    )
    engine: dict[str, Any] | None = Field(
        None,
        description="With backend ray: arguments of vLLM's engine in each replica, such as {max_model_len: 8192, "
        "tensor_parallel_size: 2}.",
    )
    ray_app: str | None = Field(
        None,
        description="With backend ray: another application of Ray Serve that answers as OpenAI's API does, as "
        "module:builder. The builder gets {model: ...} and returns the application. Default: Ray Serve's own for "
        "language models.",
    )
    start_timeout: float = Field(
        1200, gt=0, description="How long a managed server may take to become healthy, in seconds."
    )
    price: TeacherPrice | None = Field(
        None,
        description="Price in dollars per million tokens: {input, output} and, if cached tokens are cheaper, "
        "{cached_input}. With batch, give the batch prices. Default: the list price of the provider that "
        "base_url names (package genai-prices), otherwise unknown.",
    )
    batch: bool = Field(
        False,
        description="Send requests through the provider's Batch API: files of requests, answers within a day, about "
        "half the price. Needs the extra `batch`.",
    )

    @property
    def base_urls(self) -> tuple[str, ...]:
        """The addresses of the servers that are running already; none if the stage starts one."""
        urls = self.base_url or []
        return (urls,) if isinstance(urls, str) else tuple(urls)

    @field_validator("api_key_env")
    @classmethod
    def _name_not_key(cls, value: str | None) -> str | None:
        if value is not None and not _ENVIRONMENT_NAME.fullmatch(value):
            raise ValueError(
                "must be the NAME of an environment variable (capitals, digits, underscores), not the key itself; "
                "export the key under a name and give that name"
            )
        return value

    @field_validator("base_url", mode="before")
    @classmethod
    def _urls_without_credentials(cls, value: Any) -> str | list[str] | None:
        if value is None or isinstance(value, str):
            return None if value is None else checked_address(value)
        is_list_of_text = isinstance(value, list) and value and all(isinstance(url, str) for url in value)
        urls = list(map(checked_address, value)) if is_list_of_text else []
        if not urls or len(set(urls)) < len(urls):
            raise ValueError("must be an address, or a list of one or more different addresses")
        return urls

    @field_validator("extra_body")
    @classmethod
    def _no_secret_in_body(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        secret = secret_field(value)
        if secret is not None:
            raise ValueError(
                f"field {secret!r} looks like a secret; put it in an environment variable and name it in api_key_env"
            )
        if value and value.get("max_tokens", 0) is None and not value.get("max_completion_tokens"):
            raise ValueError(
                "max_tokens: null would leave answers without a limit; name max_completion_tokens beside it"
            )
        # JSON's keys are texts: YAML's numbers (logit_bias) become such.
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)) if value else value

    @field_validator("engine")
    @classmethod
    def _no_secret_in_engine(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        secret = secret_field(value)
        if secret is not None:
            raise ValueError(f"field {secret!r} looks like a secret; export it as an environment variable instead")
        return value

    @field_validator("replicas")
    @classmethod
    def _one_replica_at_least(cls, value: int | ReplicaRange | None) -> int | ReplicaRange | None:
        if isinstance(value, int) and value < 1:
            raise ValueError(f"must be >= 1, got {value}")
        return value

    @field_validator("ray_app")
    @classmethod
    def _module_and_builder(cls, value: str | None) -> str | None:
        if value is not None and not _MODULE_AND_BUILDER.fullmatch(value):
            raise ValueError(f"must be module:builder, e.g. my_package.my_module:build, got {value!r}")
        return value

    @field_validator("serve_command")
    @classmethod
    def _names_the_port(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and not any("{port}" in word for word in value[1:]):
            raise ValueError(
                "must hold {port}, which is where the server is to listen on 127.0.0.1, e.g. --port '{port}'"
            )
        return value

    @field_validator("serve_args", "serve_command")
    @classmethod
    def _no_secret_in_arguments(cls, value: list[str] | None) -> list[str] | None:
        for argument in value or []:
            name, _, content = argument.partition(":" if ":" in argument.split("=")[0] else "=")
            if is_secret_name(name.lstrip("-")) or any(map(is_secret_value, (argument, content))):
                raise ValueError(
                    "an argument looks like a secret; export it as an environment variable, which the server sees too"
                )
        return value

    @model_validator(mode="after")
    def _backend_fits(self) -> "TeacherConfig":
        if self.backend == "endpoint" and self.base_url is None:
            raise ValueError(
                "backend endpoint needs base_url, the address of the server, e.g. http://localhost:8000/v1"
            )
        if self.backend in ("transformers", "vllm", "ray") and self.base_url is not None:
            raise ValueError(
                "base_url is for backend endpoint; a managed server gets its own address. Remove one of the two"
            )
        if (self.backend == "endpoint" or self.base_url) and self.serve_args:
            raise ValueError("serve_args are for a managed server, but backend is endpoint; remove them")
        limits = [
            name for name in ("requests_per_minute", "tokens_per_minute", "max_concurrency") if getattr(self, name)
        ]
        if self.batch and limits:
            raise ValueError(
                f"{limits[0]} is for requests that are sent one by one, but batch is true; remove one of the two"
            )
        if self.serve_command is not None and (self.backend or self.base_url or self.serve_args):
            raise ValueError(
                "serve_command is a server of its own; remove backend, base_url and serve_args, or serve_command"
            )
        if self.batch and len(self.base_urls) > 1:
            raise ValueError("batch sends to one provider, but base_url lists several addresses; keep one")
        if self.batch and self.base_url is None:
            raise ValueError(
                "batch needs base_url, the address of a provider with a Batch API, e.g. https://api.openai.com/v1"
            )
        return self

    @model_validator(mode="after")
    def _ray_fits(self) -> "TeacherConfig":
        of_ray = [name for name in ("replicas", "engine", "ray_app") if getattr(self, name) is not None]
        if self.backend != "ray" and of_ray:
            raise ValueError(f"{of_ray[0]} is for backend ray; set backend: ray, or remove {of_ray[0]}")
        if self.backend == "ray" and self.serve_args:
            raise ValueError("serve_args are for a command, but backend is ray; give vLLM's arguments in engine")
        if self.ray_app is not None and len(of_ray) > 1:
            raise ValueError(f"ray_app is an application of its own, which knows its replicas; remove {of_ray[0]}")
        return self
