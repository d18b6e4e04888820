"""A model's name -> a scorer with the model in memory, on the GPU if there is one.

Only the process of the server imports this module, because of torch and transformers.
"""

from collections.abc import Mapping
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from axolotl_augft.teacher.entailment.kinds import Kind, Unusable, entailment_label, kind_of, with_habit
from axolotl_augft.teacher.entailment.scorer import Forward, Logits, Reading, Scorer
from axolotl_augft.teacher.entailment.settings import EntailmentModel

# Tokens of one forward pass. On a CPU, larger batches are no faster; a GPU is busy with these.
_BATCH_TOKENS = {"cpu": 4096, "cuda": 32_768}
_USUAL_LENGTH = 512
# A tokenizer without a limit of its own has a huge one.
_NO_LIMIT = 1_000_000


def load(wanted: EntailmentModel) -> Scorer:
    """Load a model.

    Raises:
        Unusable: It is not there, is no entailment model, needs program code from the hub, or does not fit.
    """
    declared = _declared(wanted.model)
    kind = kind_of(wanted.model, declared.get("architectures") or (), declared.get("model_type", ""))
    used = with_habit(wanted, kind)
    device = _device(used.device)
    label = _label(used, kind)
    tokenizer = _tokenizer(used)
    model = _model(used, kind, device)
    reading = Reading(tokenizer, used.template, used.max_length or _longest(model, tokenizer))
    batch_tokens = _BATCH_TOKENS.get(device.type, _BATCH_TOKENS["cpu"])
    logits = _labels_of(model) if kind is Kind.CLASSIFIER else _first_token_of(model, _answers(tokenizer, used.model))
    scorer = Scorer(reading, Forward(logits, label, batch_tokens, device))
    try:
        scorer.try_longest()
    except (RuntimeError, IndexError, FloatingPointError) as error:
        raise Unusable(
            f"{used.model!r} cannot read {reading.max_length} tokens at once on {device} ({type(error).__name__}); set "
            "augft.verify.entailment_max_length lower, or augft.verify.entailment_device to cpu"
        ) from error
    return scorer


def _declared(model: str) -> dict[str, Any]:
    """Read the model's `config.json` as it stands.

    Raises:
        Unusable: There is none, or transformers does not know such models without running code from the hub.
    """
    try:
        declared: dict[str, Any] = transformers.PretrainedConfig.get_config_dict(model)[0]
    except OSError as error:
        raise Unusable(
            f"the entailment model {model!r} is neither a folder with a config.json nor a model that can be downloaded "
            "from the hub; check augft.verify.by, or download the model first"
        ) from error
    if declared.get("model_type") in CONFIG_MAPPING:
        return declared
    if declared.get("auto_map"):
        raise Unusable(
            f"{model!r} needs program code of its own from the hub, which is not run; choose an entailment model "
            "that transformers knows by itself"
        )
    raise Unusable(
        f"transformers {transformers.__version__} does not know models of the type {declared.get('model_type')!r}, "
        f"which {model!r} is; choose another entailment model"
    )


def _label(used: EntailmentModel, kind: Kind) -> int:
    """Return the column of the logits that means that the statement follows."""
    if kind is Kind.T5:
        if used.label is not None:
            raise Unusable(
                f"augft.verify.entailment_label (--label) is {used.label!r}, but {used.model!r} is a T5 model, which "
                "answers with 1 and 0 and has no labels; remove it"
            )
        return 0
    config = _loaded(used, transformers.AutoConfig)
    return entailment_label(used.model, [config.id2label[i] for i in range(config.num_labels)], used.label)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise Unusable(
            f"augft.verify.entailment_device is {name!r}, which PyTorch cannot use on this machine; use auto or cpu"
        ) from error


def _tokenizer(used: EntailmentModel) -> Any:
    tokenizer = _loaded(used, transformers.AutoTokenizer)
    # Without a model's tokenizer files, transformers 5 makes a tokenizer that knows no word.
    if set(tokenizer("a 1 yes", add_special_tokens=False)["input_ids"]) <= {tokenizer.unk_token_id}:
        raise Unusable(f"the tokenizer of {used.model!r} knows no words, so files of it are missing; download it again")
    if tokenizer.pad_token_id is None:
        raise Unusable(f"the tokenizer of {used.model!r} has no padding token, which an entailment model needs")
    if "{eos}" in (used.template or "") and tokenizer.eos_token is None:
        raise Unusable(
            f"augft.verify.entailment_template (--template) holds {{eos}}, but the tokenizer of {used.model!r} has no "
            "end-of-text token; remove it"
        )
    return tokenizer


def _model(used: EntailmentModel, kind: Kind, device: torch.device) -> Any:
    # float16 overflows in T5, and before bfloat16 GPUs are old; the models are small enough for float32.
    half = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    auto = transformers.AutoModelForSeq2SeqLM if kind is Kind.T5 else transformers.AutoModelForSequenceClassification
    model, info = _loaded(used, auto, dtype=torch.bfloat16 if half else torch.float32, output_loading_info=True)
    if missing := sorted(info["missing_keys"]):
        raise Unusable(
            f"the weights of {used.model!r} lack {len(missing)} of the model's parts ({missing[0]} …), so it has not "
            "been trained for entailment"
        )
    try:
        return model.eval().to(device)
    except torch.OutOfMemoryError as error:
        raise Unusable(
            f"{used.model!r} does not fit into the memory that is free on {device}; set augft.verify.entailment_device "
            "to cpu, or choose a smaller model"
        ) from error


def _loaded(used: EntailmentModel, auto: Any, **settings: Any) -> Any:
    """Load a part of the model through one of transformers' Auto classes, and never code from the hub."""
    try:
        return auto.from_pretrained(used.model, trust_remote_code=False, **settings)
    # Whatever a damaged file, an old format or a missing package raises there.
    except Exception as error:
        raise Unusable(
            f"transformers cannot load the entailment model {used.model!r} ({auto.__name__}: {type(error).__name__}); "
            "see the server's log"
        ) from error


def _longest(model: Any, tokenizer: Any) -> int:
    """Return the most tokens that the model takes, by its configuration; 512 if it names no limit."""
    limits = []
    if 0 < tokenizer.model_max_length < _NO_LIMIT:
        limits.append(tokenizer.model_max_length)
    if positions := getattr(model.config, "max_position_embeddings", None):
        # RoBERTa and its like number positions from behind the padding token's id.
        limits.append(positions - _first_position(model))
    return min(limits) if limits else _USUAL_LENGTH


def _first_position(model: Any) -> int:
    embeddings = (part for name, part in model.named_modules() if name.endswith("position_embeddings"))
    return next((part.padding_idx + 1 for part in embeddings if getattr(part, "padding_idx", None) is not None), 0)


def _answers(tokenizer: Any, model: str) -> list[int]:
    """Return the first tokens of "1" (follows) and "0"; in T5's vocabulary, that of "0" is the mark of a word's start.

    Raises:
        Unusable: They are the same.
    """
    ids = [tokenizer(digit, add_special_tokens=False)["input_ids"][0] for digit in ("1", "0")]
    if ids[0] == ids[1] or tokenizer.unk_token_id in ids:
        raise Unusable(f"{model!r} has no tokens for 1 and 0, with which a model like MiniCheck-Flan-T5 answers")
    return ids


def _labels_of(model: Any) -> Logits:
    """Return a function from a batch to the logits of the labels."""

    def logits(batch: Mapping[str, Tensor]) -> Tensor:
        rows: Tensor = model(**batch).logits
        return rows

    return logits


def _first_token_of(model: Any, answers: list[int]) -> Logits:
    """Return a function from a batch to the logits of some tokens as the first that a T5 model would write."""

    def logits(batch: Mapping[str, Tensor]) -> Tensor:
        start = torch.full((len(batch["input_ids"]), 1), model.config.decoder_start_token_id, device=model.device)
        rows: Tensor = model(**batch, decoder_input_ids=start).logits[:, 0, answers]
        return rows

    return logits
