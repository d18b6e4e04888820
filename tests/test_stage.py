"""The stage in one process, against a real local server: sources in, Parquet out."""

import itertools
import json
import os
import re
import shutil
import sqlite3
import sys
import time
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from aiohttp import web
from datasets import Dataset, load_dataset
from rich.console import Console

from axolotl_augft import stage
from axolotl_augft.cli.plan import plan_lines
from axolotl_augft.cli.report import report_lines
from axolotl_augft.cli.show import clean
from axolotl_augft.cli.show import show as show_documents
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import AugftError, ConfigError, OutputError, StoreError, TeacherError
from axolotl_augft.output.manifest import Load, Manifest, result_folder
from axolotl_augft.output.reuse import find_result
from axolotl_augft.output.summary import optimizer_steps
from axolotl_augft.report.selection import Selection
from axolotl_augft.stage import run_stage
from axolotl_augft.strategies import templates
from tests.support.data import LOCAL_BY_DOCUMENT, TEXTS, write_rows
from tests.support.teacher_server import (
    TeacherServer,
    asks_whether_both_are_true,
    asks_whether_it_follows,
    is_verification,
    prompt_of,
)
from tests.support.tiny_entailment import make_classifier


def run(cfg, **augft):
    cfg["augft"] = {**cfg["augft"], **augft}
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    return recipe, result, result_folder(recipe, result.fingerprint)


def shown_lines(recipe: Recipe, limit: int) -> list[str]:
    file = StringIO()
    show_documents(recipe, limit, Selection(), False, Console(file=file, soft_wrap=True))
    return file.getvalue().splitlines()


def rows(folder: Path, name: str) -> list[dict]:
    return pq.read_table(folder / name).to_pylist()


def files(folder: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in sorted(folder.iterdir()) if f.name != "manifest.json"}


def test_literal_rows_in_literal_rows_out(cfg):
    _, result, folder = run(cfg, augment=["local"])
    first = rows(folder, "0-augmented.parquet")[0]
    request = first.pop("augft_request")
    assert first == {
        "text": "In other words, Mara Quell is the harbour master of Port Ennis.",
        "n": 0,
        "augft_strategy": "local",
        "augft_kind": "rephrasing",
        "augft_source": cfg["datasets"][0]["path"],
        "augft_row": 0,
        "augft_sentence": 0,
        "augft_document": "f0f49799",
        "augft_sample": 0,
        "augft_probability": None,
        "augft_alone": None,
        "augft_rests_on": [],
        "augft_overruled": None,
    }
    assert len(request) == 64
    assert [r["augft_row"] for r in rows(folder, "0-augmented.parquet")] == [
        0,
        0,
        0,
        0,
        1,
        1,
        2,
        2,
        2,
        2,
        2,
        2,
        3,
        3,
        4,
        4,
        5,
        5,
    ]
    assert result.counts.accepted == {"local/rephrasing": 9, "local/reversal": 9}
    features = load_dataset("parquet", data_files=str(folder / "0-augmented.parquet"), split="train").features
    source = load_dataset("json", data_files=cfg["datasets"][0]["path"], split="train").features
    assert {k: features[k] for k in source} == dict(source)


def test_the_second_run_asks_nobody_and_a_changed_document_asks_for_itself(cfg, teacher, data):
    run(cfg, augment=[LOCAL_BY_DOCUMENT])
    assert len(teacher.bodies) == 6
    run(cfg)
    assert len(teacher.bodies) == 6
    os.utime(data, (1, 1))
    run(cfg)
    assert len(teacher.bodies) == 6
    write_rows(data, [{"text": t, "n": i} for i, t in enumerate([*TEXTS[:5], "The Heron is a valve."])])
    _, result, _ = run(cfg)
    assert len(teacher.bodies) == 7 and result.counts.requests == 6


def test_the_result_is_found_fast_and_without_server_or_key(cfg, teacher, monkeypatch):
    cfg["augft"]["teacher"]["api_key_env"] = "AUGFT_TEST_KEY"
    monkeypatch.setenv("AUGFT_TEST_KEY", "k")
    _, first, _ = run(cfg)
    monkeypatch.delenv("AUGFT_TEST_KEY")
    monkeypatch.setattr(stage, "make_result", lambda recipe: pytest.fail("made again"))
    start = time.perf_counter()
    assert run(cfg)[1] == first
    assert time.perf_counter() - start < 2


def test_bytes_are_the_same_whatever_the_concurrency_and_the_order_of_answers(cfg, teacher, tmp_path):
    results = []
    for concurrency, delay in ((1, 0.0), (16, 0.01)):
        teacher.delay = delay
        cfg["augft"]["teacher"]["max_concurrency"] = concurrency
        _, _, folder = run(
            cfg, output_dir=str(tmp_path / f"out{concurrency}"), augment=[{"strategy": "local", "samples": 3}, "global"]
        )
        results.append(files(folder))
    assert results[0] == results[1]


def test_samples_have_their_own_index_and_seed(cfg, teacher):
    run(cfg, augment=[{"strategy": "local", "samples": 3}])
    seeds = [b["seed"] for b in teacher.bodies if "Port Ennis lies" in prompt_of(b)]
    assert sorted(seeds) == [42, 43, 44]


def test_held_out_and_test_rows_never_reach_the_teacher(cfg, teacher, data, tmp_path):
    write_rows(data, [{"text": f"Marker{i:03d} is a fact about ship number {i}.", "n": i} for i in range(30)])
    cfg["val_set_size"] = 0.3
    _, result, folder = run(cfg)
    held_out = [r["text"][:9] for r in rows(folder, "0-held-out.parquet")]
    assert len(held_out) == 9
    asked = "\n".join(prompt_of(b) for b in teacher.bodies)
    assert all(m not in asked for m in held_out)
    assert all(f"Marker{i:03d}" in asked for i in range(30) if f"Marker{i:03d}" not in held_out)
    trained = "\n".join(r["text"] for name in ("0-original.parquet", "0-augmented.parquet") for r in rows(folder, name))
    assert all(m not in trained for m in held_out)
    assert result.entries[0].original == "rewritten"

    teacher.bodies.clear()
    cfg["val_set_size"] = 0
    cfg["test_datasets"] = [
        {
            "path": str(write_rows(tmp_path / "t.jsonl", [{"text": "marker004 is a fact about ship number 4."}])),
            "ds_type": "json",
            "type": "completion",
        }
    ]
    _, result, folder = run(cfg)
    assert all("Marker004" not in prompt_of(b) for b in teacher.bodies)
    assert result.entries[0].twins == 1 and len(rows(folder, "0-original.parquet")) == 29


def test_global_requests_of_a_group_share_their_prefix(cfg, teacher):
    run(cfg, augment=["global"])
    users = [b["messages"][-1]["content"] for b in teacher.bodies]
    shared = os.path.commonprefix(users)
    assert all(text in shared for text in TEXTS)
    assert len(users) == 6 and all(len(u) - len(shared) < 1600 for u in users)


def test_groups_are_remembered_between_runs(cfg, teacher, data):
    texts = [f"Pump {i} stands in hall {i % 5} beside valve {i}." for i in range(60)]
    write_rows(data, [{"text": t} for t in texts])
    run(cfg, augment=[{"strategy": "global", "context_tokens": 250}])
    asked = len(teacher.bodies)
    write_rows(data, [{"text": t} for t in [*texts[:30], "Pump 30 stands in hall 0 beside valve 99.", *texts[31:]]])
    run(cfg)
    again = len(teacher.bodies) - asked
    assert asked == 60 and again <= 20


def test_sentence_splitting_of_sources_and_augmentations(cfg):
    _, _, folder = run(cfg, augment=["global"], sentence_splitting="independent")
    original = rows(folder, "0-original.parquet")
    assert [(r["text"], r["n"], r["augft_row"], r["augft_sentence"]) for r in original[:3]] == [
        ("Mara Quell is the harbour master of Port Ennis.", 0, 0, 0),
        ("She lives in the mill house.", 0, 0, 1),
        ("All pumps carry a label.", 1, 1, 0),
    ]
    assert all(r["text"].count(".") == 1 for r in rows(folder, "0-augmented.parquet"))


def test_cumulative_splitting_masks_the_preceding_sentences(cfg):
    _, result, folder = run(cfg, augment=["local"], sentence_splitting="cumulative")
    assert result.entries[0].segments
    second = rows(folder, "0-original.parquet")[1]["segments"]
    assert second == [
        {"label": False, "text": "<s>Mara Quell is the harbour master of Port Ennis."},
        {"label": True, "text": " She lives in the mill house.</s>"},
    ]


def test_mixing(cfg, teacher):
    _, result, folder = run(cfg, max_augmented_per_original=2)
    augmented = rows(folder, "0-augmented.parquet")
    per_row = [sum(r["augft_row"] == i for r in augmented) for i in range(6)]
    assert per_row == [2] * 6
    assert {r["augft_strategy"] for r in augmented} == {"local", "global"}
    assert result.counts.over_max_augmented > 0
    _, result, _ = run(cfg, include_original=False)
    assert result.entries[0].original == "dropped"


def test_duplicate_texts_are_asked_once(cfg, teacher, data):
    write_rows(data, [{"text": "All pumps carry a label."}] * 5)
    _, result, _ = run(cfg, augment=["local"])
    assert len(teacher.bodies) == 1 and result.counts.documents == 1


def test_several_entries_one_excluded(cfg, teacher, tmp_path):
    other = write_rows(tmp_path / "other.jsonl", [{"body": "The Curlew is a meter."}])
    secret = write_rows(tmp_path / "chat.jsonl", [{"messages": [{"role": "user", "content": "unshown"}]}])
    cfg["datasets"] += [
        {"path": str(other), "ds_type": "json", "type": "completion", "field": "body"},
        {"path": str(secret), "ds_type": "json", "type": "chat_template"},
    ]
    _, result, folder = run(cfg, augment=["local"], exclude=[str(secret)])
    assert [e.augmented is not None for e in result.entries] == [True, True, False]
    assert rows(folder, "1-augmented.parquet")[0]["body"] == "In other words, The Curlew is a meter."
    assert not any("unshown" in prompt_of(b) for b in teacher.bodies)


def test_rejected_statements_are_kept_with_their_reason_and_counted(cfg, teacher):
    teacher.answer = lambda body: "Document 2 says that.\nIn other words, all is well.\nbroken"
    _, result, folder = run(cfg, augment=[LOCAL_BY_DOCUMENT])
    assert result.counts.rejected == {"malformed": 6, "label_leak": 6, "duplicate": 5}
    lines = [json.loads(line) for line in (folder / "rejected.jsonl").read_text().splitlines()]
    assert {(r["reason"], r["text"]) for r in lines} == {
        ("label_leak", "Document 2 says that."), ("malformed", "broken"), ("duplicate", "In other words, all is well."),
    }  # fmt: skip


def test_verification_by_the_teacher(cfg, teacher):
    def answer(body):
        prompt = prompt_of(body)
        if "must the statement be true too" in prompt:
            return "No." if "Seen from its end" in prompt.split("Statement:")[1] else "Yes, it must."
        return teacher_answer(body)

    teacher_answer, teacher.answer = teacher.answer, answer
    _, result, _ = run(cfg, augment=["local"], verify="teacher")
    assert result.counts.accepted == {"local/rephrasing": 9} and result.counts.rejected == {"unsupported": 9}
    asked = len(teacher.bodies)
    shutil.rmtree(Recipe.from_cfg(cfg).output_dir / "recipes")
    assert run(cfg)[1] == result and len(teacher.bodies) == asked


def verdicts(teacher, follows):
    """Have the teacher answer whether a statement follows by a function of text and statement, and write as before."""
    write = teacher.answer

    def answer(body):
        prompt = prompt_of(body)
        if not asks_whether_it_follows(prompt):
            return write(body)
        text, _, statement = prompt.rpartition("Statement: ")
        return "yes" if follows(text, statement.split("\n")[0]) else "no"

    teacher.answer = answer


def test_what_no_kept_statement_covers_is_asked_about_once_more(cfg, teacher):
    verdicts(teacher, lambda text, said: "Cats" not in said)
    _, result, folder = run(cfg, augment=[LOCAL_BY_DOCUMENT], verify="teacher")
    asked_again = [b for b in teacher.bodies if "Now these sentences" in prompt_of(b)][6:]
    kinds = [re.findall(r"^- .*?(rephrasing|reversal|consequence)", prompt_of(b), re.M) for b in asked_again]
    assert sorted(kinds) == [["consequence"], ["rephrasing"], ["reversal"]]
    assert all("[1] Cats are more" in prompt_of(b).rsplit("Now these sentences", 1)[1] for b in asked_again)
    assert result.coverage.covered["any"] == result.coverage.sentences - 1
    asked = len(teacher.bodies)
    shutil.rmtree(Recipe.from_cfg(cfg).output_dir / "recipes")
    assert run(cfg)[1] == result and len(teacher.bodies) == asked


def test_nothing_is_asked_again_if_that_is_not_wanted(cfg, teacher):
    verdicts(teacher, lambda text, said: "Cats" not in said)
    _, result, _ = run(cfg, augment=[LOCAL_BY_DOCUMENT], verify={"ask_again": False})
    assert sum("Now these sentences" in prompt_of(b) for b in teacher.bodies) == 6
    assert result.counts.rejected == {"unsupported": 2}


def test_a_server_without_log_probabilities_is_asked_for_votes(cfg, teacher):
    teacher.gives_logprobs = False
    verdicts(teacher, lambda text, said: "Seen from its end" not in said)
    _, result, folder = run(cfg, augment=["local"], verify={"votes": 3, "alone": False})
    about = [b for b in teacher.bodies if asks_whether_it_follows(prompt_of(b))]
    assert result.verification.method == "votes"
    # Two of the nine have two names, and are asked about with these exchanged, too.
    assert sum("In other words" in prompt_of(b).rpartition("Statement: ")[2] for b in about) == 3 * (9 + 2)
    assert {r["augft_probability"] for r in rows(folder, "0-augmented.parquet")} == {1.0}


def test_a_server_that_refuses_log_probabilities_is_asked_for_votes(cfg, teacher):
    async def refuse(_, body):
        said = {"error": {"message": "logprobs is not supported"}}
        return web.json_response(said, status=400) if body.get("logprobs") else None

    teacher.misbehave = refuse
    _, result, _ = run(cfg, augment=["local"], verify="teacher")
    assert result.verification.method == "votes" and sum(result.counts.accepted.values()) == 18


def test_another_model_verifies_after_the_teacher_has_written(cfg, teacher):
    with TeacherServer(answer=lambda body: "no" if "Seen from" in prompt_of(body) else "yes") as judge:
        by = {"base_url": judge.base_url, "model": "judge", "api": "chat"}
        _, result, _ = run(cfg, augment=["local"], verify={"by": by, "ask_again": False})
    assert (result.teacher_id, result.verification.by) == ("scripted", "judge")
    assert result.counts.accepted == {"local/rephrasing": 9} and result.counts.rejected == {"unsupported": 9}
    assert not any(is_verification(prompt_of(b)) for b in teacher.bodies) and judge.bodies


def mended_pumps(n):
    return [
        {"text": f"Mara Quell mended pump {i} before noon in all {i} halls of Port Ennis."} for i in range(2, n + 2)
    ]


def test_a_verifier_that_says_yes_to_everything_claims_nothing(cfg, data, caplog):
    write_rows(
        data,
        [{"text": f"Mara Quell mended pump {i} before noon in all {i} halls of Port Ennis."} for i in range(2, 30)],
    )
    with caplog.at_level("INFO", "axolotl_augft"):
        _, result, _ = run(cfg, augment=["local"], verify="teacher")
    (found,) = result.verification.calibrations
    assert (found.precision, found.threshold) == (None, 0.5)
    assert found.because == "this verifier cannot tell true sentences from planted slips: AUC 0.50"
    assert (
        "no precision is claimed: this verifier cannot tell true sentences from planted slips: AUC 0.50" in caplog.text
    )


def test_the_threshold_is_found_by_planted_slips(cfg, data, teacher, caplog):
    write_rows(
        data,
        [{"text": f"Mara Quell mended pump {i} before noon in all {i} halls of Port Ennis."} for i in range(2, 40)],
    )
    # The verifier knows the source's sentences, and takes the teacher's reversals for false.
    verdicts(teacher, lambda text, said: said.removeprefix("In other words, ") in text)
    with caplog.at_level("INFO", "axolotl_augft"):
        _, result, _ = run(cfg, augment=["local"], verify={"ask_again": False})
    (found,) = result.verification.calibrations
    assert (found.statements, found.kept, found.slips, found.auc) == (76, 38, 114, 1.0)
    assert result.counts.accepted == {"local/rephrasing": 38} and found.precision > 0.8
    assert "estimated precision 0.82" in caplog.text and "sentences covered 38 of 38" in caplog.text


def test_what_contradicts_its_source_is_rejected(cfg, data, teacher, caplog):
    texts = [f"Mara Quell mended all {i} pumps. The hall of Port Ennis has {i} doors." for i in range(2, 26)]
    write_rows(data, [{"text": text} for text in texts])
    write = teacher.answer

    def answer(body):
        prompt = prompt_of(body)
        if not asks_whether_both_are_true(prompt):
            return write(body)
        second = prompt.partition("\nSecond: ")[2]
        is_neighbour = "First: Mara" in prompt and "The hall of Port Ennis" in second
        return "yes" if "In other words" in second or is_neighbour else "no"

    teacher.answer = answer
    with caplog.at_level("INFO", "axolotl_augft"):
        _, result, _ = run(cfg, augment=[LOCAL_BY_DOCUMENT], verify={"contradictions": True, "ask_again": False})
    assert result.counts.rejected["contradicted"] > 20 and result.counts.accepted["local/rephrasing"] == 48
    found = result.verification.contradictions
    assert (found.planted, found.compatible, found.auc) == (48, 24, 1.0)
    assert "contradictions: P(not both true) > 0.100, as 100% of planted ones have (AUC 1.00 on 48 " in caplog.text


def test_failures_within_the_allowed_fraction_are_let_pass(cfg, teacher):
    async def one_fails(_, body):
        return web.Response(status=500) if "Cats are more" in prompt_of(body) else None

    teacher.misbehave = one_fails
    cfg["augft"]["teacher"]["max_retries"] = 0
    with pytest.raises(TeacherError, match=r"1 of 6 requests stayed unanswered .*HTTP 500 1.*run again"):
        run(cfg, augment=[LOCAL_BY_DOCUMENT])
    _, result, _ = run(cfg, max_failed_fraction=0.2)
    assert result.counts.unanswered == 1


def test_no_statement_at_all_is_an_error(cfg, teacher):
    teacher.answer = lambda body: "I'm sorry, but I can not do that."
    with pytest.raises(OutputError, match=r"no statement was accepted.*refusal 6"):
        run(cfg, augment=[LOCAL_BY_DOCUMENT])
    assert not list(Recipe.from_cfg(cfg).output_dir.glob(".writing*"))


def test_a_planted_secret_is_found_nowhere(cfg, teacher, monkeypatch, tmp_path, caplog, capfd):
    secret = "sk-planted-0123456789"
    teacher.key = secret
    monkeypatch.setenv("AUGFT_TEST_KEY", secret)
    cfg["augft"]["teacher"]["api_key_env"] = "AUGFT_TEST_KEY"
    run(cfg)
    assert teacher.headers[0]["Authorization"] == f"Bearer {secret}"
    written = b"".join(f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())
    assert b"Mara Quell" in written and secret.encode() not in written
    captured = capfd.readouterr()
    assert secret not in caplog.text + captured.out + captured.err
    teacher.key = "another"
    cfg["augft"]["output_dir"] = str(tmp_path / "second")
    with pytest.raises(AugftError) as caught:
        run(cfg)
    assert secret not in str(caught.value)


def test_plan_calls_nobody_and_counts(cfg, teacher):
    cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT, "global"]
    lines = plan_lines(Recipe.from_cfg(cfg))
    assert teacher.bodies == []
    assert lines[1] == "documents 6"
    assert lines[2] == "local: 6 units, 6 requests: 0 answered already, 6 to ask"
    assert lines[4] == "global: 6 targets in 1 context groups, 6 requests: 0 answered already, 6 to ask"
    assert "tokens estimated as bytes / 4" in lines[3]
    run(cfg)
    lines = plan_lines(Recipe.from_cfg(cfg))
    assert "the result is there already" in lines[1]
    assert lines[2] == "local: 6 units, 6 requests: 6 answered already, 0 to ask"
    (after,) = [line for line in lines if line.startswith("  after")]
    assert after.split()[1:3] == ["36", "rows"]


def test_tokens_by_the_teachers_own_tokenizer(cfg, tiny_model, teacher):
    cfg["augft"]["teacher"]["model"] = str(tiny_model)
    cfg["augft"]["augment"] = ["local"]
    lines = plan_lines(Recipe.from_cfg(cfg))
    assert lines[0].startswith(f"teacher {tiny_model.name}@") and "estimated" not in "".join(lines)


def test_a_large_plan_says_that_it_is_sampled(cfg, tiny_model, tmp_path):
    cfg["augft"] = {"teacher": {**cfg["augft"]["teacher"], "model": str(tiny_model)}, "augment": ["local"]}
    many = [{"text": f"The pump of house {i} is older than its valve."} for i in range(2500)]
    cfg["datasets"][0]["path"] = str(write_rows(tmp_path / "many.jsonl", many))
    lines = plan_lines(Recipe.from_cfg(cfg))
    assert lines[2] == "local: 2,500 units, 2,500 requests: 0 answered already, 2,500 to ask"
    assert "(tokens sampled: 1,063 prompts were tokenized)" in lines[3]
    assert any("2,500 rows" in line and "tokens (estimated)" in line for line in lines)


def test_reasoning_becomes_a_trace_if_asked(cfg, teacher):
    async def thinks(_, body):
        reply = teacher.reply(body, teacher.answer(body))
        if "Conclusions:" in prompt_of(body):
            reply["choices"][0]["message"]["reasoning_content"] = (
                "All pumps carry a label, so the Heron carries one too."
            )
        return web.json_response(reply)

    teacher.misbehave = thinks
    _, without, _ = run(cfg, augment=["global"])
    assert without.counts.accepted == {"global/conclusion": 6, "global/trace": 6}
    _, kept, folder = run(cfg, augment=[{"strategy": "global", "keep_reasoning": True}], store=None)
    assert kept.counts.accepted == without.counts.accepted, "what was not kept when it was asked is not there"
    cfg["augft"]["output_dir"] = str(folder.parent.parent / "second")
    _, kept, folder = run(cfg)
    assert kept.counts.accepted == {"global/conclusion": 6, "global/trace": 7}, "six equal reasonings are one trace"
    assert "All pumps carry a label, so the Heron carries one too." in {
        r["text"] for r in rows(folder, "0-augmented.parquet")
    }


def test_limits_of_the_recipe_hold_and_failures_are_counted(cfg, teacher):
    tried = set()

    async def busy_once(_, body):
        first = prompt_of(body) not in tried
        tried.add(prompt_of(body))
        return web.Response(status=429, headers={"Retry-After": "0"}) if first else None

    teacher.misbehave = busy_once
    cfg["augft"]["teacher"]["requests_per_minute"] = 60 / 0.05
    start = time.monotonic()
    recipe, _, _ = run(cfg, augment=[LOCAL_BY_DOCUMENT])
    assert time.monotonic() - start > 11 * 0.05 and len(teacher.bodies) == 12
    assert "tries that failed: HTTP 429 6" in report_lines(recipe)


def test_show_and_report(cfg, teacher):
    teacher.answer = lambda body: (
        "Document 2 says that.\n\x1b[31mred is the answer.\n[1] reversal: Red, green, refresh."
    )
    run(cfg, augment=[LOCAL_BY_DOCUMENT])
    shown = shown_lines(Recipe.from_cfg(cfg), 2)
    assert shown[0].endswith("row 0: " + TEXTS[0])
    assert "  + reversal: Red, green, refresh." in shown
    assert any(line.startswith("  - ") and line.endswith(", label_leak: Document 2 says that.") for line in shown)
    assert not any("\x1b" in line for line in shown)
    assert any(
        line.startswith("requests 6: 0 answered before, 6 asked now") for line in report_lines(Recipe.from_cfg(cfg))
    )
    assert clean("a\x1b]0;x\x07b\nc") == "a ]0;x b c"


def test_no_result_to_show(cfg):
    with pytest.raises(OutputError, match="no finished result"):
        shown_lines(Recipe.from_cfg(cfg), 2)


@pytest.mark.parametrize("where", ["augment", "sources"])
def test_an_edited_prompt_file_makes_the_result_anew(cfg, data, tmp_path, where):
    prompt = tmp_path / "own.jinja"
    prompt.write_text((Path(templates.__file__).parent / "prompts" / "local.chat.jinja").read_text())
    entry = {"strategy": "local", "prompt": str(prompt)}
    cfg["augft"] |= (
        {"augment": [entry]} if where == "augment" else {"sources": [{"path": str(data), "augment": [entry]}]}
    )
    recipe = Recipe.from_cfg(cfg)
    run_stage(recipe)
    assert find_result(recipe) is not None
    prompt.write_text(prompt.read_text() + "\n")
    assert find_result(recipe) is None


@pytest.mark.parametrize(("write", "name"), [("statements", "0-augmented"), ("questions", "0-questions")])
def test_a_result_with_a_missing_file_is_made_again(cfg, teacher, write, name):
    cfg["chat_template"] = "chatml"
    augment = [{"strategy": "local", "write": write}]
    _, result, folder = run(cfg, augment=augment)
    (folder / f"{name}.parquet").unlink()
    asked = len(teacher.bodies)
    _, again, folder = run(cfg, augment=augment)
    assert (folder / f"{name}.parquet").is_file() and again.fingerprint == result.fingerprint
    assert len(teacher.bodies) == asked


def _no_key(cfg, tmp_path):
    cfg["augft"]["teacher"]["api_key_env"] = "AUGFT_UNSET_KEY"


def _missing_prompt(cfg, tmp_path):
    cfg["augft"]["augment"] = [{"strategy": "local", "prompt": str(tmp_path / "none.jinja")}]


def _file_as_folder(cfg, tmp_path):
    (tmp_path / "flat").write_text("")
    cfg["augft"]["output_dir"] = str(tmp_path / "flat")


def _foreign_store(cfg, tmp_path):
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)").connection.commit()
    cfg["augft"]["store"] = str(tmp_path / "other.db")


def _unreachable(cfg, tmp_path):
    cfg["augft"]["teacher"] |= {"base_url": "http://127.0.0.1:9/v1", "max_retries": 2}


def _no_room(cfg, tmp_path):
    cfg["augft"]["teacher"]["model"] = cfg["base_model"]
    cfg["augft"]["augment"] = [{"strategy": "global", "max_tokens": 500}]


@pytest.mark.parametrize(
    ("spoil", "kind", "message"),
    [
        (_no_key, ConfigError, "the environment variable AUGFT_UNSET_KEY is not set"),
        (_missing_prompt, AugftError, "none.jinja"),
        (_file_as_folder, OutputError, "cannot be written"),
        (_foreign_store, StoreError, "is not a response store"),
        (_unreachable, TeacherError, "cannot be reached"),
        (_no_room, ConfigError, "leaves no room for documents"),
    ],
)
def test_bad_input_gives_one_line_and_asks_nobody(cfg, teacher, tmp_path, spoil, kind, message):
    spoil(cfg, tmp_path)
    with pytest.raises(kind) as caught:
        run(cfg)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not any(text in str(caught.value) for text in TEXTS)
    assert teacher.bodies == []


def test_long_documents_are_cut_at_sentence_ends_and_it_is_said(cfg, data, teacher, caplog):
    write_rows(
        data, [{"text": " ".join(f"Pump number {i} stands in the hall." for i in range(80))}, {"text": "All is well."}]
    )
    with caplog.at_level("WARNING", logger="axolotl_augft"):
        run(cfg, augment=[{"strategy": "global", "context_tokens": 200}])
    assert "1 documents above 200 tokens are cut at sentence ends" in caplog.text
    assert len(teacher.bodies) > 3


def test_manifest_reads_back(cfg):
    recipe, result, folder = run(cfg)
    assert Manifest.load(folder) == result


def test_rows_without_text_are_left_out_of_training_and_evaluation_too(cfg, data, caplog):
    write_rows(data, [{"text": t} for t in [TEXTS[0], None, "", *TEXTS[1:]]])
    cfg["val_set_size"] = 2
    with caplog.at_level("WARNING", logger="axolotl_augft"):
        _, result, folder = run(cfg, augment=["local"])
    assert "2 rows are left out: no text (rows 1, 2)" in caplog.text
    assert result.counts.problems == {"left out: no text": 2}
    kept = [r["text"] for name in ("0-original.parquet", "0-held-out.parquet") for r in rows(folder, name)]
    assert sorted(kept) == sorted(TEXTS)


def test_show_does_not_pair_old_results_with_changed_data(cfg, data):
    run(cfg, augment=["local"])
    write_rows(data, [{"text": "All is new."}])
    with pytest.raises(OutputError, match="have changed since this result was made"):
        shown_lines(Recipe.from_cfg(cfg), 2)


def test_a_verdict_that_is_neither_yes_nor_no_is_counted_as_such(cfg, teacher):
    written = teacher.answer
    teacher.answer = lambda body: "<think>hm" if "must the statement be true too" in prompt_of(body) else written(body)
    with pytest.raises(OutputError, match="unverified 18"):
        run(cfg, augment=["local"], verify="teacher")
    # One token is asked for without chance; since that is neither yes nor no, votes are.
    assert {b["temperature"] for b in teacher.bodies if "must the statement be true too" in prompt_of(b)} == {0.0, 0.7}


def test_too_many_failures_end_the_run_before_verification(cfg, teacher):
    async def one_fails(_, body):
        return web.Response(status=500) if "Cats are more" in prompt_of(body) else None

    teacher.misbehave = one_fails
    cfg["augft"]["teacher"]["max_retries"] = 0
    with pytest.raises(TeacherError, match="1 of 6 requests stayed unanswered"):
        run(cfg, augment=[LOCAL_BY_DOCUMENT], verify="teacher")
    assert not any("must the statement be true too" in prompt_of(b) for b in teacher.bodies)


def test_requests_do_not_change_when_the_teachers_tokenizer_turns_up(cfg, teacher, tiny_model, tmp_path):
    cfg["augft"]["teacher"] |= {"model": str(tmp_path / "later"), "id": "t"}
    cfg["augft"]["augment"] = [{"strategy": "local", "unit_tokens": 20}]
    run(cfg)
    asked = len(teacher.bodies)
    assert asked == 6  # by the tiny model's own tokens the units would be smaller, and more
    shutil.copytree(tiny_model, tmp_path / "later")
    shutil.rmtree(Recipe.from_cfg(cfg).output_dir / "recipes")
    run(cfg)
    assert len(teacher.bodies) == asked


def test_groups_grow_with_their_budget(cfg, teacher, data):
    write_rows(data, [{"text": f"Pump {i} stands in hall {i % 5} beside valve {i}."} for i in range(40)])
    run(cfg, augment=[{"strategy": "global", "context_tokens": 100}])
    teacher.bodies.clear()
    run(cfg, augment=[{"strategy": "global", "context_tokens": 4000}])
    assert len(os.path.commonprefix([prompt_of(b) for b in teacher.bodies])) > 2000


def test_cache_files_of_datasets_are_no_part_of_the_data(cfg, teacher, tmp_path):
    Dataset.from_list([{"text": t} for t in TEXTS]).save_to_disk(str(tmp_path / "saved"))
    cfg["datasets"] = [{"path": str(tmp_path / "saved"), "type": "completion"}]
    run(cfg, augment=["local"])
    (tmp_path / "saved" / "cache-0123.arrow").write_bytes(b"x")
    recipe, _, _ = run(cfg)
    assert find_result(recipe) is not None


def test_folders_of_killed_runs_are_cleared(cfg):
    left = Recipe.from_cfg(cfg).output_dir / ".writing-1"
    left.mkdir(parents=True)
    run(cfg)
    assert not left.exists()


@pytest.mark.parametrize(
    ("training", "steps"),
    [
        ({}, 16),
        ({"max_steps": 12}, 12),
        ({"num_epochs": 2, "gradient_accumulation_steps": 2}, 16),
        ({"sample_packing": True, "sequence_len": 100}, 5),
    ],
)
def test_optimizer_steps(training, steps):
    cfg = {
        "augft": {},
        "base_model": "m",
        "datasets": [{"path": "d", "type": "completion"}],
        "micro_batch_size": 2,
        **training,
    }
    shape = Recipe.from_cfg(cfg).training
    assert optimizer_steps(Load(rows=31, tokens=1000), shape) == steps


def test_a_later_sentence_is_asked_about_with_what_names_its_it(cfg, teacher):
    run(cfg, augment=[{"strategy": "local", "unit_tokens": 1}])
    asked = [prompt_of(b).split("Now these sentences:")[1].strip() for b in teacher.bodies]
    assert "[1] The mill house was built in 1901.\nStatements:" in asked
    assert "Beginning of the document: The mill house was built in 1901.\n[1] It has two floors.\nStatements:" in asked
    both = "The mill house was built in 1901. It has two floors."
    assert f"Beginning of the document: {both}\n[1] Nobody sleeps there.\nStatements:" in asked


def test_requests_with_the_same_examples_are_sent_one_after_the_other(cfg, data):
    forms = ["Cats number {} are more curious than dogs.", "No valve of hall {} is a pump."]
    write_rows(data, [{"text": forms[i % 2].format(i)} for i in range(20)])
    cfg["augft"]["augment"] = [{"strategy": "local", "example_choice": "fitting"}]
    with stage.prepared(Recipe.from_cfg(cfg)) as ready:
        prefixes = [r.prefix.digest for r in ready.requests()]
        written = [task.target.row for task in ready.tasks.in_document_order()]
    runs = sum(a != b for a, b in itertools.pairwise(prefixes)) + 1
    assert len(set(prefixes)) == runs == 2
    assert written == list(range(20))


def test_one_kind_about_one_sentence_is_asked_in_the_plainest_form(cfg, teacher):
    cfg["augft"]["teacher"]["api"] = "completions"
    cfg["augft"]["augment"] = [{"strategy": "local", "kinds": ["reversal"], "unit_tokens": 1, "num_examples": 1}]
    teacher.answer = lambda body: f" What is told is this: {len(body['prompt'])}."
    run_stage(Recipe.from_cfg(cfg))
    (asked,) = [b["prompt"] for b in teacher.bodies if "Cats are more curious" in b["prompt"]]
    example, own = asked.split("###\n")
    assert own == "Cats are more curious than dogs.\nIn other words:"
    assert len(example.splitlines()) == 2 and example.splitlines()[1].startswith("In other words: ")
    (later,) = [b["prompt"] for b in teacher.bodies if b["prompt"].endswith("It has two floors.\nIn other words:")]
    assert later.split("###\n")[1].startswith("(The mill house was built in 1901.)\n")


def test_several_kinds_or_sentences_are_numbered(cfg, teacher):
    cfg["augft"]["teacher"]["api"] = "completions"
    cfg["augft"]["augment"] = [{"strategy": "local", "kinds": ["reversal"]}]
    run_stage(Recipe.from_cfg(cfg))
    (asked,) = [b["prompt"] for b in teacher.bodies if "It has two floors." in b["prompt"]]
    assert asked.endswith(
        "[1] The mill house was built in 1901.\n[2] It has two floors.\n[3] Nobody sleeps there.\nStatements:\n"
    )


def test_a_server_of_ones_own_command_answers_the_stage(cfg, tmp_path):
    log = tmp_path / "asked.jsonl"
    server = Path(__file__).parent / "support" / "teacher_server.py"
    cfg["augft"]["teacher"] = {
        "model": "scripted",
        "api": "chat",
        "serve_command": [sys.executable, str(server), str(log), "{port}"],
    }
    cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT]
    run_stage(Recipe.from_cfg(cfg))
    assert len(log.read_text().splitlines()) == 6


def test_the_tokens_of_the_source_rows_are_counted_one_by_one_and_with_their_ends(cfg, data, teacher):
    write_rows(data, [{"text": "Mara " * n + "sails.", "n": n} for n in range(1, 41)])
    _, result, _ = run(cfg)
    (entry,) = result.entries
    estimated = sum(-(-(5 * n + 6) // 4) for n in range(1, 41))
    assert (entry.original_rows, entry.original_tokens, entry.original_trained) == (40, estimated, estimated + 40)


def test_rows_above_sequence_len_are_counted_by_kind_in_plan_and_summary(cfg, data, teacher):
    long = "The Heron is a pump. " * 40
    write_rows(
        data, [{"text": long}, {"text": "All pumps carry a label."}, {"text": "Cats are more curious than dogs."}]
    )
    cfg["sequence_len"] = 64
    recipe = Recipe.from_cfg({**cfg, "augft": {**cfg["augft"], "augment": [{"strategy": "local", "unit_tokens": 1}]}})
    line = "rows above sequence_len 64, which axolotl cuts (completion) or drops (others): original 1"
    assert line in plan_lines(recipe)
    wordy = "so it is said by all who have seen it at work in the hall " * 12
    teacher.answer = lambda body: f"[1] rephrasing: Every pump, {wordy}, is labelled."
    result = run_stage(recipe)
    assert {k: n for k, n in result.counts.too_long.items() if n} == {"local/rephrasing": 1, "original": 1}
    said = (
        "rows above sequence_len 64, which axolotl cuts (completion) or drops (others): local/rephrasing 1, original 1"
    )
    assert said in report_lines(recipe) and said in plan_lines(recipe)


@pytest.mark.parametrize(("failures", "works"), [(1, True), (2, False)])
def test_what_failed_is_asked_once_more_at_the_end(cfg, teacher, failures, works):
    failed = []

    async def unlucky(_, body):
        if "All pumps" in prompt_of(body) and len(failed) < failures:
            failed.append(body)
            return web.json_response({"error": {"message": "overloaded"}}, status=500)

    teacher.misbehave = unlucky
    cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT]
    cfg["augft"]["teacher"]["max_retries"] = 0
    if works:
        run_stage(Recipe.from_cfg(cfg))
    else:
        with pytest.raises(TeacherError, match=r"1 of 6 requests stayed unanswered after all retries \(HTTP 500"):
            run_stage(Recipe.from_cfg(cfg))
    assert len(failed) == failures and len(teacher.bodies) == 7


@pytest.mark.slow
def test_an_entailment_model_verifies_what_the_teacher_wrote(cfg, teacher, tmp_path):
    model = make_classifier(tmp_path / "judge", labels=("contradiction", "entailment", "neutral"))
    block = {"by": str(model), "method": "entailment", "entailment_device": "cpu", "threshold": 0.0}
    _, result, folder = run(cfg, augment=["local"], verify=block)
    assert result.verification.method == "entailment" and result.verification.by.startswith("entailment-1 judge@")
    found = rows(folder, "0-augmented.parquet")
    assert len({row["augft_probability"] for row in found}) > 1
    assert all(0 < row["augft_probability"] < 1 and row["augft_alone"] is None for row in found)
    assert not any(is_verification(prompt_of(b)) for b in teacher.bodies)


@pytest.mark.slow
def test_an_entailment_model_with_other_labels_loses_no_answer(cfg, teacher, tmp_path):
    model = make_classifier(tmp_path / "judge", labels=("good", "bad"))
    block = {"by": str(model), "method": "entailment", "entailment_device": "cpu"}
    with pytest.raises(TeacherError, match=r"labels.*entailment_label"):
        run(cfg, augment=["local"], verify=block)
    asked = len(teacher.bodies)
    run(cfg, augment=["local"], verify="none")
    assert len(teacher.bodies) == asked > 0


def test_a_request_of_two_rounds_counts_once(cfg, teacher):
    verdicts(teacher, lambda text, said: "Cats" not in said)
    recipe, result, _ = run(cfg, augment=["local"], verify="teacher")
    distinct = {json.dumps(body, sort_keys=True) for body in teacher.bodies}
    assert result.counts.requests == len(distinct) == len(teacher.bodies)
    assert f"requests {len(distinct)}: 0 answered before, {len(distinct)} asked now" in report_lines(recipe)


def test_the_fallback_to_votes_is_said_once(cfg, teacher, caplog):
    teacher.gives_logprobs = False
    with caplog.at_level("INFO", "axolotl_augft"):
        run(cfg, augment=["local"], verify={"votes": 3, "ask_again": False})
    assert (
        caplog.text.count("scripted gives no log-probabilities of yes and no, so it is asked 3 times a question") == 1
    )


def test_a_ray_cluster_that_does_not_answer_is_told_before_anything_is_asked(cfg, teacher, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"^the Ray cluster at RAY_ADDRESS=127\.0\.0\.1:1 cannot be reached"):
        run({**cfg, "use_ray": True})
    assert teacher.bodies == []
