"""What a run would ask, before anything is asked: documents, requests, tokens, and training before and after. Calls nobody."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from axolotl_augft.augmenting import judged_inferences
from axolotl_augft.config import Augment
from axolotl_augft.global_strategy import GlobalStrategy
from axolotl_augft.manifest import Manifest
from axolotl_augft.recipe import Recipe
from axolotl_augft.reuse import find_result
from axolotl_augft.sources import Source
from axolotl_augft.splitting import split_sentences
from axolotl_augft.stage import Prepared, prepared
from axolotl_augft.student import load_student
from axolotl_augft.summary import Load, summary_lines, too_long_lines, training_lines
from axolotl_augft.tasks import Strategy, Task
from axolotl_augft.tokens import TokenCounter

_CHUNK = 500


@dataclass
class EntryPlan:
    """Counts of one `augment` entry. Token counts are of the requests still to ask; answers are counted at their longest."""

    strategy: str
    units: int = 0
    groups: int | None = None
    requests: int = 0
    answered: int = 0
    prompt_tokens: int = 0
    distinct_tokens: int = 0
    longest_answers: int = 0

    @property
    def to_ask(self) -> int:
        """Requests without an answer in the store."""
        return self.requests - self.answered


def plan_lines(recipe: Recipe) -> list[str]:
    """The plan, a line each.

    Raises:
        AugftError: The recipe cannot be run.
    """
    result = find_result(recipe)
    with prepared(recipe) as ready:
        entries = [_entry_plan(ready, entry, strategy) for entry, strategy in ready.plan.entries]
        lines = [
            f"teacher {ready.teacher.id} ({ready.teacher.backend}, {ready.teacher.api})",
            f"documents {ready.documents:,}"
            + _held_out(ready)
            + (" (the result is there already: nothing will be asked)" if result else ""),
        ]
        exact = "" if ready.teacher.tokens.exact else " (tokens estimated as bytes / 4: the teacher's tokenizer is not on this machine)"
        for plan in entries:
            lines += _entry_lines(plan, exact)
        return lines + _training(ready, result)


def _entry_plan(ready: Prepared, entry: Augment, strategy: Strategy) -> EntryPlan:
    plan = EntryPlan(entry.strategy, groups=len(strategy.groups) if isinstance(strategy, GlobalStrategy) else None)
    seen: set[bytes] = set()
    prefixes: set[bytes] = set()
    tasks = strategy.in_sending_order()
    while some := list(islice(tasks, _CHUNK)):
        new = {t.request.key: t for t in some if t.request.key not in seen}
        seen.update(new)
        answers = ready.store.get([t.request for t in new.values()])
        plan.units += sum(t.request.sample == 0 for t in some)
        plan.requests += len(new)
        plan.answered += sum(a is not None for a in answers)
        _add_tokens(plan, [t for t, a in zip(new.values(), answers, strict=True) if a is None], ready.teacher.tokens, prefixes)
    return plan


def _add_tokens(plan: EntryPlan, tasks: Sequence[Task], tokens: TokenCounter, prefixes: set[bytes]) -> None:
    sizes: dict[bytes, int] = {}
    for task in tasks:
        request = task.request
        if request.prefix.digest not in sizes:
            sizes[request.prefix.digest] = tokens.count(request.prefix.system) + tokens.count(request.prefix.text)
        target = tokens.count(request.target)
        plan.prompt_tokens += sizes[request.prefix.digest] + target
        plan.distinct_tokens += target + (0 if request.prefix.digest in prefixes else sizes[request.prefix.digest])
        plan.longest_answers += request.sampling.max_tokens
        prefixes.add(request.prefix.digest)


def _entry_lines(plan: EntryPlan, exact: str) -> list[str]:
    of = f"{plan.units:,} units" if plan.groups is None else f"{plan.units:,} targets in {plan.groups:,} context groups"
    lines = [f"{plan.strategy}: {of}, {plan.requests:,} requests: {plan.answered:,} answered already, {plan.to_ask:,} to ask"]
    if plan.to_ask:
        lines.append(
            f"  prompts {plan.prompt_tokens:,} tokens, {plan.distinct_tokens:,} of them without shared prefixes; "
            f"answers at most {plan.longest_answers:,} tokens{exact}"
        )
    return lines


def _held_out(ready: Prepared) -> str:
    held_out = sum(len(s.held_out) for s in ready.sources)
    twins = sum(len(s.twins) for s in ready.sources)
    return (f"; held-out rows {held_out:,}" if held_out else "") + (
        f"; rows equal to held-out or test rows left out {twins:,}" if twins else ""
    )


def _training(ready: Prepared, result: Manifest | None) -> list[str]:
    recipe = ready.recipe
    if result is not None:
        return summary_lines(result, recipe, {})[-5:]
    count = load_student(recipe).tokens
    before = originals = Load(0, 0)
    too_long = Counter[str]()
    for source in ready.sources:
        sizes = [count.count(source.text(i)) for i in source.training_rows]
        too_long["original"] += sum(size > recipe.training.sequence_len for size in sizes)
        own = Load(len(sizes), sum(sizes))
        before += own
        if source.format is None or recipe.augft.include_original:
            if source.format and source.format.writes == "statements" and recipe.augft.sentence_splitting != "none":
                own = Load(sum(_sentences(source, i, recipe.augft.language) for i in source.training_rows), own.tokens)
            originals += own.times(recipe.augft.repeat_original if source.format else 1)
    kept = Counter[str]()
    for judged in judged_inferences(ready.plan, ready.store, recipe.augft, ready.leaks):
        if judged.rejected is None:
            tokens = count.count(judged.inference.whole)
            kept.update(rows=1, tokens=tokens)
            too_long[f"{judged.task.strategy}/{judged.inference.kind}"] += tokens > recipe.training.sequence_len
    augmented = Load(kept["rows"], kept["tokens"]).times(recipe.augft.repeat_augmented)
    lines = training_lines(before, originals, augmented, recipe.training, count.exact)
    lines += too_long_lines(too_long, recipe.training.sequence_len)
    return [*lines, "  (augmentations as far as they are answered already; the rest is not known before it is written)"]


def _sentences(source: Source, row: int, language: str) -> int:
    """Rows that sentence splitting makes of one."""
    return len(split_sentences(source.text(row), language))
