import json
from dataclasses import replace

import pytest

from axolotl_augft.formats.content import Exchange, Text, Turn, Unfit
from axolotl_augft.judging.leaks import Leaks
from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_questions import read_pairs
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Reason
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.request import Prefix, Request, Sampling

EXCHANGE = Exchange("Who keeps the Lantern Room?", "Ottilie Verrane keeps it.", (Turn("user", "Where is the key?"),))
EXAMPLES = "Question: Who founded the Osker Glass Company?\nAnswer: Renna Toskin.\n"


LOCAL = Reading(rephrases_the_source=True)


def task(kind="consequence", reading=LOCAL, exchange=EXCHANGE, labels=()):
    document = Document(
        "0a1b2c3d", exchange.text if exchange else "Ottilie Verrane keeps the Lantern Room.", 0, 0, exchange
    )
    request = Request("t", "chat", Prefix("", EXAMPLES), "", Sampling(0.7, None, 64, (), 42), 0)
    return Task(
        request,
        "local",
        document,
        (document.text,),
        labels=tuple(labels),
        kind=kind,
        writes="questions",
        reading=reading,
    )


def read(text, finish_reason="stop", **settings):
    pairs = read_pairs(task(**settings), Answer(Outcome.ANSWERED, text, finish_reason))
    return [(p.kind, p.question, p.text, p.cut) for p in pairs]


KEPT = "Ottilie Verrane keeps it."
NEW = ("reversal", "What does she keep?", "The Lantern Room.", False)
ANSWERS = [
    ('{"pairs": [{"kind": "reversal", "question": "What does she keep?", "answer": "The Lantern Room."}]}', [NEW]),
    ('```json\n[{"kind": "reversal", "question": "What does she keep?", "answer": "The Lantern Room."}]\n```', [NEW]),
    ('{"kind": "Reversed", "instruction": "What does she keep?", "response": "The Lantern Room."}', [NEW]),
    ("**Reversal:** What does she keep?\nAnswer: The Lantern Room.", [NEW]),
    ("1. reversal\n   Question: What does she keep?\n   Answer: The Lantern Room.", [NEW]),
    ("Turned around: What does she keep?\nAnswer: The Lantern Room.\n", [NEW]),
    ("reversal: Question: What does she keep?\nA: The Lantern Room.\nExplanation: as told above\nand so on", [NEW]),
    ("rephrasing: Who is its keeper?\nAnswer: Nobody.", [("rephrasing", "Who is its keeper?", KEPT, False)]),
    (
        '{"pairs": [{"kind": "rephrasing", "question": "Who is its keeper?", "answer": ""}]}',
        [("rephrasing", "Who is its keeper?", KEPT, False)],
    ),
    (" What else?\nAnswer: A line,\n\n- and a list", [("consequence", "What else?", "A line,\n\n- and a list", False)]),
    ("Q: One?\nA: 1\nQ: Two?\nA: 2", [("consequence", "One?", "1", False), ("consequence", "Two?", "2", False)]),
    ("no question here", [("consequence", "no question here", "", False)]),
    (
        'So:\n```json\n{"pairs": [{"kind": "reversal", "question": "What does she keep?", '
        '"answer": "The Lantern Room."}]}\n```\nOk.',
        [NEW],
    ),
    (
        '{"pairs": [{"kind": "reversal", "question": "When?", "answer": 1901, "sources": [{"id": 1}]}]}',
        [("reversal", "When?", "1901", False)],
    ),
    (
        '[{"kind": "reversal", "question": "When?", "answer": "x", "sources": [{"id": 1}]}]',
        [("reversal", "When?", "x", False)],
    ),
    ('{"kind": "reversal", "question": "When \\ud83d?", "answer": "x"}', [("reversal", "When ??", "x", False)]),
    ('{"pairs":' + "[" * 8000, [("consequence", "", "", False)]),
    ('{"a":' * 8000, [("consequence", "", "", False)]),
    (
        "Q: How is it set?\nA: Write this:\n```yaml\nuser: mara\na: 1\n```\nand restart.",
        [("consequence", "How is it set?", "Write this:\n```yaml\nuser: mara\na: 1\n```\nand restart.", False)],
    ),
    (
        "Question: How?\nAnswer: Press it.\nNote: hold it.\nThen release.",
        [("consequence", "How?", "Press it.\nNote: hold it.\nThen release.", False)],
    ),
    ("", []),
    ("[]", []),
    ('{"pairs": []}', []),
    ('{"pairs": [oops', [("consequence", "", "", False)]),
]


@pytest.mark.parametrize(("text", "pairs"), ANSWERS, ids=[str(i) for i in range(len(ANSWERS))])
def test_answers_are_read_leniently(text, pairs):
    assert read(text) == pairs


DETAIL = ("detail", *NEW[1:])
OF_DETAILS = [
    ("In detail: What does she keep?\nAnswer: The Lantern Room.\n", [DETAIL]),
    ("1. **detail:** What does she keep?\nAnswer: The Lantern Room.\n", [DETAIL]),
    (
        "reversal: Who is it?\nAnswer: Ottilie.\n**Details**\nQuestion: What does she keep?\nAnswer: The Lantern Room.",
        [("reversal", "Who is it?", "Ottilie.", False), DETAIL],
    ),
    ('{"pairs": [{"kind": "detail", "question": "What does she keep?", "answer": "The Lantern Room."}]}', [DETAIL]),
]


@pytest.mark.parametrize(("text", "pairs"), OF_DETAILS)
def test_where_details_are_asked_for_their_label_is_read(text, pairs):
    assert read(text, reading=replace(LOCAL, labels_details=True)) == pairs


@pytest.mark.parametrize("line", ["Details: see page 4.", "In detail: see page 4.", "Details", "- Detail - page 4"])
def test_where_no_details_are_asked_for_a_line_about_them_belongs_to_the_answer(line):
    asked = [("reversal", "What does she keep?", f"The Lantern Room.\n{line}", False)]
    assert read(f"reversal: What does she keep?\nAnswer: The Lantern Room.\n{line}") == asked


def test_where_only_questions_are_asked_for_each_line_is_one():
    assert read("Sure, here are two ways:\n\n1. Who is its keeper?\n2. Which person keeps it?", kind="rephrasing") == [
        ("rephrasing", "Who is its keeper?", KEPT, False),
        ("rephrasing", "Which person keeps it?", KEPT, False),
    ]


def test_an_answer_that_was_cut_keeps_what_is_complete():
    whole = json.dumps(
        {"pairs": [{"kind": "reversal", "question": "What does she keep?", "answer": "The Lantern Room."}] * 2}
    )
    assert read(whole[:-25], "length") == [NEW, ("consequence", "", "", True)]
    assert read("Q: One?\nA: 1\nQ: Two?\nA: tw", "length") == [
        ("consequence", "One?", "1", False),
        ("consequence", "Two?", "tw", True),
    ]
    assert read(whole, "length") == [NEW, NEW]


def test_a_rephrased_question_has_its_sources_answer_in_local_augmentation_only():
    assert read("rephrasing: Who?\nAnswer: A.", reading=Reading()) == [("rephrasing", "Who?", "A.", False)]
    assert read("rephrasing: Who?\nAnswer: A.", exchange=None) == [("rephrasing", "Who?", "A.", False)]


JUDGED = [
    ("What does Ottilie Verrane keep?", "The Lantern Room.", None),
    ("What does Ottilie Verrane keep?", "1. The lamps\n2. The room\n\n```sh\nls -l\n```", None),
    ("Who keeps the lantern room", "Ottilie.", Reason.ECHO),
    ("Where is the key?", "With Ottilie.", Reason.ECHO),
    ("What?", "The Lantern Room.", Reason.MALFORMED),
    ("What does Ottilie Verrane keep?", " ", Reason.MALFORMED),
    ("What does Ottilie Verrane keep?<|im_end|>", "The Lantern Room.", Reason.MALFORMED),
    ("What does Ottilie Verrane keep?", "The Lantern Room.\x1b[2J", Reason.MALFORMED),
    ("What does she keep?", "It. It is. It is. It is.", Reason.REPETITION),
    ("What does Ottilie Verrane keep?", "I'm sorry, I can't help with that.", Reason.REFUSAL),
    ("What does the given answer say?", "The Lantern Room.", Reason.LABEL_LEAK),
    ("What does document 3 say of her?", "The Lantern Room.", Reason.LABEL_LEAK),
    ("Who founded the Osker Glass Company?", "Ottilie Verrane.", Reason.COPIED_EXAMPLE),
    ("What does Ottilie Verrane keep?", "She keeps it for Renna Toskin.", Reason.COPIED_EXAMPLE),
    ("Does Ottilie Verrane know Bram Oskeld?", "No.", Reason.UNSUPPORTED),
    ("What is the response time of Ottilie Verrane, and the answer key?", "None.", None),
    ("How can I find Ottilie Verrane?", "In the Lantern Room.", None),
    ("Où est la salle\u202f?", "The Lantern Room\u00a0: there.", None),
    ("What does Ottilie Verrane keep?", "The {{ lamp }}.", Reason.MALFORMED),
]


@pytest.mark.parametrize(
    ("question", "answer", "reason"), JUDGED, ids=[f"{r}-{i}" for i, (_, _, r) in enumerate(JUDGED)]
)
def test_pairs_are_kept_or_rejected_with_a_reason(question, answer, reason):
    assert judge_pair(task(), Inference(answer, "consequence", question=question), check_names=True) is reason


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("Who keeps the Lantern Room?", "Ottilie Verrane", None),
        ("Which room does Ottilie Verrane keep?", "the lantern room.", None),
        ("Which room does Ottilie Verrane keep?", "the Lantern", None),
        ("Which room does Ottilie Verrane keep?", "the Lamp Room", Reason.UNSUPPORTED),
        ("Which room does Ottilie Verrane keep?", "the Room Lantern", Reason.UNSUPPORTED),
        ("Does Ottilie Verrane keep the lantern room?", "the Lantern Room", Reason.GIVEN_AWAY),
    ],
)
def test_the_short_answer_to_a_detail_stands_in_the_source_and_not_in_the_question(question, answer, reason):
    short = task(exchange=None, reading=Reading(short_answers=True))
    assert judge_pair(short, Inference(answer, "detail", question=question)) is reason
    assert judge_pair(short, Inference(answer, "reversal", question=question)) is None
    assert judge_pair(replace(short, reading=Reading()), Inference(answer, "detail", question=question)) is None


def test_the_sources_own_answer_is_not_judged():
    pair = Inference(
        "I'm sorry, document 3 <|im_end|>", "rephrasing", question="Who is the room's keeper?", keeps_answer=True
    )
    assert judge_pair(task(), pair) is None
    assert judge_pair(task(), Inference("x y", "rephrasing", question="Who?", cut=True)) is Reason.TRUNCATED


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Who is the keeper of the Lantern Room?", None),
        ("Which room does somebody keep?", Reason.UNSUPPORTED),
        ("Who keeps the room of lanterns?", Reason.UNSUPPORTED),
    ],
)
def test_a_rephrased_question_keeps_the_names(question, reason):
    pair = Inference("Ottilie Verrane keeps it.", "rephrasing", question=question, keeps_answer=True)
    assert judge_pair(task(), pair, check_names=True) is reason
    assert judge_pair(task(), pair) is None


def test_joiners_and_no_break_spaces_belong_to_languages_and_nouns_are_no_names():
    text = "Où se trouve la salle des lanternes\u202f? \u0645\u06cc\u200c\u0634\u0648\u062f"
    assert judge_pair(task(), Inference("Là-bas\u00a0: à côté.", "consequence", question=text)) is None
    german = Inference("Ottilie Verrane.", "reversal", question="Wie lautet der Name der Hüterin des Lantern Room?")
    english = replace(
        task().request, prefix=Prefix("", "Keep the name. Question: Who founded the Osker Glass Company?")
    )
    assert judge_pair(replace(task(), request=english), german) is None


def test_braces_of_the_source_are_no_markup():
    exchange = Exchange("How is a name put in?", "One writes {{ name }}.")
    pair = Inference("With {{ name }}.", "consequence", question="With which braces is a name put in?")
    assert judge_pair(task(exchange=exchange), pair) is None
    assert judge_pair(task(), pair) is Reason.MALFORMED


HELD_OUT = [
    Exchange("Who is the bell ringer of Osk?", "Marn"),
    Exchange("Why was it closed?", "It was closed because of the storm."),
    Text("The ferry sails at noon. Yes. The old mill was sold to the miller of Tam."),
    Unfit("no text", False),
]
STATED = [
    ("Marn is the bell ringer of Osk.", True),
    ("Question: Who is Osk's bell ringer?\nAnswer: Marn", True),
    ("Marn lives in the mill.", False),
    ("The ringer of the bell lives in Osk.", False),
    ("It was closed, BECAUSE of the storm!", True),
    ("All say: it was closed because of the storm, on Tuesday.", True),
    ("In 1920 the old mill was sold to the miller of Tam.", True),
    ("The old mill was sold to the miller.", False),
    ("Yes.", False),
    ("The ferry sails at noon.", True),
]


@pytest.mark.parametrize(("text", "leaks"), STATED, ids=[t for t, _ in STATED])
def test_what_states_a_held_out_answer_is_a_leak(text, leaks):
    assert Leaks(HELD_OUT).states(Inference(text, "statement")) is leaks


@pytest.mark.parametrize(
    ("held_out", "inference", "leaks"),
    [
        (
            Text("水在一百摄氏度时沸腾，变成水蒸气。"),
            Inference("我们知道水在一百摄氏度时沸腾，变成水蒸气。", "conclusion"),
            True,
        ),
        (Text("水在一百摄氏度时沸腾，变成水蒸气。"), Inference("水在零度时结冰。", "conclusion"), False),
        (Exchange("港口在哪里？", "北方"), Inference("北方", "reversal", question="港口在哪里？"), True),
        (
            Exchange("And now?", "It is closed.", (Turn("assistant", "The bell of Osk was cast in 1801."),)),
            Inference("In truth the bell of Osk was cast in 1801.", "conclusion"),
            True,
        ),
        (
            Exchange("Why?", "Please ask our support team about it."),
            Inference("Please ask our support team about it.", "rephrasing", question="How come?", keeps_answer=True),
            False,
        ),
        (
            Exchange("Why?", "Please ask our support team about it."),
            Inference("Please ask our support team about it.", "consequence", question="How come?"),
            True,
        ),
    ],
)
def test_leaks_in_other_scripts_conversations_and_kept_answers(held_out, inference, leaks):
    assert Leaks([held_out]).states(inference) is leaks


def test_words_that_all_questions_share_tell_nothing_of_a_short_answer():
    inputs = ["lovely ferry", "awful soup", "kind guide", "broken lamp", "fine bread", "cold room"]
    held_out = [Exchange("Is the mood of the review good or bad?", "Bad.", (Turn("input", text),)) for text in inputs]
    about = Inference(
        "Bad.", "rephrasing", question="Is the mood of the review good or bad? A dull film.", keeps_answer=True
    )
    assert not Leaks(held_out).states(about)
    assert Leaks(held_out).states(
        Inference("Bad.", "rephrasing", question="Is the mood good or bad? An awful soup.", keeps_answer=True)
    )


def test_nothing_held_out_nothing_leaks():
    assert not Leaks([]).states(Inference("The ferry sails at noon.", "statement"))
