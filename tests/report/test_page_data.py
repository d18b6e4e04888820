"""What the page's blocks hold, read as the browser reads them."""

import base64
import gzip
import json
import re
import resource
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

import axolotl_augft
from axolotl_augft.cli.main import augft
from axolotl_augft.cli.report import run_names
from axolotl_augft.errors import OutputError
from axolotl_augft.judging.rules import Reason
from axolotl_augft.output.card import shown_path
from axolotl_augft.report.blocks import block
from axolotl_augft.report.figures import Figures, new_words, sentence_ends
from axolotl_augft.report.page import _assemble
from axolotl_augft.report.reviewed import Reviewed, Statement
from axolotl_augft.sources.documents import Document
from tests.support.data import TEXTS, write_rows

_BLOCK = re.compile(r'<script type="([^"]+)" data-block="([^"]+)">([^<]*)</script>')


def read_blocks(page: str) -> dict[str, list]:
    """Return the blocks of a page by name."""
    found: dict[str, list] = {}
    for kind, name, content in _BLOCK.findall(page):
        packed = kind == "application/gzip"
        text = gzip.decompress(base64.b64decode(content)) if packed else content
        found.setdefault(name, []).append(json.loads(text))
    return found


@pytest.fixture
def config(cfg, tmp_path):
    cfg["augft"]["augment"] = ["local", "global"]
    path = tmp_path / "cfg.yml"
    path.write_text(yaml.safe_dump(cfg))
    return str(path)


def call(*args):
    result = CliRunner().invoke(augft, list(args))
    assert result.exit_code == 0, result.output
    return result.output


def statement(reason=None, sentence=0, probability=None, text="A is B.", kind="reversal"):
    return Statement(text, None, "local", kind, reason, sentence, "d", "00", 0, probability)


def test_the_page_holds_sources_statements_prompts_and_answers(config, tmp_path):
    call("run", config)
    assert f"report: {tmp_path / 'p.html'}" in call("report", config, "--out", str(tmp_path / "p.html"))
    blocks = read_blocks((tmp_path / "p.html").read_text())
    (head,) = blocks["head"]
    (sources,) = blocks["sources"]
    assert [s[2] for s in sources] == [0, 1, 2, 3, 4, 5]
    first = sources[0]
    assert first[5] == "Mara Quell is the harbour master of Port Ennis. She lives in the mill house."
    assert first[6] == [47, 76] and head["files"] == ["data.jsonl"] and first[3:5] == [0, ""]
    said = next(s for s in first[7] if s[4].startswith("Seen from its end, She"))
    run, reason, kind, sentence, _, question, probability, alone, answer, sample, tokens, new, rests_on, overruled = (
        said
    )
    assert (run, reason, head["kinds"][kind], sentence, question) == (0, -1, "local/reversal", 1, None)
    assert (
        (probability, alone, sample, rests_on, overruled) == (None, None, 0, [], -1)
        and tokens > 5
        and new == pytest.approx(0.4)
    )
    prefix, target, outcome, text, finish, *_ = blocks["answers-0"][0][answer]
    assert "[1] She lives in the mill house." in target and "[1] reversal: Seen from its end, She" in text
    assert (outcome, finish) == ("answered", "stop")
    system, shared = ("\n".join(blocks["lines-0"][0][n] for n in part) for part in blocks["prefixes-0"][0][prefix])
    assert system.startswith("You write training data") and "You get numbered sentences" in shared
    assert head["runs"][0]["figures"]["kept"] == sum(s[1] < 0 for source in sources for s in source[7])
    assert head["runs"][0]["summary"] == call("report", config).splitlines()[:-1]


def test_a_page_without_a_store_says_so_by_answers_of_number_minus_one(config, tmp_path):
    call("run", config)
    (tmp_path / "prepared" / "augft" / "responses.sqlite").unlink()
    call("report", config, "--out", str(tmp_path / "p.html"))
    blocks = read_blocks((tmp_path / "p.html").read_text())
    assert {s[8] for source in blocks["sources"][0] for s in source[7]} == {-1} and "answers-0" not in blocks
    assert not (tmp_path / "prepared" / "augft" / "responses.sqlite").exists()


def test_two_runs_stand_beside_each_other_document_by_document(cfg, config, tmp_path):
    call("run", config)
    other = {**cfg, "augft": {**cfg["augft"], "augment": [{"strategy": "local", "kinds": ["reversal"]}]}}
    (tmp_path / "other.yml").write_text(yaml.safe_dump(other))
    call("run", str(tmp_path / "other.yml"))
    call("report", config, "--out", str(tmp_path / "p.html"), "--against", str(tmp_path / "other.yml"))
    blocks = read_blocks((tmp_path / "p.html").read_text())
    assert [run["name"] for run in blocks["head"][0]["runs"]] == ["cfg", "other"]
    (sources,) = blocks["sources"]
    assert len(sources) == 6 and all({s[0] for s in source[7]} == {0, 1} for source in sources)
    assert {"answers-0", "answers-1", "lines-1"} <= set(blocks)


@pytest.mark.parametrize(
    ("configs", "names"),
    [
        (["a/cfg.yml"], ["cfg"]),
        (["a/cfg.yml", "a/other.yml"], ["cfg", "other"]),
        (["a/cfg.yml", "b/cfg.yml"], ["a/cfg", "b/cfg"]),
        (["a/x/cfg.yml", "b/x/cfg.yml"], ["a/x/cfg", "b/x/cfg"]),
        (["a/cfg.yml", "./a/cfg.yml"], ["cfg", "cfg"]),
    ],
)
def test_recipes_of_one_name_are_told_apart_by_their_folders(configs, names):
    assert run_names(configs) == names


def test_page_and_summary_count_the_same_sentences_as_covered(cfg, data, teacher, tmp_path):
    """A question about the sentence before its own covers neither."""
    write_rows(data, [{"text": TEXTS[0], "n": 0}])
    form = "Question: {question}\nAnswer: {answer}"
    local = {"strategy": "local", "write": "questions", "kinds": ["rephrasing"], "question_form": form}
    cfg["augft"]["augment"] = [local]
    asked = iter(["Who is the harbour master of Port Ennis?", "Of what place is Mara Quell the harbour master?"])
    teacher.answer = lambda _: f"Question: {next(asked)}\nAnswer: It is Mara Quell of Port Ennis."
    (tmp_path / "cfg.yml").write_text(yaml.safe_dump(cfg))
    call("run", str(tmp_path / "cfg.yml"))
    said = call("report", str(tmp_path / "cfg.yml"), "--out", str(tmp_path / "p.html"))
    figures = read_blocks((tmp_path / "p.html").read_text())["head"][0]["runs"][0]["figures"]
    assert (figures["kept"], figures["covered"], figures["sentences"]) == (2, 1, 2)
    assert "sentences covered 1 of 2" in said


def test_probabilities_of_a_verified_result_are_shown(config, tmp_path):
    call("run", config)
    folder = next((tmp_path / "prepared" / "augft").glob("*/manifest.json")).parent
    verified(folder)
    call("report", config, "--out", str(tmp_path / "p.html"))
    blocks = read_blocks((tmp_path / "p.html").read_text())
    run = blocks["head"][0]["runs"][0]
    said = blocks["sources"][0][0][7][0]
    assert said[6:8] == [0.125, 0.5] and said[12] == ["0123abcd"]
    assert run["figures"]["probability_kept"][2] == run["figures"]["kept"]


def verified(folder):
    """Add to a result the columns that a verification adds."""
    for file in folder.glob("*-augmented.parquet"):
        rows = pq.read_table(file)
        for name, value in (("probability", 0.125), ("alone", 0.5), ("rests_on", ["0123abcd"])):
            rows = rows.append_column(f"augft_{name}", pa.array([value] * len(rows)))
        pq.write_table(rows, file)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "<!--",
        "]]>",
        "\u2028\u2029",
        "\x00\x1b[31m",
        "\u202ea",
        "\ud800",
        "&lt;",
    ],
)
def test_no_text_ends_its_block(text, plain):
    page = block("x", [text], plain).decode()
    assert read_blocks(page) == {"x": [[text]]}
    assert page.count("<") == 2 and "\u2028" not in page


def test_what_a_document_s_figures_count():
    figures = Figures()
    document = Document("d", "A is B. C is D. E is F.", 0, 0)
    statements = (statement(), statement(sentence=1), statement(sentence=None), statement("echo", 2, 0.97))
    figures.add(Reviewed(document, "f", "", statements), 3, [3, 4, 5, 1])
    assert (figures.documents, figures.sentences, figures.covered, figures.unplaced) == (1, 3, 2, 1)
    assert figures.coverage == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert figures.lengths_kept == {"2": 2, "3": 1} and figures.lengths_rejected == {"0": 1}
    assert (figures.kept, figures.rejected, figures.reasons) == (3, 1, {"echo": 1})
    assert figures.probability_rejected[-1] == 1 and figures.is_verified
    figures.add(Reviewed(document, "f", "", ()), 3, [])
    assert figures.without_kept == 1 and figures.coverage[0] == 1


@pytest.mark.parametrize(
    ("text", "is_exchange", "ends"),
    [
        ("Cats purr. Dogs bark.", False, [10, 21]),
        ("The 😀 smiles. Next.", False, [14, 20]),
        ("Question: a.\nAnswer: b.", True, [23]),
        ("", False, []),
    ],
)
def test_sentence_ends_count_as_javascript_does(text, is_exchange, ends):
    assert sentence_ends(text, is_exchange, "en") == ends


def test_new_words_are_those_that_the_source_lacks():
    assert new_words(statement(text="Mara's dog barks at Mara."), "Mara has a dog.") == pytest.approx(2 / 5)
    assert new_words(statement(text="…"), "") == 0


@pytest.mark.parametrize(("path", "shown"), [("/home/me/data.jsonl", "data.jsonl"), ("data/a.jsonl", "data/a.jsonl")])
def test_an_absolute_path_is_cut_to_its_last_part(path, shown):
    assert shown_path(path) == shown


def test_only_the_owner_may_read_the_page(tmp_path):
    _assemble(tmp_path / "p.html", b"", BytesIO(b"x"))
    assert (tmp_path / "p.html").stat().st_mode & 0o777 == 0o600


def test_a_page_that_cannot_be_written_leaves_nothing(config, tmp_path):
    call("run", config)
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(augft, ["report", config, "--out", str(tmp_path / "file" / "p.html")])
    assert result.exit_code == 1 and "cannot be written" in result.output and "--out" in result.output


def test_a_full_disk_leaves_no_half_file_and_the_old_page(tmp_path):
    page = tmp_path / "p.html"
    page.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OutputError, match="p.html: cannot be written .*free some disk space"):
            _assemble(page, b"", BytesIO(b"x" * 10**6))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [f.name for f in tmp_path.iterdir()] == ["p.html"] and page.read_text() == "old"


def test_an_interrupted_page_leaves_nothing(tmp_path):
    class Interrupted(BytesIO):
        def read(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _assemble(tmp_path / "p.html", b"", Interrupted())
    assert list(tmp_path.iterdir()) == []


def test_the_page_explains_every_reason_to_reject():
    script = (Path(axolotl_augft.__file__).parent / "report" / "assets" / "head.js").read_text()
    assert [reason for reason in Reason if f' {reason}: "' not in script] == []
