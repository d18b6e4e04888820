"""A question -> the requests that put it to a model, and their stored answers -> the probability of yes."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from axolotl_augft.teacher.answer import Answer, Outcome, TokenChoice
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.verifying.questions import Question

_CHOICES = 20
_MAX_TOKENS = 512
_TEMPERATURE = 0.7
_SMALLEST_MASS = 0.5
_WORD = re.compile(r"^\W*(?:answer\W+)?(yes|no)\b", re.IGNORECASE)


class Poll(Protocol):
    """A way to ask a question that is answered by yes or no."""

    def requests(self, question: Question) -> list[Request]:
        """Make the requests that ask the question, always the same number."""

    def probability(self, answers: Sequence[Answer | None]) -> float | None:
        """Return the probability of yes, from the answers to these requests; None if they do not tell."""


class LogProbabilities:
    """Asks for one token, and takes the probability of yes among yes and no."""

    def __init__(self, verifier: Teacher) -> None:
        config = verifier.config.model_copy(update={"temperature": 0.0, "top_p": None})
        # The answer does not depend on the seed, so recipes with other seeds find it in the store.
        self._verifier = replace(verifier, config=config, seed=0)
        chat = verifier.api == "chat"
        self._fields = {"logprobs": True, "top_logprobs": _CHOICES} if chat else {"logprobs": _CHOICES}

    def requests(self, question: Question) -> list[Request]:
        """Make the one request that asks the question."""
        return [self._verifier.request(question.prefix, question.target, 1, (), extra=self._fields)]

    def probability(self, answers: Sequence[Answer | None]) -> float | None:
        """Return P(yes) / (P(yes) + P(no)); None without log-probabilities, or if neither word is among the choices."""
        choices = answers[0].first_token if answers[0] is not None else None
        return _share_of_yes(choices) if choices else None

    def can_be_read(self, answer: Answer | None) -> bool:
        """Whether an answer holds log-probabilities, and yes and no take up most of the probability."""
        choices = (answer.first_token if answer is not None else None) or ()
        return sum(math.exp(c.logprob) for c in choices if _word(c) in ("yes", "no")) >= _SMALLEST_MASS


class Votes:
    """Asks several times, and takes the share of yes.

    Args:
        verifier: The model to ask.
        votes: Number of answers per question.
    """

    def __init__(self, verifier: Teacher, votes: int) -> None:
        config = verifier.config
        self._verifier = replace(
            verifier, config=config.model_copy(update={"temperature": max(config.temperature, _TEMPERATURE)})
        )
        self._votes = votes
        # A reasoning model thinks before it answers; another one stops after a word.
        self._max_tokens = config.max_tokens or _MAX_TOKENS
        self._stop = ("\n",) if verifier.api == "completions" else ()

    def requests(self, question: Question) -> list[Request]:
        """Make one request for each vote."""
        return [
            self._verifier.request(question.prefix, question.target, self._max_tokens, self._stop, sample)
            for sample in range(self._votes)
        ]

    def probability(self, answers: Sequence[Answer | None]) -> float | None:
        """Return the share of yes among the answers that say yes or no; None if none does."""
        texts = [a.text for a in answers if a is not None and a.outcome is Outcome.ANSWERED]
        said = [word[1].lower() for text in texts if (word := _WORD.match(text))]
        return said.count("yes") / len(said) if said else None


def _word(choice: TokenChoice) -> str:
    # Tokenizers mark a space before a word in ways of their own.
    return choice.token.strip(" \n\t\u2581\u0120").lower()


def _share_of_yes(choices: Sequence[TokenChoice]) -> float | None:
    """Return the share of yes in the probability of yes and no.

    A word that is not among the choices is less probable than all of them. It is given the probability of the last, or
    of what is left over, whichever is less.
    """
    found = {word: [c.logprob for c in choices if _word(c) == word] for word in ("yes", "no")}
    if not any(found.values()):
        return None
    left = max(0.0, 1 - sum(math.exp(c.logprob) for c in choices))
    unseen = min(left, *(math.exp(c.logprob) for c in choices))
    mass = {word: sum(map(math.exp, own)) if own else unseen for word, own in found.items()}
    return mass["yes"] / (mass["yes"] + mass["no"])
