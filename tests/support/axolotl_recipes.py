"""What axolotl's own recipes set, rewritten: model, adapter, data sets, template, packing, sharding, special tokens.

`example` names the recipe below `examples/` of axolotl's repository, or what its documentation shows. Learning rates,
logging and the like are left out, because they affect neither the data nor validation."""

from dataclasses import dataclass, field

from tests.support.axolotl_rows import (
    ALPACA,
    CHAPTER,
    MESSAGES,
    OWN_ROLES,
    SEGMENTS,
    SHAREGPT,
    TEXT,
    THINK_TAGS,
    THINKING,
    TOOL_CALLS,
    USER_DEFINED,
    Shape,
)

QLORA = {
    "adapter": "qlora",
    "load_in_4bit": True,
    "lora_r": 32,
    "lora_alpha": 16,
    "lora_dropout": 0.05,
    "lora_target_linear": True,
}
LORA_8BIT = {**QLORA, "adapter": "lora", "load_in_4bit": False, "load_in_8bit": True}
PACKED = {"sample_packing": True, "attn_implementation": "flash_attention_2"}
PACKED_EVAL = {**PACKED, "eval_sample_packing": True}
CUT_CROSS_ENTROPY = ["axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin"]
LIGER = ["axolotl.integrations.liger.LigerPlugin"]
END_OF_TEXT = {"special_tokens": {"pad_token": "<|end_of_text|>"}}
FROM_VALUE = {"role": "from", "content": "value"}
EIGHT_GPUS = {"n_gpu": 8}


def prefixed_fsdp2(layer: str, **others) -> dict:
    """Sharding in the spelling of older recipes, which axolotl still accepts; 0.21 dropped FSDP1 (a list `fsdp`)."""
    return {
        "fsdp_config": {
            "fsdp_version": 2,
            "fsdp_offload_params": True,
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_transformer_layer_cls_to_wrap": layer,
            "fsdp_state_dict_type": "FULL_STATE_DICT",
            "fsdp_reshard_after_forward": True,
            **others,
        },
    }


def fsdp2(layer: str, state_dict: str) -> dict:
    return {
        "fsdp_version": 2,
        "fsdp_config": {
            "offload_params": False,
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "transformer_layer_cls_to_wrap": layer,
            "state_dict_type": state_dict,
            "reshard_after_forward": True,
        },
    }


@dataclass(frozen=True)
class Entry:
    """A `datasets` entry, without its path, and the rows that stand in for its data."""

    keys: dict
    shape: Shape


@dataclass(frozen=True)
class AxolotlRecipe:
    """`gpus`: what it is for.

    `one_file`: whether all entries read one file, as in the recipe that lists a data set twice.
    """

    example: str
    keys: dict
    entries: tuple[Entry, ...]
    gpus: dict = field(default_factory=dict)
    one_file: bool = False


def recipe(
    example: str, model: str, *entries: Entry, gpus: dict | None = None, one_file: bool = False, **keys
) -> AxolotlRecipe:
    common = {
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 4,
        "num_epochs": 1,
        "learning_rate": 2e-4,
        "bf16": "auto",
    }
    return AxolotlRecipe(example, {"base_model": model, **common, **keys}, entries, gpus or {}, one_file)


ALPACA_ENTRY = Entry({"type": "alpaca"}, ALPACA)
CHAT_ENTRY = Entry({"type": "chat_template"}, MESSAGES)
SHAREGPT_ENTRY = Entry(
    {"type": "chat_template", "field_messages": "conversations", "message_property_mappings": FROM_VALUE}, SHAREGPT
)
OLD_NAMES = {"message_field_role": "from", "message_field_content": "value"}
OLD_SHAREGPT_ENTRY = Entry({"type": "chat_template", "field_messages": "conversations", **OLD_NAMES}, SHAREGPT)
OWN_COLUMNS = {
    "field_instruction": "ask",
    "field_output": "reply",
    "format": "{instruction}\n",
    "no_input_format": "{instruction}\n",
}
THINKING_ENTRY = Entry(
    {"type": "chat_template", "field_thinking": "thinking", "template_thinking_key": "thinking"}, THINKING
)
OWN_ROLES_ENTRY = Entry(
    {
        "type": "chat_template",
        "field_messages": "talk",
        "message_property_mappings": {"role": "who", "content": "says"},
        "roles": {"user": ["customer"], "assistant": ["agent"]},
        "roles_to_train": ["assistant"],
        "train_on_eos": "last",
    },
    OWN_ROLES,
)
LLAMA_MODULES = ["gate_proj", "down_proj", "up_proj", "q_proj", "v_proj", "k_proj", "o_proj"]
ADAMW_8BIT = {"optimizer": "adamw_bnb_8bit"}
FUSED = {"optimizer": "adamw_torch_fused"}
BIG = {"gpus": EIGHT_GPUS}

RECIPES = [
    recipe(
        "llama-3/lora-1b.yml",
        "NousResearch/Llama-3.2-1B",
        ALPACA_ENTRY,
        val_set_size=0.1,
        sequence_len=2048,
        adapter="lora",
        lora_r=16,
        lora_alpha=32,
        lora_target_modules=LLAMA_MODULES,
        optimizer="adamw_8bit",
        **PACKED_EVAL,
        **END_OF_TEXT,
    ),
    recipe(
        "llama-3/instruct-lora-8b.yml",
        "NousResearch/Meta-Llama-3-8B-Instruct",
        CHAT_ENTRY,
        model_type="LlamaForCausalLM",
        tokenizer_type="AutoTokenizer",
        chat_template="llama3",
        val_set_size=0.05,
        sequence_len=4096,
        sample_packing=False,
        **LORA_8BIT,
        **ADAMW_8BIT,
        **END_OF_TEXT,
    ),
    recipe(
        "llama-3/fft-8b-liger-fsdp.yaml",
        "NousResearch/Meta-Llama-3.1-8B",
        Entry({**SHAREGPT_ENTRY.keys, "split": "train[:90%]"}, SHAREGPT),
        plugins=LIGER,
        liger_rope=True,
        liger_rms_norm=True,
        liger_fused_linear_cross_entropy=True,
        chat_template="llama3",
        val_set_size=0.02,
        sequence_len=4096,
        special_tokens={"pad_token": "<|finetune_right_pad_id|>", "eos_token": "<|eot_id|>"},
        **PACKED,
        **FUSED,
        **BIG,
        **prefixed_fsdp2("LlamaDecoderLayer", fsdp_cpu_ram_efficient_loading=True),
    ),
    recipe(
        "llama-3/qlora-fsdp-70b.yaml",
        "casperhansen/llama-3-70b-fp16",
        ALPACA_ENTRY,
        val_set_size=0.05,
        sequence_len=512,
        sample_packing=False,
        attn_implementation="flash_attention_2",
        **QLORA,
        **FUSED,
        **BIG,
        **END_OF_TEXT,
        **prefixed_fsdp2("LlamaDecoderLayer"),
    ),
    recipe(
        "llama-3/lora-1b-ray.yml",
        "NousResearch/Llama-3.2-1B",
        ALPACA_ENTRY,
        val_set_size=0.1,
        sequence_len=2048,
        adapter="lora",
        lora_r=16,
        lora_alpha=32,
        lora_target_modules=LLAMA_MODULES,
        optimizer="adamw_8bit",
        deepspeed="deepspeed_configs/zero3.json",
        use_ray=True,
        ray_num_workers=4,
        **PACKED_EVAL,
        **END_OF_TEXT,
        **BIG,
    ),
    recipe(
        "llama-3/lora-1b-deduplicate-sft.yml",
        "meta-llama/Llama-3.2-1B",
        ALPACA_ENTRY,
        ALPACA_ENTRY,
        one_file=True,
        dataset_exact_deduplication=True,
        val_set_size=0.0,
        sequence_len=4096,
        eval_sample_packing=False,
        lora_modules_to_save=["embed_tokens", "lm_head"],
        **LORA_8BIT,
        **PACKED,
        **ADAMW_8BIT,
        **END_OF_TEXT,
    ),
    recipe(
        "llama-2/fft_optimized.yml",
        "NousResearch/Llama-2-7b-hf",
        ALPACA_ENTRY,
        model_type="LlamaForCausalLM",
        tokenizer_type="LlamaTokenizer",
        val_set_size=0.05,
        sequence_len=4096,
        adapter=None,
        lora_r=None,
        flash_attn_cross_entropy=False,
        **PACKED,
        **ADAMW_8BIT,
    ),
    recipe(
        "mistral/qlora.yml",
        "mistralai/Mistral-7B-v0.1",
        ALPACA_ENTRY,
        model_type="MistralForCausalLM",
        tokenizer_type="LlamaTokenizer",
        val_set_size=0.1,
        sequence_len=8192,
        **QLORA,
        **PACKED,
        **ADAMW_8BIT,
    ),
    recipe(
        "mistral/mixtral/mixtral.yml",
        "mistralai/Mixtral-8x7B-v0.1",
        ALPACA_ENTRY,
        tokenizer_type="LlamaTokenizer",
        trust_remote_code=True,
        model_config={"output_router_logits": True},
        val_set_size=0.0,
        sequence_len=4096,
        deepspeed="deepspeed_configs/zero2.json",
        **QLORA,
        **PACKED,
        **ADAMW_8BIT,
        **BIG,
    ),
    recipe(
        "mistral/bigstral/bigstral-ds-zero3.yaml",
        "mistral-community/Mixtral-8x22B-v0.1",
        ALPACA_ENTRY,
        tokenizer_type="LlamaTokenizer",
        unfrozen_parameters=["^lm_head.weight$", "^model.embed_tokens.weight$"],
        val_set_size=0.05,
        sequence_len=2048,
        deepspeed="deepspeed_configs/zero3_bf16_cpuoffload_params.json",
        special_tokens={"eos_token": "<|im_end|>"},
        tokens=["<|im_start|>"],
        **PACKED,
        **ADAMW_8BIT,
        **BIG,
    ),
    recipe(
        "gemma2/qlora.yml",
        "google/gemma-2-9b",
        Entry({**SHAREGPT_ENTRY.keys, "drop_system_message": True}, SHAREGPT),
        chat_template="gemma",
        eot_tokens=["<end_of_turn>"],
        val_set_size=0.0,
        sequence_len=2048,
        eval_sample_packing=False,
        **QLORA,
        **PACKED,
        **ADAMW_8BIT,
    ),
    recipe(
        "gemma3/gemma-3-1b-qlora.yml",
        "google/gemma-3-1b-it",
        SHAREGPT_ENTRY,
        chat_template="gemma3",
        eot_tokens=["<end_of_turn>"],
        ddp_find_unused_parameters=True,
        val_set_size=0.0,
        sequence_len=2048,
        eval_sample_packing=False,
        **QLORA,
        **PACKED,
        **ADAMW_8BIT,
    ),
    recipe(
        "phi/lora-3.5.yaml",
        "microsoft/Phi-3.5-mini-instruct",
        CHAT_ENTRY,
        chat_template="phi_3",
        val_set_size=0.05,
        sequence_len=4096,
        sample_packing=False,
        bfloat16=True,
        **LORA_8BIT,
        **ADAMW_8BIT,
    ),
    recipe(
        "phi/phi3-ft.yml",
        "microsoft/Phi-3-mini-4k-instruct",
        Entry({"type": "alpaca:phi"}, ALPACA),
        chat_template="phi_3",
        val_set_size=0.01,
        sequence_len=4096,
        eval_sample_packing=False,
        adapter="lora",
        lora_r=64,
        lora_alpha=32,
        lora_target_linear=True,
        resize_token_embeddings_to_32x=True,
        **PACKED,
        **FUSED,
    ),
    recipe(
        "archived/falcon/config-7b.yml",
        "tiiuae/falcon-7b",
        Entry({"type": "alpaca:chat"}, ALPACA),
        val_set_size=0.05,
        sequence_len=2048,
        attn_implementation="xformers",
        special_tokens=dict.fromkeys(["pad_token", "bos_token", "eos_token"], "<|endoftext|>"),
        **ADAMW_8BIT,
    ),
    recipe(
        "qwen3/32b-qlora.yaml",
        "Qwen/Qwen3-32B",
        SHAREGPT_ENTRY,
        plugins=CUT_CROSS_ENTROPY,
        strict=False,
        chat_template="qwen3",
        val_set_size=0.0,
        sequence_len=2048,
        optimizer="adamw_torch_4bit",
        **{**QLORA, "lora_dropout": 0},
        **PACKED_EVAL,
    ),
    recipe(
        "qwen3/8b-qat-fsdp2.yml",
        "Qwen/Qwen3-8B",
        ALPACA_ENTRY,
        plugins=LIGER,
        liger_glu_activation=True,
        sequence_len=2048,
        sample_packing=True,
        attn_implementation="flex_attention",
        qat={"activation_dtype": "int8", "weight_dtype": "int4", "group_size": 256},
        max_steps=2000,
        **FUSED,
        **BIG,
        **prefixed_fsdp2("Qwen3DecoderLayer", fsdp_offload_params=False, fsdp_activation_checkpointing=True),
    ),
    recipe(
        "gpt-oss/gpt-oss-20b-fft-deepspeed-zero3.yaml",
        "openai/gpt-oss-20b",
        THINKING_ENTRY,
        plugins=CUT_CROSS_ENTROPY,
        use_kernels=False,
        model_quantization_config="Mxfp4Config",
        model_quantization_config_kwargs={"dequantize": True},
        val_set_size=0,
        sequence_len=4096,
        sample_packing=True,
        attn_implementation="kernels-community/vllm-flash-attn3",
        optimizer="adamw_torch_8bit",
        eot_tokens=["<|end|>"],
        deepspeed="deepspeed_configs/zero3_bf16.json",
        **BIG,
    ),
    recipe(
        "gpt-oss/gpt-oss-20b-fft-fsdp2.yaml",
        "openai/gpt-oss-20b",
        THINKING_ENTRY,
        plugins=CUT_CROSS_ENTROPY,
        use_kernels=False,
        val_set_size=0,
        sequence_len=4096,
        sample_packing=True,
        attn_implementation="kernels-community/vllm-flash-attn3",
        optimizer="adamw_torch_8bit",
        eot_tokens=["<|end|>"],
        **BIG,
        **fsdp2("GptOssDecoderLayer", "SHARDED_STATE_DICT"),
    ),
    recipe(
        "LiquidAI/lfm2-350m-fft.yaml",
        "LiquidAI/LFM2-350M",
        OLD_SHAREGPT_ENTRY,
        plugins=CUT_CROSS_ENTROPY,
        eot_tokens=["<|im_end|>"],
        val_set_size=0.05,
        sequence_len=4096,
        gradient_checkpointing=False,
        **PACKED,
        **FUSED,
    ),
    recipe(
        "distributed-parallel/llama-3_1-8b-hsdp-tp.yaml",
        "meta-llama/Llama-3.1-8B",
        ALPACA_ENTRY,
        plugins=CUT_CROSS_ENTROPY,
        dp_shard_size=4,
        dp_replicate_size=2,
        tensor_parallel_size=2,
        sequence_len=2048,
        **PACKED,
        **FUSED,
        **END_OF_TEXT,
        **BIG,
        **fsdp2("LlamaDecoderLayer", "FULL_STATE_DICT"),
    ),
    recipe(
        "alst/llama3-8b-deepspeed-alst.yaml, without context parallelism",
        "meta-llama/Llama-3.1-8B",
        Entry({"type": "completion", "field": "text"}, TEXT),
        Entry({"type": "completion", "field": "chapter"}, CHAPTER),
        plugins=CUT_CROSS_ENTROPY,
        val_set_size=0.0,
        sequence_len=500_000,
        optimizer="adamw_torch_8bit",
        activation_offloading="legacy",
        gradient_checkpointing=True,
        deepspeed="deepspeed_configs/zero3_bf16_cpuoffload_all.json",
        **PACKED,
        **END_OF_TEXT,
        **BIG,
    ),
    recipe(
        "docs: split_thinking with the Qwen3 template",
        "Qwen/Qwen3-8B",
        Entry({"type": "chat_template", "split_thinking": True}, THINK_TAGS),
        chat_template="qwen3",
        val_set_size=0.0,
        sequence_len=2048,
        **QLORA,
        **PACKED,
        **FUSED,
    ),
    recipe(
        "docs: tool use",
        "Qwen/Qwen3-8B",
        Entry({"type": "chat_template", "field_tools": "tools"}, TOOL_CALLS),
        chat_template="qwen3",
        val_set_size=0.0,
        sequence_len=4096,
        sample_packing=False,
        **QLORA,
        **FUSED,
    ),
    recipe(
        "docs: roles of the data's own, some turns trained on",
        "Qwen/Qwen2.5-7B-Instruct",
        OWN_ROLES_ENTRY,
        chat_template="qwen_25",
        val_set_size=0.0,
        sequence_len=2048,
        **LORA_8BIT,
        **FUSED,
    ),
    recipe(
        "docs: user-defined columns, segments and chats in one recipe",
        "Qwen/Qwen2.5-7B",
        Entry({"type": OWN_COLUMNS}, USER_DEFINED),
        Entry({"type": "input_output"}, SEGMENTS),
        CHAT_ENTRY,
        Entry({"type": "completion"}, TEXT),
        chat_template="chatml",
        train_on_inputs=False,
        val_set_size=0.0,
        sequence_len=2048,
        **QLORA,
        **PACKED,
        **FUSED,
    ),
]
