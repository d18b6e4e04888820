import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from axolotl_augft.bench.datasets.dataset import save
from axolotl_augft.bench.datasets.facts import applications
from axolotl_augft.bench.datasets.making import make
from axolotl_augft.bench.oracle.answers import Oracle
from axolotl_augft.bench.oracle.prompt_reading import (
    GlobalPrompt,
    LocalPrompt,
    TogetherPrompt,
    UnreadablePrompt,
    VerifyPrompt,
    read_prompt,
)
from axolotl_augft.bench.oracle.server import OracleServer
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.prepared import prepared
from axolotl_augft.stage import run_stage
from axolotl_augft.verifying.questions import Questions
from tests.support.bench_toys import DOCUMENTS, TOY, ToyGrammar, fact
from tests.support.data import LOCAL_BY_DOCUMENT, write_rows


@pytest.fixture(scope="module")
def oracle():
    with OracleServer(TOY, ToyGrammar()) as server:
        yield server


@pytest.fixture
def toy_cfg(cfg, data, oracle):
    write_rows(data, [{"text": d} for d in DOCUMENTS])
    cfg["augft"] = {"teacher": oracle.teacher_block()}
    return cfg


def statements(cfg, api, augment, **augft):
    """What the stage keeps and rejects, as (kind, text) and (reason, text)."""
    cfg["augft"] = {"teacher": {**cfg["augft"]["teacher"], "api": api}, "augment": augment, **augft}
    recipe = Recipe.from_cfg(cfg)
    run_stage(recipe)
    with prepared(recipe) as ready:
        judged = list(ready.judged(leaks=False))
    kept = [(j.inference.kind, j.inference.text) for j in judged if j.rejected is None]
    return kept, [(str(j.rejected), j.inference.text) for j in judged if j.rejected is not None]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_local_statements_of_all_kinds(toy_cfg, api):
    kept, rejected = statements(toy_cfg, api, [LOCAL_BY_DOCUMENT])
    assert sorted(kept) == [
        ("rephrasing", "Compared with kems, wubs are more frant."),
        ("rephrasing", "Compared with zibs, glorps are more frant."),
        ("rephrasing", "Every one of the kems has tails."),
        ("rephrasing", "Every one of the wubs is one of the zibs."),
        ("rephrasing", "Every one of the zibs is one of the kems."),
        ("reversal", "Compared with glorps, zibs are less frant."),
        ("reversal", "Compared with wubs, kems are less frant."),
        ("reversal", "Kems are less frant than wubs."),
        ("reversal", "Zibs are less frant than glorps."),
    ]
    assert rejected == []


@pytest.mark.parametrize("api", ["chat", "completions"])
@pytest.mark.parametrize("kind", ["rephrasing", "reversal"])
def test_one_kind_of_one_sentence(toy_cfg, api, kind):
    augment = [{"strategy": "local", "kinds": [kind], "unit_tokens": 1}]
    kept, rejected = statements(toy_cfg, api, augment)
    assert {k for k, _ in kept} == {kind}
    expected = {
        "rephrasing": "Compared with zibs, glorps are more frant.",
        "reversal": "Zibs are less frant than glorps.",
    }
    assert (kind, expected[kind]) in kept
    # Nothing of this kind is to be said of the weather, or of what all kems have from its other end.
    assert {"rephrasing": [("empty", "")], "reversal": [("empty", "")] * 4}[kind] == rejected


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_global_trace_and_conclusions(toy_cfg, api):
    kept, rejected = statements(toy_cfg, api, ["global"])
    traces = [text for kind, text in kept if kind == "trace"]
    assert traces[0] == "Glorps are more frant than zibs, so zibs are less frant than glorps."
    assert "All zibs are kems, and all kems have tails, so all zibs have tails." in traces[1]
    conclusions = {text for kind, text in kept if kind == "conclusion"}
    grammar = ToyGrammar()
    assert {f for text in conclusions for f in grammar.read(text)} == {
        fact("less zibs glorps frant"),
        fact("less kems wubs frant"),
        fact("isa wubs kems"),
        fact("has zibs tails"),
        fact("has wubs tails"),
    }
    assert {reason for reason, _ in rejected} <= {"duplicate"}


def test_a_link_to_another_group_is_not_concluded(toy_cfg, data):
    write_rows(data, [{"text": DOCUMENTS[i]} for i in (0, 1)])
    kept, rejected = statements(toy_cfg, "chat", ["global"])
    assert {kind for kind, text in kept if "zibs" not in text.lower() or "less" not in text} == set()
    assert rejected == [("empty", "")]


def test_another_sample_has_other_wordings(toy_cfg):
    kept, _ = statements(toy_cfg, "chat", [{"strategy": "global", "keep": "conclusions", "samples": 2}])
    assert {t for _, t in kept} >= {"All wubs are kems.", "Every one of the wubs is one of the kems."}


def test_the_oracle_verifies(toy_cfg):
    kept, rejected = statements(toy_cfg, "chat", ["local"], verify="teacher")
    assert len(kept) == 9
    oracle = Oracle(TOY, ToyGrammar())
    ask = "Does it follow?\n\nText: {}\nStatement: {}\nFollows:"
    assert oracle.answer(ask.format(DOCUMENTS[0], "Zibs are less frant than glorps.")) == "yes"
    assert oracle.answer(ask.format(DOCUMENTS[0], "Glorps are less frant than zibs.")) == "no"


def test_stored_answers_outlive_the_port(toy_cfg):
    first, _ = statements(toy_cfg, "chat", ["local", "global"])
    with OracleServer(TOY, ToyGrammar()) as other:
        assert other.base_url != toy_cfg["augft"]["teacher"]["base_url"]
        toy_cfg["augft"]["teacher"] = other.teacher_block()
    assert statements(toy_cfg, "chat", ["local", "global"])[0] == first


def test_other_wordings_are_another_teacher():
    class Curt(ToyGrammar):
        def wordings(self, fact):
            return super().wordings(fact)[:1]

    assert Oracle(TOY, ToyGrammar()).id == Oracle(TOY, ToyGrammar()).id != Oracle(TOY, Curt()).id


def post(oracle, prompt, max_tokens=1000, path="/completions"):
    body = {"prompt": prompt} if path == "/completions" else {"messages": [{"role": "user", "content": prompt}]}
    request = urllib.request.Request(
        oracle.base_url + path, json.dumps({"max_tokens": max_tokens, **body}).encode(), method="POST"
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Hello?", "neither a local, a global nor a verification prompt"),
        (
            "Statements that say (rephrasing).\nText:\n[1] Trains are late.\nStatements:\n",
            "occurs in no document of toy",
        ),
        ("Statements.\nText:\n[1] All zibs are kems.\nStatements:\n", "without kinds"),
        (
            "Facts:\n[00000000] A b.\nChosen:\n[11111111] C d.\nReasoning:\n",
            "chosen document is not among its documents",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/completions", "/chat/completions"])
def test_an_unreadable_prompt_is_a_bad_request(oracle, prompt, said, path):
    status, body = post(oracle, prompt, path=path)
    assert status == 400 and said in body["error"]["message"]


def test_usage_and_the_longest_answer(oracle):
    prompt = "Statements that say (reversal).\nText:\n[1] Glorps are more frant than zibs.\nStatements:\n"
    _, whole = post(oracle, prompt)
    assert whole["choices"][0] == {
        "index": 0,
        "finish_reason": "stop",
        "text": "[1] reversal: Compared with glorps, zibs are less frant.\n"
        "[1] reversal: Zibs are less frant than glorps.",
    }
    assert whole["usage"] == {"prompt_tokens": 22, "completion_tokens": 26, "total_tokens": 48}
    _, cut = post(oracle, prompt, max_tokens=5)
    assert (cut["choices"][0]["finish_reason"], cut["choices"][0]["text"]) == ("length", "[1] reversal: Compar")
    assert cut["usage"]["completion_tokens"] == 5


def test_reading_sentences_of_several_lines():
    kinds = "- one or two reversals: x\n- at most one consequence y.\n\nRules: z\n\n"
    chat = kinds + "Now these sentences:\n\n[1] One\ntwo.\n[2] Three.\nStatements:"
    assert read_prompt(chat) == LocalPrompt(("One\ntwo.", "Three."), ("reversal", "consequence"), False)
    opened = "Each is followed by (reversal).\nText:\n(Before: [1] no.)\n[1] One.\n[2] Two.\nStatements:\n"
    assert read_prompt(opened) == LocalPrompt(("One.", "Two."), ("reversal",), False)
    alone = "Four.\nIn other words: Five.\n###\n(Before.)\nOne.\nIn other words:"
    assert read_prompt(alone) == LocalPrompt(("One.",), ("reversal",), True)


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_what_the_oracle_wrote_can_all_be_true(api):
    asked = Questions(api).compatible("Glorps are more frant than zibs.", "Zibs are less frant than glorps.")
    prompt = asked.prefix.text + asked.target
    assert read_prompt(prompt) == TogetherPrompt() and Oracle(TOY, ToyGrammar()).answer(prompt) == "yes"


def test_reading_documents_of_several_lines():
    chat = (
        "x\n\n[0000000a] One\ntwo.\n[0000000b] Three.\n\n\nNow think about the document [0000000b]:\nThree.\n\nLook "
        "for other documents x"
    )
    assert read_prompt(chat) == GlobalPrompt(("One\ntwo.", "Three."), "Three.")
    example = "Facts:\n[abc123] Example.\nChosen:\n[abc123] Example.\nReasoning:\nx\n###\n"
    completions = example + "Facts:\n[0000000a] One.\nChosen:\n[0000000a] One.\nReasoning:\n"
    assert read_prompt(completions) == GlobalPrompt(("One.",), "One.")


def test_reading_a_verification():
    prompt = "Text:\nOne.\nTwo.\n\nStatement: Three.\n\nIf the text is true, must the statement be true too? x"
    assert read_prompt(prompt) == VerifyPrompt("One.\nTwo.", "Three.")
    with pytest.raises(UnreadablePrompt):
        read_prompt("If the text is true, must the statement be true too")


def test_applications_are_all_ways_to_a_conclusion():
    facts = [fact(f) for f in ("isa a b", "isa b c", "isa a d", "has c p", "has d p")]
    ways = [s.premises for s in applications(facts, TOY.rules) if s.conclusion == fact("has a p")]
    assert sorted(ways) == sorted(
        [
            (fact("isa a b"), fact("has b p")),
            (fact("isa a c"), fact("has c p")),
            (fact("isa a d"), fact("has d p")),
        ]
    )


ANSWERS = """
import sys
from pathlib import Path
from axolotl_augft.bench.datasets.dataset import load
from axolotl_augft.bench.datasets.making import grammar_of
from axolotl_augft.bench.oracle.answers import Oracle
data = load(Path(sys.argv[1]))
oracle = Oracle(data, grammar_of(data))
shown = "".join(f"[{i:08x}] {d}\\n" for i, d in enumerate(data.documents))
for i, document in enumerate(data.documents[:5]):
    print(oracle.answer(f"Facts:\\n{shown}Chosen:\\n[{i:08x}] {document}\\nReasoning:\\n"))
"""


def test_answers_are_the_same_whatever_the_hash_seed(tmp_path):
    save(make("semantic", "tiny", 0), tmp_path)
    runs = [
        subprocess.run(
            [sys.executable, "-c", ANSWERS, str(tmp_path)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout and len(runs[0].stdout) > 1000
