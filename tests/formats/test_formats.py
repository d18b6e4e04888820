"""Every format of question and answer: literal rows in, literal rows out, tokenized by axolotl itself."""

import json
import re

import pytest
from axolotl.utils.data.sft import _load_and_process_single_dataset
from axolotl.utils.dict import DictDefault
from datasets import Dataset, load_dataset
from transformers import AutoTokenizer

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.errors import ConfigError
from axolotl_augft.formats import SUPPORTED_TYPES, base_type, format_of
from axolotl_augft.formats.chat import ChatFormat
from axolotl_augft.formats.content import Augmentation, Exchange, Turn, Unfit
from axolotl_augft.formats.segments import SegmentFormat
from axolotl_augft.output.manifest import result_folder
from axolotl_augft.plugin import apply_result
from axolotl_augft.sources.loading import load_sources
from axolotl_augft.sources.source import row_digest
from axolotl_augft.stage import run_stage
from tests.support.data import LOCAL_BY_DOCUMENT, write_rows
from tests.support.exchange_data import ANSWER, CASES, CHAT, PAIRS, QUESTION, SYSTEM, TURNED_ANSWER, as_json, message

NUMBERS = "zeroth first second third fourth fifth sixth".split()


@pytest.fixture
def answering(teacher):
    teacher.answer = as_json
    return teacher


def run_case(case, cfg, tmp_path, **augft):
    path = write_rows(tmp_path / "rows.jsonl", [case.row])
    cfg["datasets"] = [{"path": str(path), "ds_type": "json", **case.entry}]
    cfg["augft"] |= {"augment": ["local"], **augft}
    raw = DictDefault({**cfg, **case.cfg})
    recipe = Recipe.from_cfg(raw)
    result = run_stage(recipe)
    file = result_folder(recipe, result.fingerprint) / "0-augmented.parquet"
    source = load_dataset("json", data_files=str(path), split="train")
    return raw, recipe, result, Dataset.from_parquet(str(file)), source


def own_columns(row):
    return {k: v for k, v in row.items() if not k.startswith("augft_")}


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_rows_come_out_in_the_format_they_came_in_and_axolotl_trains_on_the_answer(
    case, cfg, tmp_path, answering, tiny_model
):
    raw, recipe, result, augmented, source = run_case(case, cfg, tmp_path)
    assert [own_columns(row) for row in augmented] == [case.rephrased, case.turned]
    assert {k: v for k, v in augmented.features.items() if not k.startswith("augft_")} == source.features

    apply_result(raw, recipe, result)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    given, new = (
        _load_and_process_single_dataset(entry, DictDefault({"sequence_len": 512, **raw}), tokenizer, "train", 42)[0]
        for entry in raw.datasets
    )
    trained = [tokenizer.decode([t for t in row["labels"] if t != -100]) for row in (given[0], *new)]
    asked = [
        tokenizer.decode([i for i, t in zip(row["input_ids"], row["labels"], strict=True) if t == -100]) for row in new
    ]
    last = trained[0][trained[0].rindex(ANSWER) :]
    assert trained[1][trained[1].index(ANSWER) :] == last and trained[2].endswith(last.replace(ANSWER, TURNED_ANSWER))
    assert not any(QUESTION in text or PAIRS[0]["question"] in text or PAIRS[1]["question"] in text for text in trained)
    assert (
        PAIRS[0]["question"] in asked[0]
        and PAIRS[1]["question"] in asked[1]
        and not any(ANSWER in text for text in asked)
    )


def test_every_supported_type_has_a_case():
    assert {base_type(c.entry["type"]) for c in CASES if isinstance(c.entry["type"], str)} | {"completion"} == set(
        SUPPORTED_TYPES
    )


def test_axolotl_knows_every_supported_type(tiny_model):
    from axolotl.prompt_strategies import load
    from axolotl.utils.data.wrappers import DATASET_HANDLERS

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    cfg = DictDefault({"sequence_len": 64, "chat_template": "chatml"})
    for name in SUPPORTED_TYPES:
        assert name in DATASET_HANDLERS or load(name, tokenizer, cfg, DictDefault({"type": name})) is not None


def test_what_the_teacher_is_asked(cfg, tmp_path, answering):
    case = next(c for c in CASES if c.name == "sharegpt columns, several turns")
    run_case(case, cfg, tmp_path)
    (body,) = answering.bodies
    prompt = body["messages"][1]["content"]
    assert prompt.endswith(
        f"Now this one:\n\nUser: Hello.\nAssistant: Hello, how can I help?\nQuestion: {QUESTION}\nAnswer: "
        f"{ANSWER}\nFurther questions:"
    )
    assert body["response_format"]["json_schema"]["schema"]["properties"]["pairs"]["items"]["required"] == [
        "kind",
        "question",
        "answer",
    ]
    assert 'Reply with one JSON object and nothing else: {"pairs"' in prompt


def test_lines_in_place_of_json(cfg, tmp_path, teacher):
    teacher.answer = lambda body: (
        "rephrasing: Who runs the harbour of Port Ennis?\n- **Reversal:** What is Mara Quell's work?\n  Answer: "
        + TURNED_ANSWER
    )
    case = CASES[0]
    _, _, _, augmented, _ = run_case(
        case, cfg, tmp_path, teacher={**cfg["augft"]["teacher"], "structured_output": False}
    )
    assert [own_columns(row) for row in augmented] == [case.rephrased, case.turned]
    assert "response_format" not in teacher.bodies[0] and "JSON" not in teacher.bodies[0]["messages"][1]["content"]


THOUGHT_IN_PARTS = {
    "messages": [
        message("user", [{"type": "text", "text": "Q", "thinking": None}]),
        message(
            "assistant",
            [{"type": "thinking", "text": None, "thinking": "Hm."}, {"type": "text", "text": "A", "thinking": None}],
        ),
    ]
}
NO_ROLE = "a message has no 'role', but has content; name the role's key in message_property_mappings"
READ = [
    (
        ChatFormat(),
        {"messages": [message("user", "Q"), message("assistant", "A")], "system": SYSTEM},
        Exchange("Q", "A", (), SYSTEM),
    ),
    (
        ChatFormat(),
        {
            "messages": [
                message("user", "Q1"),
                message("assistant", "A1"),
                message("user", "Q2"),
                message("assistant", "<think>Hm.</think>\n\nA2"),
            ]
        },
        Exchange("Q2", "A2", (Turn("user", "Q1"), Turn("assistant", "A1"))),
    ),
    (
        ChatFormat(),
        {
            "messages": [
                message("user", "Q"),
                message("assistant", None, tool_calls=[{"id": "1"}]),
                message("tool", "42"),
                message("assistant", "A"),
            ]
        },
        Unfit("its last answer calls a tool or uses a tool's result", True),
    ),
    (
        ChatFormat(),
        {
            "messages": [
                message("user", "Q1"),
                message("assistant", None, tool_calls=[{"id": "1"}]),
                message("tool", "42"),
                message("assistant", "A1"),
                message("user", "Q2"),
                message("assistant", "A2"),
            ]
        },
        Exchange("Q2", "A2", (Turn("user", "Q1"), Turn("tool", "42"), Turn("assistant", "A1"))),
    ),
    (
        ChatFormat(training="learn"),
        {"messages": [message("user", "Q"), message("assistant", "A", learn=False)]},
        Unfit("its last answer is not trained on", True),
    ),
    (
        ChatFormat(),
        {
            "messages": [
                message("user", [{"type": "image"}, {"type": "text", "text": "Q1"}]),
                message("assistant", "A1"),
                message("user", "Q2"),
                message("assistant", "A2"),
            ]
        },
        Unfit("it has images or sound, which the teacher does not see", True),
    ),
    (
        ChatFormat(),
        {"messages": [message("human", "Q"), message("chatgpt", "A")]},
        Unfit("unknown role 'chatgpt'; map it under `roles:`", True),
    ),
    (
        format_of({"type": "alpaca"}),
        {"instruction": "Q", "input": "I", "output": "A"},
        Exchange("Q", "A", (Turn("input", "I"),)),
    ),
    (
        format_of({"type": "alpaca"}),
        {"instruction": "Q", "input": ["I"], "output": "A"},
        Unfit("'input' is not text", True),
    ),
    (format_of({"type": "alpaca"}), {"instruction": "Q", "output": 1}, Unfit("'output' is not text", True)),
    (
        SegmentFormat(),
        {
            "segments": [
                {"label": False, "text": "### Instruction:\nTranslate.\n\n### Input:\nBlack.\n\n### Response:\n"},
                {"label": True, "text": "Noir."},
            ]
        },
        Unfit("its question has an input of its own", True),
    ),
    (ChatFormat(), {"messages": None}, Unfit("'messages' holds no messages", False)),
    (ChatFormat(), {"messages": []}, Unfit("'messages' holds no messages", False)),
    (ChatFormat(), {"messages": "user: hello"}, Unfit("'messages' is a string, and not JSON", False)),
    (ChatFormat(), {"messages": [{"content": "Q"}]}, Unfit(NO_ROLE, False)),
    (ChatFormat(), {"messages": [message("user", "Q")]}, Unfit("no assistant turn", False)),
    (
        ChatFormat(),
        {"messages": [message("system", None), message("user", "Q"), message("assistant", "A")]},
        Unfit("a question or system prompt has no 'content'", False),
    ),
    (ChatFormat(), {"messages": [message("assistant", "A")]}, Unfit("it does not end with an answer to a user", True)),
    (
        ChatFormat(),
        {"messages": [message("user", "Q"), message("assistant", "A"), message("user", "Q")]},
        Unfit("it does not end with an answer to a user", True),
    ),
    (
        ChatFormat(),
        {"messages": [message("critic", "Q"), message("assistant", "A")]},
        Unfit("unknown role 'critic'; map it under `roles:`", True),
    ),
    (
        ChatFormat(),
        {"messages": [message("user", "Q"), message("assistant", "")]},
        Unfit("its last question or answer is empty", False),
    ),
    (
        ChatFormat(),
        {"messages": [message("user", "Q"), message("assistant", None, tool_calls=[{"id": "1"}])]},
        Unfit("its last answer calls a tool or uses a tool's result", True),
    ),
    (
        ChatFormat(),
        {"messages": [message("user", "Q"), message("assistant", "A")], "images": ["x.png"]},
        Unfit("it has images or sound, which the teacher does not see", True),
    ),
    (
        ChatFormat(),
        {"messages": [message("user", [{"type": "image"}, {"type": "text", "text": "Q"}]), message("assistant", "A")]},
        Unfit("it has images or sound, which the teacher does not see", True),
    ),
    (ChatFormat(), THOUGHT_IN_PARTS, Exchange("Q", "A")),
    (format_of({"type": "alpaca"}), {"instruction": "Q", "input": None, "output": "A"}, Exchange("Q", "A")),
    (
        format_of({"type": "alpaca"}),
        {"instruction": "Q", "input": "I", "output": ""},
        Unfit("'output' is empty", False),
    ),
    (format_of({"type": "alpaca"}), {"instruction": "", "output": "A"}, Unfit("'instruction' is empty", True)),
    (format_of({"type": "alpaca"}), {"instruction": None, "output": "A"}, Unfit("'instruction' is empty", False)),
    (
        SegmentFormat(),
        {"segments": None},
        Unfit("'segments' is not a list of segments, each with label and text", False),
    ),
    (
        SegmentFormat(),
        {"segments": [{"text": "Q"}]},
        Unfit("'segments' is not a list of segments, each with label and text", False),
    ),
    (
        SegmentFormat(),
        {"segments": [{"label": True, "text": "A"}, {"label": False, "text": "Q"}]},
        Unfit("its segments end without an answer (the last label is false)", True),
    ),
    (
        SegmentFormat(),
        {"segments": [{"label": True, "text": "A"}]},
        Unfit("its segments have no question before the answer", True),
    ),
    (
        SegmentFormat(),
        {
            "segments": [
                {"label": False, "text": "<s>### Question: Who?\n<|sep|> A:"},
                {"label": True, "text": " Mara.</s>"},
            ]
        },
        Exchange("Who?", "Mara."),
    ),
    (
        SegmentFormat(),
        {
            "segments": [
                {"label": False, "text": "### Instruction:\nQ\n\n### Response:\n"},
                {"label": True, "text": "A "},
                {"label": True, "text": "B</s>"},
            ]
        },
        Exchange("Q", "A B"),
    ),
]


@pytest.mark.parametrize(("form", "row", "content"), READ, ids=[str(i) for i in range(len(READ))])
def test_what_a_row_holds(form, row, content):
    assert form.read(row) == content


def test_thinking_in_parts_stays_with_its_answer():
    said = [{"type": "text", "text": "Q2"}]
    assert ChatFormat().row(THOUGHT_IN_PARTS, Augmentation("A", "Q2", keeps_answer=True))["messages"] == [
        message("user", said),
        THOUGHT_IN_PARTS["messages"][1],
    ]
    assert ChatFormat().row(THOUGHT_IN_PARTS, Augmentation("B", "Q2"))["messages"] == [
        message("user", said),
        message("assistant", [{"type": "text", "text": "B"}]),
    ]


def test_markup_of_segments_stays_where_it_is():
    row = {
        "segments": [
            {"label": False, "text": "### Instruction:\nQ?\n\n### Response:\n"},
            {"label": True, "text": "A. "},
            {"label": True, "text": "B.</s>"},
        ]
    }
    assert SegmentFormat().row(row, Augmentation("New.", "New?"))["segments"] == [
        {"label": False, "text": "### Instruction:\nNew?\n\n### Response:\n"},
        {"label": True, "text": "New. "},
        {"label": True, "text": "</s>"},
    ]


@pytest.mark.parametrize("values", [[None, None], [None, "x"], ["", "x"]], ids=["all null", "mixed", "texts"])
def test_inputs_that_are_null(cfg, tmp_path, answering, values):
    rows = [
        {"instruction": f"{QUESTION[:-1]} {i}?", "input": v, "output": ANSWER}
        for i, v in zip("ab", values, strict=True)
    ]
    path = write_rows(tmp_path / "alpaca.jsonl", rows)
    cfg["datasets"] = [{"path": str(path), "ds_type": "json", "type": "alpaca"}]
    cfg["augft"] |= {"augment": ["local"]}
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    new = Dataset.from_parquet(str(result_folder(recipe, result.fingerprint) / "0-augmented.parquet"))
    assert new.features["input"] == load_dataset("json", data_files=str(path), split="train").features["input"]
    assert [row["input"] for row in new][:2] == [values[0], values[0]]


def test_half_a_character_of_the_teachers_is_no_end(cfg, tmp_path, teacher):
    teacher.answer = lambda body: (
        '{"pairs": [{"kind": "reversal", "question": "Who \\ud83d?", "answer": "x"}, {"kind": "reversal", "question": "'
        + ('What does Mara Quell do?", "answer": "She is the harbour master."}]}')
    )
    _, _, result, augmented, _ = run_case(CASES[0], cfg, tmp_path)
    assert "What does Mara Quell do?" in [row["messages"][1]["content"] for row in augmented] and result.counts.accepted


def test_images_pass_as_they_are(cfg, tmp_path, answering):
    from datasets import Features, Image, List, Value
    from PIL import Image as Picture

    (tmp_path / "pictures").mkdir()
    for i in range(4):
        Picture.new("RGB", (8, 8), (40 * i, 0, 0)).save(tmp_path / "pictures" / f"{i}.png")
    files = [str(f) for f in sorted((tmp_path / "pictures").iterdir())]
    part = {"role": Value("string"), "content": Value("string")}
    rows = {
        "messages": [
            [message("user", f"{QUESTION[:-1]} {w}?"), message("assistant", ANSWER)]
            for w in ("one", "two", "red", "blue", "green")
        ],
        "images": [[f] for f in files[:3]] + [[], []],
    }
    features = Features({"messages": List(part), "images": List(Image())})
    path = tmp_path / "chats.parquet"
    Dataset.from_dict(rows, features=features).to_parquet(str(path))
    cfg["datasets"] = [{"path": str(path), "ds_type": "parquet", "type": "chat_template"}]
    cfg["augft"] |= {"augment": ["local"]}
    cfg["val_set_size"] = 1
    first = load_sources(Recipe.from_cfg(cfg))
    again = load_sources(Recipe.from_cfg(cfg))
    digests = [[row_digest(row, ChatFormat()) for row in s.rows] for (s,) in (first, again)]
    assert digests[0] == digests[1] and len(set(digests[0])) == 5
    assert set(first[0].rows[0]["images"][0]) == {"bytes", "path"}
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    folder = result_folder(recipe, result.fingerprint)
    kept = Dataset.from_parquet(str(folder / "0-original.parquet"))
    assert kept.features["images"] == List(Image()) and kept[0]["images"][0].size == (8, 8)
    raw = {
        row["messages"][0]["content"]: row["images"] for row in kept.cast_column("images", List(Image(decode=False)))
    }
    given = Dataset.from_parquet(str(path)).cast_column("images", List(Image(decode=False)))
    assert all(
        raw[row["messages"][0]["content"]] == row["images"] for row in given if row["messages"][0]["content"] in raw
    )


def test_bad_rows_are_counted_named_and_left_out(cfg, tmp_path, answering, caplog):
    good = CASES[0].row["messages"]
    rows = [
        {"messages": good},
        {"messages": [message("user", "Hello?")]},
        {"messages": [message("critic", "x"), message("assistant", "y")]},
    ]
    path = write_rows(tmp_path / "chats.jsonl", rows)
    cfg["datasets"] = [{"path": str(path), "ds_type": "json", "type": "chat_template"}]
    cfg["augft"] |= {"augment": ["local"]}
    with caplog.at_level("WARNING", logger="axolotl_augft"):
        result = run_stage(Recipe.from_cfg(cfg))
    assert "1 row is left out: no assistant turn (row 1)" in caplog.text
    assert "1 row is trained on, but not augmented: unknown role 'critic'; map it under `roles:` (row 2)" in caplog.text
    assert result.counts.problems == {
        "left out: no assistant turn": 1,
        "trained on, but not augmented: unknown role 'critic'; map it under `roles:`": 1,
    }
    (entry,) = result.entries
    assert entry.original == "rewritten" and entry.original_file.rows == 2 and len(answering.bodies) == 1


def test_the_same_exchange_in_another_format_is_held_out_too(cfg, tmp_path, answering):
    chat = write_rows(
        tmp_path / "chat.jsonl", [{"messages": [message("user", QUESTION), message("assistant", ANSWER)]}]
    )
    alpaca = write_rows(
        tmp_path / "alpaca.jsonl",
        [
            {"instruction": QUESTION.upper(), "input": "", "output": f" {ANSWER}"},
            {"instruction": "What is blue?", "input": "", "output": "The sky is."},
        ],
    )
    cfg["datasets"] = [{"path": str(alpaca), "ds_type": "json", "type": "alpaca"}]
    cfg["test_datasets"] = [{"path": str(chat), "ds_type": "json", "type": "chat_template", "split": "train"}]
    cfg["augft"] |= {"augment": ["local"]}
    result = run_stage(Recipe.from_cfg(cfg))
    assert result.entries[0].twins == 1 and len(answering.bodies) == 1
    assert result.counts.rejected == {"leak": 1}


def test_documents_become_questions(cfg, data, teacher, tiny_model):
    teacher.answer = lambda body: json.dumps(
        {
            "pairs": [
                {
                    "kind": "reversal",
                    "question": f"What is the {NUMBERS[len(teacher.bodies)]} item?",
                    "answer": "It is Mara.",
                }
            ]
        }
    )
    cfg["augft"] |= {"augment": [{**LOCAL_BY_DOCUMENT, "write": "questions"}]}
    raw = DictDefault({**cfg, "chat_template": "chatml"})
    recipe = Recipe.from_cfg(raw)
    result = run_stage(recipe)
    (written,) = result.entries
    assert written.augmented is None and written.questions.rows == 6 and result.counts.accepted == {"local/reversal": 6}
    apply_result(raw, recipe, result)
    assert [(e["type"], e.get("field")) for e in raw.datasets] == [("completion", None), ("chat_template", None)]
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    chat, _ = _load_and_process_single_dataset(
        raw.datasets[1], DictDefault({"sequence_len": 512, **raw}), tokenizer, "train", 42
    )
    trained = tokenizer.decode([t for t in chat[0]["labels"] if t != -100])
    assert trained.startswith("It is Mara.") and re.search(
        r"What is the \w+ item\?", tokenizer.decode(chat[0]["input_ids"])
    )


def test_chats_about_documents_need_a_chat_template(cfg, data, teacher):
    cfg["augft"] |= {"augment": [{"strategy": "local", "write": "questions"}]}
    with pytest.raises(
        ConfigError, match="write: questions makes chats of documents, but .* has no chat template; set chat_template"
    ):
        run_stage(Recipe.from_cfg(cfg))
    assert teacher.bodies == []


def test_entries_with_settings_of_their_own(cfg, data, tmp_path, answering):
    chat = write_rows(tmp_path / "chat.jsonl", [CASES[0].row])
    cfg["datasets"].append({"path": str(chat), "ds_type": "json", "type": "chat_template"})
    cfg["augft"] |= {
        "augment": ["global"],
        "sources": [{"path": str(chat), "augment": [{"strategy": "local", "samples": 2}]}],
    }
    answers = {
        "Now think about": "It is known.\nConclusions:\n- It follows that all is well.\n",
        "Further questions": as_json({}),
    }
    answering.answer = lambda body: next(a for mark, a in answers.items() if mark in body["messages"][1]["content"])
    result = run_stage(Recipe.from_cfg(cfg))
    prompts = [b["messages"][1]["content"] for b in answering.bodies]
    assert sum("Now think about" in p for p in prompts) == 6 and sum("Further questions" in p for p in prompts) == 2
    assert not any(QUESTION in p for p in prompts if "Now think about" in p)
    assert result.entries[1].augmented.rows == 2


def test_documents_and_chats_stand_together_in_a_context_group(cfg, data, tmp_path, answering):
    chat = write_rows(tmp_path / "chat.jsonl", [CHAT_ROW := CASES[0].row])
    cfg["datasets"].append({"path": str(chat), "ds_type": "json", "type": "chat_template"})
    cfg["augft"] |= {"augment": ["global"]}
    link = {
        "question": "Where does the harbour master of Port Ennis live?",
        "answer": "Mara Quell is the harbour master and lives in the mill house.",
    }
    answering.answer = lambda body: (
        json.dumps({"pairs": [{"kind": "conclusion", **link}]})
        if "JSON" in body["messages"][1]["content"]
        else "It is known.\nConclusions:\n- Mara Quell lives in the mill house of Port Ennis.\n"
    )
    recipe = Recipe.from_cfg(cfg)
    result = run_stage(recipe)
    prompts = [b["messages"][1]["content"] for b in answering.bodies]
    assert all(f"] Question: {QUESTION}\nAnswer: {ANSWER}\n" in p for p in prompts)
    assert len({p.split("Now think about")[0] for p in prompts}) == 1, "one prefix for documents and chats"
    new = Dataset.from_parquet(str(result_folder(recipe, result.fingerprint) / "1-augmented.parquet"))
    assert new[0]["messages"] == [
        CHAT_ROW["messages"][0],
        message("user", link["question"]),
        message("assistant", link["answer"]),
    ]
    assert new[0]["augft_kind"] == "conclusion" and CHAT["chat_template"] == "chatml"
