"""Recipe -> what a run would send and train on: documents, requests, tokens, dollars, time and optimizer steps.

Sends no request.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from itertools import chain

from axolotl_augft.asking.feed import count_requests
from axolotl_augft.batched import batched
from axolotl_augft.cli.estimate import Work, cost_lines
from axolotl_augft.cli.expected_training import expected_training
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.marks import Marks
from axolotl_augft.output.manifest import Manifest
from axolotl_augft.output.reuse import find_result
from axolotl_augft.prepared import Prepared, prepared
from axolotl_augft.store.round_log import logged_rounds
from axolotl_augft.strategies.task import Strategy, Windowed
from axolotl_augft.teacher.request import Request
from axolotl_augft.teacher.spending import Spent
from axolotl_augft.text.tokens import SampledCount, TokenCounter

_SAMPLED_UNITS = 16 * 2048


@dataclass
class EntryPlan:
    """Counts of one `augment` entry.

    Attributes:
        strategy: Name of the strategy.
        units: Number of different texts, exchanges or targets that the requests are about.
        scope: What the requests are about, in words.
        requests: Number of all different requests, including answered ones.
        answered: Number of requests with an answer in the store.
        prompt_tokens: Tokens of the prompts still to be sent.
        distinct_tokens: The same, with each shared prefix counted once.
        longest_answers: Tokens of the missing answers if each is as long as its limit allows.
        tokenized: Number of prompts that were tokenized; the tokens of the others are estimated from these.
        laid_out: Number of requests that were laid out, None if all were.
        spent: Tokens and dollars of the stored answers.
        asks: Whether the teacher is asked anything.
    """

    strategy: str
    units: int = 0
    scope: str = ""
    requests: int = 0
    answered: int = 0
    prompt_tokens: int = 0
    distinct_tokens: int = 0
    longest_answers: int = 0
    tokenized: int = 0
    laid_out: int | None = None
    spent: Spent = field(default_factory=Spent)
    asks: bool = True

    @property
    def work(self) -> Work:
        """The requests still to be sent, and what the stored answers cost."""
        work = Work.of(self.to_ask, self.prompt_tokens, self.distinct_tokens, self.longest_answers, self.spent)
        return work if self.laid_out is None else replace(work, sampled=True)

    @property
    def to_ask(self) -> int:
        """Number of requests without an answer in the store."""
        return self.requests - self.answered


def plan_lines(recipe: Recipe) -> list[str]:
    """Format the plan of a recipe.

    Raises:
        AugftError: The recipe cannot be run.
    """
    result = find_result(recipe)
    with prepared(recipe) as ready:
        assigned = zip(ready.tasks.strategies, recipe.assignments(), strict=True)
        entries = [entry_plan(ready, strategy, ready.documents.of(a.entries).rows) for strategy, a in assigned]
        lines = [
            f"teacher {ready.teacher.id} ({ready.teacher.backend}, {ready.teacher.api})",
            f"documents {ready.documents.count:,}"
            + _held_out(ready)
            + (" (the result is there already: nothing will be asked)" if result else ""),
        ]
        if (directives := ready.documents.directives).rows:
            lines.append(f"  {directives.rows:,} rows {directives.what}")
        lines += _student_lines(ready)
        for plan in entries:
            lines += _entry_lines(plan, ready.teacher.tokens)
        work = sum((plan.work for plan in entries), Work())
        lines += cost_lines(work, ready.teacher, recipe.augft, logged_rounds(ready.store), ready.tasks.ask)
        marks = ready.marks()
        training = expected_training(ready, result, marks)
        return [*lines, *_mark_lines(ready, marks, result), *training]


def entry_plan(ready: Prepared, strategy: Strategy, rows: int) -> EntryPlan:
    """Lay out the requests of one `augment` entry and count them.

    While the store is empty, a large entry is counted by a sample of its requests, if its strategy allows that.

    Args:
        ready: The prepared stage.
        strategy: The strategy of the entry.
        rows: Number of training rows that the entry applies to; decides how large the sample is.
    """
    if not strategy.settings.asks:
        return EntryPlan(strategy.settings.strategy, scope=strategy.scope(0), asks=False)
    if ready.store.is_empty and isinstance(strategy, Windowed):
        return _sampled_plan(ready, strategy, rows)
    plan = EntryPlan(strategy.settings.strategy)
    seen = DigestSet()
    prompts = _Prompts(ready.teacher.tokens)
    for batch in batched(chain(ready.tasks.asked_first(strategy), ready.tasks.sent_by(strategy))):
        plan.units += sum(t.request.sample == 0 and not t.is_first for t in batch)
        new = [t.request for t in batch if seen.add(t.request.key)]
        missing = ready.store.missing(new)
        plan.answered += len(new) - len(missing)
        plan.spent += ready.store.spent([r.key for r in new])
        plan.longest_answers += sum(r.sampling.max_tokens for r in missing)
        for request in missing:
            prompts.add(request)
    plan.requests, plan.scope = len(seen), strategy.scope(plan.units)
    plan.prompt_tokens, plan.distinct_tokens, plan.tokenized = prompts.tokens, prompts.distinct, prompts.tokenized
    return plan


def _sampled_plan(ready: Prepared, strategy: Windowed, rows: int) -> EntryPlan:
    """Plan an entry without stored answers: count all units, but lay out only a sample of them if there are many.

    The sample consists of whole windows of units, because requests share prefixes within a window, spread evenly over
    the data. The requests of the other windows are assumed to have as many tokens on average.
    """
    plan = EntryPlan(strategy.settings.strategy)
    seen = DigestSet()
    prompts = _Prompts(ready.teacher.tokens)
    every = 1 + rows // _SAMPLED_UNITS
    laid_out = longest = 0
    for number, window in enumerate(strategy.windows()):
        new = [unit for unit in window if seen.add(unit.digest)]
        plan.units += len(window)
        plan.requests += len(new) * strategy.settings.samples
        if number % every == 0:
            for task in strategy.lay_out(new):
                prompts.add(task.request)
                longest += task.request.sampling.max_tokens
                laid_out += 1
    plan.scope = strategy.scope(plan.units)
    scale = plan.requests / max(laid_out, 1)
    plan.prompt_tokens, plan.distinct_tokens = round(prompts.tokens * scale), round(prompts.distinct * scale)
    plan.longest_answers, plan.tokenized = round(longest * scale), prompts.tokenized
    plan.laid_out = laid_out if laid_out < plan.requests else None
    return plan


class _Prompts:
    """Running totals of prompt tokens: with the prefix of each prompt, and with each different prefix only once."""

    def __init__(self, counter: TokenCounter) -> None:
        self._targets, self._prefixes, self._new_prefixes = (
            SampledCount(counter),
            SampledCount(counter),
            SampledCount(counter),
        )
        self._seen = DigestSet()

    def add(self, request: Request) -> None:
        prefix = request.prefix
        self._targets.add(request.target)
        self._prefixes.add(prefix.system, prefix.text)
        if self._seen.add(prefix.digest):
            self._new_prefixes.add(prefix.system, prefix.text)

    @property
    def tokenized(self) -> int:
        return self._targets.counted

    @property
    def distinct(self) -> int:
        return self._targets.total + self._new_prefixes.total

    @property
    def tokens(self) -> int:
        return self._targets.total + self._prefixes.total


def _entry_lines(plan: EntryPlan, counter: TokenCounter) -> list[str]:
    if not plan.asks:
        return [f"{plan.strategy}: {plan.scope}"]
    lines = [
        f"{plan.strategy}: {plan.scope}, {plan.requests:,} requests: {plan.answered:,} answered already, "
        f"{plan.to_ask:,} to ask"
    ]
    if plan.to_ask:
        lines.append(
            f"  prompts {plan.prompt_tokens:,} tokens, {plan.distinct_tokens:,} of them without shared prefixes; "
            f"answers at most {plan.longest_answers:,} tokens{_how_counted(counter, plan)}"
        )
    return lines


def _how_counted(counter: TokenCounter, plan: EntryPlan) -> str:
    sampled = "" if plan.laid_out is None else f"of {plan.laid_out:,} of the requests, the others taken to be like them"
    if not counter.exact:
        how = "estimated as bytes / 4: the teacher's tokenizer is not on this machine"
    elif plan.tokenized < plan.to_ask:
        how = f"sampled: {plan.tokenized:,} prompts were tokenized"
    else:
        how = ""
    notes = "; ".join(filter(None, (how, sampled)))
    return f" (tokens {notes})" if notes else ""


def _held_out(ready: Prepared) -> str:
    held_out = sum(len(s.held_out) for s in ready.sources)
    twins = sum(len(s.twins) for s in ready.sources)
    beyond_share = sum(len(s.beyond_share) for s in ready.sources)
    by_weight = f"; rows left out by weight {beyond_share:,}" if beyond_share else ""
    return (
        by_weight
        + (f"; held-out rows {held_out:,}" if held_out else "")
        + (f"; rows equal to held-out or test rows left out {twins:,}" if twins else "")
    )


def _student_lines(ready: Prepared) -> list[str]:
    """Say what the student is asked, and what it was found to know; nothing if it is not asked."""
    if ready.probe is None or (record := ready.probed()) is None:
        return []
    student = ready.probe.student
    asked = count_requests(ready.probe.requests(), ready.store)
    lines = [
        f"student {student.id} ({student.backend}, {student.api}): {asked.total:,} questions: "
        f"{asked.total - asked.missing:,} answered already, {asked.missing:,} to ask"
    ]
    if asked.missing:
        lines.append("  (not counted: its short answers; what it turns out to know is left out of the requests below)")
    return lines + [f"  {line}" for line in record.lines()] if asked.missing < asked.total else lines


def _mark_lines(ready: Prepared, marks: Marks, result: Manifest | None) -> list[str]:
    """Say how many marks match the stored answers, and which cannot.

    Without a result, `expected_training` has applied them.
    """
    if not marks.count:
        return []
    if ready.store.is_empty:
        return [f"marks {marks.count:,}: nothing is answered yet that they could match"]
    if result is not None:
        deque(marks.apply(ready.verdicts_so_far().judged), maxlen=0)
    return [f"marks {marks.count:,}: {marks.matched:,} match a statement", *(f"  {line}" for line in marks.warnings())]
