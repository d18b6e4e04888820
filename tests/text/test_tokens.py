import gc
import tracemalloc

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

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


TEXTS = [
    *(
        "The pump of Ennis.",
        "",
        " ",
        "  two  spaces ",
        "\n\nA line.\n",
        "</s> is a special one</s>",
        "x</s>y",
        "12,345",
    ),
    *("水泵在恩尼斯。", "Straße ÄÖ é e\u0301", "\u2581 a", "Ġ", "🙂👩‍👩‍👧", "a" * 3000, "word " * 700, "\u200b"),
]
SPLITS = {
    "bytes": (None, pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "bytes with a space before": (None, pre_tokenizers.ByteLevel(add_prefix_space=True)),
    "metaspace before the first": (None, pre_tokenizers.Metaspace(prepend_scheme="first")),
    "metaspace always": (None, pre_tokenizers.Metaspace()),
    "a normalizer that prepends": (
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
        pre_tokenizers.Split(Regex("▁?[^▁]+"), "isolated"),
    ),
    "words": (normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()),
}


@pytest.mark.parametrize("split", SPLITS)
def test_many_texts_at_once_have_the_tokens_of_each_alone(tmp_path, split):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = SPLITS[split]
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["</s>", "<unk>"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    alone = [len(tokenizer.encode(t, add_special_tokens=False)) for t in TEXTS]
    # What a model's own file says of cutting and filling is for training, not for counting.
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=40, pad_token="</s>")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    counter = token_counter(str(tmp_path))
    assert counter.count_all(TEXTS * 20) == alone * 20
    assert [counter.count(t) for t in TEXTS] == alone and counter.count_all([]) == []


def test_counting_many_texts_leaves_little_behind(tmp_path):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.train_from_iterator(["a b"], trainers.BpeTrainer(show_progress=False))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    counter, texts = token_counter(str(tmp_path)), ["a b"] * 64_000
    counter.count_all(texts)
    gc.collect()
    tracemalloc.start()
    counter.count_all(texts)
    gc.collect()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert left < 500_000


def test_a_text_is_counted_once():
    counted = []
    counter = counted_once(
        TokenCounter(lambda texts: counted.extend(texts) or words(texts), exact=True, special=("x",))
    )
    assert counter.count_all(["a b", "c", "a b"]) == [2, 1, 2] and counter.count_all(["c", "d e f"]) == [1, 3]
    assert counted == ["a b", "c", "d e f"] and counter.exact and counter.special == ("x",)
