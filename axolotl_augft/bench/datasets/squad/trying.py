"""Proposed questions -> those whose answer a model finds with both passages, and with one or none of them does not.

Each question is tried several times at a temperature. With both passages most tries must find the answer, with less no
try may. So a question is dropped if the model knows the answer from elsewhere, guesses it, or cannot combine what it
reads; what is kept needs both passages as far as this model can tell.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from axolotl_augft.bench.datasets.squad.choices import normal
from axolotl_augft.bench.datasets.squad.proposals import UNSEEDED, Proposal
from axolotl_augft.bench.served.asking import Ask, Prompt
from axolotl_augft.teacher.request import Prefix

TRIES = 3
_MAX_TOKENS = 24
_SYSTEM = "You answer questions with a name, a date, a number or a few words, and with nothing else."
_UNKNOWN = 'If you cannot know the answer, write "unknown".'


@dataclass(frozen=True, slots=True)
class _Setting:
    """Passages that a question is tried with.

    Attributes:
        dropped: Why a question is dropped here.
        passages: The passages of a question's pair that the model reads.
        is_kept: Tells from the number of tries that found the answer whether the question is kept.
    """

    dropped: str
    passages: Callable[[Proposal], Sequence[str]]
    is_kept: Callable[[int], bool]


def _most(found: int) -> bool:
    return found * 2 > TRIES


def _none(found: int) -> bool:
    return found == 0


# In the order in which most questions are dropped early, so that little is asked.
_SETTINGS = (
    _Setting("not found with both passages", lambda p: p.pair.texts, _most),
    _Setting("found with one passage", lambda p: p.pair.texts[:1], _none),
    _Setting("found with one passage", lambda p: p.pair.texts[1:], _none),
    _Setting("found with no passage", lambda p: (), _none),
)


@dataclass(frozen=True, slots=True)
class Tried:
    """A question after all tries.

    Attributes:
        dropped: Why it is dropped; None if it is kept.
    """

    proposal: Proposal
    dropped: str | None


def tried(proposals: Iterable[Proposal], ask: Ask) -> tuple[Tried, ...]:
    """Try each question with both of its passages, with each alone and with none; returns them in their order."""
    every = list(proposals)
    dropped: dict[int, str] = {}
    for setting in _SETTINGS:
        left = [i for i in range(len(every)) if i not in dropped]
        prompts = [_prompt(every[i], setting, n) for i in left for n in range(TRIES)]
        answers = iter(ask(prompts, "trying"))
        for i in left:
            found = sum(_is_found(every[i].asked.answer, next(answers)) for _ in range(TRIES))
            if not setting.is_kept(found):
                dropped[i] = setting.dropped
    return tuple(Tried(proposal, dropped.get(i)) for i, proposal in enumerate(every))


def _prompt(proposal: Proposal, setting: _Setting, sample: int) -> Prompt:
    read = "".join(f"Text: {text}\n\n" for text in setting.passages(proposal))
    target = f"{_UNKNOWN}\n\nQuestion: {proposal.asked.question}"
    return Prompt(Prefix(_SYSTEM, read), target, _MAX_TOKENS, sample, UNSEEDED)


def _is_found(answer: str, written: str) -> bool:
    return f" {normal(answer)} " in f" {normal(written)} "
