"""The made data sets as a stranger reads them: no fault in any of several seeds."""

import shutil
from collections import Counter

import pytest

from axolotl_augft.bench.datasets.dataset import save
from axolotl_augft.bench.datasets.making import make
from tests.support.plain_reading import PlainReading, Said, folder_faults, reversal_faults, syllogism_faults

SEEDS = range(11, 16)
FAULTS = {
    "semantic": lambda folder: PlainReading(folder).faults(),
    "reversals": reversal_faults,
    "syllogisms": syllogism_faults,
    "process": lambda _: Counter(),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_made_data_set_has_no_faults(name, seed, tmp_path):
    save(make(name, "small", seed), tmp_path)
    assert folder_faults(tmp_path) + FAULTS[name](tmp_path) == Counter()


SOUND = [
    "Zibs are glorps. Lorns are glorps. Zibs are frant. Lorns tren kelms. Unlike lorns, zibs can murv.",
    "Kelms are dreb. Glorps include wubs. Wubs do not have spons, but lorns have spons.",
]


@pytest.mark.parametrize(
    ("sentence", "faults"),
    [
        ("Zibs are not glorps.", {"denial of what is arguably true": 1}),
        ("Glorps are not frant.", {"denial of what is arguably true": 1}),
        ("Unlike glorps, lorns have spons.", {"denial of what is arguably true": 1}),
        (
            "In contrast to zibs, one kind of glorp is the lorn.",
            {"denial of what is arguably true": 1, "ungrammatical contrast": 1},
        ),
        ("Lorns have spons, but zibs are not.", {"ungrammatical contrast": 1}),
        ("Lorns do not tren wubs.", {}),
        ("Wubs are kelms. Lorns do not tren wubs.", {"denial of what is arguably true": 1}),
        ("Zibs tren wubs. Lorns are dreb. Unlike lorns, zibs are frant.", {}),
    ],
)
def test_planted_faults_are_found(sentence, faults, tmp_path):
    (tmp_path / "documents.jsonl").write_text("".join(f'{{"text": "{t}"}}\n' for t in [SOUND[0], sentence]))
    (tmp_path / "questions.jsonl").write_text("")
    assert PlainReading(tmp_path).faults() == faults


def test_what_a_category_does_to_another_it_does_to_its_kinds(tmp_path):
    (tmp_path / "documents.jsonl").write_text('{"text": "Bomips slopt pepits. Cholks are pepits. Wubs are bomips."}\n')
    (tmp_path / "questions.jsonl").write_text("")
    reading = PlainReading(tmp_path)
    assert reading.follows(Said("verb slopt", "wub", "cholk"))
    assert not reading.is_arguable(Said("verb slopt", "cholk", "bomip"))


def test_a_folder_is_scored_wherever_it_lies(tmp_path):
    """lm_eval reads the task of a folder that was moved, from any working directory."""
    from lm_eval.tasks import TaskManager

    save(make("reversals", "tiny", 0), tmp_path / "made")
    shutil.move(tmp_path / "made", tmp_path / "moved")
    manager = TaskManager(include_path=str(tmp_path / "moved"), include_defaults=False)
    task = manager.load_task_or_group(["augft_reversals"])["augft_reversals"]
    assert len(task.eval_docs) == 16
