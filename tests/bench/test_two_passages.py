"""Questions that need two passages: comparisons of dates, a teacher's proposals, and trying them with less."""

import json
import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from axolotl_augft.bench.cli import bench
from axolotl_augft.bench.datasets.dataset import load
from axolotl_augft.bench.datasets.making import examine, make
from axolotl_augft.bench.datasets.squad.comparisons import comparisons
from axolotl_augft.bench.datasets.squad.make import make_squad
from axolotl_augft.bench.datasets.squad.passages import Asked, Combined, Passage
from axolotl_augft.bench.datasets.squad.proposals import Pair, Proposal, Unfit, proposal_prompt, read_proposal
from axolotl_augft.bench.datasets.squad.trying import TRIES, Tried, tried
from axolotl_augft.bench.datasets.squad.two_passages import TwoPassagesWanted, two_passages_of
from axolotl_augft.bench.experiments.preparing import suite_plan
from axolotl_augft.bench.experiments.suite import parse_suite
from axolotl_augft.errors import BenchError
from tests.support.squad import TOWNS, write_squad
from tests.support.teacher_server import TeacherServer, prompt_of

LIGHT = Passage("Ports", "The Varn light was built in 1901.", (Asked("When was the Varn light built?", "1901"),))
MILL = Passage(
    "Ports", "The Brill mill burnt on 7 May 1888.", (Asked("When did the mill of Brill burn?", "7 May 1888"),)
)
LIST = Passage("Ports", "Ships sank in 1850, in 1910 and in June 1923.", ())
PAIR = Pair(("Mara Quell built the Varn light.", "Mara Quell lives in Saltmere, at the mill."), (3, 5))


def test_two_dates_are_compared():
    question = (
        "Which date is later, the answer to “When did the mill of Brill burn?” or the answer to “When was the Varn "
        "light built?”?"
    )
    combined = Combined(Asked(question, "1901"), ("7 May 1888", "June 1923", "1910"), (0, 1))
    assert list(comparisons([LIGHT, MILL, LIST], random.Random(0))) == [combined]


def test_no_place_in_time_is_the_likeliest():
    found = [c for seed in range(200) for c in comparisons([LIGHT, MILL, LIST], random.Random(seed))]
    assert len(found) == 200

    def years_beyond(combined):
        right, *wrong = (int(re.search(r"\d{4}", text)[0]) for text in (combined.asked.answer, *combined.wrong))
        return sum((year < right) == ("earlier" in combined.asked.question) for year in wrong)

    # One of the other dates lies before both, two lie after both.
    assert all(25 < n for n in Counter(years_beyond(c) for c in found).values())
    assert {c.asked.answer for c in found} == {"1901", "7 May 1888"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (replace(LIGHT, questions=(*LIGHT.questions, *MILL.questions)), LIST),
        (replace(LIGHT, text="The Varn light was built in 1901, after the fire of 1888."), MILL),
        (LIGHT, replace(MILL, questions=(Asked("When did it burn?", "7 May 1888"),))),
        (LIGHT, replace(MILL, questions=(Asked("How many sacks burnt in Brill?", "1888"),))),
        (LIGHT, replace(MILL, questions=(Asked("When did the mill of Brill burn?", "1887"),))),
        (
            LIGHT,
            Passage("Ports", "The Tilby mill was built in 1901.", (Asked("When was the Tilby mill built?", "1901"),)),
        ),
    ],
    ids=["one passage", "year told by the other", "names nothing", "no time", "answer not there", "same year"],
)
def test_what_is_not_compared(first, second):
    assert list(comparisons([first, second, LIST], random.Random(0))) == []


def test_dates_are_not_compared_without_others_to_choose_from():
    assert list(comparisons([LIGHT, MILL], random.Random(0))) == []


def test_a_date_is_compared_twice_at_most():
    towns = [
        Passage("Ports", f"Tower {n} was built in {1800 + n}.", (Asked(f"When was tower {n} built?", f"{1800 + n}"),))
        for n in range(6)
    ]
    found = list(comparisons(towns, random.Random(0)))
    uses = Counter(place for combined in found for place in combined.places)
    assert len(found) == 5 and max(uses.values()) == 2


def answer(question, answer):
    return json.dumps({"first": "", "second": "", "question": question, "answer": answer})


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (
            answer("Where does the builder of the Varn light live, by a mill? ", "Saltmere."),
            Proposal(Asked("Where does the builder of the Varn light live, by a mill?", "Saltmere"), PAIR),
        ),
        ("Where did she live?", Unfit.MALFORMED),
        ('["question", "answer"]', Unfit.MALFORMED),
        (answer("The builder of the Varn light lived", "Saltmere"), Unfit.MALFORMED),
        (answer("Where did the builder of the Varn light live?", "."), Unfit.MALFORMED),
        (answer("Who built the Varn light?", " ".join(["at the mill"] * 5)), Unfit.LONG_ANSWER),
        (answer("Who built the Varn light, Mara Quell of Saltmere?", "Mara Quell"), Unfit.ANSWER_IN_QUESTION),
        (answer("Who built the light and lived at the mill?", "Mara Quell"), Unfit.ANSWER_IN_BOTH),
        (answer("Who built the light and lived at the mill?", "Ida Brandt"), Unfit.ANSWER_IN_NEITHER),
        (answer("Where did she live at the mill?", "Saltmere"), Unfit.WORDS_OF_ONE),
    ],
)
def test_what_a_teacher_proposes(text, read):
    assert read_proposal(text, PAIR) == read


def test_the_prompt_holds_both_passages_and_draws_without_a_seed():
    prompt = proposal_prompt(PAIR, 1)
    assert prompt.target == (
        "Now these texts\n\nFirst text: Mara Quell built the Varn light.\n\n"
        "Second text: Mara Quell lives in Saltmere, at the mill.\n"
    )
    assert prompt.sample == 1 and prompt.extra["seed"] is None


@pytest.mark.parametrize(
    ("found_with", "dropped"),
    [
        ({("light", "mill"): 2}, None),
        ({("light", "mill"): 1}, "not found with both passages"),
        ({("light", "mill"): 3, ("light",): 1}, "found with one passage"),
        ({("light", "mill"): 3, ("mill",): 1}, "found with one passage"),
        ({("light", "mill"): 3, (): 1}, "found with no passage"),
    ],
)
def test_a_question_is_tried_with_less(found_with, dropped):
    proposal = Proposal(Asked("Where did the builder live?", "Saltmere"), PAIR)

    def ask(prompts, title):
        read = [tuple(word for word in ("light", "mill") if word in p.prefix.text) for p in prompts]
        return [
            "In saltmere!" if p.sample < found_with.get(r, 0) else "unknown" for p, r in zip(prompts, read, strict=True)
        ]

    assert tried([proposal], ask) == (Tried(proposal, dropped),)


def test_questions_that_are_dropped_are_tried_no_further():
    asked = []

    def ask(prompts, title):
        asked.append(len(prompts))
        return ["Saltmere" if "light?" in p.target else "unknown" for p in prompts]

    proposals = [Proposal(Asked(question, "Saltmere"), PAIR) for question in ("Who built the light?", "Who is it?")]
    assert [t.dropped for t in tried(proposals, ask)] == ["found with one passage", "not found with both passages"]
    assert asked == [2 * TRIES, TRIES, 0, 0]


def test_the_other_questions_stay_as_they_are(tmp_path):
    source = write_squad(tmp_path / "squad")
    plain, data = make_squad(source, "tiny", 0), make_squad(source, "tiny", 0, two_passages=TwoPassagesWanted())
    assert data.questions[: len(plain.questions)] == plain.questions and data.form_rows == plain.form_rows
    further = data.questions[len(plain.questions) :]
    assert [q.id for q in further] == [f"squad-two-{n:04}" for n in range(1, 5)]
    assert {q.split for q in further} == {"two passages"}
    first, second = map(int, re.findall(r"\d", further[0].subset))
    assert further[0].choices[further[0].answer] in data.documents[first] + data.documents[second]
    assert data.settings == {**plain.settings, "two_passages": {"compared": 4}}
    assert data.about == f"{plain.about} Questions that need two passages compare dates that people asked for."
    assert examine(data).problems == [] and "two passages 4" in examine(data).proven[1]
    assert examine(data).proven[2] == "two passages: 4 comparisons of dates, right by construction"


def test_of_one_pair_a_question_with_the_same_answer_is_kept_once():
    questions = (
        "When was the light of Varn built, near the mill of Brill?",
        "In which year got Varn its light, not Brill?",
    )

    def ask(prompts, title):
        both = [all(p.text in prompt.prefix.text + prompt.target for p in (LIGHT, MILL)) for prompt in prompts]
        if title == "trying":
            return ["1901" if told else "unknown" for told in both]
        return [answer(questions[p.sample], "1901") if told else "" for p, told in zip(prompts, both, strict=True)]

    found = two_passages_of([LIGHT, MILL, LIST], random.Random(0), TwoPassagesWanted(ask, proposals=2))
    assert found.settings == {
        "compared": 1,
        "proposals": 6,
        "kept": 1,
        "dropped": {"malformed": 4, "proposed before": 1},
    }
    assert found.questions[1].prompt == f"Question: {questions[0]}\nAnswer:"


EVERY_TOWN = f"Which of {', '.join(town for towns in TOWNS.values() for town in towns)} has a tower by the last one?"


class Script:
    """Proposes one and the same question about every pair with the article's first town, and other ones about the rest.

    It never answers that question, always those about the second town, and the others with both passages alone.
    """

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.known: set[str] = set()

    def __call__(self, body: dict) -> str:
        prompt = prompt_of(body)
        towns = re.findall(r"stands in (\w+) Harbour", prompt.rsplit("Now these texts", 1)[-1])
        if "response_format" in body:
            return self.proposed(*towns, prompt.rsplit("In ", 1)[1][:4])
        question = prompt.rsplit("Question: ", 1)[1]
        is_told = question in self.known or (len(towns) == 2 and question in self.answers)
        return self.answers[question] if is_told else "unknown"

    def proposed(self, first: str, second: str, year: str) -> str:
        place = next(towns.index(first) for towns in TOWNS.values() if first in towns)
        if place == 0:
            return answer(EVERY_TOWN, f"{second}son")
        question = f"When was the tower of {second} built, beside that of {first}?"
        self.answers[question] = year
        if place == 1:
            self.known.add(question)
        return answer(question, year)


def test_a_teacher_proposes_and_is_asked_once(tmp_path):
    source, out = write_squad(tmp_path / "squad"), tmp_path / "out"
    made = ["make", "squad", "--source", str(source), "--scale", "tiny", "--seed", "4", "--out", str(out)]
    with TeacherServer(answer=Script()) as server:
        made += ["--two-passages", "--teacher-url", server.base_url, "--teacher-model", "m"]
        result = CliRunner().invoke(bench, made)
        assert result.exit_code == 0, result.output
        first, asked = load(out), len(server.bodies)
        assert {body["temperature"] for body in server.bodies} == {0.7}
        assert not any("seed" in body for body in server.bodies)
        assert CliRunner().invoke(bench, made).exit_code == 0
        assert load(out) == first and len(server.bodies) == asked
    assert first.settings["two_passages"] == {
        "compared": 5,
        "proposals": 10,
        "kept": 3,
        "dropped": {"found with one passage": 3, "proposed before": 3, "not found with both passages": 1},
    }
    assert (
        "3 of 10 questions that a teacher proposed need both as far as it can tell, which is not proven; read them "
        "(dropped: found with one passage 3, proposed before 3, not found with both passages 1)"
    ) in result.output
    assert "or were proposed by a teacher" in result.output and "answer not in the passage 5" in result.output
    proposed = first.questions[-3:]
    assert all(q.prompt.startswith("Question: When was the tower of ") for q in proposed)
    assert [q.subset for q in proposed] == ["passages 2 and 3", "passages 2 and 4", "passages 3 and 4"]
    assert all(len(q.choices) == 4 and q.choices[q.answer].isdigit() for q in proposed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--teacher-url", "http://127.0.0.1:9/v1", "--teacher-model", "m"], "add --two-passages"),
        (["--two-passages", "--teacher-model", "m"], "needs both --teacher-url and --teacher-model"),
        (["--two-passages", "--teacher-url", "nowhere", "--teacher-model", "m"], "--teacher-url, --teacher-model, "),
    ],
)
def test_options_that_do_not_fit(tmp_path, options, message):
    made = ["make", "squad", "--source", str(write_squad(tmp_path / "squad")), "--scale", "tiny", "--out"]
    result = CliRunner().invoke(bench, [*made, str(tmp_path / "out"), *options])
    assert result.exit_code == 1 and message in result.output and len(result.output.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_only_squad_has_them():
    with pytest.raises(BenchError, match="two passages: only squad has questions that need them, reversals has none"):
        make("reversals", "tiny", 0, two_passages=TwoPassagesWanted())


def test_a_suite_asks_for_them(tmp_path):
    data = {"name": "squad", "scale": "tiny", "source": str(write_squad(tmp_path / "squad")), "two_passages": True}
    content = {"name": "toy", "recipe": {"base_model": "m"}, "data": data, "conditions": ["ft"], "steps": 1}
    plan = suite_plan(parse_suite(content, Path("suite.yml")), tmp_path / "out")
    assert Counter(q.split for q in plan.questions)["two passages"] == 4
