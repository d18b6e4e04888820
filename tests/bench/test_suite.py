"""Suites before training (settings, cells, recipes, fingerprints, ICL contexts, questions); cells of earlier runs."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from axolotl_augft.bench.datasets.dataset import QUESTIONS, BenchData, Question, Stated, save
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.experiments.icl import build_context, drawn_questions, window_left
from axolotl_augft.bench.experiments.own import OwnSettings, own_plan
from axolotl_augft.bench.experiments.plan import Cell, Fingerprints, cell_recipe
from axolotl_augft.bench.experiments.preparing import suite_plan
from axolotl_augft.bench.experiments.questions import WRITING_QUESTIONS, read_form_rows, read_questions, write_tasks
from axolotl_augft.bench.experiments.running import failed_lines, run_plan
from axolotl_augft.bench.experiments.scoring import require_lm_eval
from axolotl_augft.bench.experiments.suite import ScoringConfig, load_suite, parse_list, parse_suite
from axolotl_augft.bench.experiments.training import Augmented, augment, last_meaningful_line, steps_of_as_many_epochs
from axolotl_augft.bench.report.results import CellResult, Score, load_result
from axolotl_augft.errors import BenchError
from axolotl_augft.files.durable import write_json
from axolotl_augft.output.manifest import Load
from axolotl_augft.text.tokens import TokenCounter, token_counter
from tests.support.data import LOCAL_BY_DOCUMENT, write_rows
from tests.support.teacher_server import TeacherServer, prompt_of, scripted_answer

WORDS = TokenCounter(lambda texts: [len(text.split()) for text in texts], exact=True)
DATA = BenchData(
    name="toy",
    scale="tiny",
    seed=0,
    documents=(
        "Zibs are more shy than dreks.",
        "It is known that zibs are more shy than dreks.",
        "Mips are more loud than gorps.",
    ),
    questions=(
        Question(
            "q0",
            "Dreks are",
            ("less shy than zibs", "more shy than zibs"),
            0,
            "reversals",
            Fact("less", ("drek", "zib", "shy")),
        ),
        Question(
            "q1",
            "Gorps are",
            ("more loud than mips", "less loud than mips"),
            1,
            "reversals",
            Fact("less", ("gorp", "mip", "loud")),
        ),
    ),
    stated=(Stated(Fact("more", ("zib", "drek", "shy")), (0, 1)), Stated(Fact("more", ("mip", "gorp", "loud")), (2,))),
    rules=(),
    about="A toy.",
)
SUITE = {
    "name": "toy",
    "recipe": {"base_model": "student", "micro_batch_size": 4, "save_steps": 5, "val_set_size": 0.1},
    "data": {"folder": "toy"},
    "teacher": {"base_url": "http://127.0.0.1:1/v1", "model": "m", "api": "chat"},
    "local": [{"kinds": ["reversal"]}],
    "conditions": ["pretrained", "ft", "aug-local"],
    "steps": 30,
}


def plan_of(tmp_path: Path, **changes):
    save(DATA, tmp_path / "toy")
    suite = parse_suite({**SUITE, "data": {"folder": str(tmp_path / "toy")}, **changes}, Path("suite.yml"))
    return suite_plan(suite, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conditions": ["ft", "aug-locl"]}, "conditions[1]: unknown condition 'aug-locl'; did you mean 'aug-local'?"),
        ({"conditions": []}, "conditions is empty, so there is nothing to do; name at least one"),
        ({"conditions": ["ft", "ft"]}, "conditions contains a value twice: ft, ft"),
        ({"seeds": []}, "seeds is empty, so there is nothing to do; name at least one"),
        ({"steps": 0}, "steps: input should be greater than or equal to 1, got '0'"),
        ({"stps": 3}, "stps: unknown key; did you mean 'steps'?"),
        ({"icl": {"tokens": 3}}, "icl.tokens: unknown key; did you mean 'context_tokens'?"),
        (
            {"data": {"name": "reversals", "scale": "huge"}},
            "data.scale: input should be 'tiny', 'small' or 'paper', got 'huge'",
        ),
        (
            {"conditions": ["aug-both"]},
            "condition aug-both needs augment entries, but global has none; give at least one",
        ),
        (
            {"local": [{"kinds": ["opposite"]}]},
            "augft.augment[0].kinds[0]: input should be 'rephrasing', 'reversal', 'consequence' or 'detail', got",
        ),
        ({"teacher": {"modle": "m"}}, "augft.teacher.modle: unknown key; did you mean 'model'?"),
        (
            {"augft": {"store": "x"}},
            "augft.store is set by the suite; remove it (teacher, local and global have their own keys)",
        ),
        ({"recipe": {"base_model": "m", "max_steps": 3}}, "recipe.max_steps is set by the suite; remove it"),
        ({"name": "My suite"}, "name: string should match pattern"),
    ],
)
def test_a_bad_suite_is_one_line(changes, message):
    with pytest.raises(BenchError) as caught:
        parse_suite({**SUITE, **changes}, Path("suite.yml"))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("augft", "match", "message"),
    [
        ({"replay": "questions"}, "steps", "augft.replay would make the conditions incomparable: only the augmented"),
        ({"mix": {"source": 0.5, "augmented": 0.5}}, "steps", "augft.mix would make the conditions incomparable: it"),
        ({"repeat_original": 3}, "source", "augft.repeat_original sets how often the augmented conditions see the so"),
        ({"include_original": False}, "source", "augft.include_original sets how often the augmented conditions see"),
    ],
)
def test_conditions_that_could_not_be_compared_are_refused(cfg, tmp_path, augft, match, message):
    with pytest.raises(BenchError, match=f"toy: {message}"):
        plan_of(tmp_path, augft=augft, match=match)
    cfg["augft"] |= {"augment": ["local"], **augft}
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(cfg))
    with pytest.raises(BenchError, match=f"mine.yml: {message}"):
        own_plan(tmp_path / "mine.yml", own_questions(tmp_path), OwnSettings(match=match))


@pytest.mark.parametrize(
    ("augft", "match"),
    [({"repeat_original": 3}, "steps"), ({"repeat_original": 1, "repeat_augmented": 2}, "source")],
)
def test_repeats_that_leave_conditions_comparable(tmp_path, augft, match):
    assert plan_of(tmp_path, augft=augft, match=match).augft == augft


def test_a_missing_key_says_what_it_is():
    with pytest.raises(BenchError, match="suite.yml: steps is missing; Optimizer steps, the same for every condition"):
        parse_suite({k: v for k, v in SUITE.items() if k != "steps"}, Path("suite.yml"))


def test_recipe_beside_the_suite_and_options(tmp_path):
    recipe = {
        "base_model": "a",
        "learning_rate": 1e-3,
        "datasets": [{"path": "x"}],
        "plugins": ["p"],
        "output_dir": "o",
    }
    (tmp_path / "r.yml").write_text(yaml.safe_dump(recipe))
    suite = {**SUITE, "recipe": "r.yml", "data": {"name": "reversal-curse"}}
    (tmp_path / "s.yml").write_text(yaml.safe_dump(suite))
    loaded = load_suite(tmp_path / "s.yml", {"model": "b", "source": "folder", "seeds": [1, 2], "steps": None})
    assert loaded.recipe == {"base_model": "b", "learning_rate": 1e-3}
    assert (loaded.data.source, loaded.seeds, loaded.steps) == ("folder", [1, 2], 30)


def test_a_suite_without_a_model_is_refused(tmp_path):
    (tmp_path / "s.yml").write_text(yaml.safe_dump({**SUITE, "recipe": {}}))
    with pytest.raises(BenchError, match="recipe.base_model is missing"):
        load_suite(tmp_path / "s.yml")


def test_lists_on_the_command_line():
    from axolotl_augft.bench.report.results import Condition

    assert parse_list("0, 2", int, "--seeds") == [0, 2]
    assert parse_list(None, int, "--seeds") is None
    with pytest.raises(BenchError, match="--conditions: unknown condition 'ftt'; did you mean 'ft'"):
        parse_list("ftt", Condition, "--conditions")


def test_cells_of_a_plan(tmp_path):
    plan = plan_of(tmp_path, seeds=[0, 3], splitting=["none", "independent"])
    assert [c.name for c in plan.cells()] == [
        *("pretrained", "ft-seed0", "ft-independent-seed0", "aug-local-seed0"),
        *("ft-seed3", "ft-independent-seed3", "aug-local-seed3"),
    ]


def test_the_recipe_of_plain_fine_tuning(tmp_path):
    plan = plan_of(tmp_path)
    assert cell_recipe(plan, Cell("ft", 7), Path("/c"), Path("/a"), plan.teacher) == {
        "base_model": "student",
        "micro_batch_size": 4,
        "datasets": [
            {"path": str(tmp_path / "toy/documents.jsonl"), "ds_type": "json", "type": "completion", "field": "text"}
        ],
        "seed": 7,
        "max_steps": 30,
        "save_strategy": "no",
        "logging_steps": 10,
        "dataset_prepared_path": "/c/prepared",
        "output_dir": "/c/model",
        "warmup_steps": 1,
    }


@pytest.mark.parametrize(
    ("recipe", "steps"), [({}, 3), ({"warmup_ratio": 0.1}, 10), ({"warmup_steps": 7, "warmup_ratio": 0.1}, 7)]
)
def test_every_condition_warms_up_for_as_many_steps(tmp_path, recipe, steps):
    plan = plan_of(tmp_path, steps=100, recipe={"base_model": "student", **recipe})
    cells = [cell_recipe(plan, Cell(c, 0), Path("/c"), Path("/a"), {"model": "m"}) for c in ("ft", "aug-local")]
    assert [cfg["warmup_steps"] for cfg in cells] == [steps, steps]


def test_the_recipe_of_an_augmented_cell(tmp_path):
    plan = plan_of(tmp_path, augft={"sentence_splitting": "independent", "verify": "names"})
    cfg = cell_recipe(plan, Cell("aug-local", 7, "independent"), Path("/c"), Path("/a"), {"model": "m"})
    assert cfg["plugins"] == ["axolotl_augft.AugFTPlugin"]
    assert cfg["augft"] == {
        "sentence_splitting": "independent",
        "verify": "names",
        "output_dir": "/a",
        "store": "/a/responses.sqlite",
        "teacher": {"seed": 0, "model": "m"},
        "augment": [{"strategy": "local", "kinds": ["reversal"]}],
    }


def test_the_recipe_of_sentence_splitting_alone(tmp_path):
    plan = plan_of(tmp_path, augft={"verify": "names", "language": "de"})
    cfg = cell_recipe(plan, Cell("ft", 0, "cumulative"), Path("/c"), Path("/a"), plan.teacher)
    assert cfg["augft"] == {
        "output_dir": "/a",
        "store": "/a/responses.sqlite",
        "language": "de",
        "augment": [],
        "sentence_splitting": "cumulative",
    }


FORM = replace(DATA, form_rows=("Question: Who?\nAnswer: I", "Question: Where?\nAnswer: Here"))


def test_questions_and_study_are_conditions_of_their_own(tmp_path):
    lists = {"questions": [{"samples": 2}], "study": [{"genres": ["quiz"]}]}
    plan = plan_of(tmp_path, conditions=["aug-local", "aug-questions", "aug-study"], **lists)
    assert {condition: plan.augment[condition] for condition in plan.conditions} == {
        "aug-local": [{"strategy": "local", "kinds": ["reversal"]}],
        "aug-questions": [{"strategy": "local", "write": "questions", "samples": 2}],
        "aug-study": [{"strategy": "study", "genres": ["quiz"]}],
    }


def form_plan(tmp_path: Path, **changes):
    save(FORM, tmp_path / "toy")
    suite = {**SUITE, "data": {"folder": str(tmp_path / "toy")}, "conditions": ["ft", "ft-form", "aug-local"]}
    return suite_plan(parse_suite({**suite, **changes}, Path("suite.yml")), tmp_path / "out")


def test_every_trained_condition_but_ft_gets_the_form_rows_and_no_teacher_is_asked_about_them(tmp_path):
    plan = form_plan(tmp_path, augft={"exclude": ["mine"]})
    form = {"path": "/a/form.jsonl", "ds_type": "json", "type": "completion", "field": "text"}
    ft, with_form, augmented = (
        cell_recipe(plan, cell, Path("/c"), Path("/a"), plan.teacher)
        for cell in (Cell("ft"), Cell("ft-form"), Cell("aug-local"))
    )
    assert [len(cfg["datasets"]) for cfg in (ft, with_form, augmented)] == [1, 2, 2]
    assert with_form["datasets"][1] == augmented["datasets"][1] == form
    assert "augft" not in with_form and augmented["augft"]["exclude"] == ["mine", "/a/form.jsonl"]


def test_a_cell_depends_on_its_form_rows(tmp_path):
    plan = form_plan(tmp_path)
    before, after = Fingerprints(plan), Fingerprints(replace(plan, form_rows=plan.form_rows[:1]))
    assert [before.of(Cell(c)) != after.of(Cell(c)) for c in plan.conditions] == [False, True, True]
    assert before.of(Cell("ft-form")) != before.of(PLAIN) == Fingerprints(plan_of(tmp_path)).of(PLAIN)


@pytest.mark.parametrize(("packed", "steps"), [(True, 300), (False, 400)])
def test_as_many_epochs_of_the_source(packed, steps):
    # Packed, 1,500 tokens are three times the source's 500; else, 40 rows are four times its 10.
    cell = Augmented(Load(15, 700), Load(25, 800), None, None)
    assert steps_of_as_many_epochs(100, Load(10, 500), cell, packed) == steps


def test_a_cell_depends_on_what_is_matched(tmp_path):
    before, after = Fingerprints(form_plan(tmp_path)), Fingerprints(form_plan(tmp_path, match="source"))
    assert [before.of(c) != after.of(c) for c in (BARE, PLAIN, AUGMENTED)] == [False, True, True]


def test_a_data_set_without_form_rows(tmp_path):
    with pytest.raises(BenchError, match="condition ft-form: data set toy has no form rows; leave the condition out"):
        plan_of(tmp_path, conditions=["ft-form"])


@pytest.mark.parametrize(("steps", "logged"), [(300, 10), (28, 7), (7, 7), (13, 1)])
def test_the_last_step_is_logged(tmp_path, steps, logged):
    assert (
        cell_recipe(plan_of(tmp_path, steps=steps), Cell("ft"), Path("/c"), Path("/a"), {})["logging_steps"] == logged
    )


AUGMENTED, PLAIN, BARE, ICL = Cell("aug-local"), Cell("ft"), Cell("pretrained"), Cell("icl")


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"steps": 31}, {"ft", "aug-local"}),
        ({"augft": {"verify": "names"}}, {"aug-local"}),
        ({"local": [{"kinds": ["rephrasing"]}]}, {"aug-local"}),
        ({"teacher": {**SUITE["teacher"], "temperature": 0.1}}, {"aug-local"}),
        ({"teacher": {**SUITE["teacher"], "base_url": "http://127.0.0.1:2/v1", "timeout": 5}}, set()),
        ({"teacher": {**SUITE["teacher"], "requests_per_minute": 9, "price": {"input": 1, "output": 1}}}, set()),
        ({"icl": {"context_tokens": 99}}, {"icl"}),
        ({"recipe": {"base_model": "other", "micro_batch_size": 4}}, {"pretrained", "icl", "ft", "aug-local"}),
        ({"recipe": {"base_model": "student", "micro_batch_size": 4, "learning_rate": 1e-3}}, {"ft", "aug-local"}),
        (
            {
                "title": "Another",
                "keep_models": True,
                "prices": {"input": 1, "output": 1, "icl_input": 1, "gpu_hour": 1},
            },
            set(),
        ),
        ({"seeds": [5]}, set()),
    ],
)
def test_what_a_cell_depends_on(tmp_path, changes, changed):
    before, after = Fingerprints(plan_of(tmp_path)), Fingerprints(plan_of(tmp_path, **changes))
    assert {c.condition for c in (BARE, ICL, PLAIN, AUGMENTED) if before.of(c) != after.of(c)} == changed


@pytest.mark.parametrize(
    ("by", "changed"),
    [({"model": "v", "timeout": 5, "stall_timeout": 9}, False), ({"model": "v", "temperature": 0.1}, True)],
)
def test_what_a_cell_depends_on_of_the_verifier(tmp_path, by, changed):
    before, after = (Fingerprints(plan_of(tmp_path, augft={"verify": {"by": b}})) for b in ({"model": "v"}, by))
    assert (before.of(AUGMENTED) != after.of(AUGMENTED)) is changed


@pytest.mark.parametrize("named", ["by its name", "in a block"])
def test_a_cell_depends_on_the_content_of_the_verifiers_folder(tmp_path, named):
    folder = tmp_path / "verifier"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    by = str(folder) if named == "by its name" else {"model": str(folder)}
    plan = plan_of(tmp_path, augft={"verify": {"by": by}})
    before = Fingerprints(plan).of(AUGMENTED)
    (folder / "config.json").write_text('{"other": 1}')
    assert Fingerprints(plan).of(AUGMENTED) != before


def test_a_cell_depends_on_its_seed_and_the_data(tmp_path):
    plan = plan_of(tmp_path)
    assert Fingerprints(plan).of(Cell("ft", 1)) != Fingerprints(plan).of(PLAIN)
    other = Fingerprints(replace(plan, data="other documents"))
    assert other.of(PLAIN) != Fingerprints(plan).of(PLAIN) and other.of(BARE) == Fingerprints(plan).of(BARE)


@pytest.mark.parametrize(
    "naming", [lambda file: {"local": [{"examples": file}]}, lambda file: {"augft": {"marks": file}}]
)
def test_a_cell_depends_on_the_content_of_the_files_it_names(tmp_path, naming):
    file = write_rows(tmp_path / "named.jsonl", [{"a": 1}])
    plan = plan_of(tmp_path, **naming(str(file)))
    before = Fingerprints(plan).of(AUGMENTED)
    write_rows(file, [{"a": 2}])
    assert Fingerprints(plan).of(AUGMENTED) != before


def test_a_context_holds_each_fact_before_any_twice():
    for seed in range(5):
        context = build_context(DATA.documents, DATA.stated, DATA.questions, 16, seed, WORDS)
        assert (
            context.text.endswith("\nMips are more loud than gorps.") and "ibs are more shy than dreks." in context.text
        )
        assert context.documents == 2 and context.tokens == len(context.text.split())


def test_a_context_begins_with_what_is_asked():
    only_mips = [q for q in DATA.questions if q.id == "q1"]
    for seed in range(5):
        assert (
            build_context(DATA.documents, DATA.stated, only_mips, 6, seed, WORDS).text
            == "Mips are more loud than gorps."
        )


def test_a_context_without_known_facts_is_drawn_by_seed():
    contexts = {build_context(DATA.documents, (), (), 6, seed, WORDS).text for seed in range(8)}
    assert contexts == {DATA.documents[0], DATA.documents[2]}


def test_a_context_too_small_for_any_document():
    with pytest.raises(BenchError, match="no document fits into 3 tokens; raise it"):
        build_context(DATA.documents, (), (), 3, 0, WORDS)


def test_questions_are_drawn_evenly_over_the_splits():
    many = [
        Question(f"{split}{i}", "p", ("a", "b"), 0, split) for split, n in (("easy", 20), ("hard", 3)) for i in range(n)
    ]
    drawn = drawn_questions(many, 6, 0)
    assert [q.split for q in drawn] == ["easy"] * 3 + ["hard"] * 3
    assert drawn_questions(many, None, 0) == tuple(many)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "A", "choices": ["x", "y"], "answer": "z"}, "the right answer is not among its 2 choices"),
        ({"prompt": "A", "choices": ["x", "y"], "answer": 2}, "the answer 2 is not an index of its 2 choices (0 to 1)"),
        ({"prompt": "A", "choices": ["x", "y"], "answer": -1}, "the answer -1 is not an index"),
        ({"prompt": "A", "choices": ["x", "y", " x"], "answer": 1}, "choices 0 and 2 are equal"),
        ({"prompt": "A", "choices": ["x"], "answer": 0}, "has 1 choices"),
        ({"prompt": "A", "choices": [], "answer": 0}, "has 0 choices"),
        ({"prompt": "A", "choices": ["x", " "], "answer": 0}, "an empty prompt or choice"),
        ({"prompt": "A", "choices": "xy", "answer": 0}, "needs prompt (a text) and choices (a list of texts)"),
        (
            {"prompt": "A", "choices": ["x", "y"]},
            "answer must be the index or the text of the right choice, got a NoneType",
        ),
        ({"prompt": "A", "choices": ["x", "y"], "answer": True}, "answer must be the index or the text"),
    ],
)
def test_a_bad_question_is_named(tmp_path, row, message):
    path = write_rows(tmp_path / "q.jsonl", [{"prompt": "B", "choices": ["x", "y"], "answer": 0}, {"id": "bad", **row}])
    with pytest.raises(BenchError) as caught:
        read_questions(path)
    assert f"{path}: question bad: " in str(caught.value) and message in str(caught.value)


def test_questions_by_index_or_text(tmp_path):
    rows = [
        {"prompt": "B ", "choices": ["x", "y"], "answer": "y"},
        {"id": 7, "prompt": "C", "choices": ["x", "y"], "answer": 0},
    ]
    first, second = read_questions(write_rows(tmp_path / "q.jsonl", rows))
    assert (first.id, first.prompt, first.answer, first.split) == ("on line 1", "B", 1, "questions")
    assert (second.id, second.answer) == ("7", 0)


def test_no_questions(tmp_path):
    with pytest.raises(BenchError, match="no questions"):
        read_questions(write_rows(tmp_path / "q.jsonl", []))


def test_a_task_with_documents_in_context(tmp_path):
    tasks = write_tasks("toy", DATA.questions[:1], tmp_path, context="Zibs are. {{ x }}")
    assert (tasks.choosing, tasks.writing) == (tmp_path / "task.yaml", None)
    assert json.loads((tmp_path / "questions.jsonl").read_text()) == {
        "id": "q0",
        "prompt": "Zibs are. {{ x }}\n\nDreks are",
        "choices": ["less shy than zibs", "more shy than zibs"],
        "answer": 0,
    }
    assert "custom_dataset: !function task.questions" in (tmp_path / "task.yaml").read_text()
    assert (tmp_path / "task.py").is_file()


def test_a_task_in_which_the_student_writes(tmp_path):
    tasks = write_tasks("toy", OPEN, tmp_path, 8, "Zibs are.")
    assert (tasks.choosing, tasks.writing) == (None, tmp_path / "writing.yaml")
    rows = [json.loads(line) for line in (tmp_path / "writing.jsonl").read_text().splitlines()]
    assert rows == [{"id": "on line 1", "prompt": "Zibs are.\n\nWho is shy?", "answer": "the drek"}]
    task = yaml.safe_load((tmp_path / "writing.yaml").read_text())
    assert task["generation_kwargs"] == {"until": ["\n"], "max_gen_toks": 8, "do_sample": False}


def test_students_write_no_answers_to_general_questions(tmp_path):
    tasks = write_tasks("toy", OPEN, tmp_path, 8, general=DATA.questions)
    assert [json.loads(line)["id"] for line in tasks.choosing.with_name("questions.jsonl").open()] == ["q0", "q1"]
    assert [json.loads(line)["id"] for line in (tmp_path / "writing.jsonl").open()] == ["on line 1"]


OPEN = (Question("on line 1", "Who is shy?", ("the drek",), 0, "questions"),)


def test_open_questions_are_read_and_have_no_chance(tmp_path):
    assert read_questions(write_rows(tmp_path / "q.jsonl", [{"prompt": "Who is shy?", "answer": "the drek"}])) == OPEN
    assert replace(plan_of(tmp_path), questions=(*OPEN, *DATA.questions)).chance == pytest.approx(1 / 3)


def test_a_suite_with_open_questions_lets_the_student_write(tmp_path):
    plan = replace(plan_of(tmp_path), questions=OPEN)
    with pytest.raises(BenchError, match="question on line 1: has no choices, so its answer is written; set scoring"):
        run_plan(plan, tmp_path / "out")


def test_form_rows_of_your_own(tmp_path):
    file = write_rows(tmp_path / "f.jsonl", [{"prompt": "Q: Who?\nA:", "answer": "I"}])
    assert read_form_rows(file, OPEN) == ("Q: Who?\nA: I",)
    write_rows(file, [{"prompt": "Who is shy?", "choices": ["I", "you"], "answer": 1}])
    with pytest.raises(BenchError, match="question on line 1: is one of the test's questions; form rows ask about oth"):
        read_form_rows(file, OPEN)


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("Traceback\n  File x\nValueError: bad value\n\n 3%| 1/30 [00:01<00:20, 1.1it/s]\n", "ValueError: bad value"),
        ("torch.OutOfMemoryError: no memory\nwandb: done\n", "torch.OutOfMemoryError: no memory"),
        ("augft: error: the server refuses access\n", "augft: error: the server refuses access"),
        ("  0%| 0/3 [00:01<?, ?it/s]\r 50%|\rKilled\n", "Killed"),
        ("", "its log is empty"),
    ],
)
def test_the_line_of_a_log_that_says_what_happened(tmp_path, log, line):
    (tmp_path / "train.log").write_text(log)
    assert last_meaningful_line(tmp_path / "train.log") == line


def test_sentence_splitting_alone_asks_nobody(cfg, teacher):
    cfg["augft"] |= {"augment": [], "sentence_splitting": "independent"}
    made = augment(cfg)
    assert (made.original.rows, made.augmented.rows, made.use, made.asked, teacher.bodies) == (9, 0, None, None, [])


def test_a_seed_of_training_asks_nothing_again(cfg, teacher):
    cfg["augft"] |= {"augment": [LOCAL_BY_DOCUMENT], "teacher": {**cfg["augft"]["teacher"], "seed": 0}}
    first = augment({**cfg, "seed": 1})
    asked = len(teacher.bodies)
    second = augment({**cfg, "seed": 2})
    assert asked == len(teacher.bodies) == first.asked.requests == first.use.requests == 6
    assert (second.use, second.augmented, second.asked.requests) == (first.use, first.augmented, 0)
    assert first.use.completion_tokens == first.asked.completion_tokens > 0


def test_questions_to_a_probed_student_are_no_work_of_the_teachers(cfg, teacher):
    def answer_no_blank(body):
        return "unknown" if "Sentence: " in prompt_of(body) else scripted_answer(body)

    with TeacherServer(answer=answer_no_blank) as student:
        probe = {"student": {"base_url": student.base_url, "model": "small", "api": "chat"}}
        cfg["augft"] |= {"augment": [LOCAL_BY_DOCUMENT], "probe": probe}
        made = augment(cfg)
    assert student.bodies and made.use.requests == len(teacher.bodies) == 6
    assert made.asked is None


def own_questions(tmp_path) -> Path:
    return write_rows(
        tmp_path / "q.jsonl", [{"prompt": "Port Ennis lies", "choices": ["north", "south"], "answer": "north"}]
    )


def test_your_own_recipe_becomes_the_same_conditions(cfg, tmp_path):
    cfg["augft"] |= {"augment": ["local", {"strategy": "global", "context_tokens": 150}], "verify": "names"}
    cfg |= {"max_steps": 0, "num_epochs": 4, "seed": 5}
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(cfg))
    plan = own_plan(tmp_path / "mine.yml", own_questions(tmp_path))
    assert plan.conditions == ("pretrained", "icl", "ft", "aug-local", "aug-global", "aug-both")
    assert {c: [e["strategy"] for e in entries] for c, entries in plan.augment.items()} == {
        "aug-local": ["local"],
        "aug-global": ["global"],
        "aug-both": ["local", "global"],
    }
    # Six rows of two a step in four epochs.
    assert (plan.steps, plan.rows, len(plan.documents), plan.seeds) == (12, 6, 6, (5,))
    assert plan.augft == {"verify": "names", "store": str(tmp_path / "prepared/augft/responses.sqlite")}
    assert plan.teacher["seed"] == 5 and plan.teacher["model"] == "scripted"


def test_your_own_open_questions_and_form_rows(cfg, tmp_path):
    cfg["augft"] |= {"augment": ["local"]}
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(cfg))
    questions = write_rows(tmp_path / "q.jsonl", [{"prompt": "Port Ennis lies", "answer": "north"}])
    form = write_rows(tmp_path / "f.jsonl", [{"prompt": "Rome lies", "answer": "in Italy"}])
    plan = own_plan(tmp_path / "mine.yml", questions, OwnSettings(form_rows=form))
    assert (plan.form_rows, plan.scoring.answer_tokens) == (("Rome lies in Italy",), 32)
    assert plan.conditions == ("pretrained", "icl", "ft", "ft-form", "aug-local")
    assert own_plan(tmp_path / "mine.yml", questions, OwnSettings(answer_tokens=5)).scoring.answer_tokens == 5
    assert own_plan(tmp_path / "mine.yml", own_questions(tmp_path)).scoring.answer_tokens is None
    with pytest.raises(BenchError, match="condition ft-form needs form rows; give a file of them: --form-rows FILE"):
        own_plan(tmp_path / "mine.yml", questions, OwnSettings(conditions=["ft-form"]))


@pytest.mark.parametrize("held_out", [{"val_set_size": 2}, {"test_datasets": [{"path": "other.jsonl"}]}])
def test_rows_that_are_held_out_are_not_taken_for_training(cfg, tmp_path, held_out):
    cfg["augft"]["augment"] = ["local"]
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(cfg | held_out))
    with pytest.raises(BenchError, match=f"{next(iter(held_out))} holds rows out"):
        own_plan(tmp_path / "mine.yml", own_questions(tmp_path))


def test_the_context_of_icl_leaves_room_for_the_question(tiny_model):
    questions = [Question("q", "Port Ennis lies", ("north", "south of Saltmere"), 0, "all")]
    counter = token_counter(str(tiny_model))
    longest = counter.count("\n\nPort Ennis lies south of Saltmere")
    assert window_left(str(tiny_model), questions, counter) == 512 - longest - 2


def test_a_tie_is_not_right():
    assert Score("q", "s", "", 0, (-1.0, -2.0), (1, 1)).right
    assert not Score("q", "s", "", 0, (-1.0, -1.0), (1, 1)).right


def test_every_suite_of_the_project_can_be_read():
    suites = sorted((Path(__file__).parents[2] / "benchmarks" / "suites").glob("*.yml"))
    assert len(suites) >= 6
    for suite in suites:
        assert load_suite(suite).steps > 0


def test_your_own_recipe_lacks_what_a_condition_needs(cfg, tmp_path):
    cfg["augft"]["augment"] = ["local"]
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(cfg))
    assert own_plan(tmp_path / "mine.yml", own_questions(tmp_path)).conditions == (
        "pretrained",
        "icl",
        "ft",
        "aug-local",
    )
    with pytest.raises(
        BenchError, match="condition aug-both needs augft.augment entries that the recipe does not have"
    ):
        own_plan(tmp_path / "mine.yml", own_questions(tmp_path), OwnSettings(conditions=["aug-both"]))


def done_cell(plan, cell: Cell, folder: Path) -> CellResult:
    scores = tuple(Score(q.id, q.split, q.subset, q.answer, (-1.0, -2.0), (18, 18)) for q in plan.questions)
    result = CellResult(cell.condition, cell.seed, cell.splitting, "done", Fingerprints(plan).of(cell), scores)
    write_json(folder / "cells" / cell.name / "cell.json", asdict(result))
    return result


def local_student(tmp_path, tiny_model, **changes):
    return plan_of(tmp_path, recipe={"base_model": str(tiny_model), "micro_batch_size": 4}, **changes)


def test_finished_cells_are_kept_and_a_failing_one_stops_no_other(tmp_path, tiny_model):
    """No server listens at the teacher's address, so the augmented cell fails; the result keeps cells of other runs."""
    teacher = {**SUITE["teacher"], "max_retries": 0}
    plan = local_student(tmp_path, tiny_model, conditions=["aug-local", "ft"], teacher=teacher)
    kept = [done_cell(plan, cell, tmp_path / "out") for cell in (Cell("pretrained"), Cell("ft", 0), Cell("ft", 1))]
    result = run_plan(plan, tmp_path / "out")
    assert [c for c in result.cells if c.status == "done"] == kept
    (failed,) = [c for c in result.cells if c.status == "failed"]
    assert failed.error.startswith(
        "augmentation failed: 3 of 3 requests stayed unanswered after all retries (no connection 3)"
    )
    assert failed_lines(result) == [f"aug-local seed 0: {failed.error}"]
    assert load_result(tmp_path / "out/results.json") == result
    assert result.chance == 0.5 and kept[0].accuracy == 0.5


def test_a_run_has_only_its_own_questions_answered_in_writing(tmp_path, tiny_model):
    plan = local_student(tmp_path, tiny_model, conditions=["pretrained"], forgetting=["grammar"])
    plan = replace(plan, scoring=ScoringConfig(answer_tokens=4))
    done_cell(plan, BARE, tmp_path / "out")
    run_plan(plan, tmp_path / "out")
    lines = {f: len((tmp_path / "out/questions" / f).read_text().splitlines()) for f in (QUESTIONS, WRITING_QUESTIONS)}
    assert lines == {QUESTIONS: 2 + 48, WRITING_QUESTIONS: 2}


def test_a_cell_of_other_settings_is_not_kept(tmp_path, tiny_model):
    teacher = {**SUITE["teacher"], "max_retries": 0}
    plan = local_student(tmp_path, tiny_model, conditions=["aug-local"], teacher=teacher)
    done_cell(replace(plan, steps=31), Cell("aug-local"), tmp_path / "out")
    done_cell(replace(plan, steps=31), Cell("ft", 1), tmp_path / "out")
    assert [(c.condition, c.status) for c in run_plan(plan, tmp_path / "out").cells] == [("aug-local", "failed")]


def test_two_runs_in_one_folder(tmp_path, tiny_model):
    plan = local_student(tmp_path, tiny_model)
    (tmp_path / "out").mkdir()
    with (
        FileLock(tmp_path / "out" / ".lock"),
        pytest.raises(BenchError, match="another run writes to this folder; let it finish, or give another --out"),
    ):
        run_plan(plan, tmp_path / "out")


def test_a_model_that_is_not_there(tmp_path):
    plan = plan_of(tmp_path, recipe={"base_model": str(tmp_path / "none")})
    with pytest.raises(BenchError, match=f"the model {tmp_path}/none cannot be loaded"):
        run_plan(plan, tmp_path / "out")


def test_lm_eval_missing(monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "lm_eval"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(BenchError, match=r"lm_eval is not installed.*pip install 'axolotl-augft\[bench\]'"):
        require_lm_eval()
