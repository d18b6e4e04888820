import json

import pytest

from axolotl_augft.errors import ConfigError
from axolotl_augft.examples import FittingExamples, FixedExamples, form_tokens, load_pool, with_kinds

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


def test_form_masks_names_and_numbers():
    assert form_tokens("The Tarn 2 is lighter than Old Bess.")[:8] == ["the", "<name>", "<number>", "is", "lighter", "than", "<name>", "."]
    assert form_tokens("Mara Quell leads.")[:3] == ["<name>", "leads", "."]


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
    chosen = FittingExamples(POOL, 4).choose([sentence])
    assert len(chosen) == 4
    assert relation in {e.relation for e in chosen}
    assert list(chosen) == sorted(chosen, key=POOL.index)


def test_comparisons_get_only_comparisons():
    chosen = FittingExamples(POOL, 3).choose(["Cats are more curious than dogs."])
    assert {e.relation for e in chosen} == {"comparison"}


def test_fitting_is_deterministic_and_serves_each_sentence():
    choose = FittingExamples(POOL, 4).choose
    both = ["Cats are more curious than dogs.", "If the lamp blinks, the valve must be closed."]
    assert choose(both) == FittingExamples(POOL, 4).choose(both)
    assert {"comparison", "rule"} <= {e.relation for e in choose(both)}


def test_fixed_examples_are_the_same_for_all():
    fixed = FixedExamples(POOL, 4)
    assert fixed.choose(["A."]) == fixed.choose(["No valve is a pump."])
    assert len({e.relation for e in fixed.choose(["A."])}) == 4


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
        ("", "no example in it"),
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
