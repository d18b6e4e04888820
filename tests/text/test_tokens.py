import pytest

from axolotl_augft.text.tokens import ESTIMATE, SampledCount, TokenCounter


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
