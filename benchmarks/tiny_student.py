"""A suite -> an untrained student of less than a million parameters, for the suites named `-tiny` and `-scratch`.

Usage: python benchmarks/tiny_student.py OUT [--suite FILE] [--source FOLDER] [--hidden-size N]

No model is downloaded. The tokenizer is trained on the suite's documents, so that their words are tokens and all other
words are spelled out.
"""

import argparse
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
    """Write the student's model and tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the model")
    parser.add_argument("--suite", type=Path, default=SUITE, help="the suite whose documents the tokenizer knows")
    parser.add_argument("--source", type=Path, help="folder of the reversal-curse data; downloaded by default")
    parser.add_argument("--hidden-size", type=int, default=64, help="numbers per token; layers stay two")
    given = parser.parse_args()
    data = yaml.safe_load(given.suite.read_text())["data"]
    documents = make(data["name"], data["scale"], data["seed"], given.source).documents
    parameters = write_student(given.out, documents, given.hidden_size)
    print(f"{given.out}: {parameters:,} parameters")


def write_student(out: Path, texts: Sequence[str], hidden_size: int, seed: int = SEED) -> int:
    """Write an untrained model of two layers with its tokenizer, and return the number of its parameters.

    Args:
        out: Folder for the model.
        texts: Texts whose words are tokens.
        hidden_size: Numbers per token.
        seed: Seed of the weights.
    """
    tokenizer = word_tokenizer(texts)
    tokenizer.save_pretrained(out)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=hidden_size, intermediate_size=2 * hidden_size, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=1024, bos_token_id=1, eos_token_id=2, pad_token_id=0,
        tie_word_embeddings=True,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.save_pretrained(out)
    return int(model.num_parameters())


def word_tokenizer(documents: Sequence[str]) -> PreTrainedTokenizerFast:
    """Train a byte-level tokenizer that merges up to whole words of the documents, ignoring case."""
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
