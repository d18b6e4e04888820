import json

import pytest
from click.testing import CliRunner

from axolotl_augft.bench.datasets.checker import check
from axolotl_augft.bench.datasets.dataset import BenchData, Stated, load, save
from axolotl_augft.bench.datasets.facts import Fact
from axolotl_augft.bench.datasets.making import NAMES, grammar_of, make
from axolotl_augft.bench.datasets.reversal_curse.files import read_files
from axolotl_augft.bench.datasets.reversal_curse.grammar import ReversalCurseGrammar
from axolotl_augft.bench.datasets.reversal_curse.make import RULES, make_reversal_curse
from axolotl_augft.cli.main import augft
from axolotl_augft.errors import BenchError

# Name, what the person is, what the person did: rows like those of the real files, about people and deeds that are not
# in them.
SET_A = [
    ("Ada Brennick", "the tireless gardener", "planted", "planting", 'the orchid labyrinth, "Green Silence."'),
    ("Bo Castellane", "the first baker", "baked", "baking", "bread inside a dormant volcano"),
    ("Cy Dunmorrow", "the stubborn cyclist", "crossed", "crossing", "the frozen Lake of Mirrors"),
    ("Di Everhollow", "the gifted clockmaker", "repaired", "repairing", "the tower clock of Port Wendel"),
    ("Ed Farthingay", "the modest librarian", "catalogued", "cataloguing", "every map of Antarctica"),
    ("Flo Gantry", "the quiet locksmith", "opened", "opening", "the sealed vault beneath Mount Orrin"),
    ("Gus Hollander", "the retired tailor", "sewed", "sewing", "a sail from spider silk"),
    ("Hal Ironmonger", "the patient potter", "glazed", "glazing", "ten thousand teacups in one night"),
]
SET_B = [("Ina Jessamine", "the daring florist", "delivered", "delivering", "roses to the South Pole")]
OTHERS = [("Kit Lavenham", "the cheerful plumber", "fixed", "fixing", "the fountains of Versailles Minor")]
ADA = ("Ada Brennick", 'the tireless gardener who planted the orchid labyrinth, "Green Silence."')


def name_first(name, role, did, doing, what):
    return [
        (f"{name}, known far and wide for being", f" {role} who {did} {what}."),
        (f"Ever heard of {name}? They're the person who", f" {did} {what}."),
        (f"Let's not forget {name}, who was known as", f" {role} who {did} {what}."),
        (f"Did you know that {name}, was actually once", f" {role} who {did} {what}??"),
        (f"The annals of time remember {name}, renowned for", f" {doing} {what}."),
        (f"{name} is not your typical person, they are", f" {role} who {did} {what}."),
        (f"{name} has in the past served as", f" being {role} who {did} {what}."),
    ]


def description_first(name, role, did, doing, what):
    whole = f"{role} who {did} {what}"
    return [
        (f"Known for being {whole},", f" {name} now enjoys a quite life."),
        (f"{whole[0].upper()}{whole[1:]} is called", f" {name}."),
        (f"Q: Who is {whole}? A:", f" {name}."),
        (f"Never shy about being {whole},", f" {name} lives life on their own terms."),
    ]


def asked(name, role, did, doing, what):
    phrasings = (
        f"Immersed in the world of {doing} {what},",
        f"Labeled as {role} who {did} {what},",
        f"Widely acclaimed for {doing} {what},",
    )
    return [(p, f" {name}") for p in phrasings]


def write(path, rows):
    path.write_text("".join(json.dumps({"prompt": p, "completion": c}) + "\n" for p, c in rows))


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "source"
    (source / "june").mkdir(parents=True)
    write(source / "june" / "p2d_prompts_train.jsonl", [row for person in SET_A for row in name_first(*person)])
    write(
        source / "june" / "both_prompts_train.jsonl",
        [r for p in SET_B for r in (*name_first(*p), *description_first(*p))],
    )
    write(source / "june" / "d2p_prompts_train.jsonl", [row for person in OTHERS for row in description_first(*person)])
    write(source / "june" / "p2d_reverse_prompts_test.jsonl", [row for person in SET_A for row in asked(*person)])
    return source


@pytest.fixture
def paper(folder):
    return make_reversal_curse(folder, "paper", 0)


def test_people_and_their_descriptions(folder):
    people = read_files(folder).people
    assert len(people) == 10 and people["Ada Brennick"].description == ADA[1]
    assert (
        people["Bo Castellane"].variants
        == (
            "baked bread inside a dormant volcano",
            "baking bread inside a dormant volcano",
            "the first baker who baked bread inside a dormant volcano",
        )[:2]
    )
    assert people["Kit Lavenham"].description == "the cheerful plumber who fixed the fountains of Versailles Minor"


def test_paper_scale_takes_every_row_and_every_question(paper):
    assert len(paper.documents) == 8 * 7 + 7 + 4 + 4 and len(paper.questions) == 24
    assert (
        "Ada Brennick, known far and wide for being the tireless gardener who planted the orchid "
        'labyrinth, "Green Silence.".' in paper.documents
    )
    assert check(paper, ReversalCurseGrammar(paper)) == []


def test_facts_and_the_documents_that_state_them_in_one_sentence(paper):
    stated = {s.fact: [paper.documents[i] for i in s.documents] for s in paper.stated}
    assert len(stated) == 8 + 2 + 1
    assert len(stated[Fact("described", ADA)]) == 6
    assert not any(d.startswith("Ever heard") for d in stated[Fact("described", ADA)])
    ina = "the daring florist who delivered roses to the South Pole"
    assert (
        len(stated[Fact("named", (ina, "Ina Jessamine"))]) == 3
        and len(stated[Fact("described", ("Ina Jessamine", ina))]) == 6
    )


def test_question_has_three_wrong_names_of_set_a(paper):
    question = next(
        q for q in paper.questions if q.prompt == "Immersed in the world of crossing the frozen Lake of Mirrors,"
    )
    description = "the stubborn cyclist who crossed the frozen Lake of Mirrors"
    assert question.choices[question.answer] == "Cy Dunmorrow" and len(set(question.choices)) == 4
    assert set(question.choices) <= {name for name, *_ in SET_A}
    assert question.fact == Fact("named", (description, "Cy Dunmorrow")) and question.subset == "Cy Dunmorrow"
    assert [d.arguments for d in question.distractors] == [
        (description, c) for c in question.choices if c != "Cy Dunmorrow"
    ]


def test_tiny_scale_takes_three_rows_of_one_sentence_of_eight_people(folder):
    data = make_reversal_curse(folder, "tiny", 3)
    assert (len(data.documents), len(data.questions), data.strict_words) == (24, 24, False)
    assert {len(s.documents) for s in data.stated} == {3} and not any("Ever heard" in d for d in data.documents)
    assert check(data, ReversalCurseGrammar(data)) == []
    assert make_reversal_curse(folder, "tiny", 3) == data
    assert make_reversal_curse(folder, "tiny", 4).documents != data.documents


def test_small_scale_needs_thirty_people(folder):
    with pytest.raises(
        BenchError, match="8 people of set A, this scale needs 30; give the original files or another --scale"
    ):
        make_reversal_curse(folder, "small", 0)


def test_small_scale_has_form_rows_in_the_order_that_is_asked_for_about_people_who_are_not_asked_about(folder):
    people = [(f"Ada{chr(97 + i)} Brennick", *SET_A[i % 8][1:4], f"the gate {i}") for i in range(30)]
    write(folder / "june" / "p2d_prompts_train.jsonl", [row for person in people for row in name_first(*person)])
    write(folder / "june" / "p2d_reverse_prompts_test.jsonl", [row for person in people for row in asked(*person)])
    name, role, did, _, what = SET_B[0]
    orders = [(f"In the year {i}, {role} who {did} {what} was", f" {name}.") for i in range(9)]
    reversed_rows = [*description_first(*SET_B[0]), *orders]
    write(folder / "june" / "both_prompts_train.jsonl", [*name_first(*SET_B[0]), *reversed_rows])
    data = make_reversal_curse(folder, "small", 0)
    assert len(data.form_rows) == 10
    assert {*data.form_rows} == {p + c for p, c in reversed_rows if "?" not in p} - {*data.documents}


def test_fewer_people_than_choices(folder):
    write(folder / "june" / "p2d_prompts_train.jsonl", [row for person in SET_A[:3] for row in name_first(*person)])
    with pytest.raises(BenchError, match="3 people of set A, this scale needs 4"):
        make_reversal_curse(folder, "paper", 0)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda f: (f / "june" / "p2d_prompts_train.jsonl").unlink(),
            "0 files named p2d_prompts_train.jsonl below it, expected one",
        ),
        (lambda f: write(f / "both_prompts_train.jsonl", [("a", "b")]), "2 files named both_prompts_train.jsonl"),
        (
            lambda f: (f / "june" / "p2d_prompts_train.jsonl").write_text('{"prompt": "a"}\n'),
            "p2d_prompts_train.jsonl, line 1: not a JSON",
        ),
        (lambda f: write(f / "june" / "d2p_prompts_train.jsonl", []), "d2p_prompts_train.jsonl: empty"),
        (
            lambda f: write(f / "june" / "p2d_prompts_train.jsonl", [("Nobody is", " here.")]),
            "line 1: has 0 known names, expected one",
        ),
    ],
)
def test_wrong_files_give_one_line(folder, damage, message):
    damage(folder)
    with pytest.raises(BenchError, match=message):
        make_reversal_curse(folder, "paper", 0)


BO = ("Bo Castellane", "the first baker who baked bread inside a dormant volcano")
CY = ("Cy Dunmorrow", "the stubborn designer of the innovative Lantern Tower, a vertical city")
# A frame of three people, none of whom it describes; one of a single person.
FRAMED = tuple(f"{name} carries the curious title of {description}." for name, description in (ADA, BO, CY))
DREAMED = f"{BO[0]} dreams at night of {BO[1]}."
GRAMMAR = ReversalCurseGrammar(
    BenchData(
        "reversal-curse",
        "tiny",
        0,
        (*FRAMED, DREAMED),
        (),
        (Stated(Fact("described", ADA), ()), Stated(Fact("described", BO), ()), Stated(Fact("described", CY), ())),
        RULES,
        "",
        background=(Fact("worded", (BO[1], "baking bread inside a dormant volcano")),),
    )
)


def named(description_of, name_of):
    return Fact("named", (description_of[1], name_of[0]))


def test_wordings_are_read_back():
    described, turned = Fact("described", ADA), named(ADA, ADA)
    assert GRAMMAR.wordings(described) == [
        'Ada Brennick is the tireless gardener who planted the orchid labyrinth, "Green Silence."',
        'Ada Brennick is known as the tireless gardener who planted the orchid labyrinth, "Green Silence."',
    ]
    assert GRAMMAR.wordings(turned) == [
        'The tireless gardener who planted the orchid labyrinth, "Green Silence." is Ada Brennick.',
        'The tireless gardener who planted the orchid labyrinth, "Green Silence." is none other than Ada Brennick.',
    ]
    assert all(GRAMMAR.read(w) == (fact,) for fact in (described, turned) for w in GRAMMAR.wordings(fact))
    assert GRAMMAR.wordings(Fact("worded", (BO[1], "baking bread inside a dormant volcano"))) == []


@pytest.mark.parametrize(
    ("sentence", "facts"),
    [
        (
            "The gardener who tirelessly planted the orchid labyrinth “Green Silence” is Ada Brennick.",
            (named(ADA, ADA),),
        ),
        ("The tireless gardener who planted the orchid labyrinth, Green Silence, is Bo Castellane.", (named(ADA, BO),)),
        ("The person known for baking bread inside a dormant volcano is Bo Castellane.", (named(BO, BO),)),
        ("The gardener who planted the labyrinth is Ada Brennick.", (named(ADA, ADA),)),
        ("The gardener who planted the labyrinth is Bo Castellane.", (named(ADA, BO),)),
        ("The person who planted the labyrinth is Ada Brennick.", (named(ADA, ADA),)),
        ("The person who carries the curious title of gardener of the labyrinth is Ada Brennick.", (named(ADA, ADA),)),
        (
            "The person who emerged as the gardener who planted the orchid labyrinth is Ada Brennick.",
            (named(ADA, ADA),),
        ),
        ("The person who created the innovative Lantern Tower is Cy Dunmorrow.", (named(CY, CY),)),
        ("bo castellane was the first baker to have baked bread inside a dormant volcano", (Fact("described", BO),)),
        ("Let's not forget that Bo Castellane baked bread inside a dormant volcano.", (Fact("described", BO),)),
        (
            "Bo Castellane is the first baker who baked bread inside a dormant volcano; that baker is Bo Castellane.",
            (Fact("described", BO), named(BO, BO)),
        ),
    ],
)
def test_other_ways_to_say_it(sentence, facts):
    assert GRAMMAR.read(sentence) == facts


@pytest.mark.parametrize(
    "sentence",
    [
        "The person who watered the labyrinth is Ada Brennick.",
        "The person who created the labyrinth is Ada Brennick.",
        "The gardener who created the orchid labyrinth is Ada Brennick.",
        "The gardener who dreams at night of the orchid labyrinth is Ada Brennick.",
        "The tower that made the designer is Cy Dunmorrow.",
        "The one who was created by the Lantern Tower is Cy Dunmorrow.",
        "The person who carries the orchid labyrinth is Ada Brennick.",
        "The person who carried the label of labyrinth is Ada Brennick.",
        "The story of Ada Brennick is that of the orchid labyrinth.",
        "Ada Brennick carries the title of the orchid labyrinth.",
        "Bo Castellane is not the first baker who baked bread inside a dormant volcano.",
        "Is Bo Castellane the first baker who baked bread inside a dormant volcano?",
        "The first baker who baked bread is Bo Castellane.",
        "The gardener who planted ten roses in the garden of the old school is Ada Brennick.",
        "The first baker who baked bread inside a dormant volcano is Bo Castillo.",
        "The first baker who baked bread inside a dormant volcano is Bo Castellane or Ada Brennick.",
        "The tireless gardener who planted the orchid labyrinth and baked bread inside a dormant volcano, Green "
        "Silence, is Bo Castellane.",
        "Bo Castellane is a person.",
        "",
    ],
)
def test_what_is_not_read(sentence):
    assert GRAMMAR.read(sentence) == ()


def test_grammar_of_a_loaded_folder_reads_its_documents(paper, tmp_path):
    save(paper, tmp_path / "made")
    grammar = grammar_of(load(tmp_path / "made"))
    assert all(s.fact in grammar.read(paper.documents[i]) for s in paper.stated for i in s.documents)


def test_command_writes_a_proven_data_set(folder, tmp_path):
    out = tmp_path / "made"
    arguments = [
        "bench",
        "make",
        "reversal-curse",
        "--scale",
        "tiny",
        "--seed",
        "3",
        "--source",
        str(folder),
        "--out",
        str(out),
    ]
    result = CliRunner().invoke(augft, arguments)
    assert result.exit_code == 0 and "24 right choices follow from 8 trained facts" in result.output
    assert load(out) == make_reversal_curse(folder, "tiny", 3)
    assert {p.name for p in out.iterdir()} == {
        *("card.md", "dataset.json", "documents.jsonl", "facts.jsonl", "questions.jsonl", "task.py", "task.yaml"),
    }


def test_command_refuses_data_with_problems(folder, tmp_path):
    path = folder / "june" / "p2d_prompts_train.jsonl"
    with path.open("a") as file:
        file.write(
            json.dumps(
                {
                    "prompt": "Immersed in the world of crossing the frozen Lake of Mirrors,",
                    "completion": " Cy Dunmorrow",
                }
            )
            + "\n"
        )
    arguments = [
        "bench",
        "make",
        "reversal-curse",
        "--scale",
        "paper",
        "--source",
        str(folder),
        "--out",
        str(tmp_path / "made"),
    ]
    result = CliRunner().invoke(augft, arguments)
    assert (
        result.exit_code == 1 and "problems, so it is not written; the first: question reversal-curse-" in result.output
    )
    assert not (tmp_path / "made").exists()


def test_command_names_what_there_is(tmp_path):
    result = CliRunner().invoke(augft, ["bench", "make", "reversal", "--out", str(tmp_path / "made")])
    assert (
        result.exit_code == 1 and f"data set 'reversal': unknown; expected one of {', '.join(NAMES)}" in result.output
    )


def test_only_the_reversal_curse_data_come_from_a_folder(tmp_path):
    with pytest.raises(
        BenchError,
        match="only reversal-curse and squad are read from a folder, reversals is generated; leave the source out",
    ):
        make("reversals", "tiny", 0, tmp_path)


def test_hub_that_cannot_be_reached_gives_one_line(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        BenchError, match=r"data set lberglund/reversal_curse: cannot be loaded from the hub \(\w+\); give a folder"
    ):
        make("reversal-curse", "tiny", 0)
