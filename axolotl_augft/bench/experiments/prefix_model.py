"""Prompts with a shared prefix -> answers: lm_eval's Hugging Face model with the prefix computed once.

An ICL prompt repeats the same documents before every question. Likelihoods and written answers equal those of the plain
model up to rounding (tested).
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os.path import commonprefix
from typing import Any

import torch
from lm_eval.models.huggingface import HFLM

_WORTH_IT = 64


class PrefixLM(HFLM):
    """`HFLM` that caches the keys and values of a prefix of at least `_WORTH_IT` tokens shared by all prompts."""

    batch_size_per_gpu: int | str
    _prefix: Any = None
    _cache: Any = None

    def _loglikelihood_tokens(self, requests: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        with self._prefix_of(requests):
            return super()._loglikelihood_tokens(requests, *args, **kwargs)

    def generate_until(self, requests: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        """Write answers; one prompt at a time if they share a prefix, since padding would stand before it."""
        contexts = [(None, self.tok_encode(r.args[0]), [0] * r.args[1]["max_gen_toks"]) for r in requests]
        batch_size = self.batch_size_per_gpu
        with self._prefix_of(contexts):
            self.batch_size_per_gpu = batch_size if self._prefix is None else 1
            try:
                return super().generate_until(requests, *args, **kwargs)
            finally:
                self.batch_size_per_gpu = batch_size

    def _model_generate(self, context: Any, max_length: int, stop: list[str], **kwargs: Any) -> Any:
        if self._prefix is not None:
            kwargs["past_key_values"] = copy.deepcopy(self._cache)
        return super()._model_generate(context=context, max_length=max_length, stop=stop, **kwargs)

    @contextmanager
    def _prefix_of(self, requests: Sequence[Any]) -> Iterator[None]:
        """Compute the prefix of requests, if they have one, and forget it afterwards."""
        self._prefix = self._shared_prefix(requests)
        if self._prefix is not None:
            with torch.no_grad():
                self._cache = self.model(self._prefix[None], use_cache=True, logits_to_keep=1).past_key_values
        try:
            yield
        finally:
            self._prefix = self._cache = None

    def _shared_prefix(self, requests: Sequence[Any]) -> Any:
        """Tokens that all contexts begin with; None if they are too few, or if a prompt exceeds the model's length."""
        if any(len(context) + len(choice) > self.max_length for _, context, choice in requests):
            return None
        # Leave one token of each context: its logits predict the first token of the choice.
        shared = commonprefix([context[:-1] for _, context, _ in requests])
        return torch.tensor(shared, device=self.device) if len(shared) >= _WORTH_IT else None

    def _model_call(self, inps: Any, attn_mask: Any = None, labels: Any = None) -> Any:
        if self._prefix is None:
            return super()._model_call(inps, attn_mask, labels)
        cache = copy.deepcopy(self._cache)
        cache.batch_repeat_interleave(len(inps))
        with torch.no_grad():
            # lm_eval indexes the logits from the end, so it does not miss those of the prefix.
            return self.model(inps[:, len(self._prefix) :], past_key_values=cache, use_cache=True).logits
