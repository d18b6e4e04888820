"""Items that wait in a file."""

import errno

import pytest

from axolotl_augft.errors import OutputError
from axolotl_augft.files import item_file
from axolotl_augft.files.item_file import ItemFile
from axolotl_augft.teacher.request import Prefix, Request, Sampling


@pytest.mark.parametrize("in_memory", [0, 1, item_file._IN_MEMORY])
def test_items_come_back_in_order_as_often_as_they_are_read(tmp_path, monkeypatch, in_memory):
    monkeypatch.setattr(item_file, "_IN_MEMORY", in_memory)
    with ItemFile(tmp_path) as items:
        assert list(items) == []
        items.add(["a", "b"])
        items.add(["c"])
        one, other = iter(items), iter(items)
        assert [next(one), next(one), *other, next(one)] == ["a", "b", "a", "b", "c", "c"]
        next(iter(items))
        items.add(["d"])
        assert list(items) == ["a", "b", "c", "d"]
    assert list(tmp_path.iterdir()) == []


def test_requests_share_what_they_shared_and_keep_their_key(tmp_path):
    prefix, sampling = Prefix("", "facts " * 10_000), Sampling(0.0, None, 16, (), 1)
    requests = [Request("t", "chat", prefix, str(i), sampling, 0, (("top_k", 3),)) for i in range(500)]
    keys = [r.key for r in requests]
    with ItemFile(tmp_path) as items:
        items.add(requests)
        assert items._file.tell() < 200_000
        found = list(items)
    assert found == requests and [r.key for r in found] == keys
    assert len({id(r.prefix) for r in found}) == len({id(r.sampling) for r in found}) == 1


def test_a_full_disk_is_said_in_one_line(tmp_path):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with ItemFile(tmp_path) as items, pytest.raises(OutputError) as caught:
        items._file.write = full
        items.add(["a"])
    assert str(caught.value) == (
        f"{tmp_path}: a file of requests cannot be written (No space left on device); free some disk space there and "
        "run again. Every answer stored so far is kept"
    )
