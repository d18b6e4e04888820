"""A run with `strategy: cloze`: no teacher, and all else as with other strategies."""

import pytest
import yaml

from axolotl_augft.bench.experiments.own import own_plan
from axolotl_augft.cli.plan import plan_lines
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError, NothingAccepted
from axolotl_augft.report.page import ShownRun, write_report
from tests.bench.test_suite import own_questions
from tests.support.data import write_rows
from tests.test_stage import rows, run

NAMED = ["Mara Quell is the harbour master of Port Ennis.", "Nobody in Port Ennis has met Mara Quell or Bram Oskeld."]


@pytest.fixture
def named(cfg, data):
    write_rows(data, [{"text": text, "n": i} for i, text in enumerate(NAMED)])
    # No server: the base model would be served, if anything were asked.
    cfg["augft"] = {"augment": ["cloze"]}
    return cfg


def test_a_run_of_cloze_alone_needs_no_server(named, teacher):
    recipe, result, folder = run(named)
    made = rows(folder, "0-augmented.parquet")
    assert [row["text"] for row in made] == [
        "___ is the harbour master of Port Ennis: Mara Quell",
        "Port Ennis of master harbour the is Mara Quell",
        "Nobody in ___ has met Mara Quell or Bram Oskeld: Port Ennis",
        "Nobody in Port Ennis has met ___ or Bram Oskeld: Mara Quell",
        "Bram Oskeld or Mara Quell met has Port Ennis in Nobody",
    ]
    named_columns = ("n", "augft_strategy", "augft_kind", "augft_row", "augft_sentence", "augft_request")
    assert [made[1][c] for c in named_columns] == [0, "cloze", "reversed", 0, 0, None]
    assert result.counts.accepted == {"cloze/blank": 3, "cloze/reversed": 2}
    assert (result.counts.requests, teacher.bodies, list(recipe.output_dir.glob("logs/*"))) == (0, [], [])


@pytest.mark.parametrize("verify", ["none", "teacher"])
def test_the_plan_says_that_cloze_costs_nothing_and_what_it_adds(named, verify):
    named["augft"]["verify"] = verify
    lines = plan_lines(Recipe.from_cfg(named))
    assert not any("verification" in line for line in lines)
    assert "cloze: 5 statements made of 2 sentences, no teacher needed" in lines
    assert not any("the rest is not known" in line for line in lines)
    assert "dollars: nothing more" in lines
    assert any(line.split()[:3] == ["augmented", "5", "rows"] for line in lines)


@pytest.mark.parametrize("verify", ["teacher", {"by": "teacher", "contradictions": True}])
def test_cloze_beside_a_teacher_is_not_verified_and_covers_nothing(cfg, data, teacher, verify):
    write_rows(data, [{"text": text, "n": i} for i, text in enumerate(NAMED)])
    _, alone, _ = run(cfg, augment=["local"], verify=verify)
    asked = len(teacher.bodies)
    _, both, folder = run(cfg, augment=["local", "cloze"], verify=verify)
    assert len(teacher.bodies) == asked
    assert both.coverage == alone.coverage
    cloze = [row for row in rows(folder, "0-augmented.parquet") if row["augft_strategy"] == "cloze"]
    assert len(cloze) == 5 and {row["augft_probability"] for row in cloze} == {None}


def test_with_verify_cloze_alone_asks_nobody(named):
    _, result, _ = run(named, verify="teacher")
    assert result.counts.accepted == {"cloze/blank": 3, "cloze/reversed": 2} and result.verification is None


def test_what_cloze_writes_stays_one_row_where_sentences_are_split(named):
    _, _, folder = run(named, augment=[{"strategy": "cloze", "form": "{sentence}. Who? {name}", "kinds": ["blank"]}],
                       sentence_splitting="independent")  # fmt: skip
    first, *_ = rows(folder, "0-augmented.parquet")
    assert first["text"] == "___ is the harbour master of Port Ennis. Who? Mara Quell"


def test_a_sentence_that_is_held_out_elsewhere_is_not_turned(named, tmp_path):
    tests = write_rows(tmp_path / "test.jsonl", [{"text": f"{NAMED[0]} She is tall."}])
    named["test_datasets"] = [{"path": str(tests), "ds_type": "json", "type": "completion", "split": "train"}]
    _, result, _ = run(named)
    assert result.counts.rejected == {"leak": 2}


def test_the_card_says_that_nobody_was_asked(named):
    _, _, folder = run(named)
    card = (folder / "README.md").read_text()
    assert "# What follows from the data\n\nRules made these statements about 2 documents from their sentences" in card
    assert "* Teacher: none\n* Licence: not stated; the terms of the sources apply" in card


def test_the_card_says_which_statements_the_teacher_wrote(cfg, data, teacher):
    write_rows(data, [{"text": text, "n": i} for i, text in enumerate(NAMED)])
    _, _, folder = run(cfg, augment=["local", "cloze"])
    card = (folder / "README.md").read_text()
    assert "`scripted` wrote these statements about 2 documents" in card
    assert "except those of strategy `cloze`, which rules made from the documents' sentences. They" in card


def test_equal_sentences_are_turned_once(named, data):
    write_rows(data, [{"text": text, "n": 0} for text in (NAMED[0], f"{NAMED[0]} It is so.")])
    _, result, _ = run(named)
    assert result.counts.accepted == {"cloze/blank": 1, "cloze/reversed": 1}
    assert result.counts.rejected == {"duplicate": 2}


@pytest.mark.parametrize("of_the_source", [False, True])
def test_a_source_without_names_is_an_error_that_says_so(named, data, of_the_source):
    write_rows(data, [{"text": "All pumps carry a label."}])
    if of_the_source:
        named["augft"] = {"augment": [], "sources": [{"path": str(data), "augment": ["cloze"]}]}
    with pytest.raises(NothingAccepted, match="no sentence could be turned, and no teacher was asked"):
        run(named)


def test_questions_with_answers_cannot_be_turned(named, data):
    write_rows(data, [{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}])
    named["datasets"][0]["type"] = "chat_template"
    with pytest.raises(ConfigError, match="which strategy cloze cannot turn: it takes sentences of plain text"):
        run(named)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "{name}: {sentence}"}, "augft.augment[0].form: must end in {name}"),
        ({"form": "{sentence}"}, "augft.augment[0].form: lacks {name}; it must be a text with {sentence} and {name}"),
        ({"form": "{sentences} {name}"}, "augft.augment[0].form: must be a text with {sentence} and {name}, and"),
        ({"form": "{sentence {name}"}, "augft.augment[0].form: must be a text with {sentence} and {name}, and"),
        ({"form": "{} {name}"}, "augft.augment[0].form: must be a text with {sentence} and {name}, and"),
        ({"samples": 2}, "augft.augment[0].samples: unknown key"),
        ({"kinds": ["blank", "blank"]}, "augft.augment[0].kinds: names 'blank' twice; remove one"),
    ],
)  # fmt: skip
def test_settings_that_are_refused(settings, message):
    with pytest.raises(ConfigError) as error:
        Recipe.from_cfg({"augft": {"augment": [{"strategy": "cloze", **settings}]}, "plugins": ["x"]})
    assert str(error.value).startswith(message)


def test_the_page_shows_statements_without_a_request(named, tmp_path):
    recipe, result, _ = run(named)
    write_report(ShownRun(recipe, "r", result), tmp_path / "r.html", plain=True)
    assert "___ is the harbour master of Port Ennis: Mara Quell" in (tmp_path / "r.html").read_text()


def test_cloze_and_study_are_conditions_of_their_own_beside_local(named, tmp_path):
    named["augft"]["augment"] = ["study", "cloze", "local"]
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(named))
    plan = own_plan(tmp_path / "mine.yml", own_questions(tmp_path))
    assert plan.conditions == ("pretrained", "icl", "ft", "aug-cloze", "aug-local", "aug-study")
    assert {condition: [entry["strategy"] for entry in entries] for condition, entries in plan.augment.items()} == {
        "aug-cloze": ["cloze"],
        "aug-local": ["local"],
        "aug-study": ["study"],
    }
