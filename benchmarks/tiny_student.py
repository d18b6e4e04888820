"""Writes a student of 0.1 million parameters, from scratch, for `benchmarks/suites/reversals-tiny.yml`: no model to download.

Usage: python benchmarks/tiny_student.py OUT

Its tokenizer is trained on the suite's documents, so that their words are tokens and any other word is spelled.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import yaml
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from axolotl_augft.bench.datasets.making import make

SUITE = Path(__file__).parent / "suites" / "reversals-tiny.yml"
SEED = 0


def main() -> None:
    out = Path(sys.argv[1])
    data = yaml.safe_load(SUITE.read_text())["data"]
    tokenizer = word_tokenizer(make(data["name"], data["scale"], data["seed"]).documents)
    tokenizer.save_pretrained(out)
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=1024, bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=True,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.save_pretrained(out)
    print(f"{out}: {model.num_parameters():,} parameters")


def word_tokenizer(documents: Sequence[str]) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer whose merges go as far as whole words of the documents, whatever their case."""
    raw = Tokenizer(models.BPE())
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4096,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(documents, trainer)
    raw.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


if __name__ == "__main__":
    main()
