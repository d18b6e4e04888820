"""Documents and tasks of several strategies in; shards out."""

from axolotl_augft.shards.cut import Shard, cut
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Task
from tests.support.requests import NO_REQUEST


def document(entry: int, row: int) -> Document:
    return Document(f"{entry}{row}", "Owls hunt.", entry, row)


def task(entry: int, row: int) -> Task:
    return Task(NO_REQUEST, "global", document(entry, row), ("Owls hunt.",))


def test_a_shard_has_what_all_strategies_ask_about_some_rows_of_one_entry():
    documents = [document(0, 0), document(0, 9), document(0, 10), document(1, 3)]
    tasks = [task(0, 9), task(0, 9), task(0, 31), task(1, 3)]
    assert list(cut([documents, tasks], True, False, 10)) == [
        Shard((tuple(documents[:2]), tuple(tasks[:2])), True, False),
        Shard(((documents[2],), ()), True, False),
        Shard(((), (tasks[2],)), True, False),
        Shard(((documents[3],), (tasks[3],)), True, False),
    ]


def test_nothing_to_ask_is_no_shard():
    assert list(cut([[], []], True, True, 10)) == []
