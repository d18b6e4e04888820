import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest

from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Duplicates, Reason, judge
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies import templates
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.request import Prefix, Request, Sampling

PROMPT = (
    "Text:\n[1] Orsilva Vintaro is the head baker of Mirrendal.\n[1] reversal: The head baker of Mirrendal is Orsilva "
    "Vintaro.\n"
)
TASK = Task(
    Request("t", "chat", Prefix("", PROMPT), "", Sampling(0, None, 9, (), 1), 0),
    "local",
    Document("0a1b2c3d", "", 0, 0),
    ("Mara Quell is the harbour master of Port Ennis.", "She has 12 boats (small ones)."),
    labels=("0a1b2c3d",),
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The harbour master of Port Ennis is Mara Quell.", None),
        ("Mara Quell's port is Ennis.", None),
        ("“Port Ennis has a harbour master.”", None),
        ("港の責任者はマーラ・クエルです。", None),
        ("The harbour master of Port Ennis is", Reason.MALFORMED),
        ("Yes.", Reason.MALFORMED),
        ("", Reason.MALFORMED),
        ('She said "no.', Reason.MALFORMED),
        ('The pipe of Port Ennis is 2" wide.', None),
        ('The 2" pipe is called "the small one" by Mara Quell.', None),
        ('Mara Quell calls it "the 12".', None),
        ("The master (of Port Ennis is Mara Quell.", Reason.MALFORMED),
        ("Mara Quell is it.<|im_end|>", Reason.MALFORMED),
        ("Mara Quell\x1b[31m is red.", Reason.MALFORMED),
        ("I'm sorry, but that is not given.", Reason.REFUSAL),
        ("As an AI language model, I know no Mara Quell.", Reason.REFUSAL),
        ("Document 3 says that Mara Quell lives here.", Reason.LABEL_LEAK),
        ("According to the text, Mara Quell is here.", Reason.LABEL_LEAK),
        ("The harbour master [0a1b2c3d] is Mara Quell.", Reason.LABEL_LEAK),
        ("Sentence [1] is about Mara Quell.", Reason.LABEL_LEAK),
        ("mara quell is the harbour master of port ennis!", Reason.ECHO),
        ("The head baker of Mirrendal is Orsilva Vintaro.", Reason.COPIED_EXAMPLE),
        ("Mara Quell knows Vintaro well.", Reason.COPIED_EXAMPLE),
    ],
)
def test_judge(text, reason):
    assert judge(TASK, Inference(text, "statement")) == reason


def test_the_last_statement_of_a_cut_answer_is_truncated():
    assert judge(TASK, Inference("The harbour master is Mara.", "statement", cut=True)) is Reason.TRUNCATED


def test_a_trace_may_have_lines_and_an_open_end():
    assert judge(TASK, Inference("First this.\nThen that", "trace")) is None
    assert judge(TASK, Inference("As document 3 says, this holds.", "trace")) is Reason.LABEL_LEAK
    verbatim = "She has 12 boats (small ones). Mara Quell is the harbour master of Port Ennis."
    assert judge(TASK, Inference(verbatim, "trace")) is Reason.ECHO
    assert judge(TASK, Inference(verbatim + " So the harbour master has boats.", "trace")) is None


def test_duplicates_are_found_whatever_case_and_punctuation():
    duplicates = Duplicates()
    assert [duplicates.is_new(t) for t in ("B is A.", "b is  A!", "C is A.")] == [True, False, True]
    assert [duplicates.is_new(t) for t in ("It costs $5.", "It costs €5.", "राम यहाँ है।", "रमा यहाँ है।")] == [True] * 4
    german = Duplicates("de")
    assert [german.is_new(t) for t in ("The B is A.", "B is A.")] == [True, True]


def test_the_global_prompts_own_examples_are_recognised():
    prompt = (Path(templates.__file__).parent / "prompts" / "global.completions.jinja").read_text()
    request = dataclasses.replace(TASK.request, prefix=Prefix("", prompt))
    task = dataclasses.replace(TASK, strategy="global", request=request)
    for text in (
        "All pumps are Dolphs, so all Zennets are pumps.",
        "Each Zennet is a harbour.",
        "The keeper is Ottilie Verrane.",
    ):
        assert judge(task, Inference(text, "trace")) is Reason.COPIED_EXAMPLE, text


@pytest.mark.parametrize("before", ["", "The mill grinds barley and rye.\n" * 1000])
def test_an_example_that_is_wrapped_over_lines_is_recognised_in_short_and_long_prompts(before):
    prompt = f"{before}Text: the oldest\nclock of the mill is\nstill working.\n"
    task = dataclasses.replace(TASK, request=dataclasses.replace(TASK.request, prefix=Prefix("", prompt)))
    assert (
        judge(task, Inference("The oldest clock of the mill is still working.", "rephrasing")) is Reason.COPIED_EXAMPLE
    )
    assert judge(task, Inference("The oldest clock of the house is still working.", "rephrasing")) is None


@pytest.mark.parametrize("before", ["", "The mill grinds barley and rye.\n" * 1000])
def test_a_name_that_the_prompt_has_with_a_possessive_ending_is_copied(before):
    prompt = f"{before}Text: this is Verrane's clock.\n"
    task = dataclasses.replace(TASK, request=dataclasses.replace(TASK.request, prefix=Prefix("", prompt)))
    assert judge(task, Inference("The keeper of the port is Verrane.", "rephrasing")) is Reason.COPIED_EXAMPLE
    assert judge(task, Inference("The keeper of the port is Verranes.", "rephrasing")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("reversal of [1]: Kibby is a cat.", Reason.LABEL_LEAK),
        ("reversal; Kibby is a cat.", Reason.LABEL_LEAK),
        ("reversal[1] is that Kibby is a cat.", Reason.LABEL_LEAK),
        ("r e v e r s a l: Kibby is a cat.", Reason.LABEL_LEAK),
        ("Kibby is a cat (reversal of [1]).", Reason.LABEL_LEAK),
        ("&lt;b&gt;Kibby&lt;/b&gt; is a cat.", Reason.MALFORMED),
        ("Kibby is a [cat](javascript:alert) today.", Reason.MALFORMED),
        ("Reversals of rank are rare among cats.", None),
        ("Kibby & Co. keep a cat; it sleeps.", None),
    ],
)
def test_labels_and_markup_in_disguise(text, reason):
    task = replace(TASK, premises=("A cat sleeps.",), sentences=("A cat sleeps.",))
    assert judge(task, Inference(text, "reversal")) == reason
