"""Results of suites -> PNG and SVG figures: accuracy by condition, as in the paper, and cost by number of questions.

The bytes of the files depend only on the results and on matplotlib's version; they contain no date.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from axolotl_augft.bench.report.cost import Cost, costs
from axolotl_augft.bench.report.estimates import Variant, chance, label, splits, variants
from axolotl_augft.bench.report.results import Condition, Splitting, SuiteResult
from axolotl_augft.errors import BenchError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The Okabe-Ito palette, which most colour-blind readers can tell apart, and a wine red of Tol's.
COLOURS: dict[Condition, str] = {
    "pretrained": "#999999",
    "icl": "#0072B2",
    "ft": "#D55E00",
    "ft-form": "#F0E442",
    "aug-cloze": "#E69F00",
    "aug-local": "#56B4E9",
    "aug-questions": "#000000",
    "aug-study": "#882255",
    "aug-global": "#CC79A7",
    "aug-both": "#009E73",
}
_HATCHES: dict[Splitting, str] = {"none": "", "independent": "///", "cumulative": "..."}
_OVER_LINES = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
_CHANCE = "chance"
_NO_LEGEND = "_"
_DPI = 150
_LETTERS_AN_INCH = 11
_GROUP_WIDTH = 0.84
_INCHES_A_BAR = 0.32
_INCHES_A_NAMED_BAR = 0.95
_INCHES_A_NAME = 1.55


def plot(results: Sequence[SuiteResult], out: Path) -> list[Path]:
    """Draw each suite's accuracies, and its costs if a break-even is known.

    Args:
        results: Results of different suites; a suite's name becomes the name of its files.
        out: Output folder.

    Returns:
        Paths of the files, in the order of the results.

    Raises:
        BenchError: matplotlib is missing, two results would share a file name, a result has no finished cell or cannot
            be used, or the folder cannot be written.
    """
    _require_matplotlib()
    for name, n in Counter(_file_name(r) for r in results).items():
        if n > 1:
            raise BenchError(f"{n} of the results would be drawn into {name}.png; give each suite a name of its own")
    paths: list[Path] = []
    for result in results:
        found = variants(result)
        if not found:
            raise BenchError(
                f"suite {result.suite}: no cell is finished, so there is nothing to draw; run the suite again"
            )
        paths += _save(_accuracy_figure(result, found), out / _file_name(result))
        drawable = [c for c in costs(result) if c.break_even_questions]
        if drawable:
            paths += _save(_cost_figure(result, drawable), out / f"{_file_name(result)}-cost")
    return paths


def _require_matplotlib() -> None:
    try:
        import_module("matplotlib")
    except ImportError:
        raise BenchError("matplotlib is missing; install it with pip install 'axolotl-augft[bench]'") from None


def _file_name(result: SuiteResult) -> str:
    return re.sub(r"[^\w.-]+", "-", result.suite).strip("-.") or "suite"


def _accuracy_figure(result: SuiteResult, found: Sequence[Variant]) -> "Figure":
    from matplotlib.figure import Figure

    groups = splits(result)
    bars = _INCHES_A_NAMED_BAR * len(found) if len(groups) == 1 else _INCHES_A_BAR * len(groups) * (len(found) + 1)
    width = max(6.4, 1.0 + bars)
    figure = Figure(figsize=(width, 4.4), layout="constrained")
    axes = figure.add_subplot()
    if len(groups) == 1:
        _draw_single(axes, result, found)
    else:
        _draw_grouped(axes, result, found, groups)
    axes.set_ylim(0, 1.08)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_ylabel("accuracy")
    _plain_frame(axes)
    _title_and_legend(figure, result.title, most_columns=int(width / _INCHES_A_NAME))
    return figure


def _title_and_legend(figure: "Figure", title: str, most_columns: int) -> None:
    """Draw title and legend above the axes, where no bar or line can run into them.

    Both form one legend, because a separate title would overlap it.
    """
    handles, names = figure.axes[0].get_legend_handles_labels()
    # matplotlib lists lines before bars; the chance line belongs at the end.
    order = sorted(range(len(names)), key=lambda i: names[i] == _CHANCE)
    rows = math.ceil(len(names) / most_columns)
    figure.legend(
        [handles[i] for i in order],
        [names[i] for i in order],
        loc="outside upper center",
        ncols=math.ceil(len(names) / rows),
        title=fill(title, int(_LETTERS_AN_INCH * figure.get_figwidth())),
        title_fontsize=12,
        frameon=False,
        fontsize=9,
        columnspacing=1.2,
    )


def _draw_single(axes: "Axes", result: SuiteResult, found: Sequence[Variant]) -> None:
    """Draw the conditions along the x axis, each bar with its value."""
    for x, variant in enumerate(found):
        _bar(axes, variant, None, x, 0.7, name=_NO_LEGEND)
        estimate = variant.estimate()
        assert estimate is not None, "a finished cell has scores"
        top = estimate.accuracy + (estimate.standard_error or 0)
        axes.text(
            x, top + 0.015, f"{estimate.accuracy:.2f}", ha="center", va="bottom", fontsize=9, bbox=_OVER_LINES, zorder=4
        )
    axes.set_xticks(range(len(found)), [label(v, found).replace(", ", "\n") for v in found])
    axes.set_xlim(-0.6, len(found) - 0.4)
    axes.axhline(chance(result), color="black", linestyle="--", linewidth=1, label=_CHANCE, zorder=3)


def _draw_grouped(axes: "Axes", result: SuiteResult, found: Sequence[Variant], groups: Sequence[str]) -> None:
    """Draw the splits along the x axis, with one bar per condition and a chance line across each group."""
    width = _GROUP_WIDTH / len(found)
    for x, split in enumerate(groups):
        for i, variant in enumerate(found):
            _bar(
                axes,
                variant,
                split,
                x + (i - (len(found) - 1) / 2) * width,
                width,
                name=label(variant, found) if x == 0 else _NO_LEGEND,
            )
        guess = chance(result, split)
        name = _CHANCE if x == 0 else _NO_LEGEND
        axes.hlines(guess, x - 0.48, x + 0.48, color="black", linestyle="--", linewidth=1, label=name, zorder=3)
    axes.set_xticks(range(len(groups)), [g.replace("-", " ").replace("_", " ") for g in groups])
    axes.set_xlim(-0.55, len(groups) - 0.45)


def _bar(axes: "Axes", variant: Variant, split: str | None, x: float, width: float, name: str) -> None:
    estimate = variant.estimate(split)
    if estimate is None:
        return
    axes.bar(
        x,
        estimate.accuracy,
        width * 0.92,
        yerr=estimate.standard_error,
        capsize=2.5,
        color=COLOURS[variant.condition],
        hatch=_HATCHES[variant.splitting],
        edgecolor="white",
        linewidth=0,
        error_kw={"elinewidth": 1, "ecolor": "black"},
        label=name,
        zorder=2,
    )


def _cost_figure(result: SuiteResult, spent: Sequence[Cost]) -> "Figure":
    """Draw cost by number of questions, log-log: ICL pays per question, augmented fine-tuning pays up front."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    last = 10 * max(c.break_even_questions or 1 for c in spent)
    icl_question = spent[0].icl_question or 0
    axes.plot([1, last], [icl_question, icl_question * last], color=COLOURS["icl"], linewidth=2, label="icl")
    for cost in spent:
        assert cost.once is not None and cost.break_even_questions is not None, "only costs with a break-even are drawn"
        name = (
            cost.condition
            if sum(c.condition == cost.condition for c in spent) == 1
            else f"{cost.condition}, {cost.splitting}"
        )
        said = f"{name}: paid for after {cost.break_even_questions:,} questions"
        style = {"none": "-", "independent": "--", "cumulative": "-."}[cost.splitting]
        axes.plot(
            [1, last], [cost.once, cost.once], color=COLOURS[cost.condition], linewidth=2, linestyle=style, label=said
        )
        meeting = cost.once / icl_question
        axes.plot([meeting], [cost.once], "o", color=COLOURS[cost.condition], markeredgecolor="black", zorder=3)
        axes.axvline(meeting, color=COLOURS[cost.condition], linestyle=":", linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("questions answered")
    axes.set_ylabel(spent[0].unit)
    _plain_frame(axes)
    _title_and_legend(figure, f"{result.title}: cost beyond the questions' own", most_columns=1)
    return figure


def _plain_frame(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)


def _save(figure: "Figure", stem: Path) -> list[Path]:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    png, svg = (stem.with_name(f"{stem.name}.{ending}") for ending in ("png", "svg"))
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        # A random salt or a date would change the bytes of the same figure from run to run.
        with rc_context({"svg.hashsalt": stem.name}):
            figure.savefig(png, dpi=_DPI, metadata={"Software": None})
            figure.savefig(svg, metadata={"Date": None})
    except OSError as error:
        raise BenchError(
            f"{stem.parent}: cannot be written ({error.strerror or type(error).__name__}); give another folder"
        ) from error
    return [png, svg]
