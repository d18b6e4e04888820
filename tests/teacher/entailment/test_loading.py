"""Models that cannot be used: each says why in one line."""

import json
import re

import pytest
import transformers

from axolotl_augft.teacher.entailment.kinds import Unusable
from axolotl_augft.teacher.entailment.loading import load
from axolotl_augft.teacher.entailment.settings import EntailmentModel
from tests.support.tiny_entailment import make_classifier, make_t5

NLI = ("contradiction", "entailment", "neutral")


def error(model, **settings):
    with pytest.raises(Unusable) as caught:
        load(EntailmentModel(str(model), **settings))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def edit(folder, name="config.json", **changes):
    file = folder / name
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize("name", ["/nowhere/model", "nobody/no-such-model", "./model", "a b"])
def test_a_model_that_is_not_there(name):
    assert error(name) == (
        f"the entailment model {name!r} is neither a folder with a config.json nor a model that can be downloaded from "
        "the hub; check augft.verify.by, or download the model first"
    )


def test_labels_without_names(tmp_path):
    folder = make_classifier(tmp_path)
    assert error(folder).startswith(f"the labels of {str(folder)!r} are 0 'LABEL_0', 1 'LABEL_1', and none of them")
    assert load(EntailmentModel(str(folder), label="1")) is not None


def test_other_labels(tmp_path):
    folder = make_classifier(tmp_path, ("positive", "negative", "mixed"))
    assert "are 0 'positive', 1 'negative', 2 'mixed', and none of them says that a statement follows" in error(folder)


def test_a_language_model(tiny_model):
    assert error(tiny_model) == (
        f"{str(tiny_model)!r} is a language model (LlamaForCausalLM), not an entailment model; use augft.verify.method "
        "logprobs with it"
    )


def test_code_from_the_hub_is_not_run(tmp_path):
    folder = make_classifier(tmp_path, NLI)
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Own: pass\n")
    edit(folder, model_type="HHEMv2", auto_map={"AutoConfig": "own.Own", "AutoModel": "own.Own"})
    assert error(folder) == (
        f"{str(folder)!r} needs program code of its own from the hub, which is not run; choose an entailment model "
        "that transformers knows by itself"
    )
    assert not (tmp_path / "ran").exists()


def test_a_type_that_transformers_does_not_know(tmp_path):
    folder = make_classifier(tmp_path, NLI)
    edit(folder, model_type="tomorrow")
    assert error(folder) == (
        f"transformers {transformers.__version__} does not know models of the type 'tomorrow', which {str(folder)!r} "
        "is; choose another entailment model"
    )


def test_an_encoder_without_a_trained_head(tmp_path):
    from transformers import BertConfig, BertModel

    folder = make_classifier(tmp_path, NLI)
    config = BertConfig.from_pretrained(folder)
    BertModel(config).save_pretrained(folder)
    edit(folder, architectures=["BertForSequenceClassification"])
    assert error(folder) == (
        f"the weights of {str(folder)!r} lack 2 of the model's parts (classifier.bias …), so it has not been trained "
        "for entailment"
    )


def test_damaged_weights(tmp_path):
    folder = make_classifier(tmp_path, NLI)
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)
    assert error(folder) == (
        f"transformers cannot load the entailment model {str(folder)!r} (AutoModelForSequenceClassification: "
        "SafetensorError); see the server's log"
    )


def test_a_missing_tokenizer(tmp_path):
    folder = make_classifier(tmp_path, NLI)
    for file in folder.glob("*token*"):
        file.unlink()
    assert error(folder) == (
        f"the tokenizer of {str(folder)!r} knows no words, so files of it are missing; download it again"
    )


def test_a_tokenizer_without_padding(tmp_path):
    folder = make_classifier(tmp_path, NLI)
    edit(folder, "tokenizer_config.json", pad_token=None)
    assert error(folder) == f"the tokenizer of {str(folder)!r} has no padding token, which an entailment model needs"


def test_a_template_with_a_token_that_the_tokenizer_lacks(tmp_path):
    folder = make_classifier(tmp_path, NLI)
    assert error(folder, template="{premise}{eos}{statement}") == (
        f"augft.verify.entailment_template (--template) holds {{eos}}, but the tokenizer of {str(folder)!r} has no "
        "end-of-text token; remove it"
    )


@pytest.mark.parametrize("device", ["warp", "cuda:7", "mps"])
def test_a_device_that_is_not_there(tmp_path, device):
    folder = make_classifier(tmp_path, NLI)
    assert error(folder, device=device) == (
        f"augft.verify.entailment_device is {device!r}, which PyTorch cannot use on this machine; use auto or cpu"
    )


def test_a_length_that_the_model_cannot_read(tmp_path):
    folder = make_classifier(tmp_path, NLI)
    assert re.fullmatch(
        re.escape(repr(str(folder))) + r" cannot read 100 tokens at once on cpu \((Runtime|Index)Error\); set "
        "augft.verify.entailment_max_length lower, or augft.verify.entailment_device to cpu",
        error(folder, max_length=100),
    )


def test_a_label_for_a_t5_model(tmp_path):
    folder = make_t5(tmp_path)
    assert error(folder, label="1") == (
        f"augft.verify.entailment_label (--label) is '1', but {str(folder)!r} is a T5 model, which answers with 1 and "
        "0 and has no labels; remove it"
    )
