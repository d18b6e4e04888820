import errno
import threading

import pytest

from axolotl_augft.errors import OutputError
from axolotl_augft.files import record_file
from axolotl_augft.files.made_once import MadeOnce
from axolotl_augft.files.record_file import RecordFile


def test_records_are_read_by_number_whether_or_not_they_are_written_yet(monkeypatch):
    monkeypatch.setattr(record_file, "_FLUSHED", 8)
    file = RecordFile()
    assert [file.add(record) for record in (b"pump", b"", b"a long valve", b"tide")] == [0, 1, 2, 3]
    assert [file[i] for i in (3, 0, 2, 1)] == [b"tide", b"pump", b"a long valve", b""]
    assert file.add(b"crane") == 4 and list(file) == [b"pump", b"", b"a long valve", b"tide", b"crane"]


@pytest.mark.parametrize("number", [-1, 1])
def test_there_is_no_other_record(number):
    file = RecordFile()
    file.add(b"pump")
    with pytest.raises(IndexError):
        file[number]


def test_threads_add_and_read_at_once():
    file = RecordFile()

    def add(own):
        for i in range(500):
            record = b"%d of thread %d" % (i, own)
            assert file[file.add(record)] == record

    threads = [threading.Thread(target=add, args=(own,)) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(file)) == len(file) == 2000


def test_a_full_disk_is_one_line(monkeypatch):
    file = RecordFile()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(record_file.os, "write", full)
    file.add(b"pump")
    with pytest.raises(OutputError, match=r"cannot write a temporary file \(No space left on device\); free some"):
        file[0]


def test_values_are_made_once_and_the_last_ones_are_kept():
    made, loaded = [], []

    def get(key):
        return values.get(key, lambda: made.append(key) or key * 10)

    def load(record):
        loaded.append(record)
        return int(record)

    values = MadeOnce(lambda value: b"%06d" % value, load, most=12)
    assert [get(key) for key in (1, 2, 1, 3, 1, 2, 3)] == [10, 20, 10, 30, 10, 20, 30]
    assert made == [1, 2, 3]
    # The two last ones are in memory: 2 left when 3 came, and came back in place of 3.
    assert loaded == [b"000020", b"000030"]
