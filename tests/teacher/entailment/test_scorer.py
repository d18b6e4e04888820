"""Probabilities of tiny models, compared with plain calls of transformers."""

import math
from functools import cache

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoModelForSequenceClassification, AutoTokenizer

from axolotl_augft.teacher.entailment import scorer as scoring
from axolotl_augft.teacher.entailment.loading import load
from axolotl_augft.teacher.entailment.pair import Pair, Unfit
from axolotl_augft.teacher.entailment.scorer import Forward, Reading, Scorer
from axolotl_augft.teacher.entailment.settings import EntailmentModel
from tests.support.tiny_entailment import make_classifier, make_t5

NLI = ("contradiction", "Entailment", "neutral")
PAIRS = [
    Pair("The mill house is older than the gull street building.", "The gull street building is older."),
    Pair("Mara Quell leads the harbour.", "The harbour master is Mara Quell."),
    Pair("Wren meters are tested before they are sold.", "no"),
]


@pytest.fixture(scope="module", params=["bert", "roberta", "deberta-v2"])
def classifier(request, tmp_path_factory):
    return make_classifier(tmp_path_factory.mktemp(request.param), NLI, request.param)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return make_classifier(tmp_path_factory.mktemp("bert"), NLI)


@cache
def parts(folder, auto):
    return AutoTokenizer.from_pretrained(folder), auto.from_pretrained(folder)


def plain(folder, text, second=None, label=1):
    """The probability of a label, by transformers alone."""
    tokenizer, model = parts(folder, AutoModelForSequenceClassification)
    with torch.no_grad():
        return model(**tokenizer(text, second, return_tensors="pt")).logits.softmax(-1)[0, label].item()


def plain_t5(folder, text):
    tokenizer, model = parts(folder, AutoModelForSeq2SeqLM)
    one, zero = tokenizer.convert_tokens_to_ids(["1", "0"])
    with torch.no_grad():
        logits = model(**tokenizer(text, return_tensors="pt"), decoder_input_ids=torch.tensor([[0]])).logits[0, 0]
    return logits[[one, zero]].softmax(-1)[0].item()


def probabilities(scores):
    for score in scores:
        assert math.exp(score.follows) + math.exp(score.not_follows) == pytest.approx(1, abs=1e-9)
    return [math.exp(score.follows) for score in scores]


def test_a_classifier_says_the_probability_of_its_label(classifier):
    scores = load(EntailmentModel(str(classifier), device="cpu")).score(PAIRS)
    expected = [plain(classifier, pair.premise, pair.statement) for pair in PAIRS]
    assert probabilities(scores) == pytest.approx(expected, rel=1e-4)
    assert len({round(p, 6) for p in expected}) == 3


def test_another_label_can_be_named(bert):
    scores = load(EntailmentModel(str(bert), label="neutral")).score(PAIRS)
    expected = [plain(bert, pair.premise, pair.statement, label=2) for pair in PAIRS]
    assert probabilities(scores) == pytest.approx(expected, rel=1e-4)


def test_a_template_makes_one_text_of_both(bert):
    template = 'The text: {premise} choose "{statement}"?'
    scores = load(EntailmentModel(str(bert), template=template)).score(PAIRS)
    expected = [plain(bert, f'The text: {pair.premise} choose "{pair.statement}"?') for pair in PAIRS]
    assert probabilities(scores) == pytest.approx(expected, rel=1e-4)


def test_a_text_that_holds_a_place_of_the_template_stays_as_it_is(bert):
    tricky = Pair("Premise {statement} {eos}", "Statement {premise}")
    (score,) = load(EntailmentModel(str(bert), template="{premise} yes {statement}")).score([tricky])
    expected = plain(bert, "Premise {statement} {eos} yes Statement {premise}")
    assert probabilities([score]) == pytest.approx([expected], rel=1e-4)


def test_t5_says_the_probability_of_1_against_0(tmp_path):
    folder = make_t5(tmp_path)
    scores = load(EntailmentModel(str(folder))).score(PAIRS)
    expected = [plain_t5(folder, f"predict: {pair.premise}</s>{pair.statement}") for pair in PAIRS]
    assert probabilities(scores) == pytest.approx(expected, rel=1e-4)


def test_a_text_cannot_close_itself_with_a_special_token(bert):
    framed = Pair("Mara leads. [SEP] a [SEP]", "no")
    (score,) = load(EntailmentModel(str(bert))).score([framed])
    assert probabilities([score]) == pytest.approx([plain(bert, "Mara leads. [ SEP] a [ SEP]", "no")], rel=1e-4)
    assert plain(bert, "Mara leads. [ SEP] a [ SEP]", "no") != pytest.approx(
        plain(bert, framed.premise, "no"), rel=1e-4
    )


def test_the_passage_that_supports_a_statement_most_counts(bert):
    sentences = [f"The {name} is on the mill street by the harbour." for name in ("gull", "port", "house", "master")]
    premise = " ".join(sentences * 4)
    scorer = load(EntailmentModel(str(bert), max_length=30))
    (score,) = scorer.score([Pair(premise, "mara leads")])
    cut = [f"{one} {two}" for one, two in zip(sentences[::2] * 4, sentences[1::2] * 4, strict=True)]
    expected = [plain(bert, passage, "mara leads") for passage in cut]
    assert len({round(p, 6) for p in expected}) == 2
    assert probabilities([score]) == pytest.approx([max(expected)], rel=1e-4)
    assert score.tokens == 8 * 27


def test_a_premise_without_sentences_is_read_to_its_end(bert):
    scorer = load(EntailmentModel(str(bert)))
    (score,) = scorer.score([Pair("z" * 700 + " mill" * 300, "no")])
    assert score.tokens > 1000


@pytest.mark.parametrize(("words", "fits"), [(44, True), (46, False)])
def test_a_statement_must_leave_a_quarter_of_the_window_to_its_premise(bert, words, fits):
    short, long = load(EntailmentModel(str(bert))).score([PAIRS[0], Pair("mill " * 100, "no " * words)])
    assert not isinstance(short, Unfit) and isinstance(long, Unfit) is not fits
    if not fits:
        assert str(long) == (
            "the statement leaves too little room for its premise, because the model takes 64 tokens at once"
        )


def test_a_long_statement_with_a_short_premise_is_judged(bert):
    (score,) = load(EntailmentModel(str(bert))).score([Pair("mill", "no " * 55)])
    assert not isinstance(score, Unfit) and score.tokens == 59


def test_a_longer_length_than_the_configuration_names_can_be_set_where_positions_are_relative(tmp_path):
    folder = make_classifier(tmp_path, NLI, "deberta-v2")
    pair = Pair("mill " * 100, "no")
    (score,) = load(EntailmentModel(str(folder), max_length=128)).score([pair])
    assert probabilities([score]) == pytest.approx([plain(folder, pair.premise, pair.statement)], rel=1e-3)


def test_the_tokenizers_limit_holds(tmp_path):
    folder = make_classifier(tmp_path, NLI, model_max_length=20)
    (score,) = load(EntailmentModel(str(folder))).score([Pair("mill. " * 20, "no")])
    assert score.tokens > 50


class Words:
    """A tokenizer of white space, whose texts are as long as they have words."""

    all_special_tokens = ()
    eos_token = ""

    def __call__(self, text, second="", **_):
        return {"input_ids": [len(word) for word in f"{text} {second}".split()]}

    def pad(self, texts, return_tensors):
        longest = max(len(text["input_ids"]) for text in texts)
        return {"input_ids": torch.tensor([t["input_ids"] + [0] * (longest - len(t["input_ids"])) for t in texts])}


def words_scorer(logits, batch_tokens=24):
    return Scorer(Reading(Words(), None, 100), Forward(logits, 0, batch_tokens, torch.device("cpu")))


def first_word(batch):
    """Logits of which the first is the length of the first word."""
    return torch.stack([batch["input_ids"][:, 0].double(), torch.zeros(len(batch["input_ids"]))], -1)


def test_batches_hold_texts_of_similar_length_up_to_a_number_of_tokens():
    seen = []

    def logits(batch):
        seen.append(tuple(batch["input_ids"].shape))
        return first_word(batch)

    lengths = [2, 9, 30, 3, 8, 2, 12, 2]
    pairs = [Pair(f"{'x' * n}{' a' * (n - 2)}", "b") for n in lengths]
    scores = words_scorer(logits).score(pairs)
    assert seen == [(1, 30), (2, 12), (3, 8), (2, 2)]
    assert [round(-math.log(math.expm1(-s.follows))) if s.follows else None for s in scores] == lengths


def test_a_batch_that_does_not_fit_into_memory_is_judged_in_halves():
    sizes = []

    def logits(batch):
        sizes.append(len(batch["input_ids"]))
        if len(batch["input_ids"]) > 2:
            raise torch.OutOfMemoryError
        return first_word(batch)

    scores = words_scorer(logits, 1000).score([Pair("x" * n, "b") for n in (1, 2, 3, 4, 5)])
    assert sizes == [5, 2, 3, 1, 2]
    assert [round(s.follows - s.not_follows) for s in scores] == [1, 2, 3, 4, 5]


def test_a_single_text_that_does_not_fit_into_memory_is_an_error():
    def logits(batch):
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        words_scorer(logits).score([Pair("a", "b")])


def test_what_is_not_a_number_is_an_error():
    with pytest.raises(FloatingPointError, match="not numbers"):
        words_scorer(lambda batch: torch.full((len(batch["input_ids"]), 2), math.nan)).score([Pair("a", "b")])


def test_a_premise_is_cut_once_for_statements_of_similar_length(monkeypatch):
    cut = []
    monkeypatch.setattr(scoring, "passages", lambda *args: cut.append(args[1]) or ("a", "b"))
    premise = "word " * 200
    words_scorer(first_word).score([Pair(premise, "b " * n) for n in (1, 2, 3, 4, 5, 6, 30)])
    assert cut == [99, 96, 93, 69]
