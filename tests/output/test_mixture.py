"""Shares of trained tokens: what `mix` and `replay` make of a result, and what axolotl then trains on."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from axolotl_augft.cli.plan import plan_lines
from axolotl_augft.config.mix import MixConfig
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError, SourceError
from axolotl_augft.output.manifest import Manifest, result_folder
from axolotl_augft.output.mixture import Repeats, nearest, repeats
from axolotl_augft.output.reuse import find_result
from axolotl_augft.output.summary import training_loads
from axolotl_augft.report.figures import Figures
from axolotl_augft.report.run_figures import run_figures
from axolotl_augft.sources.replay import own_questions
from axolotl_augft.stage import run_stage
from tests.support.data import write_rows
from tests.support.launching import hook, load
from tests.support.teacher_server import prompt_of

ROWS = [{"text": f"The pump number {n} was built in {1900 + n} by Mara Quell."} for n in range(40)]
CHATS = [
    {"messages": [{"role": "user", "content": f"Who mends pump {n}?"}, {"role": "assistant", "content": f"Team {n}."}]}
    for n in range(40)
]
GENERAL = [{"text": f"Lake {n} is {n} metres deep, and boats cross it every day."} for n in range(30)]


def run(cfg, **augft) -> tuple[Recipe, Manifest, Path]:
    cfg["augft"] = {**cfg["augft"], "augment": ["local"], **augft}
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    return recipe, result, result_folder(recipe, result.fingerprint)


@pytest.fixture
def texts(cfg, data):
    write_rows(data, ROWS)
    return cfg


@pytest.fixture
def chats(cfg, data):
    write_rows(data, CHATS)
    cfg["datasets"][0]["type"] = "chat_template"
    cfg["chat_template"] = "jinja"
    cfg["chat_template_jinja"] = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}"
    return cfg


@pytest.fixture
def general(tmp_path):
    return str(write_rows(tmp_path / "general.jsonl", GENERAL))


def trained_tokens(cfg) -> dict[str, int]:
    """The trained tokens of all rows, counted from the labels that axolotl makes, by the beginning of the file's name.

    The loss shifts labels by one, so that the first of a row never counts.
    """
    from axolotl.utils.data.sft import _load_and_process_single_dataset
    from transformers import AutoTokenizer

    loaded = hook(load(cfg))
    tokenizer = AutoTokenizer.from_pretrained(cfg["base_model"])
    tokenizer.chat_template = cfg.get("chat_template_jinja")
    counts: dict[str, int] = {}
    for entry in loaded.datasets:
        rows, _ = _load_and_process_single_dataset(entry, loaded, tokenizer, "train", 42)
        name = Path(entry.path).stem.removesuffix("-part")
        counts[name] = counts.get(name, 0) + sum(label != -100 for row in rows for label in row["labels"][1:])
    return counts


@pytest.mark.parametrize(
    ("source", "augmented", "mix", "expected"),
    [
        (100, 100, (0.5, 0.5), (1, 1)),
        (100, 200, (0.4, 0.6), (4 / 3, 1)),
        (100, 900, (0.5, 0.5), (9, 1)),
        (600, 100, (0.25, 0.75), (1, 18)),
    ],
)
def test_the_least_repeats_that_give_the_shares(source, augmented, mix, expected):
    found = repeats(source, augmented, MixConfig(source=mix[0], augmented=mix[1]))
    assert (found.source, found.augmented) == pytest.approx(expected)
    assert found.source * source / (found.augmented * augmented) == pytest.approx(mix[0] / mix[1])


@pytest.mark.parametrize(
    ("source", "augmented", "message"),
    [
        (10, 1000, "a share of 0.5 for source would take each of its rows 100 times, at most 50"),
        (1000, 10, "a share of 0.5 for augmented would take each of its rows 100 times"),
        (0, 10, "there are no source rows"),
        (10, 0, "there are no augmentations"),
    ],
)
def test_shares_that_cannot_be_reached(source, augmented, message):
    assert repeats(20, 1000, MixConfig(source=0.5, augmented=0.5)) == Repeats(50, 1)
    with pytest.raises(ConfigError, match=message):
        repeats(source, augmented, MixConfig(source=0.5, augmented=0.5))


@pytest.mark.parametrize(
    ("wanted", "rows"), [(0, []), (4, []), (6, [7]), (14, [7]), (15, [7, 2]), (29, [7, 2, 5]), (99, [7, 2, 5])]
)
def test_rows_are_taken_until_their_tokens_come_nearest(wanted, rows):
    assert list(nearest([(7, 10), (2, 10), (5, 10)], wanted)) == rows


@pytest.mark.parametrize(("kind", "share"), [("texts", 0.3), ("chats", 0.75)])
def test_axolotl_trains_on_the_shares(request, kind, share):
    cfg = request.getfixturevalue(kind)
    cfg["augft"] |= {"augment": ["local"], "mix": {"source": share, "augmented": 1 - share}}
    counts = trained_tokens(cfg)
    assert set(counts) == {"0-original", "0-augmented"}
    assert counts["0-original"] / sum(counts.values()) == pytest.approx(share, abs=0.01)


def test_repeats_are_whole_files_and_a_part(texts, teacher):
    recipe, result, folder = run(texts, mix={"source": 0.75, "augmented": 0.25})
    (entry,) = result.entries
    source, made = entry.original_file, entry.augmented
    assert entry.original == "rewritten" and source.rows == 40
    assert source.repeats > 1 and made.repeats == 1 and made.part is None
    part = pq.read_table(folder / source.part.name).to_pylist()
    assert part == [row for row in pq.read_table(folder / source.name).to_pylist() if row in part]
    assert len(part) == source.part.rows < 40
    loads = training_loads(result, recipe)
    assert loads.originals.rows == source.repeats * 40 + source.part.rows
    assert find_result(recipe) == result
    (folder / source.part.name).unlink()
    assert find_result(recipe) is None


def test_the_choice_is_the_same_in_every_run_and_another_with_another_seed(texts):
    def part() -> bytes:
        _, result, folder = run(texts, mix={"source": 0.75, "augmented": 0.25})
        return (folder / result.entries[0].original_file.part.name).read_bytes()

    first = part()
    texts["dataset_prepared_path"] += "-again"
    assert part() == first
    texts["seed"] = 7
    assert part() != first


@pytest.mark.parametrize(("rows", "share"), [(30, 0.1), (3, 0.4)])
def test_axolotl_trains_on_the_share_of_replay(texts, general, teacher, rows, share):
    write_rows(Path(general), GENERAL[:rows])
    texts["augft"] |= {"augment": ["local"], "replay": {"path": general, "type": "completion", "share": share}}
    counts = trained_tokens(texts)
    assert counts["replay"] / sum(counts.values()) == pytest.approx(share, abs=0.015)
    assert teacher.bodies and not any("boats cross" in prompt_of(body) for body in teacher.bodies)


@pytest.mark.parametrize(("kind", "layout"), [("texts", {"type": "completion"}), ("chats", {"type": "chat_template"})])
def test_the_packages_questions_fit_the_students_template(request, kind, layout):
    cfg = request.getfixturevalue(kind)
    cfg["augft"] |= {"augment": ["local"], "replay": {"path": "questions", "share": 0.2}}
    recipe, result, folder = run(cfg)
    assert result.replay.path == "questions" and result.replay.layout["type"] == layout["type"]
    row = pq.read_table(folder / result.replay.file.name).to_pylist()[0]
    known = {(e.question, e.answer) for e in own_questions()}
    if kind == "texts":
        assert tuple(row["text"].removeprefix("Question: ").split("\nAnswer: ")) in known
    else:
        assert tuple(m["content"] for m in row["messages"]) in known
    assert (row["augft_strategy"], row["augft_source"]) == ("replay", "questions")
    counts = trained_tokens(cfg)
    assert counts["replay"] / sum(counts.values()) == pytest.approx(0.2, abs=0.02)


def test_the_packages_questions_are_plain_and_none_is_there_twice():
    found = own_questions()
    assert len(found) == len({e.question for e in found}) == 120
    assert all(e.question.strip() == e.question and e.answer.strip() == e.answer != "" for e in found)


def test_replay_rows_equal_to_held_out_rows_are_not_trained_on(texts, general):
    texts["val_set_size"] = 3
    write_rows(Path(general), [*ROWS, *GENERAL])
    _, result, folder = run(texts, replay={"path": general, "type": "completion", "share": 0.9})
    held_out = {row["text"] for row in pq.read_table(folder / "0-held-out.parquet").to_pylist()}
    replayed = {row["text"] for row in pq.read_table(folder / "replay.parquet").to_pylist()}
    assert len(held_out) == 3 and len(replayed) == 67 and not held_out & replayed


def test_plain_fine_tuning_with_replay_needs_no_augmentation(texts, teacher):
    _, result, _ = run(texts, augment=[], replay="questions")
    assert result.replay.file.rows and not teacher.bodies


def test_all_say_what_it_came_to(texts, general):
    texts["augft"] |= {
        "augment": ["local"],
        "mix": {"source": 0.25, "augmented": 0.75},
        "replay": {"path": general, "type": "completion"},
    }
    before = "\n".join(plan_lines(Recipe.from_cfg(texts)))
    assert "  source" in before and "  replay" in before and "augmented     " in before
    recipe, result, folder = run(texts)
    after = "\n".join(plan_lines(recipe))
    assert "mixture (trained tokens of one epoch):" in after
    assert re.search(
        r"source +943 tokens  22.4%, each row 1.00 times\n  augmented +2,833 tokens  67.4%, each row", after
    )
    assert re.search(r"replay +426 tokens  10.1%, each row 1.00 times", after)
    rows = training_loads(result, recipe).after.rows
    assert run_figures(recipe, "r", result, Figures(), [])["training"]["after"]["rows"] == rows
    assert any(line.startswith("  replay") for line in run_figures(recipe, "r", result, Figures(), [])["summary"])
    card = (folder / "README.md").read_text()
    assert "Shares of trained tokens: source 22.4%, augmented 67.4%, replay 10.1%" in card
    assert "never shown to the teacher: " in card and "rows of `general.jsonl`" in card


def test_a_changed_replay_file_makes_the_result_anew(texts, general, teacher):
    recipe, result, _ = run(texts, replay={"path": general, "type": "completion"})
    write_rows(Path(general), GENERAL[5:])
    assert find_result(recipe) is None
    asked = len(teacher.bodies)
    assert run(texts)[1].fingerprint != result.fingerprint
    assert len(teacher.bodies) == asked


@pytest.mark.parametrize(
    ("augft", "message"),
    [
        ({"mix": {"source": 0.4, "augmented": 0.5}}, r"the shares must sum to 1, got 0.4 \+ 0.5 = 0.9"),
        ({"mix": {"source": 0, "augmented": 1}}, r"augft.mix.source: input should be greater than 0"),
        ({"mix": {"source": 1}}, "augft.mix.source"),
        ({"mix": {"source": 0.4, "augmented": 0.6, "replya": 0.1}}, "augft.mix.replya: unknown key"),
        ({"mix": {"source": 0.4, "augmented": 0.6}, "repeat_original": 2}, "mix and repeat_original"),
        ({"mix": {"source": 0.4, "augmented": 0.6}, "include_original": False}, "include_original is false"),
        ({"mix": {"source": 0.4, "augmented": 0.6}, "augment": [], "sentence_splitting": "independent"}, "wants augm"),
        ({"replay": "general.jsonl"}, "type is missing; say how the rows of 'general.jsonl'"),
        ({"replay": "question"}, "or take replay: questions, the package's own"),
        ({"replay": True}, "augft.replay: must be questions, a path, or a block with path and type, got True"),
        ({"replay": {"path": "questions", "split": "x"}}, "nothing to choose"),
        ({"replay": {"path": "questions", "type": "alpaca"}}, "must be chat_template or completion, got 'alpaca'"),
        ({"replay": {"path": "x", "type": "bradley_terry"}}, "augft.replay 'x': type 'bradley_terry' cannot be read"),
        ({"replay": {"path": "x", "type": "completion", "share": 1}}, "augft.replay.share"),
        ({"replay": {"path": "x", "typ": "completion"}}, "did you mean 'type'"),
    ],
)
def test_wrong_settings(cfg, augft, message):
    cfg["augft"] |= augft
    with pytest.raises(ConfigError, match=message):
        Recipe.from_cfg(cfg)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (None, "completion", "general.jsonl' cannot be loaded .*: there is no such file or folder here"),
        ("", "completion", "general.jsonl'"),
        ('{"text": ""}\n', "completion", "none of its 1 rows has the format of its type .*no text"),
        ('{"body": "A text."}\n', "completion", "no column 'text'; the columns are body"),
        ('{"text": "A text."}\n', "chat_template", "no column 'messages'; the columns are text"),
        ('{"messages": "no chat"}\n', "chat_template", "none of its 1 rows has the format of its type"),
        ("not JSON", "completion", "cannot be loaded"),
    ],
)
def test_replay_that_cannot_be_used_is_found_before_the_teacher_is_asked(
    texts, tmp_path, teacher, content, kind, message
):
    file = tmp_path / "general.jsonl"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SourceError, match=f"augft.replay '.*{message}"):
        run(texts, replay={"path": str(file), "type": kind})
    assert not teacher.bodies


def test_more_than_fifty_repeats_are_refused_and_the_answers_stay(texts, tmp_path, teacher):
    file = write_rows(tmp_path / "one.jsonl", [{"text": "One."}])
    texts["augft"] |= {"augment": ["local"], "replay": {"path": str(file), "type": "completion", "share": 0.9}}
    refusal = r"augft.replay: a share of 0.9 would take each of its rows \d+ times"
    assert any(re.search(refusal, line) for line in plan_lines(Recipe.from_cfg(texts))) and not teacher.bodies
    with pytest.raises(ConfigError, match=refusal):
        run(texts)
    assert any(re.search(refusal, line) for line in plan_lines(Recipe.from_cfg(texts)))
    asked = len(teacher.bodies)
    with pytest.raises(ConfigError, match=r"augft.mix: a share of 0.99 for source"):
        run(texts, replay=None, mix={"source": 0.99, "augmented": 0.01})
    assert len(teacher.bodies) == asked


@pytest.mark.parametrize("share", [{"mix": {"source": 0.4, "augmented": 0.6}}, {"replay": "questions"}])
def test_deduplication_makes_shares_void(texts, caplog, share):
    texts["dataset_exact_deduplication"] = True
    run(texts, **share)
    assert "so repeat_original, repeat_augmented and mix have no effect, and replay adds each" in caplog.text


def test_the_manifest_reads_back(texts, general):
    _, result, folder = run(
        texts, mix={"source": 0.8, "augmented": 0.2}, replay={"path": general, "type": "completion", "share": 0.8}
    )
    assert result.replay.file.part or result.replay.file.repeats > 1
    assert Manifest.load(folder) == result
    assert json.loads((folder / "manifest.json").read_text())["replay"]["path"] == general
