import hashlib
from dataclasses import replace

from axolotl_augft.config.augment import GlobalAugment
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.sources.documents import Document, document_id
from axolotl_augft.strategies import global_
from axolotl_augft.strategies.global_ import GlobalStrategy
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.tokens import ESTIMATE


class Memory:
    def __init__(self):
        self.passes = []

    def load_grouping(self, key):
        return self.passes

    def save_grouping(self, key, passes):
        self.passes = passes


def strategy(documents, memory=None, **settings):
    teacher = Teacher(TeacherConfig(), "endpoint", "t", "t", "chat", 1, ESTIMATE, None, 42)
    return GlobalStrategy(GlobalAugment(**settings), teacher, documents, "en", memory or Memory(), "")


def documents(texts):
    return [Document(document_id(t), t, 0, i) for i, t in enumerate(texts)]


TEXTS = [f"Pump {i} of hall {i % 3} stands beside valve {i % 4}." for i in range(30)]


def test_in_either_order_the_tasks_are_the_same():
    made = strategy(documents(TEXTS), context_tokens=100, passes=2)
    in_order, sent = list(made.tasks()), list(made.in_sending_order())
    assert [t.target.row for t in in_order] == sorted(t.target.row for t in sent)
    assert {t.request.key for t in in_order} == {t.request.key for t in sent}
    for task in in_order:
        assert task.target.text in task.premises and len(task.labels) == len(task.premises) > 1
        assert all(premise in task.request.prefix.text for premise in task.premises)


def test_requests_are_the_same_where_no_prefix_stays_in_memory(monkeypatch):
    kept = list(strategy(documents(TEXTS), context_tokens=100).tasks())
    monkeypatch.setattr(global_, "_KEPT_BYTES", 0)
    assert list(strategy(documents(TEXTS), context_tokens=100).tasks()) == kept


def test_long_documents_are_cut_at_sentence_ends_and_equal_parts_asked_about_once():
    long = " ".join(f"Sentence number {i} of the first book." for i in range(30))
    made = strategy(documents([long, TEXTS[0], long + " It ends here."]), context_tokens=120)
    assert made.cut == 2 and len(list(made.warnings())) == 1
    texts = [t.target.text for t in made.tasks()]
    assert len(texts) == len(set(texts)) and {t.target.row for t in made.tasks()} == {0, 1, 2}
    assert texts[0].startswith("Sentence number 0 ") and texts[-1].endswith("It ends here.")


def test_two_texts_with_one_short_id_are_told_apart():
    same = [Document("aaaaaaaa", text, 0, i) for i, text in enumerate(["Pump one.", "Pump two.", "Pump two."])]
    ids = [t.target.id for t in strategy(same).tasks()]
    assert ids == ["aaaaaaaa", hashlib.sha256(b"Pump two.").hexdigest()[:16]]


def test_an_edit_changes_one_group_where_other_documents_share_a_short_id():
    before = [replace(d, id="aaaaaaaa") if d.row % 7 == 3 else d for d in documents(TEXTS)]
    memory = Memory()
    list(strategy(before, memory, context_tokens=100).tasks())
    saved = memory.passes
    edited = [replace(d, id="ffffffff", text="Pump 9 was sold.") if d.row == 9 else d for d in before]
    list(strategy(edited, memory, context_tokens=100).tasks())
    assert len(set(memory.passes[0]) - set(saved[0])) == 1


def test_a_grouping_is_saved_when_it_changes_only():
    memory = Memory()
    list(strategy(documents(TEXTS), memory, context_tokens=100).tasks())
    saved = memory.passes
    list(strategy(documents(TEXTS), memory, context_tokens=100).tasks())
    assert memory.passes is saved
    edited = documents([*TEXTS[:9], "Pump 9 was sold.", *TEXTS[10:]])
    list(strategy(edited, memory, context_tokens=100).tasks())
    assert len(set(memory.passes[0]) - set(saved[0])) == 1
