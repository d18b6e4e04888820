"""Tasks and stored answers -> the requests that the student's knowledge leaves out, and the tokens that this spares."""

from axolotl_augft.batched import batched
from axolotl_augft.files.digest_set import DigestSet
from axolotl_augft.probing.record import LeftOut
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.make import AllTasks
from axolotl_augft.strategies.task import Strategy
from axolotl_augft.teacher.spending import Spent
from axolotl_augft.text.tokens import SampledCount, TokenCounter


def left_out(tasks: AllTasks, store: ResponseStore, counter: TokenCounter) -> LeftOut:
    """Count the requests that are left out.

    Args:
        tasks: The tasks of a recipe.
        store: The store, whose answers say how long answers are.
        counter: Counts tokens as the teacher does, or estimates them.
    """
    prompts = SampledCount(counter)
    requests: dict[str, int] = {}
    answer_tokens = 0.0
    for strategy in tasks.strategies:
        if not strategy.settings.asks:
            continue
        seen = DigestSet()
        for request in (task.request for task in tasks.left_out(strategy)):
            if seen.add(request.key):
                prompts.add(request.prefix.system, request.prefix.text, request.target)
        name = strategy.settings.strategy
        requests[name] = requests.get(name, 0) + len(seen)
        answer_tokens += len(seen) * _tokens_an_answer(tasks, strategy, store) if len(seen) else 0
    return LeftOut(requests, prompts.total, round(answer_tokens))


def _tokens_an_answer(tasks: AllTasks, strategy: Strategy, store: ResponseStore) -> float:
    """Return how long the stored answers of a strategy are on average; 0 without any."""
    spent = Spent()
    for some in batched(tasks.sent_by(strategy)):
        spent += store.spent([task.request.key for task in some])
    return spent.completion_tokens / max(1, spent.answers - spent.without_tokens)
