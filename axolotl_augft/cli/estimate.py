"""Requests still to be sent -> an estimate of their dollars and time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.steady import duration
from axolotl_augft.store.round_log import LoggedRound
from axolotl_augft.teacher.prices import NANO, Price, find_price, missing_price_message
from axolotl_augft.teacher.spending import Spent, dollars
from axolotl_augft.teacher.teacher import Teacher

_ASSUMED_TOKENS_PER_SECOND = 30
_LAST_RUNS = 10
_DAY = 86_400


@dataclass(frozen=True)
class Work:
    """The requests still to be sent, of one `augment` entry or of all.

    Attributes:
        requests: Number of requests.
        prompt_tokens: Tokens of the prompts, each with its prefix.
        distinct_tokens: Tokens of the prompts, with each different prefix counted once.
        longest_answers: Tokens of the answers if each is as long as its limit allows.
        likely_answers: Tokens of the answers if they are as long as the stored ones on average, but at most
            `longest_answers`; equal to it if no stored answer reports its tokens.
        spent: Tokens and dollars of the stored answers.
        sampled: Not all requests were laid out, so the tokens are extrapolated.
    """

    requests: int = 0
    prompt_tokens: int = 0
    distinct_tokens: int = 0
    longest_answers: int = 0
    likely_answers: int = 0
    spent: Spent = field(default_factory=Spent)
    sampled: bool = False

    @classmethod
    def of(cls, requests: int, prompt_tokens: int, distinct_tokens: int, longest_answers: int, spent: Spent) -> "Work":
        """Make the work of one entry, estimating the length of its missing answers from the stored ones."""
        reporting = spent.answers - spent.without_tokens
        likely = (
            min(longest_answers, round(requests * spent.completion_tokens / reporting))
            if reporting
            else longest_answers
        )
        return cls(requests, prompt_tokens, distinct_tokens, longest_answers, likely, spent)

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.distinct_tokens + other.distinct_tokens,
            self.longest_answers + other.longest_answers,
            self.likely_answers + other.likely_answers,
            self.spent + other.spent,
            self.sampled or other.sampled,
        )


def cost_lines(
    work: Work, teacher: Teacher, config: AugftConfig, runs: Sequence[LoggedRound], asks: bool = True
) -> list[str]:
    """Format the estimated dollars and time, and what the recipe has spent so far.

    Args:
        work: The requests still to be sent.
        teacher: The teacher model.
        config: The `augft:` block.
        runs: Rounds logged in the store, oldest first; those of this teacher say how fast it is.
        asks: Whether any strategy asks the teacher: only what it writes is verified.
    """
    verdicts = (
        [_verification_line(config.verify, teacher)]
        if asks and config.verify is not None and not config.verify.checks_names
        else []
    )
    if not work.requests:
        return [f"dollars: nothing more{_spent_so_far(work.spent)}", *verdicts]
    price = find_price(teacher.config, teacher.model)
    return [_dollar_line(work, teacher, config, price), _time_line(work, teacher, runs), *verdicts]


def _verification_line(config: VerifyConfig, teacher: Teacher) -> str:
    by = teacher.id if config.by is None else config.by.model
    more = "; up to four a kept statement and 200 a strategy for contradictions" if config.contradictions else ""
    return (
        f"  (not counted: verification by {by}, two or three short requests a statement and up to 350 for planted "
        f"slips{more}; several times as many if it gives no log-probabilities)"
    )


def _dollar_line(work: Work, teacher: Teacher, config: AugftConfig, price: Price | None) -> str:
    if price is None:
        return f"dollars: unknown ({missing_price_message(teacher.config, teacher.model)}){_spent_so_far(work.spent)}"
    most = price.cost(work.prompt_tokens, 0, work.longest_answers) / NANO
    likely = price.cost(work.prompt_tokens, work.prompt_tokens - work.distinct_tokens, work.likely_answers) / NANO
    length = (
        "answers as long as those so far"
        if work.likely_answers < work.longest_answers
        else "answers still at their longest"
    )
    bound = "about" if work.sampled else "at most"
    line = (
        f"dollars: {bound} {dollars(most)} (nothing cached, answers at their longest); {dollars(likely)} with shared "
        f"prefixes cached and {length}"
    )
    stop = config.max_cost_usd
    if stop is not None and most + work.spent.nanodollars / NANO > stop:
        line += f"; the run ends at {dollars(stop)} (max_cost_usd)"
    return f"{line} ({price.source}){_spent_so_far(work.spent)}"


def _spent_so_far(spent: Spent) -> str:
    if not spent.answers:
        return ""
    usage = spent.usage()
    if usage.dollars is None:
        return "; spent so far: unknown"
    least = f" at least ({usage.without_dollars:,} answers unknown)" if usage.without_dollars else ""
    return f"; spent so far: {dollars(usage.dollars)}{least}"


def _time_line(work: Work, teacher: Teacher, runs: Sequence[LoggedRound]) -> str:
    if teacher.config.batch:
        return "time: up to a day for each round of batches (the provider's window)"
    measured = [r for r in runs if r.teacher == teacher.id and r.asked and r.seconds and r.completion_tokens][
        -_LAST_RUNS:
    ]
    if measured:
        rate = sum(r.completion_tokens for r in measured) / sum(r.seconds for r in measured)
        how = f"{rate:,.0f} tokens/s of answers, as measured in this teacher's last runs"
        tokens = work.likely_answers
    else:
        rate = teacher.max_concurrency * _ASSUMED_TOKENS_PER_SECOND
        how = (
            f"assuming that each of {teacher.max_concurrency} requests in flight gets {_ASSUMED_TOKENS_PER_SECOND} "
            "tokens/s, answers at their longest; nothing is measured yet"
        )
        tokens = work.longest_answers
    seconds = max(tokens / rate, _seconds_by_limits(work, teacher))
    return f"time: about {_duration(seconds)} ({how})"


def _seconds_by_limits(work: Work, teacher: Teacher) -> float:
    """Return the least seconds that `requests_per_minute` and `tokens_per_minute` allow, 0 without such limits."""
    config = teacher.config
    by_requests = work.requests * 60 / config.requests_per_minute if config.requests_per_minute else 0.0
    by_tokens = (
        (work.prompt_tokens + work.likely_answers) * 60 / config.tokens_per_minute if config.tokens_per_minute else 0.0
    )
    return max(by_requests, by_tokens)


def _duration(seconds: float) -> str:
    return f"{seconds / _DAY:,.1f} days" if seconds > 3 * _DAY else duration(seconds)
