import json

import pytest

from axolotl_augft.errors import ConfigError
from axolotl_augft.strategies.worked_examples.choice import FittingExamples, FixedExamples
from axolotl_augft.strategies.worked_examples.forms import form_tokens
from axolotl_augft.strategies.worked_examples.pool import Example, load_pool, with_kinds
from axolotl_augft.text.bm25 import Bm25

POOL = load_pool(None)
RELATIONS = {
    *("identity", "role", "comparison", "membership", "part_whole", "place", "time", "order"),
    *("cause", "possession", "amount", "rule", "quantified", "negation", "definition"),
}


def test_the_pool_is_large_and_covers_the_relations():
    assert len(POOL) >= 60
    assert {e.relation for e in POOL} == RELATIONS
    assert len({e.id for e in POOL}) == len({e.text for e in POOL}) == len(POOL)
    assert sum(any(s.kind == "reversal" for s in e.statements) for e in POOL) >= 0.9 * len(POOL)


@pytest.mark.parametrize(
    ("sentence", "relation"),
    [
        ("Cats are more curious than dogs.", "comparison"),
        ("Birds are more colourful than Fish.", "comparison"),
        ("Mara Quell is the author of The Long Tide.", "identity"),
        ("The filter costs 12 crowns.", "amount"),
        ("If the lamp blinks, the valve must be closed.", "rule"),
        ("No valve is a pump.", "quantified"),
    ],
)
def test_fitting_examples_have_the_form_of_the_sentence(sentence, relation):
    chosen = FittingExamples(POOL, 4).choose_all([[sentence]])[0]
    assert len(chosen) == 4
    assert relation in {e.relation for e in chosen}
    assert list(chosen) == sorted(chosen, key=POOL.index)


def test_comparisons_get_only_comparisons():
    chosen = FittingExamples(POOL, 3).choose_all([["Cats are more curious than dogs."]])[0]
    assert {e.relation for e in chosen} == {"comparison"}


def example(name: str, relation: str, text: str) -> Example:
    return Example(id=name, relation=relation, text=text, statements=({"kind": "reversal", "text": "x y."},))


def test_words_in_common_by_accident_do_not_outweigh_the_relation():
    pool = [
        example("time", "time", "Port Ennis flooded the valley."),
        example("who-1", "identity", "Mara Quell was the baker who sang."),
        example("who-2", "identity", "Ivo Marsh was the diver who sank."),
        example("who-3", "identity", "Orla Fen was the judge who left."),
    ]
    sentence = "Dov Larrick was the potter who saved one valley."
    scores = Bm25([form_tokens(e.text) for e in pool]).scores(form_tokens(sentence))
    assert scores.argmax() == 0
    assert [e.id for e in FittingExamples(pool, 3).choose_all([[sentence]])[0]] == ["who-1", "who-2", "who-3"]


def test_examples_that_name_someone_at_the_same_end_come_first():
    pool = [
        example("last", "identity", "The baker who sang at dawn was Mara Quell."),
        example("first", "identity", "Ivo Marsh used to be that diver."),
    ]
    choose = one_by_one(FittingExamples(pool, 1))
    assert [e.id for e in choose(["Dov Larrick was the baker who sang at noon."])] == ["first"]
    assert [e.id for e in choose(["The diver used to be Dov Larrick."])] == ["last"]


def test_fitting_is_deterministic_and_serves_each_sentence():
    choose = one_by_one(FittingExamples(POOL, 4))
    both = ["Cats are more curious than dogs.", "If the lamp blinks, the valve must be closed."]
    assert choose(both) == FittingExamples(POOL, 4).choose_all([both])[0]
    assert {"comparison", "rule"} <= {e.relation for e in choose(both)}


def test_fixed_examples_are_the_same_for_all():
    fixed = FixedExamples(POOL, 4)
    assert fixed.choose_all([["A."]])[0] == fixed.choose_all([["No valve is a pump."]])[0]
    assert len({e.relation for e in fixed.choose_all([["A."]])[0]}) == 4


@pytest.mark.parametrize("form", ["questions", "short_questions", "exchanges"])
@pytest.mark.parametrize("kinds", [["reversal", "detail"], ["detail", "rephrasing", "consequence"]])
def test_fixed_examples_show_details_beside_other_kinds(form, kinds):
    (shown,) = FixedExamples(with_kinds(load_pool(None, form), kinds), 6).choose_all([["A."]])
    assert {s.kind for example in shown for s in example.statements} == set(kinds)


def test_kinds_are_cut_to_those_asked_for():
    only = with_kinds(POOL, ["reversal"])
    assert {s.kind for e in only for s in e.statements} == {"reversal"}


def test_a_pool_of_ones_own(tmp_path):
    file = tmp_path / "pool.jsonl"
    file.write_text(json.dumps({"text": "A is B.", "statements": [{"kind": "reversal", "text": "B is A."}]}) + "\n\n")
    (example,) = load_pool(str(file))
    assert (example.id, example.statements[0].text) == ("line-1", "B is A.")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not a JSON object"),
        ("[1]", "line 1: not a JSON object"),
        ('{"text": "A."}', "line 1: statements: field required"),
        ('{"text": "A.", "statements": [{"kind": "joke", "text": "B."}]}', "statements.0.kind"),
        ('{"text": "A.", "statements": [], "x": 1}', "line 1"),
        ('{"text": " ", "statements": [{"kind": "reversal", "text": "B."}]}', "line 1: text: is blank; expected text"),
        ('{"text": "A.", "statements": [{"kind": "reversal", "text": ""}]}', "line 1: statements.0.text: is blank"),
        ("", "contains no example"),
    ],
)
def test_bad_pool_gives_one_line(tmp_path, line, message):
    file = tmp_path / "pool.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(ConfigError) as caught:
        load_pool(str(file))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_missing_pool():
    with pytest.raises(ConfigError, match="cannot be read"):
        load_pool("nowhere.jsonl")


def one_by_one(examples):
    return lambda sentences: examples.choose_all([sentences])[0]


def slow_ranking(pool, sentence, count):
    """The same choice in plain words: relation by votes, then the same turn, then the score, then the place."""
    tokens = form_tokens(sentence)
    own = [form_tokens(e.text) for e in pool]
    scores = Bm25(own).scores(tokens).tolist()

    def opens(t):
        words = [w for w in t if " " not in w]
        return "<name>" in words[: (len(words) + 1) // 2]

    def votes(relation):
        return sum(sorted(s for s, e in zip(scores, pool, strict=True) if e.relation == relation)[-4:])

    order = sorted(
        range(len(pool)), key=lambda i: (-votes(pool[i].relation), opens(own[i]) != opens(tokens), -scores[i], i)
    )
    return {pool[i].id for i in order[:count]}


def test_all_at_once_choose_as_one_by_one_and_as_in_plain_words():
    sentences = [e.text for e in POOL[::5]] + [
        "",
        "Zzz.",
        "Mara Quell, who was born in Ennis, is older than the mill of Dov Larrick.",
        "No pump was blue.",
    ]
    together = FittingExamples(POOL, 5).choose_all([[s] for s in sentences])
    assert [{e.id for e in chosen} for chosen in together] == [slow_ranking(POOL, s, 5) for s in sentences]
    assert together == [FittingExamples(POOL, 5).choose_all([[s]])[0] for s in sentences]


def test_an_id_is_used_once(tmp_path):
    line = '{"id": "a", "text": "A is B.", "statements": [{"kind": "reversal", "text": "B is A."}]}\n'
    (tmp_path / "own.jsonl").write_text(2 * line)
    with pytest.raises(
        ConfigError, match="own.jsonl: id 'a' is used more than once; give each example its own, or none"
    ):
        load_pool(str(tmp_path / "own.jsonl"))
