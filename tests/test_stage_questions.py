"""Questions about plain text: beside statements, with short answers, as chat rows or text, each of them once."""

import json

import pytest

from axolotl_augft.cli.plan import plan_lines
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError, NothingAccepted
from axolotl_augft.output.summary import summary_lines
from axolotl_augft.store.run_record import RunRecord
from tests.support.data import TEXTS, write_rows
from tests.support.teacher_server import asks_whether_it_follows, is_verification, prompt_of, scripted_answer
from tests.test_stage import rows, run

FORM = "Question: {question}\nAnswer: {answer}"
BOTH = {"strategy": "local", "write": ["statements", "questions"], "question_form": FORM}


def pairs(*asked):
    return json.dumps({"pairs": [{"kind": "rephrasing", "question": q, "answer": a} for q, a in asked]})


def test_a_source_gets_statements_and_questions_and_every_sentence_both(cfg, data, teacher):
    write_rows(data, [{"text": TEXTS[0], "n": 0}])
    recipe, result, folder = run(cfg, augment=[BOTH])
    made = [(r["augft_kind"], r["augft_sentence"], r["text"]) for r in rows(folder, "0-augmented.parquet")]
    first, second = "Mara Quell is the harbour master of Port Ennis.", "She lives in the mill house."
    assert made == [
        ("rephrasing", 0, f"In other words, {first}"),
        ("reversal", 0, f"Seen from its end, {first}"),
        ("rephrasing", 1, f"In other words, {second}"),
        ("reversal", 1, f"Seen from its end, {second}"),
        ("rephrasing", 0, f"Question: What of this: {first}\nAnswer: {first}"),
        ("reversal", 0, f"Question: From its end, what of this: {first}\nAnswer: {first}"),
        ("rephrasing", 1, f"Question: What of this: {second}\nAnswer: {second}"),
        ("reversal", 1, f"Question: From its end, what of this: {second}\nAnswer: {second}"),
    ]
    assert (result.counts.requests, result.coverage.covered["question"]) == (4, 2)
    assert "sentences covered 2 of 2 (question 2, rephrasing 2, reversal 2)" in summary_lines(
        result, recipe, RunRecord()
    )


def test_the_plan_counts_a_request_for_each_form(cfg):
    one, all_three = ({**BOTH, "write": ["questions"]}, {**BOTH, "answers": ["long", "short"]})
    counted = [
        next(line for line in plan_lines(Recipe.from_cfg({**cfg, "augft": {**cfg["augft"], "augment": [entry]}}))
             if line.startswith("local:"))
        for entry in (one, all_three)
    ]  # fmt: skip
    assert [line.split(":")[1] for line in counted] == [" 9 units, 9 requests", " 27 units, 27 requests"]


def test_through_completions_too_a_request_for_questions_is_about_one_sentence(cfg, teacher):
    teacher.answer = lambda body: f" Who is number {len(teacher.bodies)}?\nAnswer: Mara Quell."
    cfg["augft"]["teacher"]["api"] = "completions"
    entry = {**BOTH, "write": "questions", "kinds": ["rephrasing"]}
    _, result, _ = run(cfg, augment=[entry])
    assert (len(teacher.bodies), result.coverage.sentences) == (9, 9)


def test_short_answers_are_asked_for_with_short_examples(cfg, data, teacher):
    write_rows(data, [{"text": TEXTS[5], "n": 0}])
    teacher.answer = lambda body: pairs(("What is the Heron?", "a pump" if "only the name" in prompt_of(body) else
                                         "The Heron is a pump, and nothing else."))  # fmt: skip
    _, _, folder = run(cfg, augment=[{**BOTH, "write": "questions", "answers": ["long", "short"]}])
    assert [r["text"] for r in rows(folder, "0-augmented.parquet")] == [
        "Question: What is the Heron?\nAnswer: The Heron is a pump, and nothing else.",
        "Question: What is the Heron?\nAnswer: a pump",
    ]
    prompts = [prompt_of(body) for body in teacher.bodies]
    example = "rephrasing: Who is the captain of the Sea Lark?\nAnswer: {}\n"
    assert [example.format("Orla Fenn") in p for p in prompts] == [False, True]
    assert [example.format("The captain of the Sea Lark is Orla Fenn.") in p for p in prompts] == [True, False]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_each_detail_of_a_sentence_is_asked_for(cfg, data, teacher, api):
    write_rows(data, [{"text": TEXTS[5], "n": 0}])
    said = [("What is a pump?", "The Heron"), ("What is the Heron?", "a pump"), ("Is the Heron a pump?", "pump"),
            ("Who made the Heron?", "a smith")]  # fmt: skip
    label = "In detail:" if api == "completions" else "detail:"
    teacher.answer = lambda body: "\n".join(f"{label} {question}\nAnswer: {answer}" for question, answer in said)
    cfg["augft"]["teacher"]["api"] = api
    entry = {**BOTH, "write": "questions", "answers": "short", "kinds": ["detail"]}
    _, result, folder = run(cfg, augment=[entry])
    assert [(r["augft_kind"], r["text"]) for r in rows(folder, "0-augmented.parquet")] == [
        ("detail", "Question: What is a pump?\nAnswer: The Heron"),
        ("detail", "Question: What is the Heron?\nAnswer: a pump"),
    ]
    assert result.counts.rejected == {"given_away": 1, "unsupported": 1}
    (prompt,) = map(prompt_of, teacher.bodies)
    assert f"{label} What is Orla Fenn on the Sea Lark?\nAnswer: the captain\n" in prompt
    assert ("take every name, number" in prompt) == (api == "chat")


@pytest.mark.parametrize(("answer", "rejected"), [("Yes", {}), ("Orla Fenn", {"copied_example": 1})])
def test_a_short_answer_may_be_that_of_an_example_but_not_a_name_from_it(cfg, data, teacher, answer, rejected):
    write_rows(data, [{"text": TEXTS[5], "n": 0}, {"text": TEXTS[1], "n": 1}])
    teacher.answer = lambda body: pairs(
        ("Is the Heron a pump?", answer) if "Heron" in prompt_of(body) else ("What do all pumps carry?", "a label")
    )
    _, result, _ = run(cfg, augment=[{**BOTH, "write": "questions", "answers": "short"}])
    assert result.counts.rejected == rejected


def test_chat_rows_are_the_default(cfg, data):
    write_rows(data, [{"text": TEXTS[5], "n": 0}])
    cfg["chat_template"] = "chatml"
    _, result, folder = run(cfg, augment=[{"strategy": "local", "write": ["questions", "statements"]}])
    (written,) = result.entries
    assert (written.augmented.rows, written.questions.rows) == (2, 2)
    assert rows(folder, "0-questions.parquet")[0]["messages"] == [
        {"role": "user", "content": "What of this: The Heron is a pump."},
        {"role": "assistant", "content": "The Heron is a pump."},
    ]


@pytest.mark.parametrize("verify", [None, "teacher"])
def test_a_teacher_that_asks_the_same_question_again_and_again_is_heard_once(cfg, teacher, verify):
    def answer(body):
        prompt = prompt_of(body)
        if is_verification(prompt):
            return "no" if asks_whether_it_follows(prompt) and "Nobody does" in prompt else "yes"
        said = f"It is {'z' * len(teacher.bodies)} who does.", "Nobody does it any more."
        return pairs(*[("Who keeps the lamp?", answer) for answer in said], ("who keeps  the lamp", "It is kept."))

    teacher.answer = answer
    _, result, _ = run(cfg, augment=[{**BOTH, "write": "questions"}], **({"verify": verify} if verify else {}))
    assert result.counts.accepted == {"local/rephrasing": 1}
    assert set(result.counts.rejected) == {"duplicate"} | ({"unsupported"} if verify else set())


def test_global_writes_both_about_a_document(cfg, data, teacher):
    write_rows(data, [{"text": t, "n": 0} for t in TEXTS[4:]])
    entry = {"strategy": "global", "write": ["statements", "questions"], "question_form": FORM, "keep": "conclusions"}
    _, result, folder = run(cfg, augment=[entry])
    texts = [r["text"] for r in rows(folder, "0-augmented.parquet")]
    assert len(teacher.bodies) == 4 and "It follows that The Heron is a pump." in texts
    assert (
        "Question: Together with the rest: The Heron is a pump.\nAnswer: It follows that The Heron is a pump." in texts
    )


def test_questions_as_text_are_not_split(cfg, data):
    write_rows(data, [{"text": TEXTS[5], "n": 0}])
    _, _, folder = run(cfg, augment=[{**BOTH, "write": "questions"}], sentence_splitting="independent")
    assert len(rows(folder, "0-augmented.parquet")) == 2


def test_a_source_about_which_no_question_is_written(cfg, data, teacher):
    write_rows(data, [{"text": t, "n": 0} for t in TEXTS[:2]])
    teacher.answer = lambda body: pairs() if "Mara" in prompt_of(body) else "There is nothing to ask."
    with pytest.raises(NothingAccepted, match=r"so there is nothing to add \((empty|malformed)"):
        run(cfg, augment=[{**BOTH, "write": "questions"}])
    teacher.answer = scripted_answer


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"write": []}, "augft.augment[0]: write must name statements, questions or both, each once, got []"),
        ({"write": ["questions"] * 2}, "augft.augment[0]: write must name statements, questions or both, each once"),
        ({"write": ["answers"]}, "augft.augment[0].write"),
        ({"question_form": FORM}, "augft.augment[0]: question_form is for questions about plain documents; set write"),
        (
            {"write": "questions", "question_form": "{question}"},
            "augft.augment[0].question_form: lacks {answer}; it",
        ),
        ({"write": "questions", "question_form": "{q}{question}{answer}"}, "augft.augment[0].question_form: must be a"),
        ({"kinds": ["detail"]}, "augft.augment[0]: kinds: detail is for questions; set write: questions, and list"),
        ({"kinds": ["detail"], "write": ["statements", "questions"]}, "augft.augment[0]: kinds: detail is for"),
        ({"answers": ["short"]}, "augft.augment[0]: answers is for questions about plain documents; set write"),
        ({"write": "questions", "answers": []}, "augft.augment[0]: answers must name long, short or both, each once"),
    ],
)
def test_settings_that_are_refused(settings, message):
    with pytest.raises(ConfigError) as error:
        Recipe.from_cfg({"augft": {"augment": [{"strategy": "local", **settings}]}, "plugins": ["x"]})
    assert str(error.value).startswith(message)
