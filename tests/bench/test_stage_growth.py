"""`benchmarks/stage_growth.py`: what two sizes took, as the stage's part at other sizes."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
HEAD = "documents,strategy,step,seconds,cpu_seconds,memory_mb,mapped_mb,disk_mb,requests\n"
STEPS = """{n},local,plan,9,30,{low},0,1,0
{n},local,"run, killed halfway: laying out",9,{a},{low},0,1,0
{n},local,"run, killed halfway: asking",9,{a},{low},0,1,{half}
{n},local,resumed run: laying out,9,{a},{low},0,1,0
{n},local,resumed run: asking,9,{a},{high},0,{disk},{half}
{n},local,resumed run: writing,9,{w},{low},0,1,0
{n},local,run with all answers stored: writing,9,999,{low},0,1,0
"""


@pytest.fixture
def growth(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import stage_growth

    return stage_growth


@pytest.fixture
def measured(tmp_path):
    file = tmp_path / "million.csv"
    small = STEPS.format(n=1000, half=500, a=5, w=40, low=300, high=310, disk=12)
    large = STEPS.format(n=11000, half=5500, a=30, w=140, low=300, high=330, disk=92)
    file.write_text(HEAD + small + large)
    return file


def test_two_sizes_give_a_fixed_part_and_one_for_each_request(growth, measured):
    cost = growth.stage_cost(measured, "local")
    assert (cost.asking, cost.writing) == (growth.Line(10, 0.01), growth.Line(30, 0.01))
    assert (cost.memory_mb, cost.disk_mb) == (growth.Line(308, 0.002), growth.Line(4, 0.008))


def test_a_teacher_is_not_faster_than_the_client(growth, measured):
    asked = [growth.Asked("local", 1000, 10_000, 1.0), growth.Asked("local", 100_000, 1_000_000, 100.0)]
    assert growth.stage_table(asked, lambda strategy: growth.stage_cost(measured, strategy))[2:] == [
        "| 1,000 | local | 10,000 | 60 min | 8 min | 2 min† | 2 min | 2 min | 310 MB | 84 MB |",
        "| 100,000 * | local | 1,000,000 | 4 days | 12 h | 3 h† | 3 h | 3 h | 508 MB | 8.0 GB |",
    ]


def test_one_size_is_not_enough(growth, tmp_path):
    (tmp_path / "million.csv").write_text(HEAD + "1000,local,plan,9,30,300,0,1,0\n")
    with pytest.raises(ValueError, match="holds 1 of the two sizes of local"):
        growth.stage_cost(tmp_path / "million.csv", "local")
