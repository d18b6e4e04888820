import dataclasses
import time
from pathlib import Path

import pytest

from axolotl_augft import judging
from axolotl_augft.documents import Document
from axolotl_augft.examples import Example, load_pool
from axolotl_augft.inferences import Inference
from axolotl_augft.judging import Check, Duplicates, Reason, judge
from axolotl_augft.naming import foreign_names, foreign_numbers, invented_words
from axolotl_augft.pair_judging import judge_pair
from axolotl_augft.requests import Prefix, Request, Sampling
from axolotl_augft.reversing import swaps_ends
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


RIGHT = [
    ("The French physicist Marie Curie discovered radium.", "Radium was discovered by Marie Curie."),
    ("In December 1898, Marie Curie discovered radium.", "Radium was discovered by Marie Curie."),
    ("The People Operations Team (POT) handles leave requests.", "Leave requests are handled by the People Operations Team."),
    ("Interns, including those from Leeds and York, report to the lab manager.", "The lab manager supervises interns."),
    ("The clinic in Ennis was founded by Dr. Brown.", "Dr. Brown founded the clinic in Ennis."),
    ("The compound that stopped the swelling was Miloxer.", "Miloxer stopped the swelling."),
    ("The person who leads the lab is Mara.", "Mara leads the lab."),
    ("What the API returns is JSON.", "JSON is what the API returns."),
    ("Mara Quell is now the head of the lab.", "The head of the lab is now Mara Quell."),
    ("The lab of Ennis has been the home of the pumps.", "The home of the pumps has been the lab of Ennis."),
    ("Tilsarn Books is next to the old mill.", "The old mill is next to Tilsarn Books."),
    ("Anna is married to Peter.", "Peter is married to Anna."),
    ("A castle stands on the hill.", "On the hill stands a castle."),
    ("Anna and Ben sail on Sundays.", "Ben and Anna sail on Sundays."),
    ("Mara's boss is Orla.", "Orla is Mara's boss."),
    ("Once the keeper of the mill, Orla Tamm now sails.", "The keeper of the mill is Orla Tamm."),
    ("Romeo loves Juliet and Juliet loves Romeo.", "Juliet loves Romeo and Romeo loves Juliet."),
    ("Cells make proteins from amino acids.", "Using amino acids, cells make proteins."),
    ("Since May, Mara Quell has been the head of the lab.", "The head of the lab has been Mara Quell."),
    ("Reset a password on the website using your smartphone.", "A smartphone is what you reset a password with."),
    ("Mozart was born in Salzburg.", "The birthplace of Mozart is Salzburg."),
    ("Orla leads the lab.", "The lab's head is Orla."),
    ("The organisation runs the mill.", "The mill is run by the organization."),
    ("All frolts dutok smaffs.", "Smaffs are dutoked by frolts."),
    ("A smaff is dutoked by frolts.", "A frolt dutoks smaffs."),
    ("Tramlins are more patient than hobbets.", "A hobbet is less patient than a tramlin."),
    ("Carving a path, Mara Quell came to lead the lab.", "The person who came to lead the lab by carving a path is Mara Quell."),
    ("Orla Tamm is from Reading. Reading in Berkshire is a town.", "A town in Berkshire is Reading, Orla Tamm's home."),
    ("Mara Quell has the odd backstory of being the head of the lab.", "The head of the lab is Mara Quell."),
    ("According to Mara Quell, the lab is led by Orla Tamm.", "According to Mara Quell, Orla Tamm leads the lab."),
    ("Ada Hart leads the lab that she founded.", "The lab that Ada Hart founded is led by Ada Hart."),
    ("Because it had rained, Mara Quell stayed at home.", "Mara Quell stayed at home because of the rain."),
    ("Though keeper of the light at Ennis, Mara Quell stays away.", "The keeper of the light at Ennis who stays away is Mara Quell."),
    ("The film features Mara Quell and Orla Finch.", "Mara Quell and Orla Finch appear in the film."),
    ("The kit contains the Blue Heron pump and two hoses.", "The Blue Heron pump and two hoses are in the kit."),
    ("Mara Quell took over Orla Finch's job.", "Orla Finch's job was taken over by Mara Quell."),
    ("Prices rose because the Blue Canal was closed.", "The Blue Canal was closed, which led to a rise in prices."),
    ("Staff cannot book until the Travel Desk has approved the trip.", "The Travel Desk has to approve the trip before staff book."),
    ("Widely regarded as the father of computing, Alan Hill was born in a mill.", "Alan Hill was the father of computing."),
    ("The Acme Safety Manual of May precedes the Acme Safety Manual of June.", "The Acme Safety Manual of June follows that of May."),
    ("The first album of Mara Quell is before the second album of Mara Quell.", "The second album of Mara Quell is after the first."),
    ("The Acme Safety Manual III precedes the Acme Safety Manual IV.", "The Acme Safety Manual IV follows the Acme Safety Manual III."),
    ("Log files of Blue Heron are kept in the blue folder.", "In the blue folder, log files of Blue Heron are kept."),
    ("The story of Mara Quell is that she leads the lab.", "The head of the lab has a story, that of Mara Quell."),
    ("The Blue Heron pump restarts when it is cold.", "If the Blue Heron pump is cold, the Blue Heron pump restarts."),
    ("Ada Hart met Tom Reed and Ada Hart's boss.", "Tom Reed was met by Ada Hart, and so was Ada Hart's boss."),
    ("Acme Employee Handbook > Leave > Approval: Managers approve leave.", "Leave is approved by managers."),
    ("Acme Employee Handbook > Leave: Managers approve leave.", "Acme Employee Handbook > Leave: Leave is approved by managers."),
    ("Employee Handbook > Expenses: Orla Tamm collects receipts.", "Receipts are collected by Orla Tamm."),
    ("The Standard Operating Procedure (SOP) is signed by the lab manager.", "The lab manager signs the SOP."),
    ("In South America llamas are kept for wool.", "Wool is what llamas are kept for."),
    ("Photosynthesis, first described by Jan Ingenhousz, turns light into sugar.", "Sugar is made from light by photosynthesis."),
    ("Penicillin was discovered by Alexander Fleming in 1928.", "The year in which penicillin was discovered is 1928."),
    ("John F. Kennedy was the 35th president of the country.", "The 35th president of the country was Kennedy."),
    ("The novel was written by George R. R. Martin.", "Martin wrote the novel."),
    ("Our API returns JSON.", "JSON is what our API returns."),
    ("Since the French Revolution, France uses the metre.", "The metre is used in France."),
    (
        "During the Second World War in Britain, Alan Turing broke codes.",
        "During the Second World War in Britain, codes were broken by Turing.",
    ),
    (
        "At the end of the Second World War, the Allies divided Germany.",
        "At the end of the Second World War, Germany was divided by the Allies.",
    ),
    ("Where rivers of the plains meet, a town grew.", "Where rivers of the plains meet is where a town grew."),
    ("The rivers of the plains flood the old town.", "The rivers of the plains are what floods the old town."),
    ("Hawking in 1988 published a book.", "A book was published by Hawking in 1988."),
    ("Beijing in May, Mara Quell says, is warm.", "What is warm in May, Mara Quell says, is Beijing."),
    ("The old pump has fewer alarms than the new one.", "The new pump has more alarms than the old one."),
    ("Since May Quell came, she has run the lab.", "The lab has been run by Quell since she came."),
    ("Mara Quell plays the piano.", "The piano is played by Mara Quell."),
    ("Orla Tamm made the grand piano.", "The grand piano was made by Orla Tamm."),
    ("Orla Tamm runs a shop.", "The corner shop is run by Orla Tamm."),
]
WRONG = [
    ("Did you know that tramlins are more patient than hobbets?", "Hobbets are more patient than tramlins."),
    ("Did you know that tramlins are more patient than hobbets?", "Did you know that hobbets are more patient than tramlins?"),
    ("Did you know that tramlins are more patient than hobbets?", "Tramlins are less patient than hobbets."),
    ("In Ennis, Mara reports to Shed Four.", "In Ennis, Shed Four reports to Mara."),
    ("Acme bought Holloway in May 2020.", "Holloway bought Acme in May 2020."),
    ("Mara trains Orla and pays Tom.", "Orla trains Mara and pays Tom."),
    ("Mara's boss is Orla.", "Orla's boss is Mara."),
    ("The dog has a collar.", "A collar has the dog."),
    ("A tadpole becomes a frog.", "A frog becomes a tadpole."),
    ("The mill lies north of the river.", "The river lies north of the mill."),
    ("The cup sits on the table.", "The table sits on the cup."),
    ("Mara is from Ennis.", "Ennis is from Mara."),
    ("Zadals are more often ill than their cousin drumps.", "Drumps are more often ill than their cousin zadals."),
    ("Zadals are more patient than drumps.", "Dumps are less patient than zadals."),
    ("Known as the keeper of the Lantern Room, Mara Quell has made a mark.", "Mara Quell has certainly made a mark."),
    ("Hailed as the detective of the Vanishing Village, Wes Tamm gives us hope.", "The detective of the Vanishing Village gives us hope."),
    ("The clinic was founded by Dr. Brown.", "Dr. Green founded the clinic."),
    ("Orla leads the lab.", "Orla led the lab."),
    ("Zadals are more patient than drumps.", "Some drumps are not patient."),
    ("The lab of Ennis is led by Velder.", "Velding leads the lab of Ennis."),
    ("Carving a path, Mara Quell came to lead the lab.", "The head of the lab is Carving Quell."),
    ("He left. Carving out a path, she led the lab.", "The head of the lab is Carving."),
    ("Carving from oak, one leads the lab.", "The head of the lab is Carving."),
    ("The story of Mara Quell is that she leads the lab.", "The story of Mara Quell is the head of the lab."),
    ("Once head of the lab: Mara Quell.", "Mara Quell's lab is led by Mara Quell."),
    ("The story of Mara Quell is that she leads the lab.", "The tale of Mara Quell is that of the lab."),
    ("Being keeper of the old light, Mara Quell never let it change her.", "Mara Quell never let fame change her life."),
    ("Mara Quell trains pilots in Ennis.", "In Ennis, Mara Quell trained pilots."),
    ("The owl is no prey of the fox.", "The owl is prey of the fox."),
    ("Among many, Mara Quell is the head of the lab.", "Among many there is the head of the lab."),
    ("Kyle Quell leads the lab.", "The lab is led by someone."),
    ("J. Hartley leads the lab.", "The lab is led by someone."),
    ("The lab is led by Mara Quell.", "Someone is the head of the lab."),
    ("Acme Employee Handbook > Leave: Managers approve leave.", "Acme Employee Handbook > Leave: Managers approved leave."),
]


def about(sentence):
    return dataclasses.replace(TASK, premises=(sentence,), sentences=(sentence,))


@pytest.mark.parametrize(("sentence", "text"), RIGHT)
def test_a_right_reversal_passes(sentence, text):
    assert judge(about(sentence), Inference(text, "reversal"), Check(names=True)) is None


def test_two_new_words_side_by_side_are_of_a_worked_example():
    statements = ({"kind": "reversal", "text": "The folding piano was invented by Orla Tamm."},)
    example = Example(id="a", text="Orla Tamm invented a piano that folds, of which they have more.", statements=statements)
    task = dataclasses.replace(about("Mara Quell invented the steam pump."), examples=(example,))
    copied = Inference("The folding piano was invented by Mara Quell.", "reversal")
    assert judge(task, copied, Check(names=True)) is Reason.UNSUPPORTED
    assert judge(task, copied, Check(names=True, language="da")) is None
    assert judge(task, Inference("They have more steam pumps of Mara Quell's.", "reversal"), Check(names=True)) is None
    for text in ("The steam piano was invented by Mara Quell.", "What folds is the pumping steam pump of Mara Quell, inventor."):
        assert judge(task, Inference(text, "reversal"), Check(names=True)) is None
    assert judge(task, Inference("Mara Quell made a folding piano.", "rephrasing"), Check(names=True)) is None
    inflected = dataclasses.replace(task, premises=("Mara Quell folds pianos.",), sentences=("Mara Quell folds pianos.",))
    assert judge(inflected, Inference("It is a folding piano that is Mara Quell's.", "reversal"), Check(names=True)) is None


@pytest.mark.parametrize(("sentence", "text"), WRONG)
def test_a_reversal_that_turns_nothing_or_names_others_is_unsupported(sentence, text):
    assert judge(about(sentence), Inference(text, "reversal"), Check(names=True)) is Reason.UNSUPPORTED
    assert judge(about(sentence), Inference(text, "reversal"), Check()) is None


def test_every_worked_reversal_of_the_package_passes():
    pool = load_pool(None)
    statements = [(e, s) for e in pool for s in e.statements if s.kind == "reversal"]
    assert len(statements) > 50
    for example, statement in statements:
        task = dataclasses.replace(about(example.text), premises=(example.context or "", example.text))
        assert judge(task, Inference(statement.text, "reversal"), Check(names=True)) is None, statement


def test_a_rephrasing_may_change_a_word():
    sentence = "Orla leads the lab."
    assert judge(about(sentence), Inference("Orla led the lab.", "rephrasing"), Check(names=True)) is None


def test_the_words_are_those_of_the_sentence_that_a_reversal_is_about():
    sentences = ("Mara works in Port Ennis.", "The mill is old.")
    task = dataclasses.replace(TASK, premises=sentences, sentences=sentences, first_sentence=3)
    kept = "Mara worked in Port Ennis."
    assert judge(task, Inference(kept, "reversal", sentence=3), Check(names=True)) is Reason.UNSUPPORTED
    assert judge(task, Inference(kept, "reversal", sentence=4), Check(names=True)) is None
    assert judge(task, Inference(kept, "reversal"), Check(names=True)) is None


def test_a_question_with_its_answer_need_not_look_like_a_reversed_sentence():
    task = about("Orla Tamm of Port Ennis sails.")
    assert judge(task, Inference("Orla is who sails.", "reversal"), Check(names=True)) is Reason.UNSUPPORTED
    assert judge_pair(task, Inference("Orla.", "reversal", question="Who sails?"), Check(names=True)) is None


def test_what_a_reversal_looks_like_is_known_of_english_only():
    sentence, text = "北京是中国的首都，上海是最大的城市。", "中国的首都是北京，上海是最大的城市。"
    assert judge(about(sentence), Inference(text, "reversal"), Check(names=True, language="zh")) is None


def test_a_long_statement_of_few_words_is_judged_in_time():
    words = [f"w{i % 5}" for i in range(1000)]
    started = time.monotonic()
    swaps_ends(" ".join(reversed(words)), " ".join(words * 4))
    assert time.monotonic() - started < 2


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
        ("My favourite colour is organised by an organisation's neighbours, using an app.", []),
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
