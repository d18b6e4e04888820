"""Text -> number of tokens, counted by the model's tokenizer if it is on this machine, otherwise estimated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import orjson

_BYTES_PER_TOKEN = 4
_COUNTED_ALL = 500


@dataclass(frozen=True)
class TokenCounter:
    """Counts the tokens of texts.

    Attributes:
        count_all: Maps texts to their numbers of tokens, without special tokens.
        exact: False if no tokenizer is available and the counts are estimated as UTF-8 bytes / 4, rounded up.
        special: The tokenizer's special tokens; empty if no tokenizer is available.
    """

    count_all: Callable[[Sequence[str]], list[int]]
    exact: bool
    special: tuple[str, ...] = ()

    def count(self, text: str) -> int:
        """Count the tokens of one text."""
        return self.count_all([text])[0]


ESTIMATE = TokenCounter(lambda texts: [-(-len(text.encode()) // _BYTES_PER_TOKEN) for text in texts], exact=False)


def counted_once(counter: TokenCounter) -> TokenCounter:
    """Make a counter that remembers every text it has counted, for as long as it is used."""
    known: dict[str, int] = {}

    def count_all(texts: Sequence[str]) -> list[int]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, counter.count_all(new), strict=True))
        return [known[text] for text in texts]

    return replace(counter, count_all=count_all)


def token_counter(model: str) -> TokenCounter:
    """Make a token counter without using the network.

    Args:
        model: A local folder or a hub name; `ESTIMATE` is returned if its `tokenizer.json` is neither in the folder nor
            in the hub's local cache.
    """
    file = local_model_file(model, "tokenizer.json")
    if file is None:
        return ESTIMATE
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count_all(texts: Sequence[str]) -> list[int]:
        # For a single text, batching costs more than it saves.
        if len(texts) == 1:
            return [len(tokenizer.encode(texts[0], add_special_tokens=False))]
        return [len(e) for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    special = tuple(token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special)
    return TokenCounter(count_all, exact=True, special=special)


def local_model_file(model: str, name: str) -> Path | None:
    """Find a file of a model in its local folder or in the hub's local cache; None if it is not there."""
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
    """Running total of tokens over many texts, of which only a sample is tokenized.

    The first 500 texts are tokenized, then every second one up to 1,000, every fourth up to 2,000, and so on. The rest
    are estimated from their size at the tokens per byte of the sample, so that planning a million documents takes a few
    thousand tokenizations.

    Attributes:
        texts: Number of texts added.
        counted: How many of them were tokenized.
    """

    def __init__(self, counter: TokenCounter) -> None:
        # The same prefix is often passed many times in a row.
        self._count = lru_cache(maxsize=16)(counter.count)
        self._tokens = self._bytes = self._other_bytes = 0
        self.texts = self.counted = 0

    @property
    def total(self) -> int:
        """Tokens of all texts so far, estimates included."""
        return self._tokens + round(self._other_bytes * self._rate)

    def add(self, *parts: str) -> int:
        """Add a text, given as parts that are tokenized separately; return its counted or estimated tokens."""
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
        """Tokens per byte of the tokenized texts."""
        return self._tokens / max(self._bytes, 1)


def has_chat_template(model: str) -> bool:
    """Tell whether a model has a chat template; assumed if its `tokenizer_config.json` is not on this machine."""
    if local_model_file(model, "chat_template.jinja"):
        return True
    file = local_model_file(model, "tokenizer_config.json")
    return file is None or "chat_template" in orjson.loads(file.read_bytes())
