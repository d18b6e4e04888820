"""One exchange, as each format of axolotl's holds it, and what the scripted teacher writes about it."""

import json
from dataclasses import dataclass, field

QUESTION = "Who is the harbour master of Port Ennis?"
ANSWER = "Mara Quell is the harbour master of Port Ennis."
ASKED_AGAIN = "Who runs the harbour of Port Ennis?"
TURNED = "What is Mara Quell's work?"
TURNED_ANSWER = "Mara Quell is the harbour master of Port Ennis, which has a harbour."
SYSTEM = "You answer in one sentence."

PAIRS = [
    {"kind": "rephrasing", "question": ASKED_AGAIN, "answer": "Somebody else."},
    {"kind": "reversal", "question": TURNED, "answer": TURNED_ANSWER},
]


def as_json(body: dict) -> str:
    return json.dumps({"pairs": PAIRS})


@dataclass(frozen=True)
class Case:
    """A format: the keys of its entry, a row, and the rows that come of it, without columns of ours."""

    name: str
    entry: dict
    row: dict
    rephrased: dict
    turned: dict
    cfg: dict = field(default_factory=dict)


def message(role, content, **more):
    return {"role": role, "content": content, **more}


def columns(name: str, question: str, answer: str, **others) -> Case:
    row = {question: QUESTION, answer: ANSWER, **others}
    return Case(
        name, {"type": name}, row, {**row, question: ASKED_AGAIN}, {**row, question: TURNED, answer: TURNED_ANSWER}
    )


CHAT = {"chat_template": "chatml"}
USER_DEFINED = {
    "field_instruction": "q",
    "field_output": "a",
    "field_system": "s",
    "format": "Q: {instruction}\nA: ",
    "no_input_format": "Q: {instruction}\nA: ",
}
CASES = [
    Case(
        "chat_template",
        {"type": "chat_template"},
        {"messages": [message("system", SYSTEM), message("user", QUESTION), message("assistant", ANSWER)], "n": 1},
        {"messages": [message("system", SYSTEM), message("user", ASKED_AGAIN), message("assistant", ANSWER)], "n": 1},
        {"messages": [message("system", SYSTEM), message("user", TURNED), message("assistant", TURNED_ANSWER)], "n": 1},
        CHAT,
    ),
    Case(
        "sharegpt columns, several turns",
        {
            "type": "chat_template",
            "field_messages": "conversations",
            "message_property_mappings": {"role": "from", "content": "value"},
        },
        {
            "conversations": [
                {"from": "human", "value": "Hello."},
                {"from": "gpt", "value": "Hello, how can I help?"},
                {"from": "human", "value": QUESTION},
                {"from": "gpt", "value": ANSWER},
            ]
        },
        {"conversations": [{"from": "human", "value": ASKED_AGAIN}, {"from": "gpt", "value": ANSWER}]},
        {"conversations": [{"from": "human", "value": TURNED}, {"from": "gpt", "value": TURNED_ANSWER}]},
        CHAT,
    ),
    Case(
        "roles and flags of its own",
        {
            "type": "chat_template",
            "field_messages": "talk",
            "message_property_mappings": {"role": "who", "content": "says"},
            "roles": {"user": ["customer"], "assistant": ["agent"]},
            "message_field_training": "learn",
        },
        {
            "talk": [
                {"who": "customer", "says": QUESTION, "learn": False},
                {"who": "agent", "says": ANSWER, "learn": True},
            ]
        },
        {
            "talk": [
                {"who": "customer", "says": ASKED_AGAIN, "learn": False},
                {"who": "agent", "says": ANSWER, "learn": True},
            ]
        },
        {
            "talk": [
                {"who": "customer", "says": TURNED, "learn": False},
                {"who": "agent", "says": TURNED_ANSWER, "learn": True},
            ]
        },
        CHAT,
    ),
    Case(
        "thinking",
        {"type": "chat_template"},
        {"messages": [message("user", QUESTION), message("assistant", ANSWER, reasoning_content="I know Mara.")]},
        {"messages": [message("user", ASKED_AGAIN), message("assistant", ANSWER, reasoning_content="I know Mara.")]},
        {"messages": [message("user", TURNED), message("assistant", TURNED_ANSWER)]},
        CHAT,
    ),
    Case(
        "content in parts",
        {"type": "chat_template"},
        {
            "messages": [
                message("user", [{"type": "text", "text": QUESTION}]),
                message("assistant", [{"type": "text", "text": ANSWER}]),
            ]
        },
        {
            "messages": [
                message("user", [{"type": "text", "text": ASKED_AGAIN}]),
                message("assistant", [{"type": "text", "text": ANSWER}]),
            ]
        },
        {
            "messages": [
                message("user", [{"type": "text", "text": TURNED}]),
                message("assistant", [{"type": "text", "text": TURNED_ANSWER}]),
            ]
        },
        CHAT,
    ),
    Case(
        "messages in a string",
        {"type": "chat_template"},
        {"messages": json.dumps([message("user", QUESTION), message("assistant", ANSWER)], separators=(",", ":"))},
        {"messages": json.dumps([message("user", ASKED_AGAIN), message("assistant", ANSWER)], separators=(",", ":"))},
        {"messages": json.dumps([message("user", TURNED), message("assistant", TURNED_ANSWER)], separators=(",", ":"))},
        CHAT,
    ),
    columns("alpaca", "instruction", "output", input="", n=1),
    columns("alpaca:chat", "instruction", "output"),
    columns("alpaca_instruct.load", "instruction", "output"),
    columns("alpaca_instruct.load_no_prompt", "instruction", "output"),
    columns("alpaca_chat.load", "instruction", "output"),
    columns("alpaca_chat.load_concise", "instruction", "output"),
    columns("alpaca_chat.load_no_prompt", "instruction", "output"),
    columns("alpaca_chat.load_qa", "question", "answer"),
    columns("alpaca_chat.load_camel_ai", "message_1", "message_2"),
    columns("alpaca_w_system.load", "instruction", "output", system=SYSTEM),
    columns("alpaca_w_system.load_instruct", "instruction", "output", system=SYSTEM),
    columns("alpaca_w_system.load_chat", "instruction", "output", system=SYSTEM),
    columns("alpaca_w_system.load_open_orca", "question", "response", system_prompt=SYSTEM),
    columns("alpaca_w_system.load_open_orca_chatml", "question", "response", system_prompt=SYSTEM),
    columns("orcamini", "question", "response", system_prompt=SYSTEM),
    columns("gpteacher", "instruction", "response", input=""),
    columns("oasst", "INSTRUCTION", "RESPONSE"),
    columns("metharme", "prompt", "generation"),
    columns("context_qa", "question", "answer", article="Port Ennis has a harbour."),
    columns("context_qa.load_v2", "question", "answer", context="Port Ennis has a harbour."),
    Case(
        "an input column",
        {"type": "alpaca"},
        {"instruction": "Answer the question.", "input": QUESTION, "output": ANSWER},
        {"instruction": ASKED_AGAIN, "input": QUESTION, "output": ANSWER},
        {"instruction": TURNED, "input": "", "output": TURNED_ANSWER},
    ),
    Case(
        "user-defined",
        {"type": USER_DEFINED},
        {"q": QUESTION, "a": ANSWER, "s": SYSTEM},
        {"q": ASKED_AGAIN, "a": ANSWER, "s": SYSTEM},
        {"q": TURNED, "a": TURNED_ANSWER, "s": SYSTEM},
    ),
    Case(
        "input_output",
        {"type": "input_output"},
        {
            "segments": [
                {"label": False, "text": f"<s>[INST] {QUESTION} [/INST]"},
                {"label": True, "text": f" {ANSWER}</s>"},
            ]
        },
        {
            "segments": [
                {"label": False, "text": f"<s>[INST] {ASKED_AGAIN} [/INST]"},
                {"label": True, "text": f" {ANSWER}</s>"},
            ]
        },
        {
            "segments": [
                {"label": False, "text": f"<s>[INST] {TURNED} [/INST]"},
                {"label": True, "text": f" {TURNED_ANSWER}</s>"},
            ]
        },
    ),
    Case(
        "input_output, several turns",
        {"type": "input_output"},
        {
            "segments": [
                {"label": False, "text": "<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\n"},
                {"label": True, "text": "Hello!<|im_end|>\n"},
                {"label": False, "text": f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"},
                {"label": True, "text": f"{ANSWER}<|im_end|>"},
            ]
        },
        {
            "segments": [
                {"label": False, "text": "<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\n"},
                {"label": False, "text": "Hello!<|im_end|>\n"},
                {"label": False, "text": f"<|im_start|>user\n{ASKED_AGAIN}<|im_end|>\n<|im_start|>assistant\n"},
                {"label": True, "text": f"{ANSWER}<|im_end|>"},
            ]
        },
        {
            "segments": [
                {"label": False, "text": "<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\n"},
                {"label": False, "text": "Hello!<|im_end|>\n"},
                {"label": False, "text": f"<|im_start|>user\n{TURNED}<|im_end|>\n<|im_start|>assistant\n"},
                {"label": True, "text": f"{TURNED_ANSWER}<|im_end|>"},
            ]
        },
    ),
]
