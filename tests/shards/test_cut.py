"""The documents or tasks of a strategy in; shards out."""

import pytest

from axolotl_augft.shards.cut import Shard, cut
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Task
from tests.support.requests import NO_REQUEST

DOCUMENTS = [Document(f"{row}", "Owls hunt.", 0, row) for row in range(3)]
TASKS = [Task(NO_REQUEST, "global", document, ("Owls hunt.",)) for document in DOCUMENTS]


@pytest.mark.parametrize("items", [DOCUMENTS, TASKS])
def test_a_shard_has_some_of_what_a_strategy_asks(items):
    assert list(cut(1, items, True, False, 2)) == [
        Shard(1, tuple(items[:2]), True, False),
        Shard(1, (items[2],), True, False),
    ]


def test_nothing_to_ask_is_no_shard():
    assert list(cut(0, [], True, True, 10)) == []
