import json

import pytest

from axolotl_augft.teacher.entailment.pair import Pair, UnreadablePair, closed, opened, read_pair


@pytest.mark.parametrize(
    ("premise", "statement"),
    [
        ("Mara Quell leads the harbour.", "The harbour is led by Mara Quell."),
        ('"Quoted",\n\tand {"premise": 1}', 'A \\ and a "}'),
        ("Port Énnis, 港", "é\u2028"),
    ],
)
def test_a_prompt_is_read_as_it_was_written(premise, statement):
    prompt = opened(premise) + closed(statement)
    assert read_pair(prompt) == Pair(premise, statement)
    assert json.loads(prompt) == {"premise": premise, "statement": statement}


def test_statements_about_a_premise_share_its_beginning():
    assert opened("A.") + closed("B.") == '{"premise":"A.","statement":"B."}'


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        (None, "the prompt must be one text"),
        (["a"], "the prompt must be one text"),
        ("Is it so?", 'the prompt must be JSON: {"premise": "...", "statement": "..."}'),
        ('["premise", "statement"]', "the prompt must be a JSON object with the fields premise and statement"),
        ('{"premise": "a"}', "the prompt must be a JSON object with the fields premise and statement"),
        (
            '{"premise": "a", "statement": "b", "x": 1}',
            "the prompt must be a JSON object with the fields premise and statement",
        ),
        ('{"premise": "a", "statement": 1}', "the prompt's field statement must be a text that is not empty"),
        ('{"premise": " \\n", "statement": "b"}', "the prompt's field premise must be a text that is not empty"),
    ],
)
def test_what_is_no_pair_is_refused(prompt, why):
    with pytest.raises(UnreadablePair) as caught:
        read_pair(prompt)
    assert str(caught.value) == why
