"""`bench questions`: against a local server that writes questions by a script."""

import json
import re

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner

from axolotl_augft.bench.cli import bench
from axolotl_augft.bench.experiments.asking_questions import write_questions
from axolotl_augft.bench.experiments.question_reading import Rejection, WrittenQuestion, read_question
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import BenchError, TeacherError
from axolotl_augft.sources.documents import document_id
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.text.tokens import token_counter
from tests.support.data import TEXTS, write_rows
from tests.support.teacher_server import prompt_of

EXAMPLES = "Prompt: The Lantern Room is kept by\nRight: Ottilie Verrane.\n"
PUMP = WrittenQuestion("A valve is never", "blue.", ("red.", "green.", "old."))


def read(text, opened=False, reason="stop"):
    return read_question(Answer(Outcome.ANSWERED, text, reason), EXAMPLES, opened)


@pytest.mark.parametrize(
    "text",
    [
        "Prompt: A valve is never\nRight: blue.\nWrong: red.\nWrong: green.\nWrong: old.",
        "Here is one:\n\n**Prompt:** A valve is never ___\n**Right:** blue.\n**Wrong 1:** red.\n**Wrong 2:** "
        "green.\n**Wrong 3:** old.",
        "1. Question: A valve is never...\n- Correct answer: ... blue.\n- Incorrect answers:\n  a) red.\n  b) "
        "green.\n  c) old.",
        "Prompt: A valve is never\nRight: A valve is never blue.\nWrong: A valve is never red.\nWrong: green.\nWrong: "
        "Red\n"
        "Wrong: old.\nWrong: new.",
        "```json\n"
        + json.dumps({"prompt": "A valve is never", "answer": "blue.", "distractors": ["red.", "green.", "old."]})
        + "\n```",
        "Prompt: A valve is never\nRight: blue.\nWrong: red.\nWrong: green.\nWrong: old.\nPrompt: A pump is\nRight: "
        "new.",
        "Prompt: A valve is never\nRight: blue.\nWrong: red.\nWrong: green.\nWrong: old.\n###\nText:\nMore.\nWrong: "
        "dark.",
        'Prompt: "A valve is never"\nRight: "blue."\nWrong: "red."\nWrong: "green."\nWrong: "old."',
    ],
)
def test_answers_are_read_leniently(text):
    assert read(text) == PUMP


def test_an_answer_that_goes_on_after_the_prompts_last_word():
    text = " A valve is never\nRight: blue.\nWrong: red.\nWrong: green.\nWrong: old."
    assert read(text, opened=True) == PUMP
    assert read(text) is Rejection.MALFORMED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" \n", Rejection.EMPTY),
        ("A valve is never blue.", Rejection.MALFORMED),
        ("Prompt: A valve is never\nWrong: red.\nWrong: green.\nWrong: old.", Rejection.MALFORMED),
        ("Prompt: A valve is never\nRight: ...\nWrong: red.\nWrong: green.\nWrong: old.", Rejection.MALFORMED),
        (
            "Prompt: The Lantern Room is kept by\nRight: Sela.\nWrong: Bram.\nWrong: Isk.\nWrong: Tom.",
            Rejection.COPIED_EXAMPLE,
        ),
        ("Prompt: A blue valve is\nRight: Blue.\nWrong: red.\nWrong: green.\nWrong: old.", Rejection.ANSWER_IN_PROMPT),
        (
            "Prompt: A valve is never\nRight: blue.\nWrong: red.\nWrong: Blue\nWrong: green.\nWrong: old.",
            Rejection.RIGHT_AMONG_WRONG,
        ),
        ("Prompt: A valve is never\nRight: blue.\nWrong: red.\nWrong: green.\nWrong: Red!", Rejection.FEW_WRONG),
        ("Prompt: It has\nRight: 5\nWrong: 1\nWrong: 1\nWrong: 2", Rejection.FEW_WRONG),
    ],
)
def test_why_an_answer_gives_no_question(text, reason):
    assert read(text) is reason


def test_an_unfinished_last_line_is_left_out():
    text = "Prompt: A valve is never\nRight: blue.\nWrong: red.\nWrong: green.\nWrong: ol"
    assert read(text, reason="length") is Rejection.FEW_WRONG
    assert read(text + "d.\nWro", reason="length") == PUMP


def test_refused_requests_give_no_question():
    assert read_question(Answer(Outcome.FILTERED), EXAMPLES, False) is Rejection.FILTERED
    assert read_question(Answer(Outcome.INVALID), EXAMPLES, False) is Rejection.INVALID


def test_choices_are_ordered_by_content():
    assert PUMP.shuffled() == WrittenQuestion(PUMP.prompt, PUMP.right, ("old.", "red.", "green.")).shuffled()
    first = {
        WrittenQuestion(f"Valve {i} is never", "blue.", ("red.", "green.", "old.")).shuffled().index("blue.")
        for i in range(40)
    }
    assert first == {0, 1, 2, 3}


def text_of(body):
    prompt = prompt_of(body)
    return prompt.rsplit("Now this text:", 1)[-1].rsplit("Text:\n", 1)[-1].split("\nPrompt:")[0].strip()


def by_script(body):
    """The text's last word is asked for; the pump's question is malformed, the cats' has too few wrong choices."""
    text = text_of(body)
    if "Heron" in text:
        return "I cannot think of a question."
    beginning, last = text.rstrip(".").rsplit(" ", 1)
    wrong = ["one."] if "Cats" in text else ["one.", "two.", "three."]
    opening = "" if "prompt" in body else "Prompt: "
    return "\n".join([f"{opening}{beginning}", f"Right: {last}.", *(f"Wrong: {w}" for w in wrong)])


@pytest.fixture
def asked(teacher):
    teacher.answer = by_script
    return teacher


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_rows_report_and_store(cfg, asked, tmp_path, api):
    cfg["augft"]["teacher"]["api"] = api
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump(cfg))

    def run(out):
        return CliRunner().invoke(bench, ["questions", str(tmp_path / "cfg.yml"), "--out", str(out), "--number", "4"])

    done = run(tmp_path / "q.jsonl")
    assert done.exit_code == 0, done.output
    rows = lines(tmp_path / "q.jsonl")
    right = {r["prompt"]: r["choices"][r["answer"]] for r in rows}
    assert right == {t.rstrip(".").rsplit(" ", 1)[0]: t.rsplit(" ", 1)[1] for t in TEXTS[:3] + TEXTS[4:5]}
    assert all(set(r) == {"prompt", "choices", "answer", "split", "source", "written_by"} for r in rows)
    assert {(r["split"], r["written_by"], len(set(r["choices"]))) for r in rows} == {("written", "scripted", 4)}
    assert {r["source"] for r in rows} <= {document_id(t) for t in TEXTS}
    assert (
        "questions 4 of 4 asked for, about 4 training documents (held-out and test rows are not asked about)"
        in done.output
    )
    assert (
        "A model (scripted) wrote these questions and their answers. Read them before you trust a score on them."
        in done.output
    )
    n = len(asked.bodies)
    assert run(tmp_path / "again.jsonl").exit_code == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "q.jsonl").read_bytes() and len(asked.bodies) == n


def test_rejected_answers_are_made_up_for_and_counted(cfg, asked, tmp_path):
    # 6 documents, 2 without a question; a second and third question about the others have the same prompt
    written = write_questions(Recipe.from_cfg(cfg), 5, tmp_path / "q.jsonl")
    assert len(written.rows) == 4 and len(asked.bodies) == 20
    assert written.rejected == {Rejection.DUPLICATE: 9, Rejection.FEW_WRONG: 4, Rejection.MALFORMED: 3}
    seeds = sorted({b["seed"] for b in asked.bodies})
    assert seeds == [42, 43, 44, 45]


def test_held_out_rows_are_not_asked_about(cfg, asked, data, tmp_path):
    write_rows(data, [{"text": f"Ship number {i} lies in harbour{i:03d}.", "n": i} for i in range(10)])
    cfg["val_set_size"] = 0.4
    written = write_questions(Recipe.from_cfg(cfg), 6, tmp_path / "q.jsonl")
    about = {r.source for r in written.rows}
    assert len(about) == 6
    shown = set(re.findall(r"harbour\d{3}", "\n".join(prompt_of(b) for b in asked.bodies)))
    assert {document_id(f"Ship number {int(s[-3:])} lies in {s}.") for s in shown} == about


def test_long_documents_are_asked_about_part_by_part(cfg, asked, data, tmp_path):
    # the tiny model's context of 512 tokens leaves a quarter of it to the passage
    cfg["augft"]["teacher"]["model"] = cfg["base_model"]
    asked.count = token_counter(cfg["base_model"]).count
    text = " ".join(f"Ship number {i} lies in harbour{i:03d}." for i in range(40))
    write_rows(data, [{"text": text, "n": 0}])
    write_questions(Recipe.from_cfg(cfg), 3, tmp_path / "q.jsonl")
    passages = [text_of(b) for b in asked.bodies]
    assert (
        len(passages) == 3 and text.startswith(passages[0]) and passages[1] in text and passages[0] not in passages[1]
    )


def test_nothing_came_out(cfg, teacher, tmp_path):
    teacher.answer = lambda body: "no"
    with pytest.raises(BenchError, match=r"none of 8 answers gave a question \(malformed 8\)"):
        write_questions(Recipe.from_cfg(cfg), 2, tmp_path / "q.jsonl")
    assert not (tmp_path / "q.jsonl").exists()


def test_unanswered_requests_stop_the_run_and_the_next_one_asks_for_the_rest(cfg, asked, tmp_path):
    async def down_for_cats(_, body):
        return web.json_response({"error": {}}, status=503) if "Cats" in text_of(body) else None

    cfg["augft"]["teacher"]["max_retries"] = 0
    asked.misbehave = down_for_cats
    with pytest.raises(TeacherError, match="1 of 6 requests stayed unanswered"):
        write_questions(Recipe.from_cfg(cfg), 6, tmp_path / "q.jsonl")
    n, asked.misbehave = len(asked.bodies), None
    write_questions(Recipe.from_cfg(cfg), 6, tmp_path / "q.jsonl")
    (first_sample,) = [b for b in asked.bodies[n:] if b["seed"] == 42]
    assert "Cats" in text_of(first_sample)
