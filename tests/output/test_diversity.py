import pickle

import pytest

from axolotl_augft.output.diversity import DiversityCount
from axolotl_augft.verifying.records import Diversity


def count(*texts):
    counted = DiversityCount()
    for text in texts:
        counted.add(text)
    return counted


@pytest.mark.parametrize(
    ("texts", "diversity"),
    [
        ([], Diversity()),
        (["Mills grind."], Diversity(1, 1, 0, 0)),
        (["The mill grinds corn."], Diversity(1, 1, 2, 2)),
        (["The mill grinds corn.", "the mill grinds CORN"], Diversity(2, 1, 4, 2)),
        (["The mill grinds corn.", "The mill grinds old corn."], Diversity(2, 2, 5, 4)),
        (["The mill grinds corn.", "Corn grinds the mill."], Diversity(2, 2, 4, 4)),
        (["海港很旧。"], Diversity(1, 1, 2, 2)),
    ],
)
def test_statements_and_runs_of_three_words(texts, diversity):
    assert count(*texts).counted == diversity


def test_a_count_that_another_process_made_is_added():
    both = count("The mill grinds corn.")
    both.update(pickle.loads(pickle.dumps(count("The mill grinds corn.", "The mill grinds old corn."))))
    assert both.counted == Diversity(3, 2, 7, 4)


def test_the_estimate_of_many_runs():
    counted = count(*(f"{i} {i + 1} {i % 7}" for i in range(50_000)), "0 1 0")
    assert counted.counted.runs == 50_001
    assert abs(counted.counted.distinct_runs - 50_000) < 500


def test_the_line_of_the_summary():
    assert str(Diversity(1_200, 1_100, 9_000, 6_750)) == "1,100 of 1,200 statements, 0.75 of their runs of three words"
    assert str(Diversity(1, 1, 0, 0)) == "1 of 1 statements"
