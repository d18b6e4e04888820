import pytest
from datasets import Features, Value

from axolotl_augft.output.row_file import RowBuffer, RowSizes, RowText
from axolotl_augft.text.tokens import TokenCounter

WORDS = TokenCounter(lambda texts: [len(t.split()) for t in texts], exact=True)
# Its text, the texts in it that are trained on, its tokens, and those trained on: each text's and the one that ends it.
ROWS = [
    ("a b c", None, 3, 4),
    ("a b c", ["a b c"], 3, 4),
    ("a b c d e", ["b", "d e"], 5, 5),
    ("a b", [], 2, 0),
    ("", None, 0, 1),
]


@pytest.mark.parametrize("rows", [ROWS, ROWS[::-1], ROWS[2:3]])
def test_a_row_s_tokens_and_those_it_is_trained_on(rows):
    sizes = RowSizes()
    sizes.add([RowText(text, trained) for text, trained, *_ in rows], WORDS)
    assert sizes.tokens.tolist() == [tokens for *_, tokens, _ in rows]
    assert sizes.trained.tolist() == [trained for *_, trained in rows]


def test_a_part_has_the_sizes_of_its_rows():
    buffer = RowBuffer(Features({"text": Value("string")}), WORDS)
    assert buffer.part().table == b""
    for text, trained, *_ in ROWS:
        buffer.add({"text": text}, text, trained)
    assert buffer.part().sizes.trained.tolist() == [4, 4, 5, 0, 1]
