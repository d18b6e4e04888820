import json
from pathlib import Path

import pytest

from axolotl_augft.errors import ConfigError
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.marks import Mark, Marks, read_marks
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Task
from axolotl_augft.teacher.request import Prefix, Request, Sampling

REQUEST = Request("t", "chat", Prefix("", ""), "", Sampling(0, None, 9, (), 1), 0)
TASK = Task(REQUEST, "local", Document("0a1b2c3d", "", 0, 0), ("A is B.",))


def judged(text, rejected=None, question=None):
    return Judged(TASK, Inference(text, "reversal", question=question), rejected)


def mark(way, text="B is A.", document="0a1b2c3d", question=None):
    return Mark(way, document, text, question)


@pytest.mark.parametrize(
    ("given", "before", "after"),
    [
        (mark("out"), [None], [Reason.MARKED]),
        (mark("out", " B  is\nA. "), [None], [Reason.MARKED]),
        (mark("out"), [Reason.ECHO], [Reason.ECHO]),
        (mark("in"), [Reason.UNSUPPORTED], [None]),
        (mark("in"), [Reason.UNSUPPORTED, Reason.DUPLICATE, None], [None, Reason.DUPLICATE, Reason.DUPLICATE]),
        (mark("in"), [None], [None]),
        (mark("in"), [Reason.LEAK], [Reason.LEAK]),
        (mark("out", "B is a."), [None], [None]),
        (mark("out", document="ffffffff"), [None], [None]),
        (mark("out", question="What?"), [None], [None]),
    ],
)
def test_a_mark_decides_on_the_statement_with_its_content(given, before, after):
    statements = [judged("B is A.", reason) for reason in before]
    assert [j.rejected for j in Marks([given]).apply(statements)] == after


def test_what_a_mark_overrules_is_remembered():
    statements = [judged("B is A.", Reason.ECHO), judged("Kept.", None), judged("Gone.", None)]
    marks = Marks([mark("in"), mark("in", "Kept."), mark("out", "Gone."), mark("out", "Never written.")])
    found = list(marks.apply(statements))
    assert [j.overruled for j in found] == [Reason.ECHO, None, None]
    assert [j.brought_in for j in found] == [True, True, False]
    assert (marks.matched, marks.count) == (3, 4)


def test_a_pair_is_marked_by_its_question_and_answer():
    marks = Marks([mark("out", "B.", question="What is A?")])
    found = list(marks.apply([judged("B.", question="What is A?"), judged("B.", question="Who is A?")]))
    assert [j.rejected for j in found] == [Reason.MARKED, None] and list(marks.warnings()) == []


@pytest.mark.parametrize(("endings", "after"), [(None, None), ({""}, Reason.MARKED), ({"", "</s>"}, Reason.MARKED)])
def test_where_rows_are_sentences_a_mark_names_one(endings, after):
    text = "Then C is D." + ("</s>" if endings and len(endings) > 1 else "")
    (found,) = Marks([mark("out", text)], endings=endings).apply([judged("First, B is A. Then C is D.")])
    assert found.rejected == after


def test_marks_that_match_nothing_are_named():
    marks = Marks([mark("out"), mark("in", "Gone."), mark("out", document="ffffffff"), mark("in", "Held out.")])
    list(marks.apply([judged("B is A."), judged("Held out.", Reason.LEAK)]))
    assert list(marks.warnings()) == [
        "1 of 4 marks are of documents about which nothing was written here (ffffffff); are they of another data set?",
        "1 of 4 marks match no statement any more; nothing like it was written",
        "1 statements that marks bring in stay out, because they state the answer of a held-out row",
    ]


def test_a_file_of_marks_is_read_as_it_is_written(tmp_path):
    marks = [mark("out"), mark("in", "B.", question="What is A?")]
    path = tmp_path / "marks.jsonl"
    path.write_bytes(mark("in").as_line() + b"\n" + b"".join(m.as_line() for m in marks))
    assert read_marks(path) == marks


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", 'not a mark; expected {"mark": "out" or "in"'),
        ("[]", "not a mark"),
        (json.dumps({"mark": "off", "document": "d", "text": "t"}), "not a mark"),
        (json.dumps({"mark": "in", "document": "d", "text": " "}), "must name the document and the text"),
        (json.dumps({"mark": "in", "document": 1, "text": "t"}), "must name the document and the text"),
        (json.dumps({"mark": "in", "document": "d", "text": "t", "question": 1}), "question must be a text, got int"),
    ],
)
def test_a_line_that_is_no_mark_is_named(tmp_path, line, message):
    path = tmp_path / "marks.jsonl"
    path.write_bytes(mark("in").as_line() + line.encode())
    with pytest.raises(ConfigError, match="marks.jsonl line 2: ") as error:
        read_marks(path)
    assert message in str(error.value)


def test_a_missing_file_of_marks_is_one_line_with_its_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"augft.marks: {tmp_path}/none.jsonl: cannot be read .*No such file"):
        read_marks(Path("none.jsonl"))
