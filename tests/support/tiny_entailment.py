"""Entailment models with a few thousand parameters, made in a moment: random weights, the same in every run."""

from pathlib import Path

WORDS = (
    "the a of is was in on by older than mill house gull street building harbour master port ennis mara quell tessa "
    "roake leads department operations wren meters are tested before they sold not and or . , ? : predict choose yes no"
).split()
TOKENS = {"bert": "[PAD] [UNK] [CLS] [SEP] [MASK]", "roberta": "<s> <pad> </s> <unk> <mask>", "t5": "<pad> </s> <unk>"}


def make_tokenizer(kind: str, folder: Path, **settings) -> None:
    """Write a tokenizer of whole words and single characters that frames texts and pairs as the kind of model does."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = TOKENS[kind].split()
    characters = "abcdefghijklmnopqrstuvwxyz0123456789"
    vocabulary = {t: i for i, t in enumerate([*special, *WORDS, *characters, *(f"##{c}" for c in characters)])}
    unknown = "[UNK]" if kind == "bert" else "<unk>"
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown, max_input_chars_per_word=5000))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    frames = {
        "bert": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
        "roberta": ("<s> $A </s>", "<s> $A </s> </s> $B </s>"),
        "t5": ("$A </s>", "$A </s> $B </s>"),
    }
    named = [(token, vocabulary[token]) for token in special]
    raw.post_processor = processors.TemplateProcessing(
        single=frames[kind][0], pair=frames[kind][1], special_tokens=named
    )
    names = {
        "bert": {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"},
        "roberta": {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"},
        "t5": {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"},
    }
    inputs = ["input_ids", *(["token_type_ids"] if kind == "bert" else []), "attention_mask"]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, model_input_names=inputs, **names[kind], **settings)
    tokenizer.save_pretrained(folder)


def make_classifier(folder: Path, labels: tuple[str, ...] | None = None, kind: str = "bert", **settings) -> Path:
    """Write a sequence classifier; without labels, it has two that say nothing.

    Args:
        folder: Where to.
        labels: Its labels' names.
        kind: `bert`, `roberta` or `deberta-v2`, which has no absolute positions.
        settings: Of the tokenizer.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    make_tokenizer("roberta" if kind == "roberta" else "bert", folder, **settings)
    sizes = {
        "vocab_size": 200, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "max_position_embeddings": 66 if kind == "roberta" else 64, "initializer_range": 0.5,
    }  # fmt: skip
    own = {"relative_attention": True, "position_biased_input": False} if kind == "deberta-v2" else {}
    named = {"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}} if labels else {}
    config = AutoConfig.for_model(kind, **sizes, **own, **named, pad_token_id=1 if kind == "roberta" else 0)
    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return folder


def make_t5(folder: Path) -> Path:
    """Write a T5 whose first token can be 1 or 0."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    make_tokenizer("t5", folder)
    config = T5Config(
        vocab_size=200, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, decoder_start_token_id=0,
        pad_token_id=0, eos_token_id=1, initializer_factor=5.0,
    )  # fmt: skip
    torch.manual_seed(0)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder
