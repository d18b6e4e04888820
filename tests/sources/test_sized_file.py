import pytest

from axolotl_augft.formats.content import Exchange, Turn
from axolotl_augft.sources.documents import Document
from axolotl_augft.sources.sized_file import Sized, SizedFile

EXCHANGE = Exchange("Who keeps it?", "Ottilie.", (Turn("user", "Hm?"), Turn("input", "A plan.")), "You are a guide.")
DOCUMENTS = [
    Document("aaaaaaaa", 'Der Krämer\u2028said: "港".\n', 0, 3),
    Document("bbbbbbbb", EXCHANGE.text, 1, 7, EXCHANGE),
    Document("cccccccc", "", 2, 0, Exchange("Why?", "So.")),
]


def test_documents_come_back_as_they_were():
    file = SizedFile(Sized(document, 10 + i) for i, document in enumerate(DOCUMENTS[:2]))
    file.add(Sized(DOCUMENTS[2], 5))
    assert [*file] == DOCUMENTS and file[1] == DOCUMENTS[1] and len(file) == 3
    assert (file.ids, [*file.tokens]) == (["aaaaaaaa", "bbbbbbbb", "cccccccc"], [10, 11, 5])
    assert [*file.sized()] == [Sized(d, n) for d, n in zip(DOCUMENTS, (10, 11, 5), strict=True)]


def test_there_is_no_further_document():
    with pytest.raises(IndexError):
        SizedFile()[0]
