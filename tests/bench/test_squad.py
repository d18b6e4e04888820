"""The SQuAD data set: which passages, what a question needs, wrong choices of its kind, form rows, its checks."""

import json
import random
from dataclasses import replace

import pytest
from click.testing import CliRunner

from axolotl_augft.bench.cli import bench
from axolotl_augft.bench.datasets.dataset import load, save
from axolotl_augft.bench.datasets.making import examine, grammar_of, make
from axolotl_augft.bench.datasets.squad.choices import kind_of, wrong_answers
from axolotl_augft.bench.datasets.squad.make import make_squad
from axolotl_augft.bench.datasets.squad.needs import needs_of
from axolotl_augft.bench.datasets.squad.passages import Asked, Passage, choose, passages_of, read_passages
from axolotl_augft.bench.datasets.squad.questions import prompt_of
from axolotl_augft.errors import BenchError
from tests.support.data import write_rows
from tests.support.squad import TOWNS, write_squad

LIGHT = "The Varn light was built by Mara Quell in 1901. She painted it red. It cost 400 crowns."


@pytest.mark.parametrize(
    ("question", "answer", "needs"),
    [
        ("When was the Varn light built?", "1901", "forward"),
        ("Who built the light in 1901?", "Mara Quell", "other"),
        ("What was built in 1901 by Mara?", "The Varn light", "reversed"),
        ("What colour did Mara give it?", "red", "two sentences"),
        ("How much did the thing cost?", "400 crowns", "forward"),
        ("How much did it cost?", "40", None),
    ],
)
def test_what_a_question_needs(question, answer, needs):
    assert needs_of(question, answer, LIGHT) == needs


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("1901", "year"),
        ("7 May 1901", "year"),
        ("£30m", "number"),
        ("nearly all of it", "phrase"),
        ("three ships", "number"),
        ("The Port of Ennis", "name"),
        ("painted by the sea", "phrase"),
    ],
)
def test_kinds_of_answers(answer, kind):
    assert kind_of(answer) == kind


def test_wrong_answers_are_of_the_same_kind_from_the_text_and_from_other_questions():
    text = "It was begun by Mara Quell with Jan Sorel and Ida Brandt, and Quell left in 1901 with 3 ships."
    others = (Asked("Who sold the boats?", "Otto Lind"), Asked("Who was it that began the work?", "Ada Mey"))
    passages = [Passage("A", text, others)]
    asked = Asked("Who began the work?", "Mara Quell")
    assert sorted(wrong_answers(asked, passages, random.Random(0)) or ()) == ["Ida Brandt", "Jan Sorel", "Otto Lind"]
    assert wrong_answers(Asked("When did Quell leave?", "1901"), passages, random.Random(0)) is None


def test_passages_stand_in_a_row_and_form_rows_are_about_other_articles(tmp_path):
    source = write_squad(tmp_path / "squad")
    chosen = choose(read_passages(source), 10, 0)
    titles = [p.title for p in chosen.passages]
    assert titles[:5] == titles[:1] * 5 and titles[5:] == titles[5:6] * 5 and titles[0] != titles[5]
    numbers = [TOWNS[p.title].index(p.questions[1].answer.removesuffix("son")) for p in chosen.passages[:5]]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert {p.title for p in chosen.elsewhere} == set(TOWNS) - set(titles)
    assert choose(read_passages(source), 10, 0) == chosen != choose(read_passages(source), 10, 1)


def test_too_few_passages_is_one_line(tmp_path):
    passages = read_passages(write_squad(tmp_path / "squad"))
    with pytest.raises(BenchError, match="passages: 20 wanted, but 3 articles give 15 .40 to 180 words long, with "):
        choose(passages, 20, 0)
    with pytest.raises(BenchError, match="passages: none of 18 has a question, so there is nothing to ask; give each"):
        choose([replace(p, questions=()) for p in passages], 1, 0)


@pytest.mark.parametrize("line", ["{", '{"title": "A", "text": "B"}', '{"title": "A", "text": "B", "questions": [1]}'])
def test_a_malformed_line_is_named(tmp_path, line):
    (tmp_path / "passages.jsonl").write_text(line + "\n")
    with pytest.raises(BenchError, match="passages.jsonl, line 1: not a JSON object with title, text and questions"):
        read_passages(tmp_path)


def test_a_folder_without_the_file(tmp_path):
    with pytest.raises(BenchError, match="cannot be read .No such file or directory.; give the folder of passages"):
        read_passages(tmp_path)


def test_rows_of_the_hub_become_passages():
    rows = [
        {"title": "Port_Ennis", "context": "C", "question": "Q1", "answers": {"text": ["a", "b"], "answer_start": [0]}},
        {"title": "Port_Ennis", "context": "C", "question": "Q2", "answers": {"text": ["c"], "answer_start": [0]}},
    ]
    assert passages_of(rows) == [Passage("Port Ennis", "C", (Asked("Q1", "a"), Asked("Q2", "c")))]


def test_the_data_set(tmp_path):
    data = make_squad(write_squad(tmp_path / "squad"), "tiny", 0)
    assert len(data.documents) == 5 and data.settings == {"passages": 5, "form_rows": 35}
    assert len(data.questions) == 15 and "answer not in the passage 5" in data.about
    for question in data.questions:
        passage = data.documents[int(question.subset.removeprefix("passage "))]
        assert question.choices[question.answer] in passage
    years = next(q for q in data.questions if q.prompt.startswith("Question: When"))
    assert all(choice.isdigit() for choice in years.choices)
    assert len({q.answer for q in data.questions}) > 1
    assert all("\nAnswer: " in row for row in data.form_rows)
    assert not {q.prompt for q in data.questions} & {row.split("Answer:")[0] + "Answer:" for row in data.form_rows}
    assert prompt_of("Who  is it? ") == "Question: Who is it?\nAnswer:"


def test_a_question_asked_of_several_passages_is_asked_once_and_in_no_form_row(tmp_path):
    source = write_squad(tmp_path / "squad")
    rows = [json.loads(line) for line in (source / "passages.jsonl").read_text().splitlines()]
    for row in rows:
        row["questions"].append({"question": "When was it built?", "answer": row["questions"][2]["answer"]})
    write_rows(source / "passages.jsonl", rows)
    data = make_squad(source, "tiny", 0)
    asked = prompt_of("When was it built?")
    assert sum(q.prompt == asked for q in data.questions) == 1 and "asked twice 4" in data.about
    assert not any(row.startswith(asked) for row in data.form_rows)


def test_it_is_examined_saved_and_loaded(tmp_path):
    data = make_squad(write_squad(tmp_path / "squad"), "tiny", 0)
    assert examine(data).problems == []
    assert examine(data).proven[0].startswith("15 questions, all of whose choices stand in one of 5 passages")
    save(data, tmp_path / "out")
    assert load(tmp_path / "out") == data
    assert json.loads((tmp_path / "out" / "form.jsonl").read_text().splitlines()[0]) == {"text": data.form_rows[0]}
    assert "35 form rows" in (tmp_path / "out" / "card.md").read_text()


def test_what_the_examination_finds(tmp_path):
    data = make_squad(write_squad(tmp_path / "squad"), "tiny", 0)
    first, *others = data.questions
    right = first.choices[first.answer]
    bad = replace(first, choices=(right, right.upper(), "Nowhere", right[:4]), answer=0)
    found = examine(replace(data, questions=(bad, *others), form_rows=(f"{first.prompt} {right}",))).problems
    assert [p.split(": ")[-1] for p in found] == [
        "choices are not distinct",
        f"choice {right.upper()!r} stands in no passage, so it was never seen",
        "choice 'Nowhere' stands in no passage, so it was never seen",
        "is a question",
    ]
    assert examine(replace(data, questions=(replace(first, answer=4),))).problems == [
        f"question {first.id}: answer 4 is not the index of one of 4 choices"
    ]
    assert examine(replace(data, questions=())).problems == ["squad: has no questions"]


def test_passages_without_usable_questions(tmp_path):
    source = write_squad(tmp_path / "squad")
    rows = [json.loads(line) for line in (source / "passages.jsonl").read_text().splitlines()]
    write_rows(source / "passages.jsonl", [{**row, "questions": row["questions"][3:]} for row in rows])
    with pytest.raises(BenchError, match="none of 5 passages has a question that can be asked .answer not in the pass"):
        make_squad(source, "tiny", 0)


def test_only_squad_has_passages_and_no_grammar(tmp_path):
    with pytest.raises(BenchError, match="passages 5: only squad has passages"):
        make("reversals", "tiny", 0, passages=5)
    with pytest.raises(BenchError, match="data set squad: is real text without formal facts"):
        grammar_of(make("squad", "tiny", 0, write_squad(tmp_path / "squad")))


def test_on_the_command_line(tmp_path):
    source, out = write_squad(tmp_path / "squad"), tmp_path / "out"
    made = ["make", "squad", "--source", str(source), "--passages", "7", "--seed", "3", "--out", str(out)]
    result = CliRunner().invoke(bench, made)
    assert result.exit_code == 1 and "form rows, 49 are needed; take fewer passages" in result.output
    made[5] = "5"
    result = CliRunner().invoke(bench, made)
    assert result.exit_code == 0 and f"data set: {out}" in result.output
    assert CliRunner().invoke(bench, ["check", str(out)]).exit_code == 0
