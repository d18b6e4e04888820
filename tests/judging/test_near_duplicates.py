import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from axolotl_augft.judging import near_duplicates
from axolotl_augft.judging.near_duplicates import NearDuplicates, Repeats
from axolotl_augft.judging.pipeline import without_repeats
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.text.sentences import split_sentences
from axolotl_augft.text.wording import wording
from tests.judging.test_rules import TASK

PAIRS = [json.loads(line) for line in Path(__file__).with_name("near_pairs.jsonl").read_text().splitlines()]
SOURCE = (
    "The Mill House is older than the Gull Street building. All spare parts for the Tarn 1 are stored in Shed Four."
)
NEAR = Repeats.STATEMENT_BUT_FOR_ONE_WORD
PROBABILITY = {"yes": 0.9, "unsaid": 0.5, "no": 0.1}


def repeats(*statements, sources=(), premises=(), language="en"):
    """What each statement (text, probability) repeats."""
    found = NearDuplicates(sources, language)
    for position, (text, probability) in enumerate(statements):
        found.add(position, text, probability, premises)
    return [found.repeats(position) for position in range(len(statements))]


@pytest.mark.parametrize(
    ("statements", "kept"),
    [
        ([("A mill is old.", None), ("The mill is old!", None), ("The mill is  OLD", None)], [0]),
        ([("A mill is old.", 0.5), ("The mill is old.", 0.9)], [1]),
        ([("A mill is old.", 0.5), ("The mill is old.", 0.5)], [0]),
        ([("A mill is old.", None), ("The mill is old.", 0.1)], [1]),
        ([("A mill is old.", 0.3), ("The mill is not old.", 0.9), ("An old mill is it.", 0.2)], [0, 1, 2]),
    ],
)
def test_the_most_probable_of_a_wording_is_kept_else_the_first(statements, kept):
    assert [i for i, found in enumerate(repeats(*statements)) if found is None] == kept


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "Mill House is older than the Gull Street building.",
            "The Gull Street building is older than the Mill House.",
        ),
        ("The old Mill House in Pellwick is tall.", "The old Mill House in Pellwick is not tall."),
        ("The old Mill House in Pellwick is tall.", "The old Mill House in Pellwick isn't tall."),
        ("The old Mill House in Pellwick has 12 rooms.", "The old Mill House in Pellwick has 13 rooms."),
        ("The old Mill House belongs to Orla Fenwick.", "The old Mill House belongs to Orla Marsh."),
        ("Orla runs the old Mill House in Pellwick.", "Ivo runs the old Mill House in Pellwick."),
        ("The old Mill House stands in Pellwick today.", "The old Mill House stands today in Pellwick."),
        ("The old Mill House has tall doors.", "The old Mill House has tall green doors."),
        ("Mills are very tall.", "Mills are very old."),
        ("राम पुराने घर में आज भी रहता है।", "श्याम पुराने घर में आज भी रहता है।"),
    ],
)
def test_what_is_never_taken_for_the_same(first, second):
    assert repeats((first, 0.9), (second, 0.8)) == [None, None]


def test_one_other_word_that_the_sources_lack_leaves_the_more_probable_statement():
    stored = "All spare parts for the Tarn 1 are stored in Shed Four today."
    located = stored.replace("stored", "located")
    premises = (SOURCE,)
    assert repeats((stored, 0.7), (located, 0.8), premises=premises) == [NEAR, None]
    assert repeats((stored, 0.8), (located, 0.7), premises=premises) == [None, NEAR]
    assert repeats((stored, None), (located, None), premises=premises) == [None, None]
    assert repeats((stored, 0.8), (located, None), premises=premises) == [None, None]


def test_two_words_that_the_sources_tell_apart_make_two_statements():
    premises = ("Some species are simultaneous hermaphrodites.", "Some species are sequential hermaphrodites.")
    statements = [
        (f"There are species that are {word} hermaphrodites.", 0.9) for word in ("simultaneous", "sequential")
    ]
    assert repeats(*statements, premises=premises) == [None, None]
    assert repeats(*statements, premises=premises[:1]) == [None, NEAR]


def test_a_long_text_is_a_repetition_only_in_the_same_words():
    first = "In the old mill " + "corn is ground and " * 10 + "bread is baked."
    assert repeats((first, 0.9), (first.replace("baked", "made"), 0.8)) == [None, None]
    assert repeats((first, 0.9), (first.replace("the", "an"), 0.8)) == [None, Repeats.STATEMENT]


def test_a_chain_keeps_what_differs_from_all_that_is_kept():
    texts = ["The old mill gives flour to all.", "The old mill sells flour to all.", "The old mill sells bread to all."]
    low, high, middle = 0.6, 0.9, 0.7
    assert repeats(*zip(texts, (high, low, middle), strict=True)) == [None, NEAR, None]
    assert repeats(*zip(texts, (low, high, middle), strict=True)) == [NEAR, None, NEAR]


@pytest.mark.parametrize(
    ("text", "probability", "found"),
    [
        ("Mill House is older than a Gull Street building!", None, Repeats.SOURCE),
        ("The Mill House is older than the Gull Street building; that is so.", None, None),
        ("All spare parts for the Tarn 1 are located in Shed Four.", 0.9, Repeats.SOURCE),
        ("All spare parts for the Tarn 1 are located in Shed Four.", None, None),
        ("All spare parts for the Tarn 2 are stored in Shed Four.", 0.9, None),
        ("The Gull Street building is older than the Mill House.", 0.9, None),
        ("All spare parts for the Tarn 1 are stored in Shed Four. The Mill House is older than Gull Street building.",
         None, Repeats.SOURCE),
        ("Port Ennis is in the north.", None, Repeats.SOURCE),
    ],
)  # fmt: skip
def test_near_copies_of_source_sentences(text, probability, found):
    sources = [SOURCE, "Hello. Port Ennis is in the north."]
    assert repeats((text, probability), sources=sources, premises=(SOURCE,)) == [found]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: p["first"][:40])
def test_pairs_of_a_teachers_statements(pair):
    first, second = pair["first"], pair["second"]
    probabilities = [PROBABILITY[verdict] for verdict in pair["follows"]]
    found = repeats((first, probabilities[0]), (second, probabilities[1]), premises=(pair["source"],))
    if None not in found or NEAR in found:
        assert pair["same"] or pair["follows"] != ["yes", "yes"]
    unverified = repeats((first, None), (second, None), premises=(pair["source"],))
    assert (Repeats.STATEMENT in unverified) == (pair["same"] and wording(first) == wording(second))


def test_how_many_of_these_pairs_are_found():
    found = []
    for pair in PAIRS:
        statements = zip((pair["first"], pair["second"]), map(PROBABILITY.get, pair["follows"]), strict=True)
        if set(repeats(*statements, premises=(pair["source"],))) & {NEAR, Repeats.STATEMENT}:
            found.append(pair)
    assert [p["same"] for p in found].count(True) == 4
    assert [p["follows"] for p in found if not p["same"]].count(["yes", "yes"]) == 0


def test_the_outcome_is_that_of_every_pair_compared():
    draw = random.Random(1)
    words = ["big", "red", "old", "new"]
    statements = [
        (f"In Ennis the {draw.choice(words)} mill is {draw.choice(words)} and {draw.choice(words)}.", draw.random())
        for _ in range(60)
    ]
    found = repeats(*statements)
    kept, seen = [], []
    for position in sorted(range(60), key=lambda i: -statements[i][1]):
        mine = wording(statements[position][0]).split()
        if all(sum(a != b for a, b in zip(mine, other, strict=True)) > 1 for other in kept):
            assert found[position] is None
            kept.append(mine)
        else:
            assert found[position] is (Repeats.STATEMENT if mine in seen else NEAR)
        seen.append(mine)
    assert 3 < len(kept) < 30


def test_inferences_are_rejected_by_what_they_repeat():
    task = replace(TASK, premises=(SOURCE,))
    written = [
        ("All spare parts for the Tarn 1 are located in Shed Four.", 0.9, None, Reason.NEAR_DUPLICATE),
        ("In Shed Four all spare parts for the Tarn 1 are stored.", 0.8, None, None),
        ("In Shed Four all spare parts for the Tarn 1 are kept.", 0.7, None, Reason.NEAR_DUPLICATE),
        ("In Shed Four, all spare parts for the Tarn 1 are stored!", 0.6, None, Reason.DUPLICATE),
        ("In Shed Four all spare parts for the Tarn 1 are lost.", 0.9, Reason.UNSUPPORTED, Reason.UNSUPPORTED),
    ]
    judged = [Judged(task, Inference(text, "statement"), reason, p) for text, p, reason, _ in written]
    found = list(without_repeats(lambda: iter(judged), [SOURCE], "en"))
    assert [j.rejected for j in found] == [reason for *_, reason in written]
    assert [j.probability for j in found] == [p for _, p, *_ in written]


def test_long_premises_are_compared_once_wherever_the_statements_about_them_stand(monkeypatch):
    premises = [
        ("The pump of the mill is old and leaks a little.",),
        ("The valve of the ship is new and never leaks.",),
    ]
    statements = [
        "The pump of the mill is old and leaks a bit.",
        "The valve of the ship is new and never drips.",
        "A tide.",
    ]

    def verdicts() -> list[Repeats | None]:
        found = NearDuplicates()
        for position in range(12):
            found.add(position, statements[position % 3], 0.9, premises[position % 2])
        return [found.repeats(position) for position in range(12)]

    expected, read = verdicts(), []

    def split(text: str, language: str) -> list[str]:
        read.append(text)
        return split_sentences(text, language)

    monkeypatch.setattr(near_duplicates, "split_sentences", split)
    for name in ("_LONG", "_REMEMBERED", "_REMEMBERED_BYTES"):
        monkeypatch.setattr(near_duplicates, name, 0)
    assert verdicts() == expected and Repeats.SOURCE in expected and None in expected
    assert [read.count(texts[0]) for texts in premises] == [1, 1]
