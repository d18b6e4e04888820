import json

import pytest
import yaml
from click.testing import CliRunner

from axolotl_augft.bench.audit.asking import reader_config
from axolotl_augft.bench.audit.audit import Coverage, VerdictCounts, audit
from axolotl_augft.bench.audit.tables import audit_lines
from axolotl_augft.bench.cli import bench
from axolotl_augft.bench.datasets.dataset import save
from axolotl_augft.bench.datasets.making import grammar_of, make
from axolotl_augft.bench.datasets.reading import Reader
from axolotl_augft.bench.oracle.server import OracleServer
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import BenchError, ConfigError, OutputError
from axolotl_augft.stage import run_stage
from tests.support.bench_toys import DOCUMENTS, TOY, ToyGrammar, fact
from tests.support.data import LOCAL_BY_DOCUMENT, write_rows
from tests.support.teacher_server import TeacherServer, prompt_of

ANSWERS = {
    DOCUMENTS[0]: [
        "[1] reversal: Zibs are less frant than glorps.",
        "[1] reversal: Glorps are less frant than zibs.",
        "[1] rephrasing: Compared with zibs, glorps are more frant.",
        "[1] rephrasing: It is a frant thing to be a glorp.",
        "[1] reversal: Zibs are less frant than glorps.",
        "[1] consequence: Zibs are more frant than wubs",
        "[1] rephrasing: Glorps are more frant than zibs.",
    ],
    DOCUMENTS[1]: ["[1] consequence: All zibs have horns. All zibs have tails."],
    DOCUMENTS[2]: [],
    DOCUMENTS[3]: ["[2] reversal: Kems are less frant than wubs, so zibs are less frant than glorps."],
}
TRACE = (
    "All zibs are kems, and all kems have tails, so all zibs have tails. That is all.\nConclusions:\n- All zibs have "
    "tails.\n"
)


def scripted(body, answers=ANSWERS):
    prompt = prompt_of(body)
    if "Conclusions:" in prompt:
        return TRACE if f"]:\n{DOCUMENTS[1]}\n" in prompt else ""
    asked = prompt.rsplit("Now these sentences:", 1)[-1]
    return "\n".join(next(lines for document, lines in answers.items() if document.split(".")[0] in asked))


@pytest.fixture
def toy_cfg(cfg, data, teacher):
    write_rows(data, [{"text": d} for d in DOCUMENTS])
    teacher.answer = scripted
    cfg["augft"] = {**cfg["augft"], "augment": [LOCAL_BY_DOCUMENT, "global"]}
    return cfg


def audited(cfg, data=TOY):
    recipe = Recipe.from_cfg(cfg)
    run_stage(recipe)
    return audit(recipe, data, ToyGrammar())


def test_literal_statements_have_literal_verdicts(toy_cfg):
    found = audited(toy_cfg)
    assert found.tallies == (
        VerdictCounts("global", "conclusion", None, right=1, wrong=0, unread=0),
        VerdictCounts("global", "trace", None, right=0, wrong=0, unread=1),
        VerdictCounts("local", "consequence", None, right=0, wrong=1, unread=0),
        VerdictCounts("local", "rephrasing", None, right=1, wrong=0, unread=1),
        VerdictCounts("local", "reversal", None, right=2, wrong=1, unread=0),
        VerdictCounts("local", "reversal", "duplicate", right=1, wrong=0, unread=0),
        VerdictCounts("local", "rephrasing", "echo", right=1, wrong=0, unread=0),
        VerdictCounts("local", "consequence", "malformed", right=0, wrong=1, unread=0),
    )
    assert found.sentences == (
        VerdictCounts("global", "conclusion", None, right=1, wrong=0, unread=0),
        VerdictCounts("global", "trace", None, right=1, wrong=0, unread=1),
        VerdictCounts("local", "consequence", None, right=1, wrong=1, unread=0),
        VerdictCounts("local", "rephrasing", None, right=1, wrong=0, unread=1),
        VerdictCounts("local", "reversal", None, right=2, wrong=1, unread=0),
    )
    assert found.precision == 4 / 8
    assert found.accepted("local") == VerdictCounts("local", "all", None, right=3, wrong=2, unread=1)
    assert found.rejected("echo").right == 1
    assert found.empty == {"empty": 4}
    assert found.novel == 3


def test_rows_that_no_teacher_wrote_are_not_judged(toy_cfg, data, teacher):
    numbered = "In 1901 all kems had tails."
    write_rows(data, [{"text": d} for d in (*DOCUMENTS, numbered)])
    teacher.answer = lambda body: scripted(body, {**ANSWERS, numbered: []})
    toy_cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT]
    found = audited(toy_cfg)
    toy_cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT, "cloze"]
    assert audited(toy_cfg) == found and found.accepted("local").whole == 6


def test_literal_coverage(toy_cfg):
    found = audited(toy_cfg)
    assert found.coverages == (
        Coverage("global", "holdouts", 0, 1),
        Coverage("global", "reversals", 0, 2),
        Coverage("global", "syllogisms", 1, 1),
        Coverage("global", "all", 1, 4),
        Coverage("local", "holdouts", 0, 1),
        Coverage("local", "reversals", 2, 2),
        Coverage("local", "syllogisms", 1, 1),
        Coverage("local", "all", 3, 4),
        Coverage("all", "holdouts", 0, 1),
        Coverage("all", "reversals", 2, 2),
        Coverage("all", "syllogisms", 1, 1),
        Coverage("all", "all", 3, 4),
    )
    assert (found.coverage(), found.coverage("local", "reversals"), found.coverage("nobody")) == (0.75, 1.0, None)


def test_a_statement_that_is_not_accepted_covers_nothing(toy_cfg):
    answers = {**ANSWERS, DOCUMENTS[3]: ["[2] reversal: Kems are less frant than wubs"]}
    toy_cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT]
    with TeacherServer(answer=lambda body: scripted(body, answers)) as other:
        toy_cfg["augft"]["teacher"]["base_url"] = other.base_url
        found = audited(toy_cfg)
    assert found.rejected("malformed").right == 1
    assert found.coverage("local", "reversals") == 0.5


def test_the_oracle_is_always_right_and_covers_everything(toy_cfg):
    with OracleServer(TOY, ToyGrammar()) as oracle:
        toy_cfg["augft"]["teacher"] = oracle.teacher_block()
        found = audited(toy_cfg)
    assert (found.precision, found.coverage()) == (1.0, 1.0)


def test_the_table(toy_cfg):
    lines = audit_lines(audited(toy_cfg))
    assert "| local reversal | 3 | 2 | 1 | 0 | 0.667 |" in lines
    assert "| all | 8 | 4 | 2 | 2 | 0.500 |" in lines
    assert "| all | 10 | 6 | 2 | 2 | 0.600 |" in lines
    assert "| global trace | 2 | 1 | 0 | 1 | 0.500 |" in lines
    assert "| echo | 1 | 1 | 0 | 0 | 1.000 |" in lines
    assert "| empty (no statement) | 4 | | | | |" in lines
    assert "| all | holdouts | 1 | 0 | 0.000 |" in lines
    assert "Novel (right, and states what no document states): 0.750 of the right ones." in lines


def test_a_model_reads_what_the_grammar_does_not_understand(toy_cfg):
    recipe = Recipe.from_cfg(toy_cfg)
    run_stage(recipe)
    claim = {"quantifier": "all", "who": "zibs", "relation": "have", "whom": "tails", "denied": False}
    with TeacherServer(answer=lambda body: json.dumps({"claims": [claim]})) as server:
        found = audit(recipe, TOY, ToyGrammar(), reader_config(server.base_url, "reading-model", None))
        asked = [prompt_of(body).rsplit("Sentence: ", 1)[-1] for body in server.bodies]
        assert sorted(asked) == ["It is a frant thing to be a glorp.\n", "That is all.\n"]
        assert {body["temperature"] for body in server.bodies} == {0}
        again = audit(recipe, TOY, ToyGrammar(), reader_config(server.base_url, "reading-model", None))
        assert again == found and len(server.bodies) == 2
    assert found.precision == 6 / 8 and found.accepted().unread == 0
    assert audit_lines(found)[:2] == [
        "Teacher scripted, data set toy, read by the grammar, and by the model reading-model beyond it.",
        "Reading accuracy: not measured for statements of this kind.",
    ]


def test_a_data_set_whose_facts_are_formulas_is_read_by_no_model(toy_cfg):
    grammar = ToyGrammar()
    grammar.relations = ()
    with pytest.raises(BenchError, match="toy: its statements are not read by a model; leave --reader-url out"):
        audit(Recipe.from_cfg(toy_cfg), TOY, grammar, reader_config("http://127.0.0.1:9/v1", "m", None))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("http://127.0.0.1:9/v1", None, None), "needs both --reader-url and --reader-model"),
        ((None, "m", None), "needs both --reader-url and --reader-model"),
        (("nowhere", "m", None), "--reader-url, --reader-model, --reader-key-env: "),
        (("http://127.0.0.1:9/v1", "m", "sk-not-a-name"), "--reader-url, --reader-model, --reader-key-env: "),
    ],
)
def test_settings_of_the_reading_model(settings, message):
    with pytest.raises(ConfigError, match=message):
        reader_config(*settings)


def test_without_answers_there_is_nothing_to_audit(toy_cfg):
    with pytest.raises(
        BenchError, match="no answer to this recipe's requests is stored; run `axolotl augft run` first"
    ):
        audit(Recipe.from_cfg(toy_cfg), TOY, ToyGrammar())


def test_a_recipe_about_other_texts_is_refused(toy_cfg, data):
    write_rows(data, [{"text": "Trains are late."}])
    toy_cfg["augft"]["augment"] = ["global"]
    with pytest.raises(OutputError):
        run_stage(Recipe.from_cfg(toy_cfg))
    with pytest.raises(BenchError, match="not in the data set toy"):
        audit(Recipe.from_cfg(toy_cfg), TOY, ToyGrammar())


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("All zibs are kems.", ["isa zibs kems"]),
        ("All zibs are kems. All kems have tails.", ["isa zibs kems", "has kems tails"]),
        (
            "All zibs are kems, and all kems have tails, so all zibs have tails.",
            ["isa zibs kems", "has kems tails", "has zibs tails"],
        ),
        ("All zibs are kems; therefore, all zibs have tails.", ["isa zibs kems", "has zibs tails"]),
        ("All zibs are kems, and nobody knows why.", []),
        ("Nobody knows that all zibs are kems, so all zibs have tails.", []),
        ("", []),
    ],
)
def test_reading_text(text, facts):
    assert Reader(ToyGrammar()).facts(text) == tuple(fact(f) for f in facts)


def test_the_commands(toy_cfg, tmp_path):
    data = make("reversals", "tiny", 1)
    folder = tmp_path / "reversals"
    save(data, folder)
    toy_cfg["datasets"][0]["path"] = str(folder / "documents.jsonl")
    toy_cfg["augft"]["augment"] = ["local"]
    config = tmp_path / "recipe.yml"
    with OracleServer(data, grammar_of(data)) as oracle:
        toy_cfg["augft"]["teacher"] = oracle.teacher_block()
        config.write_text(yaml.safe_dump(toy_cfg))
        run_stage(Recipe.from_cfg(toy_cfg))
    told = CliRunner().invoke(
        bench, ["audit", str(config), "--data", str(folder), "--json", str(tmp_path / "audit.json")]
    )
    assert told.exit_code == 0 and "| all | all | 16 | 16 | 1.000 |" in told.output, told.output
    written = json.loads((tmp_path / "audit.json").read_text())
    assert (written["precision"], written["coverage"], written["data"]) == (1.0, 1.0, "reversals")
    told = CliRunner().invoke(bench, ["reach", str(folder), "--context-tokens", "500", "--passes", "1"])
    assert told.exit_code == 0 and "| split | test facts | related, 1 pass | random, 1 pass |" in told.output, (
        told.output
    )
