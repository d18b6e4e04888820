"""What repeats the instructions of the prompt it was asked with is rejected, whoever wrote the prompt."""

import dataclasses

import pytest

from axolotl_augft.config.augment import GlobalAugment, LocalAugment
from axolotl_augft.formats.content import Exchange
from axolotl_augft.judging.question_rules import judge_pair
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Reason, judge
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.strategies.worked_examples.pool import load_pool
from tests.strategies.test_prompt_data import DOCUMENTS, KINDS, TEXT_ONLY, tasks

COPIED = [
    "Look for other documents above that name the same person, place, thing or kind: Mara Quell is here.",
    "Mara Quell is here.\nRestate every fact that you use in full: Mara Quell is the harbour master.",
    "All is well. restate EVERY fact, that you use -- in full!",
    "Write in the language of the documents.",
    "You add nothing from outside.",
    "Tin is a metal, and all metals conduct heat, so tin conducts heat.",
    "Each conclusion is one complete sentence that can be read alone and it is here.",
    "These are documents of one collection.",
]


@pytest.mark.parametrize("text", COPIED)
@pytest.mark.parametrize("kind", ["trace", "conclusion"])
def test_the_global_prompt(text, kind):
    if kind == "conclusion" and "\n" in text:
        pytest.skip("a conclusion is one line")
    task = tasks(GlobalAugment(), "chat")[0]
    assert judge(task, Inference(text, kind)) is Reason.COPIED_PROMPT


@pytest.mark.parametrize(
    ("api", "text"),
    [
        ("chat", "Each statement is one complete sentence that can be read alone."),
        ("chat", "Begin with what stands last in the sentence and change the verb."),
        ("chat", "Write in the language of the sentences."),
        ("chat", "Do not turn all A are B into all B are A."),
        ("completions", "Each text is followed by statements that say the same in other words (rephrasing)."),
    ],
)
def test_the_local_prompt(api, text):
    task = tasks(LocalAugment(kinds=list(KINDS)), api, documents=TEXT_ONLY)[0]
    assert judge(task, Inference(text, "statement")) is Reason.COPIED_PROMPT


@pytest.mark.parametrize("form", ["questions", "exchanges", "global"])
def test_questions_and_their_answers(form):
    settings = GlobalAugment(write="questions") if form == "global" else LocalAugment(write="questions")
    task = tasks(settings, "chat", documents=DOCUMENTS[2:] if form == "exchanges" else TEXT_ONLY)[0]
    rule = "each question can be understood alone: it names everything that it asks about"
    for question, answer in (
        (f"Is it so that {rule}?", "Yes, it is."),
        ("What is so of each question?", f"Here {rule}."),
    ):
        assert judge_pair(task, Inference(answer, "reversal", question=question)) is Reason.COPIED_PROMPT
    kept = Inference("Here you add nothing from outside.", "rephrasing", question="What is it?", keeps_answer=True)
    assert judge_pair(task, kept) is None


OWN = """{% block system %}Sei genau wie eine Uhr und schreibe niemals auch nur ein einziges Wort zu viel.{% endblock %}
{% block prefix %}Bitte schreibe {{ kinds | join(" oder ") }} zu jedem dieser vielen Sätze hier.
{% for e in examples %}{{ e.text }} {{ e.statements[0].text }}
{% endfor %}{% if structured %}Antworte mit JSON und mit gar nichts anderem als diesem JSON.{% endif %}{% endblock %}
{% block target %}{{ sentences[0] }}
请不要在你的回答中添加任何文本之外的内容。
Nur den Satz.{% endblock %}"""


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("Ich schreibe niemals auch nur ein einziges Wort zu viel.", True),
        ("Bitte schreibe rephrasing oder reversal oder consequence zu jedem dieser Sätze.", True),
        ("Ich schreibe rephrasing oder reversal oder consequence zu jedem dieser Pumpen.", True),
        ("泵有标签，请不要在你的回答中添加任何文本之外的内容。", True),
        ("泵有标签，不要添加任何内容。", False),
        ("Pumpen haben Schilder. Nur den Satz.", False),
        ("Alle Pumpen haben ein Schild.", False),
        ("Ein einziges Wort ist auf dem Schild der Pumpen.", False),
    ],
)
def test_a_users_own_prompt(tmp_path, text, copied):
    file = tmp_path / "mine.jinja"
    file.write_text(OWN, encoding="utf-8")
    task = tasks(LocalAugment(kinds=list(KINDS), prompt=str(file)), "chat", documents=TEXT_ONLY)[0]
    assert (judge(task, Inference(text, "statement")) is Reason.COPIED_PROMPT) == copied


def test_documents_may_hold_the_same_words():
    text = "Restate every fact that you use in full, says Mara Quell. Write in the language of the documents."
    document = Document(document_id(text), text, 0, 0)
    others = [Document(document_id(t), t, 0, i) for i, t in enumerate(["All pumps carry a label.", "So be it."], 1)]
    for task in tasks(GlobalAugment(), "chat", documents=[document, *others]):
        assert judge(task, Inference("Mara says: restate every fact that you use in full.", "trace")) is None
    own = tasks(GlobalAugment(), "chat", documents=[document, *others])[0]
    said = Inference("Mara Quell says to restate every fact that you use in full.", "conclusion")
    assert judge(own, said) is None
    assert judge(dataclasses.replace(own, target=others[0], premises=(others[0].text,)), said) is Reason.COPIED_PROMPT


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_worked_examples_are_no_instructions(api):
    for task in (tasks(LocalAugment(), api, documents=TEXT_ONLY)[0], tasks(GlobalAugment(), api)[0]):
        for worked in [e for form in ("statements", "questions", "exchanges") for e in load_pool(None, form)]:
            parts = (worked.text, worked.answer, *(part for s in worked.statements for part in (s.text, s.question)))
            for text in filter(None, parts):
                assert not list(task.instructions.repeated_in(text)), text
    task = tasks(GlobalAugment(), "completions")[0]
    copied = "All Zennets are Dolphs, and all Dolphs carry a red mark, so all Zennets carry a red mark."
    assert judge(task, Inference(copied, "trace")) is Reason.COPIED_EXAMPLE


def test_worked_examples_copied_whole_stay_what_they_are():
    task = tasks(LocalAugment(kinds=["reversal"]), "chat", documents=TEXT_ONLY)[0]
    line = next(line for line in task.request.prefix.text.splitlines() if line.startswith("[1] reversal: "))
    copied = line.removeprefix("[1] reversal: ")
    assert judge(task, Inference(copied, "reversal")) is Reason.COPIED_EXAMPLE


def test_the_instructions_are_collected_once_for_all_tasks_of_a_template():
    for settings in (LocalAugment(), GlobalAugment()):
        made = tasks(settings, "chat", documents=TEXT_ONLY)
        assert len({id(task.instructions) for task in made}) == 1


def test_an_exchange_in_a_prompt_is_no_instruction():
    exchange = Exchange("What is the rule?", "Every pump carries a label that says who made it and when it was made.")
    task = tasks(LocalAugment(), "chat", documents=[Document("00000000", exchange.text, 0, 0, exchange)])[0]
    said = "The label on a pump says who made it and when it was made."
    assert judge_pair(task, Inference(said, "consequence", question="What does a label say?")) is None
