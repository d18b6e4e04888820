import dataclasses
from pathlib import Path

import pytest

from axolotl_augft import judging
from axolotl_augft.documents import Document
from axolotl_augft.inferences import Inference
from axolotl_augft.judging import Check, Duplicates, Reason, judge
from axolotl_augft.naming import changes_a_word, foreign_names, foreign_numbers, invented_words, loses_a_side, swaps_ends
from axolotl_augft.requests import Prefix, Request, Sampling
from axolotl_augft.tasks import Task

PROMPT = "Text:\n[1] Orsilva Vintaro is the head baker of Mirrendal.\n[1] reversal: The head baker of Mirrendal is Orsilva Vintaro.\n"
TASK = Task(
    Request("t", "chat", Prefix("", PROMPT), "", Sampling(0, None, 9, (), 1), 0),
    "local",
    Document("0a1b2c3d", "", 0, 0),
    ("Mara Quell is the harbour master of Port Ennis.", "She has 12 boats (small ones)."),
    labels=frozenset({"0a1b2c3d"}),
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
    assert judge(TASK, Inference(text, "statement"), Check()) == reason


def test_the_last_statement_of_a_cut_answer_is_truncated():
    assert judge(TASK, Inference("The harbour master is Mara.", "statement", cut=True), Check()) is Reason.TRUNCATED


def test_a_trace_may_have_lines_and_an_open_end():
    assert judge(TASK, Inference("First this.\nThen that", "trace"), Check()) is None
    assert judge(TASK, Inference("As document 3 says, this holds.", "trace"), Check()) is Reason.LABEL_LEAK
    verbatim = "She has 12 boats (small ones). Mara Quell is the harbour master of Port Ennis."
    assert judge(TASK, Inference(verbatim, "trace"), Check()) is Reason.ECHO
    assert judge(TASK, Inference(verbatim + " So the harbour master has boats.", "trace"), Check()) is None


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("The master of Port Ennis is Mara Quell.", []),
        ("The master of Port Enis is Mara Quell.", ["Enis"]),
        ("There are 13 boats.", ["13"]),
        ("There are 12 boats. They are small.", []),
        ("Quell's boats are small, says Ossian.", ["Ossian"]),
    ],
)
def test_foreign_names(text, foreign):
    assert foreign_names(text, TASK.premises) == foreign
    assert (judge(TASK, Inference(text, "s"), Check(names=True)) is Reason.UNSUPPORTED) == bool(foreign)


@pytest.mark.parametrize(
    ("text", "sentence", "swapped"),
    [
        ("Calibration Lab is the head of Orla Fenwick.", "Orla Fenwick is the head of the Calibration Lab.", True),
        ("The Dipper buzzer is louder than the Plover alarm.", "The Plover alarm is louder than the Dipper buzzer.", True),
        ("The Saltmere site is part of Shed Four.", "Shed Four is part of the Saltmere site.", True),
        ("The head of the Calibration Lab is Orla Fenwick.", "Orla Fenwick is the head of the Calibration Lab.", False),
        ("The Dipper buzzer is less loud than the Plover alarm.", "The Plover alarm is louder than the Dipper buzzer.", False),
        ("In 1992 the flood happened.", "The flood happened in 1992.", False),
        ("A field kit is carried by an engineer.", "An engineer carries a field kit.", False),
        ("Orla Fenwick is the head.", "Orla Fenwick is the head.", False),
    ],
)
def test_swapped_ends(text, sentence, swapped):
    assert swaps_ends(text, sentence) is swapped
    task = dataclasses.replace(TASK, premises=(sentence,), sentences=(sentence,))
    if swapped:
        assert judge(task, Inference(text, "reversal"), Check(names=True)) is Reason.UNSUPPORTED
        assert judge(task, Inference(text, "reversal"), Check()) is None


@pytest.mark.parametrize(
    ("text", "sentence", "swapped"),
    [
        ("Hobbets are more patient than tramlins.", "Did you know that tramlins are more patient than hobbets?", True),
        ("Shed Four reports to Mara.", "Since May, Mara reports to Shed Four in Ennis.", True),
        ("The head of the lab is Orla.", "Everyone knows that Orla is the head of the lab.", False),
    ],
)
def test_swapped_ends_of_a_part_of_the_sentence(text, sentence, swapped):
    assert swaps_ends(text, sentence) is swapped


@pytest.mark.parametrize(
    ("text", "sentence", "changed"),
    [
        ("Tramlins are less patient than hobbets.", "Did you know that tramlins are more patient than hobbets?", True),
        ("Orla led the lab.", "Orla leads the lab.", True),
        ("Hobbets are less patient than tramlins.", "Tramlins are more patient than hobbets.", False),
        ("The lab is led by Orla.", "Orla leads the lab.", False),
        ("Orla leads the lab.", "Orla leads the lab.", False),
        ("Orla sails.", "Orla sings.", False),
    ],
)
def test_a_reversal_is_no_copy_with_one_word_exchanged(text, sentence, changed):
    assert changes_a_word(text, sentence) is changed
    task = dataclasses.replace(TASK, premises=(sentence,), sentences=(sentence,))
    if changed:
        assert judge(task, Inference(text, "reversal"), Check(names=True)) is Reason.UNSUPPORTED
        assert judge(task, Inference(text, "rephrasing"), Check(names=True)) is None
        assert judge(task, Inference(text, "reversal"), Check()) is None


@pytest.mark.parametrize(
    ("text", "sentence", "lost"),
    [
        ("Dumps are less patient than zadals.", "Zadals are more patient than drumps.", True),
        ("A drump is less patient than a zadal.", "Zadals are more patient than drumps.", False),
        ("Mara Quell has certainly made a mark.", "Known as the keeper of the Lantern Room, Mara Quell has made a mark.", True),
        ("The keeper of the lantern room is Quell.", "Known as the keeper of the Lantern Room, Mara Quell has made a mark.", False),
        ("The keeper of the mill has twelve boats.", "Mara Quell, who has twelve boats, is keeper of the mill.", False),
        ("The site near Ennis was sold.", "I sold the site near Ennis.", False),
        ("Its head is Orla.", "Orla Tamm is head. Its roof leaks.", False),
    ],
)
def test_a_reversal_names_both_sides(text, sentence, lost):
    assert loses_a_side(text, sentence) is lost
    task = dataclasses.replace(TASK, premises=(sentence,), sentences=(sentence,))
    if lost:
        assert judge(task, Inference(text, "reversal"), Check(names=True)) is Reason.UNSUPPORTED
        assert judge(task, Inference(text, "rephrasing"), Check(names=True)) is None
        assert judge(task, Inference(text, "reversal"), Check(names=True, language="da")) is None


def test_the_sides_are_those_of_the_sentence_that_a_reversal_is_about():
    sentences = ("Mara Quell works in Port Ennis.", "Zadals are more patient than drumps.")
    task = dataclasses.replace(TASK, premises=sentences, sentences=sentences, first_sentence=3)
    lost = "The port is where Mara works."
    assert judge(task, Inference(lost, "reversal", sentence=3), Check(names=True)) is Reason.UNSUPPORTED
    assert judge(task, Inference(lost, "reversal", sentence=4), Check(names=True)) is Reason.UNSUPPORTED
    assert judge(task, Inference(lost, "reversal"), Check(names=True)) is None


def test_duplicates_are_found_whatever_case_and_punctuation():
    duplicates = Duplicates()
    assert [duplicates.is_new(t) for t in ("B is A.", "b is  A!", "C is A.")] == [True, False, True]


def test_the_global_prompts_own_examples_are_recognised():
    prompt = (Path(judging.__file__).parent / "prompts" / "global.completions.jinja").read_text()
    request = dataclasses.replace(TASK.request, prefix=Prefix("", prompt))
    task = dataclasses.replace(TASK, strategy="global", request=request)
    for text in ("All pumps are Dolphs, so all Zennets are pumps.", "Each Zennet is a harbour.", "The keeper is Ottilie Verrane."):
        assert judge(task, Inference(text, "trace"), Check()) is Reason.COPIED_EXAMPLE, text


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("Hobbets are less patient than tramlins.", []),
        ("A hobbet is less patient than a tramlin.", []),
        ("Hobbets are less patient than tramlings.", ["tramlings"]),
        ("Hobbots are less patient than the quiet plinkets.", ["hobbots", "plinkets"]),
        ("Bakers sang while the houses were painted.", []),
        ("The website and the workflow were upgraded with new firmware.", []),
    ],
)
def test_words_that_neither_the_premises_nor_a_dictionary_have(text, invented):
    assert invented_words(text, ["Tramlins are more patient than hobbets."]) == invented


def test_a_misspelt_name_is_unsupported_in_english_only():
    sentence = "Tramlins are more patient than hobbets."
    task = dataclasses.replace(TASK, premises=(sentence,), sentences=(sentence,))
    misspelt = Inference("Hobbets are less patient than tramlings.", "reversal")
    assert judge(task, misspelt, Check(names=True)) is Reason.UNSUPPORTED
    assert judge(task, misspelt, Check(names=True, language="da")) is None
    assert judge(task, misspelt, Check()) is None


def test_a_name_without_a_capital_is_copied_from_a_worked_example():
    shown = dataclasses.replace(TASK.request, prefix=Prefix("", "Text:\n[1] Dorvels are more cheerful than plinkets.\n"))
    task = dataclasses.replace(TASK, request=shown, premises=("Tramlins are more patient than hobbets.",))
    assert judge(task, Inference("Hobbets are less patient than tramlins.", "reversal"), Check()) is None
    assert judge(task, Inference("Plinkets are less patient than tramlins.", "reversal"), Check()) is Reason.COPIED_EXAMPLE
    assert judge(task, Inference("Some plinkets are less patient than tramlins.", "reversal"), Check()) is Reason.COPIED_EXAMPLE


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Every employee has twenty-two days of leave.", ["twenty-two"]),
        ("Every employee has twenty-six days, not less than twenty-six.", []),
        ("One of two people has leave.", []),
        ("Eight Employees", ["eight"]),
    ],
)
def test_number_words_that_the_premises_lack(text, foreign):
    assert foreign_numbers(text, ["Every employee has twenty-six days of paid leave."]) == foreign


@pytest.mark.parametrize("before", ["", "The mill grinds barley and rye.\n" * 1000])
def test_an_example_that_is_wrapped_over_lines_is_recognised_in_short_and_long_prompts(before):
    prompt = f"{before}Text: the oldest\nclock of the mill is\nstill working.\n"
    task = dataclasses.replace(TASK, request=dataclasses.replace(TASK.request, prefix=Prefix("", prompt)))
    assert judge(task, Inference("The oldest clock of the mill is still working.", "rephrasing"), Check()) is Reason.COPIED_EXAMPLE
    assert judge(task, Inference("The oldest clock of the house is still working.", "rephrasing"), Check()) is None
