"""Text -> number of tokens, by a model's own tokenizer where it is at hand without the network, else an estimate that says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson

_BYTES_PER_TOKEN = 4
_COUNTED_ALL = 500


@dataclass(frozen=True)
class TokenCounter:
    """Counts tokens; `exact` is False where no tokenizer was at hand and bytes / 4 stand for tokens."""

    count_all: Callable[[Sequence[str]], list[int]]
    exact: bool

    def count(self, text: str) -> int:
        """Tokens of one text."""
        return self.count_all([text])[0]


ESTIMATE = TokenCounter(lambda texts: [-(-len(text.encode()) // _BYTES_PER_TOKEN) for text in texts], exact=False)


def token_counter(model: str) -> TokenCounter:
    """A counter for `model`, a local folder or a hub name whose tokenizer is in the local cache."""
    file = local_model_file(model, "tokenizer.json")
    if file is None:
        return ESTIMATE
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))

    def count_all(texts: Sequence[str]) -> list[int]:
        # For one text a batch costs more than it saves.
        if len(texts) == 1:
            return [len(tokenizer.encode(texts[0], add_special_tokens=False))]
        return [len(e) for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    return TokenCounter(count_all, exact=True)


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


class SampledCount:
    """Adds up the tokens of many texts: the first 500 by the tokenizer, then every second, fourth, eighth … as their number doubles.

    The others are taken by their bytes, at the rate of tokens a byte that the counted ones have, so that a plan of a
    million documents needs a few thousand tokenizations.

    Args:
        counter: The tokenizer.
    """

    def __init__(self, counter: TokenCounter) -> None:
        # Prefixes come many times in a row.
        self._count = lru_cache(maxsize=16)(counter.count)
        self._tokens = self._bytes = self._other_bytes = 0
        self.texts = self.counted = 0

    @property
    def total(self) -> int:
        """Tokens so far."""
        return self._tokens + round(self._other_bytes * self._rate)

    def add(self, *parts: str) -> int:
        """Counts a text, given in parts that are tokenized each on its own; says how many tokens it has, or is taken to have."""
        size = sum(len(part) if part.isascii() else len(part.encode()) for part in parts)
        self.texts += 1
        if (self.texts - 1) % (1 << ((self.texts - 1) // _COUNTED_ALL).bit_length()):
            self._other_bytes += size
            return round(size * self._rate)
        tokens = sum(self._count(part) for part in parts)
        self._bytes += size
        self._tokens += tokens
        self.counted += 1
        return tokens

    @property
    def _rate(self) -> float:
        """Tokens a byte of the texts that were counted."""
        return self._tokens / max(self._bytes, 1)


def has_chat_template(model: str) -> bool:
    """Looks into the model's files; a model that is not on this machine is taken for a chat model."""
    if local_model_file(model, "chat_template.jinja"):
        return True
    file = local_model_file(model, "tokenizer_config.json")
    return file is None or "chat_template" in orjson.loads(file.read_bytes())
