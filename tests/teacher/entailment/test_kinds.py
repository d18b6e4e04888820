import pytest

from axolotl_augft.teacher.entailment.kinds import (
    FOLLOWS,
    KNOWN,
    Kind,
    Unusable,
    entailment_label,
    kind_of,
    with_habit,
)
from axolotl_augft.teacher.entailment.settings import EntailmentModel, ServerArguments, read_arguments


@pytest.mark.parametrize(
    ("labels", "wanted", "expected"),
    [
        (["contradiction", "entailment", "neutral"], None, 1),
        (["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], None, 0),
        (["not_entailment", "entailment"], None, 1),
        (["Unsupported", "Supported"], None, 1),
        (["hallucinated", "consistent"], None, 1),
        (["LABEL_0", "LABEL_1"], "1", 1),
        (["LABEL_0", "LABEL_1"], "label_0", 0),
        (["entailment", "neutral"], "neutral", 1),
        # A label's name goes before its number.
        (["1", "0"], "0", 1),
    ],
)
def test_the_label_that_a_statement_follows(labels, wanted, expected):
    assert entailment_label("m", labels, wanted) == expected


@pytest.mark.parametrize("name", FOLLOWS)
def test_each_name_is_known_in_any_case(name):
    assert entailment_label("m", ["other", name.title()], None) == 1


@pytest.mark.parametrize(
    ("labels", "wanted", "error"),
    [
        (
            ["LABEL_0", "LABEL_1"],
            None,
            "the labels of 'm' are 0 'LABEL_0', 1 'LABEL_1', and none of them says that a statement follows; name that "
            "label, or its number, in augft.verify.entailment_label (--label)",
        ),
        (
            ["positive", "negative"],
            None,
            "the labels of 'm' are 0 'positive', 1 'negative', and none of them says that a statement follows; name "
            "that label, or its number, in augft.verify.entailment_label (--label)",
        ),
        (
            ["yes", "true", "no"],
            None,
            "the labels of 'm' are 0 'yes', 1 'true', 2 'no', and several of them say that a statement follows; name "
            "that label, or its number, in augft.verify.entailment_label (--label)",
        ),
        (
            ["a", "b"],
            "2",
            "augft.verify.entailment_label (--label) is '2', but the labels of 'm' are 0 'a', 1 'b'",
        ),
        (
            ["a", "b"],
            "entailment",
            "augft.verify.entailment_label (--label) is 'entailment', but the labels of 'm' are 0 'a', 1 'b'",
        ),
        (
            ["score"],
            "0",
            "'m' has one label only (0 'score'), but an entailment model has two or more",
        ),
    ],
)
def test_other_labels_are_an_error_that_lists_them(labels, wanted, error):
    with pytest.raises(Unusable) as caught:
        entailment_label("m", labels, wanted)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("architecture", "model_type", "expected"),
    [
        ("DebertaV2ForSequenceClassification", "deberta-v2", Kind.CLASSIFIER),
        ("BartForSequenceClassification", "bart", Kind.CLASSIFIER),
        ("T5ForSequenceClassification", "t5", Kind.CLASSIFIER),
        ("T5ForConditionalGeneration", "t5", Kind.T5),
        ("MT5ForConditionalGeneration", "mt5", Kind.T5),
    ],
)
def test_how_a_model_answers_is_read_from_its_configuration(architecture, model_type, expected):
    assert kind_of("m", [architecture], model_type) is expected


@pytest.mark.parametrize(
    ("architectures", "model_type", "error"),
    [
        (
            ["GraniteForCausalLM"],
            "granite",
            "'m' is a language model (GraniteForCausalLM), not an entailment model; use augft.verify.method logprobs "
            "with it",
        ),
        (
            ["GPT2LMHeadModel"],
            "gpt2",
            "'m' is a language model (GPT2LMHeadModel), not an entailment model; use augft.verify.method logprobs with "
            "it",
        ),
        (
            ["BertForMaskedLM"],
            "bert",
            "'m' (BertForMaskedLM) is neither a sequence classifier nor a T5 model like MiniCheck-Flan-T5; name an "
            "entailment model in augft.verify.by",
        ),
        (
            ["BartForConditionalGeneration"],
            "bart",
            "'m' (BartForConditionalGeneration) is neither a sequence classifier nor a T5 model like "
            "MiniCheck-Flan-T5; name an entailment model in augft.verify.by",
        ),
        (
            [],
            "bert",
            "'m' (a bert without a named architecture) is neither a sequence classifier nor a T5 model like "
            "MiniCheck-Flan-T5; name an entailment model in augft.verify.by",
        ),
    ],
)
def test_a_model_that_answers_in_another_way_is_an_error(architectures, model_type, error):
    with pytest.raises(Unusable) as caught:
        kind_of("m", architectures, model_type)
    assert str(caught.value) == error


def test_a_public_model_is_used_as_its_authors_do_unless_the_user_says_otherwise():
    name = "lytang/MiniCheck-RoBERTa-Large"
    assert with_habit(EntailmentModel(name), Kind.CLASSIFIER) == EntailmentModel(
        name, "1", "{premise}{eos}{statement}", 512
    )
    own = EntailmentModel(name, "0", "{statement} / {premise}", 128, "cpu")
    assert with_habit(own, Kind.CLASSIFIER) == own
    assert with_habit(EntailmentModel("other"), Kind.CLASSIFIER) == EntailmentModel("other")
    assert with_habit(EntailmentModel("other"), Kind.T5).template == "predict: {premise}{eos}{statement}"


def test_the_habits_hold_both_texts():
    for name, habit in KNOWN.items():
        kind = Kind.T5 if habit.label is None else Kind.CLASSIFIER
        assert with_habit(EntailmentModel(name), kind).max_length == habit.max_length


@pytest.mark.parametrize("template", ["{premise}", "{statement}", "", "premise statement"])
def test_a_template_without_both_texts_is_an_error(template):
    with pytest.raises(Unusable, match=r"entailment_template \(--template\) must hold {premise} and {statement}"):
        with_habit(EntailmentModel("m", template=template), Kind.CLASSIFIER)


@pytest.mark.parametrize(
    "model",
    [
        EntailmentModel("m"),
        EntailmentModel("org/m", "1", '{premise}\n--so: "{statement}" = yes', 300, "cuda:1"),
        EntailmentModel("m", label="-x", template="-{premise}{statement}"),
    ],
)
def test_settings_survive_the_command_line(model):
    line = [model.model, "--port", "80", *model.arguments()]
    assert read_arguments(line) == ServerArguments(model, "127.0.0.1", 80)


def test_what_changes_probabilities_is_named():
    assert EntailmentModel("m", device="cpu").use == ""
    assert EntailmentModel("m", "1", None, 300).use == "label='1' max_length=300"
