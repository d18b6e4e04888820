"""Thinking, chatter, tokens of a model and invisible characters never become rows."""

import dataclasses
import json
from types import SimpleNamespace

import pytest

from axolotl_augft.judging.markup import has_odd_characters, has_tokens, without_thinking, worth_finding
from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_questions import read_pairs
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Reason, judge
from axolotl_augft.output.student import load_student
from axolotl_augft.teacher.answer import Answer, Outcome
from tests.judging.test_labels import TRACE, task, trained
from tests.judging.test_read_questions import task as pair_task

ROW = "[1] reversal: At its limit is the Heron."
KEPT = ["At its limit is the Heron."]
THINKING = [
    "[THINK]Let me see.\nIt is so.[/THINK]{}",
    "[THINK]\nLet me see.\n[/THINK]\n\n{}",
    "<thinking>Let me see.\n- It is so.</thinking>\n{}",
    "<think>One.</think>\n<think>\nTwo.\n</think>\n{}",
    "{}\n<think>The Heron is at its limit again.</think>",
    "{}\n<think>\nThe Heron is at its limit again.",
    "<seed:think>Let me see.</seed:think>{}",
    "<Thought>Let me see.</Thought>\n{}",
    "<reasoning>\nLet me see.\n</reasoning>\n{}",
    "<reflection>\nLet me see.\n</reflection>\n{}",
    "<scratchpad>\n[1] reversal: The Heron is so.\n</scratchpad>\n{}",
    "◁think▷Let me see.◁/think▷{}",
    "<|begin_of_thought|>Let me see.<|end_of_thought|>\n{}",
    "The Heron is at a limit, hm.\n</think>\n\n{}",
    "The Heron is at a limit, hm.\n[/THINK]\n{}",
    "<|channel|>analysis<|message|>The Heron is so.<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>",
    "<|start|>assistant<|channel|>analysis<|message|>So.<|end|>\n<|channel|>final <|constrain|>text<|message|>{}",
    "analysisWe need the Heron.assistantfinal{}",
    "<|begin_of_thought|>So.<|end_of_thought|>\n<|begin_of_solution|>{}<|end_of_solution|>",
]


@pytest.mark.parametrize("layout", THINKING)
def test_thinking_is_taken_off(layout):
    assert trained(layout.format(ROW)) == KEPT


@pytest.mark.parametrize(
    "answer",
    [
        "<thinking>The Heron is at its limit.",
        "[THINK]\nThe Heron is at its limit.\nIt stops.",
        "<|channel|>analysis<|message|>The Heron is at its limit.<|end|>",
        "analysisThe Heron is at its limit.",
        "The Heron <think>is at</think> its limit.",
        "The Heron is [THINK] at its limit.",
        "[1] reversal: The Heron is at <thinking> its limit.",
    ],
)
def test_what_is_left_of_thinking_is_rejected(answer):
    assert trained(answer) == []
    assert trained(answer, reading=TRACE) == []


def test_a_document_about_thinking_loses_no_sentence():
    text = "<think> opens and </think> closes a thought."
    assert without_thinking(text, ("A model writes <think> first.",)) == text
    assert trained(text, premises=("A model writes <think> first.",)) == []


CHATTER = [
    "Sure! Here are the statements.",
    "Sure, here you go.",
    "Certainly! The Heron is at its limit.",
    "Of course! Here is the rephrased version.",
    "Here are two statements about the limit of the Heron.",
    "Here's my answer about the Heron.",
    "Below are the rephrasings of the Heron's limit.",
    "I hope this helps.",
    "The Heron is at its limit. I hope this helps!",
    "I hope that these statements are useful.",
    "Let me know if you need more about the limit.",
    "Please let me know.",
    "Feel free to ask about the Heron.",
    "If you need any further statements, ask.",
    "Would you like me to write more about the Heron?",
    "I have rewritten the limit of the Heron.",
    "**Sure!** The Heron is at its limit.",
]


@pytest.mark.parametrize("text", CHATTER)
def test_chatter_is_rejected(text):
    assert judge(task(), Inference(text, "statement")) is Reason.CHATTER
    assert judge(task(), Inference(f"The Heron is at the limit.\n{text}", "trace")) is Reason.CHATTER
    assert judge(task(), Inference(f"{text}\nThe Heron is at the limit.", "trace")) is Reason.CHATTER
    pair = Inference(f"It is the Heron.\n\n{text}", "reversal", question="What is at its limit?")
    assert judge_pair(pair_task(), pair) is Reason.CHATTER


@pytest.mark.parametrize(
    "text",
    [
        "Here is where the Heron has its limit.",
        "Sure-footed is the Heron at its limit.",
        "The hope is that the Heron has a limit.",
        "Great is the limit of the Heron.",
    ],
)
def test_statements_are_no_chatter(text):
    assert judge(task(), Inference(text, "statement")) is None


def test_chatter_of_the_document_is_its_own():
    own = dataclasses.replace(task(), premises=("Write: I hope this helps.",))
    assert judge(own, Inference("What one writes is: I hope this helps.", "statement")) is None


def test_a_line_without_a_label_among_labelled_ones_is_chatter():
    assert judge(task(), Inference("The Heron is at the limit.", "statement", stray=True)) is Reason.CHATTER
    assert trained("Gern! Das ist das Ergebnis.\n" + ROW + "\nIch hoffe, es hilft dir sehr.") == KEPT


TOKENS = [
    "[TOOL_CALLS]",
    "[AVAILABLE_TOOLS]",
    "[/TOOL_RESULTS]",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
    "[SYSTEM_PROMPT]",
    "<|im_end|>",
    "<|eot_id|>",
    "<｜end▁of▁sentence｜>",
    "‹｜end▁of▁sentence｜>",
    "<｜User｜>",
    "< | end | >",
    "<|endoftext|>",
    "<s>",
    "</s>",
    "<bos>",
    "<eos>",
    "<pad>",
    "<unk>",
    "<mask>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "<extra_id_0>",
    "<unused12>",
    "<0x0A>",
    "<tool_call>",
    "</tool_response>",
    "[gMASK]",
    "[IMG]",
    "a▁b",
    "<sop>",
    "<thinking>",
    "[THINK]",
    "</think>",
    "<seed:think>",
    "◁think▷",
]


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_of_models_are_rejected_even_where_the_document_has_them(token):
    own = dataclasses.replace(task(), premises=(f"It is {token} here.",))
    for text in (f"The Heron {token} is here.", f"{token}The Heron is here.", f"The Heron is here{token}."):
        assert judge(own, Inference(text, "statement")) is Reason.MALFORMED
        assert judge(own, Inference(text, "trace")) is Reason.MALFORMED
        pair = Inference(text, "reversal", question="What is here, the Heron?")
        assert judge_pair(pair_task(), pair) is Reason.MALFORMED


@pytest.mark.parametrize("token", ["<b>", "<br/>", "<reponame>", "[MASK]", "[CLS]", "<div.x>"])
def test_what_looks_like_a_token_needs_the_document_to_have_it(token):
    text = f"The Heron {token} is here."
    assert judge(task(), Inference(text, "statement")) is Reason.MALFORMED
    own = dataclasses.replace(task(), premises=(f"It is {token} here.",))
    assert judge(own, Inference(text, "statement")) is None


@pytest.mark.parametrize("text", ["It is so that 3 < 5 and 7 > 5.", "So a<b holds, and c>d.", "See [1] and [a] here."])
def test_signs_are_no_tokens(text):
    assert judge(task(), Inference(text, "statement")) is None


def test_the_students_special_tokens(tmp_path):
    from tokenizers import AddedToken, Tokenizer, models

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["<reponame>", "§end§", "<|x|>", "!", "the", "..."])
    tokenizer.add_tokens([AddedToken("plain-word")])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    recipe = SimpleNamespace(
        tokenizer=str(tmp_path),
        special_tokens=(("pad_token", "{pad}"),),
        chats_about_text=False,
        train_on_inputs=False,
        augft=SimpleNamespace(sentence_splitting="none"),
    )
    student = load_student(recipe)
    assert worth_finding(student.special_tokens) == ("<reponame>", "{pad}", "§end§")
    special = worth_finding(student.special_tokens)
    own = dataclasses.replace(task(), premises=("It is <reponame> and §end§ here.",))
    for token in ("<reponame>", "§end§", "{pad}"):
        said = Inference(f"The Heron {token} is here.", "statement")
        assert judge(own, said, special_tokens=special) is Reason.MALFORMED
        pair = Inference(f"It is {token}.", "reversal", question="What is here, the Heron?")
        assert judge_pair(pair_task(), pair, special_tokens=special) is Reason.MALFORMED
        assert judge_pair(pair_task(), pair) is None
    assert judge(own, Inference("The plain-word is here!", "statement"), special_tokens=special) is None
    assert not has_tokens("The plain-word ... is the end!", special)


INVISIBLE = {
    "tags": "\U000e0041\U000e0042",
    "a flag's end without a flag": "\U000e007f",
    "override": "\u202e",
    "embedding": "\u202a",
    "isolate": "\u2067",
    "end of embedding": "\u202c",
    "byte order mark": "\ufeff",
    "annotation": "\ufff9",
    "deprecated": "\u206a",
    "musical": "\U0001d173",
    "shorthand": "\U0001bca0",
    "soft hyphen": "\u00ad",
    "zero-width space": "\u200b",
    "right-to-left mark": "\u200f",
    "word joiner": "\u2060",
    "invisible times": "\u2062",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "escape": "\x1b",
    "null": "\x00",
    "next line": "\x85",
    "private use": "\ue000",
    "unassigned": "\u0378",
    "replacement": "\ufffd",
}


@pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE)
def test_invisible_characters_are_rejected(character):
    said = f"The Her{character}on is at its limit."
    assert judge(task(), Inference(said, "statement")) is Reason.MALFORMED
    assert judge(task(), Inference(said, "trace")) is Reason.MALFORMED
    assert judge_pair(pair_task(), Inference(said, "reversal", question="What is it?")) is Reason.MALFORMED
    assert trained(f"[1] reversal: {said}") == []


@pytest.mark.parametrize(
    "text",
    [
        "او می‌خواهد کتاب‌ها را بخواند.",
        "क्‍ष और र्‍य दो रूप हैं।",
        "The family 👨‍👩‍👧‍👦 and the flag 🏳️‍🌈 are here.",
        "England has the flag 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f here.",
        "The star ❤️ and 1️⃣ are here.",
        "السنة \u0600\u0661\u0669 هنا.",
        "ᠮᠣᠩᠭᠣᠯ\u180e ᠠ ᠪᠠᠶᠢᠨ᠎ᠠ.",
        "C’est là\u202f: «\u00a0ici\u00a0».",
        "Å is A\u030a here.",
    ],
)
def test_what_languages_and_emoji_need_is_kept(text):
    assert not has_odd_characters(text)
    assert judge(task(), Inference(text, "statement")) is None


@pytest.mark.parametrize("character", ["\u00ad", "\u200b", "\u200e", "\u200f", "\u061c", "\u2060", "\ufeff"])
def test_harmless_characters_of_the_document_are_kept(character):
    assert not has_odd_characters(f"a{character}b", premises=(f"x{character}",))


@pytest.mark.parametrize("character", ["\u202e", "\u2067", "\U000e0041"])
def test_harmful_characters_of_the_document_are_not(character):
    assert has_odd_characters(f"a{character}b", premises=(f"x{character}",))


PAIRS = [
    ("Question: -40 or 40?\nAnswer: -40.", ("-40 or 40?", "-40.")),
    ("**Question:** -40 or 40?\n**Answer:** $5.", ("-40 or 40?", "$5.")),
    ("**Question**: What is it?\n**Answer**: **bold**.", ("What is it?", "**bold**.")),
    ("Q1: .NET or C#?\nA1: .NET.", (".NET or C#?", ".NET.")),
    ('Question：Is it so?\nAnswer："Yes".', ("Is it so?", '"Yes".')),
    ("1. Reversal: -40 or 40?\nAnswer: #5.", ("-40 or 40?", "#5.")),
    ("[1] reversal: $5 or $6?\nA: (5).", ("$5 or $6?", "(5).")),
    ("Turned around: …and then?\nAnswer: …it stopped.", ("…and then?", "…it stopped.")),
    ("reversal: Question: -40 or 40?\nA: -40.", ("-40 or 40?", "-40.")),
    ("- **Reversal:** 'To be' or not?\n  **Answer:** 'To be'.", ("'To be' or not?", "'To be'.")),
    ("Sure! Here are some questions.\n\nQuestion: Is it so?\nAnswer: -5.", ("Is it so?", "-5.")),
    ("[THINK]Question: Hm?\nAnswer: Hm.[/THINK]\nQuestion: Is it so?\nAnswer: -5.", ("Is it so?", "-5.")),
]


@pytest.mark.parametrize(("answer", "pair"), PAIRS)
def test_questions_and_answers_keep_their_signs(answer, pair):
    (found,) = read_pairs(pair_task(), Answer(Outcome.ANSWERED, answer, "stop"))
    assert (found.question, found.text) == pair


@pytest.mark.parametrize(
    ("answer", "questions"),
    [
        ("-40 or 40?\n$5 or $6?", ["-40 or 40?", "$5 or $6?"]),
        ("1. -40 or 40?\n2. .NET or C#?\n\nIch hoffe, das hilft dir.", ["-40 or 40?", ".NET or C#?"]),
        ("3. Oktober oder 4. Oktober?", ["3. Oktober oder 4. Oktober?"]),
        ("- rephrasing: -40 or 40?", ["-40 or 40?"]),
    ],
)
def test_lines_of_questions_keep_their_signs(answer, questions):
    found = read_pairs(pair_task(kind="rephrasing"), Answer(Outcome.ANSWERED, answer, "stop"))
    assert [p.question for p in found] == questions


def test_json_pairs_keep_their_signs():
    said = json.dumps({"pairs": [{"kind": "reversal", "question": "-40 or 40?", "answer": "-40."}]})
    (found,) = read_pairs(pair_task(), Answer(Outcome.ANSWERED, said, "stop"))
    assert (found.question, found.text) == ("-40 or 40?", "-40.")
