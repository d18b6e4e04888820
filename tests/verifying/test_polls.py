"""Probability of yes, from log-probabilities and from votes."""

import math

import pytest

from axolotl_augft.teacher.answer import Answer, Outcome, TokenChoice
from axolotl_augft.verifying.polls import LogProbabilities, Votes
from axolotl_augft.verifying.questions import EntailmentPairs, Questions
from tests.support.models import model


def token_answer(**probabilities: float) -> Answer:
    choices = tuple(TokenChoice(token, math.log(p)) for token, p in probabilities.items())
    return Answer(Outcome.ANSWERED, "x", "length", first_token=choices)


def word_answer(text: str) -> Answer:
    return Answer(Outcome.ANSWERED, text, "stop")


@pytest.mark.parametrize(
    ("answer", "probability"),
    [
        (token_answer(yes=0.6, no=0.2), 0.75),
        (token_answer(Yes=0.3, yes=0.3, NO=0.2), 0.75),
        (token_answer(**{" yes": 0.6, "\u0120No": 0.2}), 0.75),
        # A word beyond the choices is at most as probable as the last of them.
        (token_answer(yes=0.8, Maybe=0.1), 0.8 / 0.9),
        (token_answer(yes=0.9, Maybe=0.1), 1.0),
        (token_answer(no=0.8, Maybe=0.1), 0.1 / 0.9),
        (token_answer(Maybe=0.9, Perhaps=0.1), None),
        (word_answer("yes"), None),
        (None, None),
    ],
)
def test_yes_among_yes_and_no(answer, probability):
    found = LogProbabilities(model("chat")).probability([answer])
    assert found == (None if probability is None else pytest.approx(probability))


@pytest.mark.parametrize(
    ("answer", "can"),
    [
        (token_answer(yes=0.4, no=0.2), True),
        (token_answer(yes=0.2, no=0.2, Sure=0.6), False),
        (token_answer(**{"<think>": 1.0}), False),
        (word_answer("yes"), False),
        (Answer(Outcome.INVALID), False),
        (None, False),
    ],
)
def test_whether_log_probabilities_can_be_read(answer, can):
    assert LogProbabilities(model("chat")).can_be_read(answer) is can


@pytest.mark.parametrize(
    ("texts", "share"),
    [
        (["yes", "No.", "Yes, it must", "answer: yes"], 0.75),
        (["yes", "perhaps", "hm"], 1.0),
        (["perhaps", "nothing"], None),
        (["no", "no"], 0.0),
    ],
)
def test_share_of_votes(texts, share):
    assert Votes(model("chat"), len(texts)).probability([word_answer(text) for text in texts]) == share


def test_votes_of_refused_and_missing_answers_do_not_count():
    assert Votes(model("chat"), 3).probability([None, Answer(Outcome.FILTERED, "yes"), word_answer("no")]) == 0.0


@pytest.mark.parametrize(
    ("api", "fields"),
    [
        ("chat", {"logprobs": True, "top_logprobs": 20, "max_tokens": 1, "temperature": 0.0, "seed": 0}),
        ("completions", {"logprobs": 20, "max_tokens": 1, "temperature": 0.0, "seed": 0}),
    ],
)
def test_one_token_is_asked_for_without_chance(api, fields):
    (request,) = LogProbabilities(model(api, seed=7, top_p=0.9)).requests(Questions(api).follows(("P.",), "S."))
    body = request.body("m")
    assert {k: body[k] for k in fields} == fields and "top_p" not in body


def test_votes_differ_by_their_seed():
    requests = Votes(model("chat", seed=7, temperature=0.0), 3).requests(Questions("chat").follows(("P.",), "S."))
    assert [(r.sampling.seed, r.sampling.temperature) for r in requests] == [(7, 0.7), (8, 0.7), (9, 0.7)]


def test_all_statements_about_a_text_share_its_prefix():
    words = Questions("chat")
    first, second = words.follows(("Owls fly.",), "One."), words.follows(("Owls fly.",), "Two.")
    assert first.prefix is second.prefix and "Owls fly." in first.prefix.text and "Owls fly." not in first.target
    assert words.alone("One.").prefix is words.alone("Two.").prefix


def test_a_pair_for_an_entailment_server_is_json():
    question = EntailmentPairs().follows(('Owls "fly".', "Cats do not."), 'Owls say "hu".')
    assert question.prefix.text + question.target == (
        '{"premise":"Owls \\"fly\\".\\nCats do not.","statement":"Owls say \\"hu\\"."}'
    )
