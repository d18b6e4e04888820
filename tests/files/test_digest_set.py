"""Digests that came before."""

import pytest

from axolotl_augft.errors import OutputError
from axolotl_augft.files.digest_set import DigestSet


def test_each_digest_is_new_once():
    seen = DigestSet()
    digests = [i.to_bytes(8, "big") * 4 for i in (0, 1, 2**63, 2**64 - 1, 1)]
    assert seen.add_all(digests) == [True, True, True, True, False]
    assert not seen.add(digests[0]) and len(seen) == 4


def test_a_full_disk_is_one_line_with_a_remedy():
    seen = DigestSet()
    seen._connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(
        OutputError, match=r"cannot write a temporary file \(database or disk is full\); free some space .* TMPDIR"
    ):
        for i in range(10_000):
            seen.add(i.to_bytes(8, "big"))
