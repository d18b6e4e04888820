"""Text -> number of tokens, by a model's own tokenizer where it is at hand without the network, else an estimate that says so."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class TokenCounter:
    """Counts tokens; `exact` is False where no tokenizer was at hand and bytes / 4 stand for tokens."""

    count: Callable[[str], int]
    exact: bool


ESTIMATE = TokenCounter(lambda text: -(-len(text.encode()) // _BYTES_PER_TOKEN), exact=False)


def token_counter(model: str) -> TokenCounter:
    """A counter for `model`, a local folder or a hub name whose tokenizer is in the local cache."""
    file = local_model_file(model, "tokenizer.json")
    if file is None:
        return ESTIMATE
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    return TokenCounter(lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids), exact=True)


def local_model_file(model: str, name: str) -> Path | None:
    """A file of a model, if the model is a local folder or in the hub's local cache."""
    folder = Path(model)
    if folder.is_dir():
        file = folder / name
        return file if file.is_file() else None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(model, name)
    except HFValidationError:
        return None
    return Path(cached) if isinstance(cached, str) else None
