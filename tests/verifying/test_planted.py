"""Tasks in, true sentences and the same with slips out, each with texts that hold it."""

from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Task
from axolotl_augft.verifying.planted import PlantedSample
from tests.support.requests import NO_REQUEST


def sentence(i: int) -> str:
    return f"Mara Quell mended pump {i} in hall {i + 7} of the mill."


def task(*numbers: int, document: str = "", context: tuple[str, ...] = ()) -> Task:
    own = tuple(sentence(i) for i in numbers)
    target = Document("0a1b2c3d", document or " ".join(own), 0, numbers[0])
    return Task(NO_REQUEST, "local", target, own, sentences=own, context=context)


def sample(*tasks: Task) -> PlantedSample:
    planted = PlantedSample("xx")
    for one in tasks:
        planted.add(one)
    return planted


def test_a_sentence_is_compared_with_texts_that_hold_it():
    # A long document, of which each task shows two sentences.
    document = " ".join(sentence(i) for i in range(40))
    planted = sample(*(task(i, i + 1, document=document) for i in range(0, 40, 2)))
    assert len(planted.sentences("local")) == 40
    assert all(claim.text in claim.evidence for claim in planted.sentences("local"))
    for own in planted.slips("local"):
        assert own and all(claim.text not in claim.evidence for claim in own)


def test_a_whole_document_is_the_evidence_where_it_is_shown():
    document = " ".join(sentence(i) for i in range(3))
    (first, *_) = sample(task(0, document=document, context=(document,))).sentences("local")
    assert (first.text, first.evidence) == (sentence(0), (document,))


def test_of_many_sentences_the_same_hundred_are_drawn_in_any_order():
    tasks = [task(i) for i in range(400)]
    drawn = [{claim.text for own in sample(*some).slips("local") for claim in own} for some in (tasks, tasks[::-1])]
    assert drawn[0] == drawn[1] and len(sample(*tasks).slips("local")) == 100


def test_an_unknown_strategy_has_nothing():
    assert sample(task(1)).slips("global") == sample(task(1)).sentences("global") == []
