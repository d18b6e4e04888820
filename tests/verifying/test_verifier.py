"""Statements and stored answers in; statements with probabilities, kept or rejected, out."""

import math
from dataclasses import replace

import pytest

from axolotl_augft.config.verify import VerifyConfig
from axolotl_augft.judging.read_statements import Inference
from axolotl_augft.judging.rules import Judged, Reason
from axolotl_augft.sources.documents import Document
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.teacher.answer import Answer, Outcome, TokenChoice
from axolotl_augft.verifying.inquiry import Claim
from axolotl_augft.verifying.records import Calibration
from axolotl_augft.verifying.verifier import Verifier
from tests.support.models import model
from tests.support.requests import NO_REQUEST

TEXT = "Mara Quell mends the pumps. She keeps all 12 keys."
DOCUMENT = Document("0a1b2c3d", TEXT, 0, 0)
LOCAL = Task(NO_REQUEST, "local", DOCUMENT, (TEXT,), sentences=tuple(TEXT.split(". ")))
GLOBAL = Task(NO_REQUEST, "global", DOCUMENT, (TEXT, "The pumps are blue."), reading=Reading(ends_in_conclusions=True))
TRACES_ONLY = replace(GLOBAL, reading=Reading(ends_in_conclusions=True, keep="trace"))
THRESHOLDS = {
    name: Calibration(name, threshold, 0, 0, None, None, None, 0, 0, None)
    for name, threshold in {"local": 0.8, "global": 0.6}.items()
}


def judged(text, task=LOCAL, kind="reversal", rejected=None):
    return Judged(task, Inference(text, kind), rejected)


def answer(yes: float) -> Answer:
    choices = (TokenChoice("yes", math.log(yes)), TokenChoice("no", math.log(1 - yes)))
    return Answer(Outcome.ANSWERED, "yes", "length", first_token=choices)


class Scripted:
    """A verifier and its answers: a statement `0.9 0.7 …` follows with 0.9, and stands alone with 0.7."""

    def __init__(self, store: ResponseStore, **config) -> None:
        self.store = store
        self.verifier = Verifier(VerifyConfig(**config), model("chat"), store, "en")

    def answer_all(self, statements) -> None:
        for request in [*self.verifier.requests(lambda: statements)]:
            said = request.target.partition("Statement: ")[2].split()
            self.store.put([(request, answer(float(said["must the statement" not in request.target])))])

    def decided(self, statements) -> list[Judged]:
        return list(self.verifier.decided(self.verifier.scored(statements), THRESHOLDS))


@pytest.fixture
def store(tmp_path):
    with ResponseStore.opened(tmp_path / "s") as opened:
        yield opened


@pytest.fixture
def scripted(store):
    return Scripted(store, method="logprobs")


@pytest.mark.parametrize(
    ("said", "task", "reason"),
    [
        ("0.9 0.9 mends", LOCAL, None),
        ("0.79 0.9 mends", LOCAL, Reason.UNSUPPORTED),
        ("0.79 0.9 mends", GLOBAL, None),
        ("0.9 0.4 mends", LOCAL, Reason.NOT_ALONE),
        ("0.1 0.1 mends", LOCAL, Reason.UNSUPPORTED),
    ],
)
def test_thresholds(scripted, said, task, reason):
    statement = judged(said, task)
    scripted.answer_all([statement])
    (decided,) = scripted.decided([statement])
    assert decided.rejected == reason
    assert (decided.probability, decided.alone) == tuple(pytest.approx(float(p)) for p in said.split()[:2])


def test_without_an_answer_a_statement_is_unverified(scripted):
    (decided,) = scripted.decided([judged("0.9 0.9 mends")])
    assert (decided.rejected, decided.probability) == (Reason.UNVERIFIED, None)


def test_what_is_rejected_already_is_not_asked_about(scripted):
    rejected = judged("0.9 0.9 mends", rejected=Reason.ECHO)
    assert list(scripted.verifier.requests(lambda: [rejected])) == []
    assert list(scripted.decided([rejected])) == [rejected]


def test_alone_is_not_asked_where_it_does_not_matter(store):
    scripted = Scripted(store, method="logprobs", alone=False)
    statement = judged("0.9 0.1 mends")
    assert len(list(scripted.verifier.requests(lambda: [statement]))) == 1
    scripted.answer_all([statement])
    (decided,) = scripted.decided([statement])
    assert (decided.rejected, decided.alone) == (None, None)


@pytest.mark.parametrize(
    ("conclusions", "reasons"),
    [
        (["0.9 0.9 a", "0.8 0.9 b"], [None, None, None]),
        (["0.9 0.9 a", "0.1 0.9 b"], [Reason.UNSUPPORTED, None, Reason.UNSUPPORTED]),
        (["0.9 0.1 a", "0.9 0.9 b"], [Reason.NOT_ALONE, Reason.NOT_ALONE, None]),
        ([], [Reason.UNVERIFIED]),
    ],
)
def test_a_trace_stands_and_falls_with_its_conclusions(scripted, conclusions, reasons):
    of_answer = [judged("So it is.", GLOBAL, "trace"), *(judged(c, GLOBAL, "conclusion") for c in conclusions)]
    scripted.answer_all(of_answer)
    assert [d.rejected for d in scripted.decided(of_answer)] == reasons


def test_answers_are_decided_one_by_one(scripted):
    other = replace(GLOBAL)
    statements = [
        judged("So it is.", GLOBAL, "trace"),
        judged("0.9 0.9 a", GLOBAL, "conclusion"),
        judged("So it is, too.", other, "trace"),
        judged("0.1 0.9 b", other, "conclusion"),
    ]
    scripted.answer_all(statements)
    decided = [d.rejected for d in scripted.decided(statements)]
    assert decided == [None, None, Reason.UNSUPPORTED, Reason.UNSUPPORTED]


def test_traces_without_conclusions_are_verified_themselves(scripted):
    traces = [judged("0.9 0.9 so it is", TRACES_ONLY, "trace"), judged("0.1 0.9 so it is not", TRACES_ONLY, "trace")]
    scripted.answer_all(traces)
    assert [d.rejected for d in scripted.decided(traces)] == [
        None,
        Reason.UNSUPPORTED,
    ]


def test_requests_about_the_same_text_stand_together(scripted):
    other = Task(NO_REQUEST, "local", replace(DOCUMENT, text="Owls."), ("Owls.",), sentences=("Owls.",))
    statements = [judged("0.1 0.1 a"), judged("0.1 0.1 b", other), judged("0.1 0.1 c"), judged("0.1 0.1 d", other)]
    prefixes = [r.prefix.digest for r in scripted.verifier.requests(lambda: statements)]
    assert len(prefixes) == 8 and sum(a != b for a, b in zip(prefixes, prefixes[1:], strict=False)) == 2


def test_planted_slips_are_asked_about_beside_their_sentences(scripted):
    requests = list(scripted.verifier.planted_requests(lambda: [judged("0.1 0.1 a"), judged("0.1 0.1 b")]))
    said = sorted(r.target.partition("Statement: ")[2].partition("\n")[0] for r in requests)
    assert said == ["She keeps all 12 keys.", "She keeps all 13 keys.", "She keeps few 12 keys."]


def test_a_store_without_the_probes_answer_is_not_ready(store):
    verifier = Verifier(VerifyConfig(), model("chat"), store, "en")
    (probe,) = verifier.inquiry.probe()
    assert not verifier.inquiry.is_ready
    store.put([(probe, Answer(Outcome.INVALID, finish_reason="HTTP 400"))])
    assert verifier.inquiry.is_ready and verifier.inquiry.method == "votes"


def test_log_probabilities_are_used_where_the_server_gives_them(store):
    verifier = Verifier(VerifyConfig(), model("chat"), store, "en")
    store.put([(verifier.inquiry.probe()[0], answer(0.99))])
    assert verifier.inquiry.method == "logprobs"
    assert Verifier(VerifyConfig(method="votes"), model("chat"), store, "en").inquiry.method == "votes"


@pytest.mark.parametrize(
    ("claim", "exchanged", "probability"),
    [(0.9, 0.5, 0.9), (0.9, 0.9, 0.9), (0.5, 0.9, 0.0), (0.9, None, 0.9)],
)
def test_a_claim_is_contrasted_with_its_names_exchanged(store, claim, exchanged, probability):
    inquiry = Verifier(VerifyConfig(method="logprobs"), model("chat"), store, "en").inquiry
    text = "Mara Quell mends the pumps of Ines Voss." if exchanged else "Mara Quell mends the pumps."
    asked = list(inquiry.requests([Claim((TEXT,), text)]))
    assert len(asked) == 1 + bool(exchanged)
    store.put([(asked[0], answer(claim))])
    if exchanged:
        assert "Statement: Ines Voss mends the pumps of Mara Quell." in asked[1].target
        store.put([(asked[1], answer(exchanged))])
    assert inquiry.probabilities([Claim((TEXT,), text)]) == [pytest.approx(probability)]


def test_a_pronoun_at_the_beginning_needs_no_request(scripted):
    statement = judged("She keeps the keys.")
    assert list(scripted.verifier.inquiry.requests_alone(["She keeps the keys."])) == []
    for request in scripted.verifier.requests(lambda: [statement]):
        scripted.store.put([(request, answer(0.99))])
    (decided,) = scripted.decided([statement])
    assert (decided.rejected, decided.alone) == (Reason.NOT_ALONE, 0.0)


def test_a_strategy_without_statements_has_a_threshold_too(scripted):
    statements = [judged("0.9 0.9 mends"), judged("x", GLOBAL, rejected=Reason.ECHO)]
    scripted.answer_all(statements)
    found = scripted.verifier.calibrations(scripted.verifier.scored(statements))
    assert {name: (c.statements, c.threshold) for name, c in found.items()} == {"local": (1, 0.5), "global": (0, 0.5)}


@pytest.mark.parametrize(
    ("by_named", "by_all", "least"), [(0.9, 0.7, 0.7), (0.7, 0.9, 0.7), (0.9, None, None), (None, 0.9, None)]
)
def test_a_conclusion_is_verified_by_the_documents_it_names_and_by_all(store, by_named, by_all, least):
    verifier = Verifier(VerifyConfig(method="logprobs", alone=False), model("chat"), store, "en")
    group = (TEXT, "The pumps are blue.", "The mill is old.")
    task = replace(GLOBAL, premises=group, labels=("0a1b2c3d", "1a1b2c3d", "2a1b2c3d"))
    conclusion = Judged(task, Inference("She mends blue pumps.", "conclusion", rests_on=("1a1b2c3d",)), None)
    named, everything = sorted(verifier.requests(lambda: [conclusion]), key=lambda r: len(r.prefix.text))
    assert "The pumps are blue." in named.prefix.text and "The mill is old." not in named.prefix.text
    assert all(text in everything.prefix.text for text in group)
    for request, probability in ((named, by_named), (everything, by_all)):
        if probability is not None:
            store.put([(request, answer(probability))])
    (scored,) = verifier.scored([conclusion])
    assert scored.probability == (least and pytest.approx(least))
