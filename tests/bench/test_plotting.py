import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from axolotl_augft.bench.cli import bench
from axolotl_augft.bench.report import plotting
from axolotl_augft.bench.report.estimates import variants
from axolotl_augft.bench.report.plotting import COLOURS, plot
from axolotl_augft.bench.report.results import CONDITIONS, save_result
from axolotl_augft.errors import BenchError
from tests.support.bench_results import cell, result

MARKS = {"fwd/a": "11", "fwd/b": "10", "rev/a": "10", "rev/b": "00"}
CELLS = [
    cell("pretrained", MARKS),
    cell("icl", MARKS),
    cell("ft", MARKS),
    cell("ft", MARKS, splitting="independent"),
    cell("aug-local", {**MARKS, "rev/b": "11"}),
]


def test_the_files_and_their_bytes(tmp_path):
    first = plot([result(CELLS)], tmp_path / "a")
    assert [p.name for p in first] == ["made-up.png", "made-up.svg", "made-up-cost.png", "made-up-cost.svg"]
    second = plot([result(CELLS)], tmp_path / "b")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert first[0].read_bytes().startswith(b"\x89PNG") and first[0].read_bytes().find(b"pHYs") > 0
    assert b"<dc:date>" not in first[1].read_bytes()


def test_png_resolution_is_150_dpi(tmp_path):
    from PIL import Image

    with Image.open(plot([result(CELLS)], tmp_path)[0]) as image:
        assert image.info["dpi"] == (pytest.approx(150, abs=0.1), pytest.approx(150, abs=0.1))


def test_bars_of_a_figure_have_the_conditions_heights_colours_and_errors():
    found = variants(result(CELLS))
    figure = plotting._accuracy_figure(result(CELLS), found)
    axes = figure.axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx([0.75] * 4 + [0.75] + [0.25] * 4 + [0.75])
    from matplotlib.colors import to_hex

    colours = [to_hex(bar.get_facecolor()).upper() for bar in axes.patches]
    assert colours == [COLOURS[v.condition].upper() for v in found] * 2
    assert [t.get_text() for t in axes.get_xticklabels()] == ["fwd", "rev"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "pretrained",
        "icl",
        "ft, none",
        "ft, independent",
        "aug-local",
        "chance",
    ]
    assert figure.legends[0].get_title().get_text() == "Made up for a test"
    # one standard error to both sides: subset means 1 and 0.5 of the forward split
    ends = [c.get_segments()[0][:, 1].tolist() for c in axes.collections[:1]]
    assert ends == [pytest.approx([0.5, 1.0])]


def test_one_split_has_the_conditions_on_the_axis_with_their_values():
    one = result([cell("pretrained", {"s/a": "10", "s/b": "00"}), cell("icl", {"s/a": "11", "s/b": "10"})])
    axes = plotting._accuracy_figure(one, variants(one)).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["pretrained", "icl"]
    assert [t.get_text() for t in axes.texts] == ["0.25", "0.75"]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [list(line.get_ydata()) for line in dashed] == [[0.25, 0.25]]


def test_every_condition_has_a_colour_of_its_own():
    assert set(COLOURS) == set(CONDITIONS) and len(set(COLOURS.values())) == len(CONDITIONS)


def test_the_cost_figure_marks_where_the_lines_meet():
    found = result(CELLS)
    axes = plotting._cost_figure(found, plotting.costs(found)).axes[0]
    icl, augmented, mark = axes.lines[:3]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert (icl.get_xdata()[0], icl.get_ydata()[0]) == (1, 844)
    assert list(augmented.get_ydata()) == [1_235_000, 1_235_000]
    assert mark.get_xdata()[0] == pytest.approx(1_235_000 / 844)
    assert augmented.get_label() == "aug-local: paid for after 1,464 questions"


def test_without_icl_there_is_no_cost_figure(tmp_path):
    assert [p.name for p in plot([result(CELLS[2:])], tmp_path)] == ["made-up.png", "made-up.svg"]


def test_the_command_says_what_it_wrote(tmp_path):
    save_result(result(CELLS), tmp_path / "r.json")
    done = CliRunner().invoke(bench, ["plot", str(tmp_path / "r.json"), "--out", str(tmp_path / "figures")])
    assert done.exit_code == 0 and done.output.splitlines()[0] == str(tmp_path / "figures" / "made-up.png")
    assert len(list((tmp_path / "figures").iterdir())) == 4


def test_results_that_cannot_be_drawn(tmp_path, monkeypatch):
    with pytest.raises(BenchError, match="2 of the results would be drawn into made-up.png"):
        plot([result(CELLS), result(CELLS)], tmp_path)
    with pytest.raises(BenchError, match="no cell is finished, so there is nothing to draw"):
        plot([result([replace(CELLS[0], status="failed", scores=())])], tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        BenchError, match=r"matplotlib is missing; install it with pip install 'axolotl-augft\[bench\]'"
    ):
        plot([result(CELLS)], tmp_path)
