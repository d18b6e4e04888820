"""Settings -> those that change what a model answers, or what the result holds; a result's key is made of them."""

from collections.abc import Mapping
from typing import Any

from axolotl_augft.config.augft import AugftConfig

# Settings that change how a model is reached, but not what it answers.
_CHANGES_NO_ANSWER = {
    "base_url",
    "api_key_env",
    "max_concurrency",
    "timeout",
    "max_retries",
    "requests_per_minute",
    "tokens_per_minute",
    "stall_timeout",
    "serve_args",
    "serve_command",
    "replicas",
    "engine",
    "ray_app",
    "start_timeout",
    "price",
    "batch",
}
# Settings that change how the stage runs, but not its result.
_CHANGES_NO_RESULT = {
    "output_dir",
    "store",
    "wait_timeout",
    "val_set_size",
    "max_failed_fraction",
    "max_cost_usd",
    "max_requests",
    "workers",
}


def answer_settings(block: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a `teacher:` block what changes how a model is reached, but not what it answers."""
    return {k: v for k, v in block.items() if k not in _CHANGES_NO_ANSWER}


def result_settings(augft: AugftConfig) -> dict[str, Any]:
    """Leave out of an `augft:` block what changes how the stage runs, but not its result."""
    kept = augft.model_dump(mode="json", exclude=_CHANGES_NO_RESULT)
    for block in (kept, kept["verify"] or {}, kept["probe"] or {}):
        models = (k for k in ("teacher", "by", "student") if isinstance(block.get(k), dict))
        block.update({k: answer_settings(block[k]) for k in models})
    return kept
