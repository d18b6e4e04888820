"""Judged inferences in sending order in; the same ones in document order out."""

from itertools import groupby

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.shards.document_order import in_document_order, reordered
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.make import AllTasks
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from tests.strategies.test_global import TEXTS, documents, strategy


def task(row: int) -> Task:
    request = Request("t", "chat", Prefix("", "Owls hunt."), f"{row}", Sampling(0, None, 9, (), 1), 0)
    return Task(request, "global", Document(f"{row}", "Owls hunt.", 0, row), ("Owls hunt.",))


def judged(of: Task, text: str, reason: Reason | None = None) -> Judged:
    return Judged(of, Inference(text, "conclusion", rests_on=("a",)), reason, probability=0.5, alone=0.25)


def test_statements_come_in_the_order_of_their_tasks_and_belong_to_these():
    sent = [task(row) for row in (2, 0, 1)]
    found = [judged(sent[0], "Two."), judged(sent[0], "Two", Reason.MALFORMED), judged(sent[1], "Nought.")]
    in_order = [task(row) for row in range(3)]
    assert list(reordered(found, in_order)) == [
        judged(in_order[0], "Nought."),
        judged(in_order[2], "Two."),
        judged(in_order[2], "Two", Reason.MALFORMED),
    ]
    (first, *others) = reordered(found, in_order)
    assert first.task is in_order[0] and others[0].task is others[1].task is in_order[2]


def test_tasks_with_the_same_documents_are_judged_one_after_the_other():
    made = [strategy(documents(TEXTS), context_tokens=100, passes=passes) for passes in (1, 2)]
    tasks = AllTasks(tuple(made))
    prefixes: list[bytes] = []

    def judge(one):
        for own in tasks.to_judge(one):
            prefixes.append(own.request.prefix.digest)
            yield judged(own, own.target.text)

    found = list(in_document_order(tasks, judge))
    assert [j.task.request.key for j in found] == [own.request.key for own in tasks.in_document_order()]
    assert all(j.inference.text == j.task.target.text for j in found)
    for one in made:
        own = prefixes[: len(list(one.tasks()))]
        del prefixes[: len(own)]
        assert len([*groupby(own)]) == len({*own}) == len(one.groups)
