"""Pairs -> for each the logarithms of the probabilities that its statement follows, and that it does not.

Only the process of the server imports this module, because of torch and transformers.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from axolotl_augft.teacher.entailment.pair import Pair, Score, Unfit
from axolotl_augft.teacher.entailment.passages import passages

_PLACE = re.compile(r"\{(premise|statement|eos)\}")
# Rooms that differ by less than this part of the window are one room, so that a premise is cut once for statements of
# similar length.
_ROOM_STEPS = 32
_CUT_PREMISES = 64

Features = Mapping[str, list[int]]
Logits = Callable[[Mapping[str, Tensor]], Tensor]


@dataclass(frozen=True)
class Reading:
    """How pairs become what the model reads.

    Attributes:
        tokenizer: A tokenizer of transformers.
        template: One text with places for both, None if the tokenizer joins the two.
        max_length: Most tokens that the model takes at once.
    """

    tokenizer: Any
    template: str | None
    max_length: int


@dataclass(frozen=True)
class Forward:
    """How the model answers.

    Attributes:
        logits: Maps a batch to logits, one row a text.
        label: The column that means that the statement follows.
        batch_tokens: Most tokens of a batch, padding included.
        device: Where the model is.
    """

    logits: Logits
    label: int
    batch_tokens: int
    device: torch.device


class Scorer:
    """Judges pairs with one model.

    A premise that is too long is cut into passages, and the passage from which the statement follows most probably
    counts, as in MiniCheck (arXiv 2404.10774).
    """

    def __init__(self, reading: Reading, forward: Forward) -> None:
        self._reading = reading
        self._forward = forward
        special = sorted(reading.tokenizer.all_special_tokens, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, special))) if special else None
        self._cut = lru_cache(_CUT_PREMISES)(lambda premise, room: passages(premise, room, self._count))

    def score(self, pairs: Sequence[Pair]) -> list[Score | Unfit]:
        """Judge pairs, in their order; an `Unfit` in the place of a score says why there is none."""
        read = [self._read(pair) for pair in pairs]
        texts = [features for one in read if not isinstance(one, Unfit) for features in one]
        found = iter(self._scores(texts))
        return [one if isinstance(one, Unfit) else _best([next(found) for _ in one]) for one in read]

    def try_longest(self) -> None:
        """Run the model once on as many tokens as it is to take; raises what PyTorch raises if it cannot."""
        most = self._reading.max_length
        self._logits([dict(self._reading.tokenizer("a " * most, truncation=True, max_length=most))])

    def _read(self, pair: Pair) -> list[Features] | Unfit:
        """Return what the model reads for a pair: one text, or one for each passage of its premise."""
        most = self._reading.max_length
        premise, statement = self._defused(pair.premise), self._defused(pair.statement)
        whole = self._tokens(premise, statement)
        if len(whole["input_ids"]) <= most:
            return [whole]
        room, step = most - len(self._tokens("", statement)["input_ids"]), max(1, most // _ROOM_STEPS)
        while room >= most // 4:
            room -= room % step
            parts = [self._tokens(passage, statement) for passage in self._cut(premise, room)]
            if all(len(part["input_ids"]) <= most for part in parts):
                return parts
            room -= 1
        return Unfit(
            f"the statement leaves too little room for its premise, because the model takes {most} tokens at once"
        )

    def _tokens(self, premise: str, statement: str) -> Features:
        tokenizer, template = self._reading.tokenizer, self._reading.template
        if template is None:
            return dict(tokenizer(premise, statement))
        # In one pass, so that a text which holds the name of a place stays as it is.
        places = {"premise": premise, "statement": statement, "eos": tokenizer.eos_token or ""}
        return dict(tokenizer(_PLACE.sub(lambda place: places[place[1]], template)))

    def _count(self, text: str) -> int:
        return len(self._reading.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _defused(self, text: str) -> str:
        """Put a space into each special token that a text holds, so that it cannot pretend to be another text."""
        return self._special.sub(lambda token: f"{token[0][0]} {token[0][1:]}", text) if self._special else text

    def _scores(self, texts: Sequence[Features]) -> list[Score]:
        """Judge texts in batches of similar length, the longest first, and return their scores in the given order."""
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]["input_ids"]))
        scores: dict[int, Score] = {}
        for batch in _batches(order, [len(text["input_ids"]) for text in texts], self._forward.batch_tokens):
            scores.update(zip(batch, self._batch([texts[i] for i in batch]), strict=True))
        return [scores[i] for i in range(len(texts))]

    def _batch(self, texts: list[Features]) -> list[Score]:
        """Judge one batch; in halves if it does not fit into the GPU's memory."""
        try:
            rows = self._logits(texts)
        except torch.OutOfMemoryError:
            if len(texts) == 1:
                raise
            torch.cuda.empty_cache()
            middle = len(texts) // 2
            return self._batch(texts[:middle]) + self._batch(texts[middle:])
        label = self._forward.label
        logs = rows.log_softmax(-1)
        others = torch.cat([logs[:, :label], logs[:, label + 1 :]], -1).logsumexp(-1)
        counted = zip(logs[:, label].tolist(), others.tolist(), texts, strict=True)
        return [Score(follows, not_follows, len(text["input_ids"])) for follows, not_follows, text in counted]

    @torch.inference_mode()
    def _logits(self, texts: list[Features]) -> Tensor:
        batch = self._reading.tokenizer.pad(texts, return_tensors="pt")
        rows = self._forward.logits({name: values.to(self._forward.device) for name, values in batch.items()})
        # In double precision, so that a probability near 1 has a logarithm that differs from 0.
        rows = rows.to("cpu", torch.float64)
        if not rows.isfinite().all():
            raise FloatingPointError("the model's output holds values that are not numbers")
        return rows


def _batches(order: Sequence[int], lengths: Sequence[int], most_tokens: int) -> Iterator[list[int]]:
    """Cut an order of falling lengths into batches; a text that is too long for any batch is one of its own."""
    batch: list[int] = []
    for i in order:
        if batch and lengths[batch[0]] * (len(batch) + 1) > most_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _best(scores: Sequence[Score]) -> Score:
    """Return the score of the passage that supports the statement most, with the tokens of all passages."""
    best = max(scores, key=lambda score: score.follows)
    return Score(best.follows, best.not_follows, sum(score.tokens for score in scores))
