"""What the server says of its window, and the prompt tokens that it counts -> an error if it cuts prompts."""

from collections.abc import Callable
from functools import lru_cache

from axolotl_augft.errors import TeacherError
from axolotl_augft.teacher.answer import Answer
from axolotl_augft.teacher.request import Prefix, Request
from axolotl_augft.text.tokens import TokenCounter

_PREFIXES = 64
_FEW_CHARACTERS_PER_TOKEN = 2
_CUT_BELOW = 0.9
_GROWN = 1.1
_REMEDY = (
    "give the server a larger window (vLLM: --max-model-len, Ollama: OLLAMA_CONTEXT_LENGTH, llama.cpp: --ctx-size), or "
    "lower context_tokens or max_tokens in augft.augment"
)


class PromptWindow:
    """Compares the requests with the server's window, which may be smaller than the model's.

    Attributes:
        served: Most tokens of prompt and answer together, None if the server does not say.

    Args:
        tokens: Counts tokens as the teacher's model does, or estimates them.
    """

    def __init__(self, tokens: TokenCounter) -> None:
        self.served: int | None = None
        self._exact = tokens.exact
        self._count = _counter(tokens.count)
        self._largest = 0.0

    @property
    def compares(self) -> bool:
        """Whether the prompt tokens that the server reports can be compared with an own count."""
        return self._exact

    def check_request(self, request: Request) -> None:
        """Check a request before it is sent.

        Raises:
            TeacherError: It does not fit into the server's window.
        """
        if self.served is None:
            return
        longest = request.sampling.max_tokens
        if request.size / _FEW_CHARACTERS_PER_TOKEN + longest <= self.served:
            return
        prompt = self._count(request)
        if prompt + longest > self.served:
            raise TeacherError(
                f"a request of {prompt:,} tokens and an answer of up to {longest:,} do not fit into the "
                f"{self.served:,} tokens that the teacher's server allows (max_model_len of /v1/models); {_REMEDY}"
            )

    def check_answer(self, request: Request, answer: Answer) -> None:
        """Check what the server reports of a prompt. Only prompts larger than those before are counted.

        Raises:
            TeacherError: The server has read less than the whole prompt.
        """
        if not self._exact or not answer.prompt_tokens or request.size <= _GROWN * self._largest:
            return
        self._largest = request.size
        own = self._count(request)
        # Some servers leave out the tokens that their cache answered.
        if answer.prompt_tokens + (answer.cached_tokens or 0) < _CUT_BELOW * own:
            raise TeacherError(
                f"the teacher's server has read {answer.prompt_tokens:,} tokens of a prompt of {own:,} "
                f"(usage.prompt_tokens), so it cuts prompts, and its answers would be about a part of the "
                f"text; {_REMEDY}"
            )


def _counter(count: Callable[[str], int]) -> Callable[[Request], int]:
    @lru_cache(_PREFIXES)
    def prefix_tokens(prefix: Prefix) -> int:
        return count(prefix.system) + count(prefix.text)

    return lambda request: prefix_tokens(request.prefix) + count(request.target)
