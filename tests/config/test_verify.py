"""The `verify:` block: its short forms, and what is wrong with it in one line."""

import pytest

from axolotl_augft.config.parsing import parse_augft
from axolotl_augft.errors import ConfigError


def verify(value):
    return parse_augft({"verify": value}).verify


@pytest.mark.parametrize(
    ("short", "settings"),
    [
        ("teacher", {}),
        ("names", {"method": "names"}),
        ({}, {}),
        ({"by": "teacher"}, {}),
        ({"by": "org/judge"}, {"by": {"model": "org/judge"}}),
        ({"by": {"model": "org/judge"}, "votes": 3}, {"by": {"model": "org/judge"}, "votes": 3}),
    ],
)
def test_short_forms(short, settings):
    assert verify(short).model_dump(exclude_defaults=True) == settings


def test_no_check():
    assert verify("none") is None and parse_augft({}).verify is None


@pytest.mark.parametrize(
    "value",
    [
        "names",
        {"by": "org/judge", "method": "entailment", "entailment_label": 0},
        {"by": {"base_url": "http://localhost:1/v1", "model": "judge"}, "threshold": 0.7},
    ],
)
def test_a_block_survives_being_dumped_and_read_again(value):
    first = parse_augft({"verify": value})
    assert parse_augft(first.model_dump(mode="json")).verify == first.verify


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("techer", "augft.verify: must be none, names, teacher or a block, got 'techer'"),
        (["names"], "augft.verify: must be none, names, teacher or a block, got ['names']"),
        (
            {"precision": 1},
            "augft.verify.precision: must be below 1, got 1: no verifier is certain; write 0.95, or",
        ),
        ({"precision": 0.9, "threshold": 0.5}, "augft.verify: precision and threshold exclude each other; keep one"),
        ({"precison": 0.9}, "augft.verify.precison: unknown key; did you mean 'precision'?"),
        ({"method": "names", "votes": 3}, "augft.verify: method names asks no model, so it takes no further settings"),
        (
            {"method": "entailment"},
            "augft.verify: method entailment needs a model that is trained for it; name it in by",
        ),
        (
            {"method": "entailment", "by": {"model": "m", "base_url": "http://localhost:1/v1"}},
            "augft.verify: method entailment runs the model itself, so by is its name or folder only; remove by.ba",
        ),
        (
            {"method": "entailment", "by": "org/judge", "contradictions": True},
            "augft.verify: contradictions cannot be asked of an entailment model; remove it, or take method auto",
        ),
        (
            {"entailment_label": 1},
            "augft.verify: entailment_label is for method entailment; remove it, or set the method",
        ),
        (
            {"by": {"base_url": "http://localhost:1/v1"}},
            "augft.verify: by names no model; set by.model, or leave by out",
        ),
        ({"by": "none"}, "augft.verify: by must name a model, got 'none'; `verify: none` stands alone"),
        ({"threshold": 1.5}, "augft.verify.threshold: input should be less than or equal to 1, got 1.5"),
        ({"by": {"model": "m", "api_key": "x"}}, "augft.verify.by"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(value, message):
    with pytest.raises(ConfigError) as caught:
        verify(value)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
