"""Reading and judging take time in proportion to the text, whatever a teacher or a data set holds."""

import time

import pytest

from axolotl_augft.formats.chat import ChatFormat
from axolotl_augft.formats.segments import SegmentFormat
from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_questions import read_pairs
from axolotl_augft.judging.read_statements import Inference, read_inferences
from axolotl_augft.judging.rules import judge
from axolotl_augft.judging.support import foreign_names, is_echo
from axolotl_augft.strategies.instructions import _instructions
from axolotl_augft.strategies.worked_examples.forms import form_tokens
from axolotl_augft.teacher.answer import Answer, Outcome
from tests.judging.test_labels import TRACE, task
from tests.judging.test_read_questions import task as pair_task

SIZE = 1_000_000
PIECES = [
    " ", "\n", "\t", "\n\n#", "*", "* ", "- ", "1. ", "[1] ", "[", "{", '{"', '{"a":', '{"a":1,', '["', '["a",',
    "<", "<think>", "x<think>", "</think>", "</think>\n", "\n<think>", "[THINK]", "```", "``` ", "```\n", "|",
    "| a ", "|-", "---\n", "Conclusions", "\nConclusions:", "conclusion ", "final ", "reversal", "reversal ",
    "reversal: ", "**", "** ", "_", "document ", "text ", "Sure! ", "I hope ", "a", "A ", "A. ", "A b. ", "\u0661",
    "Mara ", "“a ", "\"a ", "(", ")", "'", "-", "<|", "<|a", "｜", "«", "\u200d", "\\|", "Q: ", "\nQ: a\nA: b",
    "\n1. a", "here is ", "below are ", "if you have ", ".\n", ". ", ": ", "：", "。", "泵", "analysis",
    "assistantfinal", "<|channel|>", "<|channel|>final", "\x85",
]  # fmt: skip


def in_time(seconds, run, *args):
    start = time.process_time()
    run(*args)
    took = time.process_time() - start
    assert took < seconds, took


def long(piece, size):
    return (piece * (size // len(piece) + 1))[:size]


def answered(text):
    return Answer(Outcome.ANSWERED, text, "length")


def all_rules(text):
    for own, kind in ((task(), "statement"), (task(reading=TRACE), "trace")):
        for inference in read_inferences(own, answered(text))[:2000]:
            judge(own, inference, check_names=True, special_tokens=("<x>", "[y]"))
        judge(own, Inference(text, kind), check_names=True)
    for pair in read_pairs(pair_task(), answered(text))[:2000]:
        judge_pair(pair_task(), pair, check_names=True)
    judge_pair(pair_task(), Inference(text, "reversal", question=text), check_names=True)


@pytest.mark.parametrize("piece", PIECES)
def test_a_long_answer(piece):
    in_time(3, all_rules, long(piece, 100_000))


@pytest.mark.slow
@pytest.mark.parametrize("piece", [" ", "\n", "*", "1. ", "[1] ", "{", '{"', "<think>"])
def test_an_answer_of_a_megabyte(piece):
    in_time(15, all_rules, long(piece, SIZE))


@pytest.mark.parametrize(
    "text",
    [
        '{"x":' * 500 + "[" + '{"a":1},' * 20_000,
        '{"question": "' + "{" * SIZE,
        '{"question":' + " " * SIZE,
        '{"question": {' * 50_000,
        '["' + "a" * SIZE,
        "[" + '"a.",' * 50_000,
        "Q: " + "{\n" * 300_000,
    ],
    ids=range(7),
)
def test_json_without_an_end(text):
    in_time(15, all_rules, text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["\n", " ", "#", "*", "\n#", "<|a", "<|a|>", "<|a|>\n", "input", "input ", "user", "\nuser*", "## ", ">"]
)
def test_a_segment_of_a_megabyte(piece):
    rows = [
        {"segments": [{"text": long(piece, SIZE), "label": False}, {"text": "yes", "label": True}]},
        {"segments": [{"text": long(piece, SIZE) + "why", "label": False}, {"text": long(piece, SIZE), "label": True}]},
    ]
    in_time(15, lambda: [SegmentFormat().read(row) for row in rows])


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["<think>", " ", "</think>", "<|begin_of_solution|>", "<reasoning>a"])
def test_a_chat_answer_of_a_megabyte(piece):
    row = {"messages": [{"role": "user", "content": "why"}, {"role": "assistant", "content": long(piece, SIZE)}]}
    in_time(15, ChatFormat().read, row)


@pytest.mark.slow
def test_premises_and_instructions_of_a_megabyte():
    text = "".join(f"Mara {i} is here. " for i in range(50_000))
    in_time(15, is_echo, text, (text,))
    in_time(15, foreign_names, text, ("x",))
    in_time(15, lambda: list(_instructions([text]).repeated_in(text)))
    in_time(15, form_tokens, text)
