"""lm_eval's Hugging Face model, with the keys and values of a prefix that all prompts share computed once.

An ICL prompt repeats the same documents before every question. The likelihoods are those of the plain model up to
rounding (tested).
"""

import copy
from collections.abc import Sequence
from os.path import commonprefix
from typing import Any

import torch
from lm_eval.models.huggingface import HFLM

_WORTH_IT = 64


class PrefixLM(HFLM):
    """`HFLM`, faster where all prompts begin with the same `_WORTH_IT` tokens or more."""

    _prefix: Any = None
    _cache: Any = None

    def _loglikelihood_tokens(self, requests: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        self._prefix = self._shared_prefix(requests)
        if self._prefix is not None:
            with torch.no_grad():
                self._cache = self.model(self._prefix[None], use_cache=True, logits_to_keep=1).past_key_values
        try:
            return super()._loglikelihood_tokens(requests, *args, **kwargs)
        finally:
            self._prefix = self._cache = None

    def _shared_prefix(self, requests: Sequence[Any]) -> Any:
        """The tokens that all contexts begin with, None if they are too few or a prompt is cut to the model's length."""
        if any(len(context) + len(choice) > self.max_length for _, context, choice in requests):
            return None
        # One token of each context is left, for the logits of the choice's first token.
        shared = commonprefix([context[:-1] for _, context, _ in requests])
        return torch.tensor(shared, device=self.device) if len(shared) >= _WORTH_IT else None

    def _model_call(self, inps: Any, attn_mask: Any = None, labels: Any = None) -> Any:
        if self._prefix is None:
            return super()._model_call(inps, attn_mask, labels)
        cache = copy.deepcopy(self._cache)
        cache.batch_repeat_interleave(len(inps))
        with torch.no_grad():
            # lm_eval counts from the end of what it gets, so that logits without the prefix's are what it wants.
            return self.model(inps[:, len(self._prefix) :], past_key_values=cache, use_cache=True).logits
