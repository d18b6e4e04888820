import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from axolotl_augft.text.tokens import ESTIMATE, SampledCount, TokenCounter, counted_once, token_counter


def words(texts):
    return [len(t.split()) for t in texts]


def test_few_texts_are_counted_exactly():
    count = SampledCount(TokenCounter(words, exact=True))
    for i in range(500):
        count.add("system text", "a b " * (i % 7))
    assert count.total == sum(2 + 2 * (i % 7) for i in range(500)) and count.counted == count.texts == 500


@pytest.mark.parametrize("total", [5_000, 50_000])
def test_many_texts_are_sampled_and_come_out_nearly_right(total):
    counted = []
    count = SampledCount(TokenCounter(lambda texts: counted.extend(texts) or words(texts), exact=True))
    true = 0
    for i in range(total):
        text = "pump valve " * (1 + i * 7919 % 13) + "ü" * (i % 5)
        true += len(text.split())
        count.add(text)
    assert count.texts == total and count.counted < 500 + 250 * 8
    assert len(counted) <= count.counted
    assert abs(count.total / true - 1) < 0.02


def test_an_estimate_is_of_bytes():
    assert (
        ESTIMATE.count_all(["abcd", "abcde", "", "港"]) == [1, 2, 0, 1]
        and ESTIMATE.count("abcdefgh") == 2
        and not ESTIMATE.exact
    )


def test_what_a_tokenizer_says_of_cutting_and_filling_is_not_for_counting(tmp_path):
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "<pad>": 1}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=8, pad_token="<pad>", pad_id=1)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    counter = token_counter(str(tmp_path))
    assert counter.count_all(["a a", "a " * 40]) == [2, 40] and counter.count("a") == 1


def test_a_text_is_counted_once():
    counted = []
    counter = counted_once(
        TokenCounter(lambda texts: counted.extend(texts) or words(texts), exact=True, special=("x",))
    )
    assert counter.count_all(["a b", "c", "a b"]) == [2, 1, 2] and counter.count_all(["c", "d e f"]) == [1, 3]
    assert counted == ["a b", "c", "d e f"] and counter.exact and counter.special == ("x",)
