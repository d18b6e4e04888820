import hashlib

import pytest

from axolotl_augft.files.keyed_file import KeyedFile


def digest(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def test_records_are_read_by_their_digests():
    file = KeyedFile()
    for number in range(500):
        file.add(digest(number), b"record %d" % number)
    file.add(digest(7), b"another one")
    assert [file.get(digest(number)) for number in (499, 0, 7)] == [b"record 499", b"record 0", b"record 7"]
    assert file.get(digest(500)) is file.get(b"\0" * 32) is file.get(b"\xff" * 32) is None


def test_an_empty_file_has_no_record():
    assert KeyedFile().get(digest(1)) is None


def test_what_is_read_must_be_complete():
    file = KeyedFile()
    file.get(digest(1))
    with pytest.raises(AssertionError, match="before the first is read"):
        file.add(digest(1), b"too late")
