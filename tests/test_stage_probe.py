"""A run with `probe`: the student is asked first, and the teacher only about what it does not know."""

import pytest

from axolotl_augft.cli.plan import plan_lines
from axolotl_augft.cli.prune import prune
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import BudgetReached, ConfigError, NothingAccepted, TeacherError
from axolotl_augft.output.manifest import Manifest
from axolotl_augft.output.reuse import find_result
from axolotl_augft.prepared import prepared
from axolotl_augft.probing.record import LeftOut, ProbeRecord
from tests.support.data import write_rows
from tests.support.teacher_server import TeacherServer, prompt_of, scripted_answer
from tests.test_stage import files, rows, run

KNOWN = "Paris is the capital of France."
UNKNOWN = "Mara Quell is the harbour master of Port Ennis."
DOCUMENTS = [KNOWN, UNKNOWN, f"The Seine flows through Paris. {KNOWN} Tin is a metal."]
BLANKS = {
    "Sentence: ___ is the capital of France.": "Paris",
    "Sentence: Paris is the capital of ___.": " France, of course.\nFrance",
    "Sentence: The ___ flows through Paris.": "Seine",
    "Sentence: The Seine flows through ___.": "paris",
    "Sentence: ___ is the harbour master of Port Ennis.": "Mara",
    "Sentence: Mara Quell is the harbour master of ___.": "Port Ennis",
}
LOCAL = {"strategy": "local", "kinds": ["rephrasing"]}


def question_of(body):
    return next((s for s in prompt_of(body).splitlines() if s.startswith("Sentence: ") and "___" in s), None)


def asked(server):
    return [q for body in server.bodies if (q := question_of(body))]


def fill_blanks(body):
    question = question_of(body)
    return scripted_answer(body) if question is None else BLANKS[question]


@pytest.fixture
def student():
    with TeacherServer(answer=fill_blanks) as server:
        yield server


@pytest.fixture
def probed(cfg, data, student):
    write_rows(data, [{"text": text, "n": i} for i, text in enumerate(DOCUMENTS)])
    cfg["augft"]["augment"] = [LOCAL]
    cfg["augft"]["probe"] = {"student": {"base_url": student.base_url, "model": "small", "api": "chat"}}
    return cfg


def test_the_teacher_is_asked_only_about_what_the_student_does_not_know(probed, teacher, student):
    _, result, folder = run(probed)
    assert sorted(asked(student)) == sorted(BLANKS) and asked(teacher) == []
    assert {(row["n"], row["augft_sentence"]) for row in rows(folder, "0-augmented.parquet")} == {(1, 0), (2, 2)}
    assert len(teacher.bodies) == 2
    prompt_tokens = result.probe.left_out.prompt_tokens
    assert result.probe == ProbeRecord(
        by="small", questions=8, right=7, sentences=5, asked_about=4, known_sentences=3, documents=3,
        known_documents=1, left_out=LeftOut({"local": 3}, prompt_tokens, result.probe.left_out.answer_tokens),
    )  # fmt: skip
    card = (folder / "README.md").read_text()
    assert "* Not asked about: 3 of 5 sentences that `small` knew untrained\n" in card
    sizes = [len(prompt_of(body)) for body in teacher.bodies]
    assert 0.2 * sum(sizes) < prompt_tokens * 2 / 3 < 0.3 * sum(sizes)


def test_questions_are_asked_greedily_and_briefly(probed, student):
    run(probed)
    body = student.bodies[0]
    assert (body["temperature"], body["max_tokens"], body["seed"]) == (0.0, 32, 0)


def test_the_second_run_asks_nobody_and_finds_the_same_result(probed, teacher, student):
    recipe, first, folder = run(probed)
    assert find_result(recipe) == first == Manifest.load(folder)
    (recipe.output_dir / "recipes" / f"{recipe.key}.json").unlink()
    before = files(folder)
    numbers = len(teacher.bodies), len(student.bodies)
    _, second, folder = run(probed)
    assert (second, files(folder)) == (first, before)
    assert (len(teacher.bodies), len(student.bodies)) == numbers


@pytest.mark.parametrize(
    ("probe", "kept"), [({"threshold": 0.5}, {(2, 2)}), ({"questions": 1}, {(1, 0), (2, 2)}), (False, None)]
)
def test_the_settings_decide_what_counts_as_known(probed, probe, kept):
    probed["augft"]["probe"] = probe and {**probed["augft"]["probe"], **probe}
    _, result, folder = run(probed)
    about = {(row["n"], row["augft_sentence"]) for row in rows(folder, "0-augmented.parquet")}
    assert about == kept or (kept is None and result.probe is None and len(about) == 4)


def test_documents_that_are_known_are_no_targets_but_stay_context(probed, teacher):
    _, result, _ = run(probed, augment=["global"], probe={**probed["augft"]["probe"], "threshold": 0.6})
    targets = [prompt_of(body).rsplit("Now think about the document", 1)[-1] for body in teacher.bodies]
    assert len(targets) == 1 and UNKNOWN in targets[0]
    assert KNOWN in prompt_of(teacher.bodies[0])
    assert (result.probe.known_documents, result.probe.left_out.requests) == (2, {"global": 2})


def test_no_question_is_asked_for_about_a_known_document(probed, teacher):
    run(probed, augment=[{"strategy": "study", "genres": ["summary"], "questions": 2}])
    assert len(teacher.bodies) == 4
    assert not any(f"This is a document:\n\n{KNOWN}" in prompt_of(body) for body in teacher.bodies)


def test_limits_count_what_the_student_answered(probed, student, teacher):
    with pytest.raises(BudgetReached):
        run(probed, max_requests=7)
    assert (len(student.bodies), len(teacher.bodies)) == (6, 1)
    run(probed, max_requests=8)
    assert (len(student.bodies), len(teacher.bodies)) == (6, 2)


def test_what_no_teacher_writes_is_written_about_all(probed, teacher):
    _, result, _ = run(probed, augment=[LOCAL, "cloze"])
    assert result.counts.accepted["cloze/blank"] == 3 and len(teacher.bodies) == 2


@pytest.mark.slow
def test_worker_processes_write_the_same(probed, tmp_path):
    probe = probed["augft"]["probe"]
    # So the teacher's answers about what the student knows are stored, too; they must not count.
    run(probed, probe=False, store=str(tmp_path / "store"))
    _, alone, folder = run(probed, probe=probe, output_dir=str(tmp_path / "alone"))
    written = files(folder)
    _, shared, folder = run(probed, output_dir=str(tmp_path / "shared"), workers=2)
    assert (files(folder), shared) == (written, alone)


def test_a_teacher_that_is_the_student_is_asked_at_its_own_server(cfg, data, teacher):
    write_rows(data, [{"text": text, "n": i} for i, text in enumerate(DOCUMENTS)])
    teacher.answer = fill_blanks
    cfg["base_model"], cfg["tokenizer_config"] = "scripted", cfg["base_model"]
    recipe, result, _ = run(cfg, augment=[LOCAL], probe=True)
    assert (result.probe.by, result.probe.known_sentences) == ("scripted", 3)
    assert not list(recipe.output_dir.glob("logs/*"))


def test_the_plan_counts_questions_and_then_what_is_left_out(probed, student):
    recipe = Recipe.from_cfg(probed)
    before = plan_lines(recipe)
    assert "student small (endpoint, chat): 6 questions: 0 answered already, 6 to ask" in before
    assert any(line.startswith("local: 5 units, 5 requests: 0 answered already, 5 to ask") for line in before)
    assert not any("it knows" in line for line in before)
    run(probed)
    lines = plan_lines(recipe)
    assert "student small (endpoint, chat): 6 questions: 6 answered already, 0 to ask" in lines
    assert (
        "  student small answered 7 of 8 questions right; it knows 3 of 5 sentences (4 could be asked about) and 1 of "
        "3 documents"
    ) in lines
    assert any(line.startswith("  left out: 3 of the teacher's requests (local 3), about ") for line in lines)
    assert any(line.startswith("local: 2 units, 2 requests: 2 answered already, 0 to ask") for line in lines)


def test_an_answer_of_the_student_is_needed_and_is_not_pruned(probed):
    recipe, _, _ = run(probed)
    assert list(prune([recipe], drop=False)) == ["all 8 answers are needed"]
    with prepared(recipe) as ready:
        assert ready.model_ids == {"scripted", "small"}


def test_a_student_that_knows_everything_leaves_nothing_to_write(probed, data):
    write_rows(data, [{"text": KNOWN, "n": 0}])
    with pytest.raises(NothingAccepted, match=r"augft.probe left out 1 requests about what the student knows, and no"):
        run(probed)


def test_chats_are_asked_about_as_ever(cfg, data, tmp_path, teacher, student, caplog):
    chat = [{"role": "user", "content": "What is the capital of France?"}, {"role": "assistant", "content": "Paris."}]
    write_rows(data, [{"messages": chat}])
    cfg["datasets"][0]["type"] = "chat_template"
    cfg["chat_template"] = "chatml"
    _, result, _ = run(cfg, augment=["local"], probe={"student": {"base_url": student.base_url, "model": "small"}})
    assert len(teacher.bodies) == 1 and result.probe.sentences == 0 and student.bodies == []
    assert "probe asks nothing: no sentence of plain text has a name or number" in caplog.text


def test_a_student_that_cannot_be_reached_is_one_line_with_the_key(probed):
    probed["augft"]["probe"]["student"] |= {"base_url": "http://127.0.0.1:9/v1", "max_retries": 0}
    with pytest.raises(TeacherError) as error:
        run(probed)
    assert str(error.value).startswith(
        "augft.probe: the student small cannot be asked; say in augft.probe.student how it is served, as in "
        "augft.teacher, or remove augft.probe ("
    )
    assert "\n" not in str(error.value)


def test_a_student_that_cannot_be_served_is_one_line_with_the_key(probed):
    probed["augft"]["probe"] = {"student": {"serve_command": ["no-such-program", "--port", "{port}"]}}
    with pytest.raises(TeacherError) as error:
        run(probed)
    assert str(error.value).startswith("augft.probe: the student ")
    assert "no-such-program" in str(error.value) and "\n" not in str(error.value)


def test_a_key_of_the_student_that_is_not_there_is_said_to_be_the_students(probed):
    probed["augft"]["probe"]["student"]["api_key_env"] = "NO_SUCH_KEY"
    with pytest.raises(ConfigError, match="^augft.probe: the student small cannot be asked; .* NO_SUCH_KEY is not set"):
        run(probed)


@pytest.mark.parametrize(
    ("augft", "message"),
    [
        ({"probe": "yes"}, "augft.probe: must be true, false or a block, got 'yes'"),
        ({"probe": {"model": "x"}}, "augft.probe.model: unknown key; known keys: student, questions, threshold"),
        ({"probe": {"threshold": 0}}, "augft.probe.threshold: input should be greater than 0, got 0"),
        (
            {"probe": {"student": {"base_url": "http://x/v1", "batch": True}}},
            "augft.probe: student.batch is for a teacher's many requests; remove it",
        ),
        ({"probe": {"student": {"modle": "x"}}}, "augft.probe.student.modle: unknown key; did you mean 'model'?"),
        (
            {"probe": True},
            "augft.probe: the recipe has no base_model, so there is no student to ask; name it in "
            "augft.probe.student.model, or remove augft.probe",
        ),
        (
            {"probe": True, "augment": ["cloze"]},
            "augft: probe spares the teacher requests, but no entry of augment asks it anything; remove probe",
        ),
    ],
)
def test_settings_that_are_refused(augft, message):
    with pytest.raises(ConfigError) as error:
        Recipe.from_cfg({"augft": augft, "datasets": [{"path": "x", "type": "completion"}]})
    assert str(error.value) == message


def test_only_what_changes_its_answers_changes_the_key(probed):
    def key(**student):
        probe = {"student": {**probed["augft"]["probe"]["student"], **student}}
        return Recipe.from_cfg({**probed, "augft": {**probed["augft"], "probe": probe}}).key

    assert key() == key(base_url="http://127.0.0.1:1/v1") != key(model="other")
