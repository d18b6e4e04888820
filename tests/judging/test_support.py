import dataclasses
import time

import pytest

from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Reason, judge
from axolotl_augft.judging.support import foreign_names, is_subsequence
from axolotl_augft.strategies.worked_examples.pool import load_pool
from tests.judging.test_rules import TASK


def about(sentence):
    return dataclasses.replace(TASK, premises=(sentence,), sentences=(sentence,))


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("The master of Port Ennis is Mara Quell.", []),
        ("The master of Port Enis is Mara Quell.", ["Enis"]),
        ("There are 13 boats.", ["13"]),
        ("There are 12 boats. They are small.", []),
        ("Quell's boats are small, says Ossian.", ["Ossian"]),
        ("So I think I'm right about Mara Quell.", []),
        ("“Small” is what they are. «Boats» are (Small) things.", []),
        ("¿Small or not? …Boats. „Boats“ say Ossian.", ["Ossian"]),
        ("Лодки принадлежат Маре.", ["Маре"]),
        ("Mara Quell is from Port-au-Ennis.", ["Port-au-Ennis"]),
    ],
)
def test_names_and_numbers_that_the_premises_lack(text, foreign):
    assert foreign_names(text, TASK.premises) == foreign
    assert (judge(TASK, Inference(text, "rephrasing"), check_names=True) is Reason.UNSUPPORTED) == bool(foreign)
    assert judge(TASK, Inference(text, "rephrasing")) is None


@pytest.mark.parametrize(
    ("sentence", "text", "unchecked", "checked"),
    [
        ("The owl is no prey of the fox.", "The owl is prey of the fox.", None, Reason.UNSUPPORTED),
        ("Mara's boss is Orla.", "Mara's boss is Orla!", Reason.ECHO, Reason.ECHO),
        ("Der Fuchs frisst die Eule nicht.", "Der Fuchs frisst die Eule.", Reason.ECHO, Reason.ECHO),
        ("The owl is no prey of the fox.", "The fox has no prey that is an owl.", None, None),
        ("Mara's boss is Orla.", "Orla is Mara's boss.", None, None),
        ("Romeo loves Juliet and Juliet loves Romeo.", "Juliet loves Romeo and Romeo loves Juliet.", None, None),
    ],
)
def test_a_reversal_that_only_leaves_words_of_its_sentence_out(sentence, text, unchecked, checked):
    assert is_subsequence(text, sentence) is (checked is not None)
    assert judge(about(sentence), Inference(text, "reversal")) is unchecked
    assert judge(about(f"Well: {sentence}"), Inference(text, "reversal"), check_names=True) is checked
    assert judge(about(sentence), Inference(text, "rephrasing"), check_names=True) is unchecked


def test_a_shortened_reversal_of_one_of_several_sentences_is_unsupported():
    sentences = ("Mara works in Port Ennis.", "The mill is never old.")
    task = dataclasses.replace(TASK, premises=sentences, sentences=sentences, first_sentence=3)
    assert judge(task, Inference("The mill is old.", "reversal", sentence=4), check_names=True) is Reason.UNSUPPORTED
    assert judge(task, Inference("What is never old is the mill.", "reversal", sentence=4), check_names=True) is None


def test_a_question_with_its_answer_is_no_shortened_sentence():
    task = about("Orla of Port Ennis sails.")
    assert judge(task, Inference("Orla sails.", "reversal"), check_names=True) is Reason.UNSUPPORTED
    assert judge_pair(task, Inference("sails.", "reversal", question="Orla?! Of Port"), check_names=True) is None


def test_every_worked_reversal_of_the_package_passes():
    statements = [(e, s) for e in load_pool(None) for s in e.statements if s.kind == "reversal"]
    assert len(statements) > 50
    for example, statement in statements:
        task = dataclasses.replace(about(example.text), premises=(example.context or "", example.text))
        assert judge(task, Inference(statement.text, "reversal"), check_names=True) is None, statement


def test_a_long_statement_of_few_words_is_judged_in_time():
    words = [f"w{i % 5}" for i in range(1000)]
    started = time.process_time()
    is_subsequence(" ".join(reversed(words)), " ".join(words * 4))
    assert time.process_time() - started < 2
