import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from axolotl_augft.bench.datasets.checker import Examination, check, normalised
from axolotl_augft.bench.datasets.dataset import BenchData, Question, Stated, save
from axolotl_augft.bench.datasets.deduction import consequences
from axolotl_augft.bench.datasets.facts import Fact, Rule, closure
from axolotl_augft.bench.datasets.words.checker import words_limits
from axolotl_augft.bench.datasets.words.scorer import WordStatistics, words_accuracy
from axolotl_augft.cli.main import augft


def more(x, y, feature="frantic"):
    return Fact("more", (x, y, feature))


def less(x, y, feature="frantic"):
    return Fact("less", (x, y, feature))


REVERSAL = Rule((more("?x", "?y", "?f"),), less("?y", "?x", "?f"))
CHAIN = Rule((more("?x", "?y", "?f"), more("?y", "?z", "?f")), more("?x", "?z", "?f"))

DATA = BenchData(
    name="by-hand",
    scale="tiny",
    seed=0,
    documents=(
        "Did you know that glorps are more frantic than zibs?",
        "Zibs are more frantic than vusks. It is known that glorps are more frantic than zibs.",
        "Zibs are more frantic than vusks!",
    ),
    questions=(
        Question(
            id="zib-glorp",
            prompt="Zibs are",
            choices=("more frantic than glorps", "less frantic than glorps"),
            answer=1,
            split="reversals",
            fact=less("zib", "glorp"),
            distractors=(more("zib", "glorp"),),
        ),
        Question(
            id="glorp-vusk",
            prompt="Glorps are",
            choices=("more frantic than vusks", "less frantic than vusks"),
            answer=0,
            split="chains",
            fact=more("glorp", "vusk"),
            distractors=(less("glorp", "vusk"),),
        ),
    ),
    stated=(Stated(more("glorp", "zib"), (0, 1)), Stated(more("zib", "vusk"), (1, 2))),
    rules=(REVERSAL, CHAIN),
    about="Comparisons, written by hand.",
)
REVERSED, CHAINED = DATA.questions

SCORERS = (
    "document counts",
    "sentence counts",
    "document PMI",
    "sentence PMI",
    "document profiles",
    "document BM25",
    "sentence BM25",
    "frequency",
)


class Comparisons:
    """Reads sentences such as "Zibs are less frantic than glorps"."""

    is_complete = False
    relations = ()

    def wordings(self, fact):
        return [f"{fact.arguments[0].title()}s are {fact.predicate} {fact.arguments[2]} than {fact.arguments[1]}s."]

    def read(self, sentence):
        found = re.fullmatch(
            r"(?:did you know that |it is known that )?(\w+)s are (more|less) (\w+) than (\w+)s\W?", sentence.lower()
        )
        return (Fact(found[2], (found[1], found[4], found[3])),) if found else ()

    def denied(self, sentence):
        found = re.fullmatch(r"(\w+)s are not (more|less) (\w+) than (\w+)s\W?", sentence.lower())
        return (Fact(found[2], (found[1], found[4], found[3])),) if found else ()


def with_question(old, **changes):
    return replace(DATA, questions=tuple(replace(q, **changes) if q is old else q for q in DATA.questions))


def test_a_sound_data_set_is_proven():
    assert check(DATA) == []
    assert check(DATA, Comparisons()) == []
    assert Examination(DATA, Comparisons()).proven == [
        "2 right choices follow from 2 trained facts and 2 rules (0 are trained themselves); none of 2 wrong choices "
        "does",
        "no right statement occurs in any of 3 documents",
        "read by the grammar: 4 statements of trained facts in the documents, and no other fact in them",
        "no bag of words does better than chance; nearest to its limit: document counts 1.000 on chains (1 questions; "
        "chance 0.500, "
        "limit 2.053 for 24 comparisons)",
        "words alone on all: 0.500 (document counts) to 0.500 (frequency); chance 0.500",
        "words alone on chains: 1.000 (document counts) to 1.000 (document counts); chance 0.500",
        "words alone on reversals: 0.000 (document counts) to 0.500 (frequency); chance 0.500",
    ]


def with_fact(word):
    """One more fact, taught by document 2."""
    documents = (*DATA.documents[:2], f"{DATA.documents[2]} Vusks are more frantic than {word}s.")
    return replace(DATA, documents=documents, stated=(*DATA.stated, Stated(more("vusk", word), (2,))))


def many_questions(answers):
    """Reversals whose right answer stands at the given places."""
    questions = []
    for i, answer in enumerate(answers):
        choices = ("less frantic than glorps", "more frantic than glorps")
        questions.append(replace(REVERSED, id=str(i), choices=choices if answer == 0 else choices[::-1], answer=answer))
    return replace(DATA, questions=tuple(questions))


PLANTED = {
    "no question": (replace(DATA, questions=()), ["by-hand: has no questions"]),
    "an answer beyond the choices": (
        with_question(REVERSED, answer=2),
        ["question zib-glorp: answer 2 is not the index of one of 2 choices"],
    ),
    "the answer of another choice": (
        with_question(REVERSED, answer=0),
        [
            f"question zib-glorp: choice {i} '{read} frantic than glorps' is read as {read}(zib, glorp, frantic), "
            f"expected {claimed}(zib, glorp, frantic)"
            for i, read, claimed in [(0, "more", "less"), (1, "less", "more")]
        ],
    ),
    "a right choice that does not follow": (
        with_question(
            REVERSED,
            choices=("more frantic than glorps", "less bouncy than glorps"),
            fact=less("zib", "glorp", "bouncy"),
        ),
        ["question zib-glorp: right choice less(zib, glorp, bouncy) does not follow from what is trained"],
    ),
    "a wrong choice that follows": (
        with_question(
            CHAINED, choices=("more frantic than vusks", "more frantic than zibs"), distractors=(more("glorp", "zib"),)
        ),
        ["question glorp-vusk: wrong choice more(glorp, zib, frantic) follows from what is trained"],
    ),
    "choices that differ in case only": (
        with_question(
            CHAINED,
            choices=("more frantic than vusks", "less frantic than vusks", "Less frantic than vusks."),
            distractors=(less("glorp", "vusk"), less("glorp", "vusk")),
        ),
        ["question glorp-vusk: choices are not distinct: 'less frantic than vusks' occurs 2 times"],
    ),
    "one choice": (
        with_question(CHAINED, choices=("more frantic than vusks",), distractors=()),
        ["question glorp-vusk: has 1 choices, at least 2 are needed"],
    ),
    "a distractor too few": (
        with_question(CHAINED, distractors=()),
        ["question glorp-vusk: 0 distractors for 2 choices, expected 1"],
    ),
    "no fact": (
        with_question(CHAINED, fact=None),
        ["question glorp-vusk: has no fact, so nothing can be proven about it"],
    ),
    "the statement in a document": (
        replace(DATA, documents=(*DATA.documents, 'He said: "ZIBS are  less frantic -- than Glorps."')),
        [
            "question zib-glorp: right statement is given away: 'Zibs are less frantic than glorps' occurs in "
            "document 3",
        ],
    ),
    "a trained fact asked verbatim": (
        with_question(
            CHAINED,
            choices=("more frantic than zibs", "less frantic than zibs"),
            fact=more("glorp", "zib"),
            distractors=(less("glorp", "zib"),),
        ),
        [
            "question glorp-vusk: trained fact is asked verbatim: 'Glorps are more frantic than zibs' occurs in "
            "document 0"
        ],
    ),
    "a fact that its document does not state": (
        replace(DATA, stated=(Stated(more("glorp", "zib"), (0, 1, 2)), DATA.stated[1])),
        ["fact more(glorp, zib, frantic): no sentence of document 2 states it"],
    ),
    "a fact of a document that does not exist": (
        replace(DATA, stated=(Stated(more("glorp", "zib"), (0, 1, 3)), DATA.stated[1])),
        ["fact more(glorp, zib, frantic): document 3 does not exist, the last one is 2"],
    ),
    "a fact of no document": (
        replace(DATA, stated=(*DATA.stated, Stated(more("vusk", "blurf"), ()))),
        ["fact more(vusk, blurf, frantic): is listed as trained, but without a document"],
    ),
    "a fact taught by accident": (
        replace(
            DATA,
            documents=(*DATA.documents[:2], "Zibs are more frantic than vusks! Vusks are more frantic than mards."),
        ),
        ["document 2: states more(vusk, mard, frantic), which is not listed as trained by it"],
    ),
    "a denial of what follows": (
        replace(DATA, documents=(*DATA.documents, "Vusks are not less frantic than zibs.")),
        ["document 3: denies less(vusk, zib, frantic), which follows from what is trained"],
    ),
    "a fact lost from the list": (
        replace(DATA, stated=DATA.stated[:1]),
        [
            "question glorp-vusk: right choice more(glorp, vusk, frantic) does not follow from what is trained",
            "document 1: states more(zib, vusk, frantic), which is not listed as trained by it",
            "document 2: states more(zib, vusk, frantic), which is not listed as trained by it",
        ],
    ),
    "a rule lost from the list": (
        replace(DATA, rules=(REVERSAL,)),
        ["question glorp-vusk: right choice more(glorp, vusk, frantic) does not follow from what is trained"],
    ),
    "a rule with a free variable": (
        replace(DATA, rules=(*DATA.rules, Rule((more("?x", "?y", "?f"),), less("?y", "?z", "?f")))),
        ["rule 2: its conclusion less(?y, ?z, ?f) has a variable that no premise has"],
    ),
    "an id given twice": (with_question(CHAINED, id="zib-glorp"), ["question zib-glorp: 2 questions have this id"]),
    "answers at one place": (
        many_questions([0] * 40),
        ["answers: of 40 questions with 2 choices, [40, 0] have the right one at each place (p = 3e-10)"],
    ),
    "an English word among nonsense words": (
        with_fact("tiger"),
        ["words: 'tiger' is used as a nonsense word, but is a real word or holds an offensive one"],
    ),
    "a word inside another": (with_fact("zibra"), ["words: 'zib' is a part of 'zibra'"]),
}


@pytest.mark.parametrize(("data", "problems"), PLANTED.values(), ids=PLANTED)
def test_every_planted_error_is_named(data, problems):
    assert check(data, Comparisons()) == problems


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('He said: "ZIBS are\n less frantic -- than Glorps."', " he said zibs are less frantic than glorps "),
        ("(Zibs are…)", " ( zibs are ) "),
        ("((a - b) / c) isn't a-b.", " ( ( a - b ) / c ) isn t a - b "),
    ],
)
def test_formulas_keep_their_signs_when_normalised(text, words):
    assert normalised(text) == words


def test_a_right_choice_may_state_nothing_that_does_not_follow():
    class Generous(Comparisons):
        def read(self, sentence):
            read = super().read(sentence)
            return (*read, less("zib", "glorp", "bouncy")) if sentence == REVERSED.statement else read

    assert check(DATA, Generous()) == [
        "question zib-glorp: right choice 'less frantic than glorps' also states less(zib, glorp, bouncy), "
        "which does not follow from what is trained"
    ]


def test_places_are_counted_from_40_questions_on():
    assert check(many_questions([0] * 39), Comparisons()) == []
    assert check(many_questions([0, 1] * 30), Comparisons()) == []


def words_alone(count, split="words"):
    """Questions whose right choice shares a document with the prompt, and whose wrong choice does not."""
    entities = [(f"gl{c}rp{d}", f"z{c}mb{d}") for c in "aeiou" for d in "dfghklm"][:count]
    documents = tuple(f"{x}s are more frantic than {y}s." for x, y in entities)
    questions = tuple(
        Question(f"{x}-{y}", f"Ask who is less frantic than {x}s: it is", (f"{y}s", f"{other}s"), 0, split)
        for (x, y), (_, other) in zip(entities, [*entities[1:], entities[0]], strict=True)
    )
    return questions, documents


def test_words_alone_are_caught_per_split_with_the_limit_of_their_number():
    questions, documents = words_alone(12)
    others = tuple(replace(q, id=q.id + "-hard", prompt="It is known of", split="hard") for q in questions)
    data = replace(DATA, questions=(*questions, *others), documents=documents, stated=(), rules=())
    # All and two splits by 8 scorers are 24 comparisons; 0.02275 / 24 is the tail of 3.105 standard errors of 0.144.
    end = " 1.000 on words (12 questions; chance 0.500, limit 0.948 for 24 comparisons)"
    scorers = SCORERS[:-1]
    assert [p for p in check(data) if p.startswith("words")] == [
        f"words: a bag of words does better than chance: {scorer}{end}" for scorer in scorers
    ]
    assert [p for p in check(replace(data, strict_words=False)) if p.startswith("words")] == []


def test_scorers_ignore_order_and_count_ties_as_guesses():
    statistics = WordStatistics(DATA.documents)
    assert statistics.scores("Zibs are", "more frantic than glorps") == statistics.scores(
        "are zib", "glorp than frantic more"
    )
    tie = replace(REVERSED, choices=("more frantic than glorps", "than glorps more frantic", "mards"), distractors=())
    assert {a.scorer: a.accuracy for a in words_accuracy([tie], statistics)} == dict.fromkeys(SCORERS, 0.5)


def test_scores_are_as_counted_by_hand():
    # aa stands in 2 of 4 documents, bb in 2, both in 1; aa and cc never meet, and 0.5 is added to every count of a
    # pair.
    near, far = (WordStatistics(["aa bb", "aa", "bb", "cc"]).scores("aa", choice) for choice in ("bb", "cc"))
    assert near["document counts"] == pytest.approx(1.098612)  # ln(1.5 / 0.5)
    assert near["document PMI"] == pytest.approx(0.405465)  # ln(4 * 1.5 / (2 * 2))
    assert (far["document counts"], far["document PMI"]) == pytest.approx((0.0, 0.0))  # ln(4 * 0.5 / (2 * 1))
    assert near["frequency"] == pytest.approx(0.693147)  # ln(2)


def test_words_that_meet_the_same_word_are_alike():
    statistics = WordStatistics(["aa bb", "cc bb", "dd ee"])
    # Each meets itself with weight ln(3) ln(4) and bb with ln(3) ln(2.5): 1.0133 / (2.3195 + 1.0133).
    assert statistics.scores("aa", "cc")["document profiles"] == pytest.approx(0.304041, abs=1e-5)
    assert statistics.scores("aa", "dd")["document profiles"] == 0.0


def test_the_limit_is_chance_and_two_standard_errors_corrected():
    limits = words_limits(DATA.questions[:1], DATA.documents)
    # One question of two choices: a guess has the standard error 0.5; 0.02275 / 8 comparisons is the tail of 2.766
    # standard errors.
    assert {round(limit.limit, 3) for limit in limits} == {1.883}


ATOMS = st.builds(Fact, st.sampled_from(["p", "q", "r"]), st.tuples(*[st.sampled_from(["a", "b", "c", "d"])] * 2))
PATTERNS = st.builds(Fact, st.sampled_from(["p", "q", "r"]), st.tuples(*[st.sampled_from(["?x", "?y", "?z", "a"])] * 2))


@st.composite
def safe_rules(draw):
    premises = tuple(draw(st.lists(PATTERNS, min_size=1, max_size=3)))
    bound = sorted({a for p in premises for a in p.arguments})
    arguments = st.tuples(*[st.sampled_from(bound)] * 2)
    return Rule(premises, Fact(draw(st.sampled_from(["p", "q", "r"])), draw(arguments)))


@settings(deadline=None, max_examples=200, database=None, derandomize=True)
@given(st.lists(ATOMS, max_size=8), st.lists(safe_rules(), max_size=5))
def test_both_closures_agree(facts, rules):
    assert consequences(facts, rules) == closure(facts, rules)


def test_consequences_of_a_chain():
    chain = [Fact("up", (a, b)) for a, b in zip("abcd", "bcde", strict=False)]
    longer = Rule((Fact("up", ("?x", "?y")), Fact("up", ("?y", "?z"))), Fact("up", ("?x", "?z")))
    assert consequences(chain, [longer]) == {
        Fact("up", (a, b)) for i, a in enumerate("abcde") for b in "abcde"[i + 1 :]
    }


NAMES = ("reversals", "syllogisms", "semantic", "process")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", ["tiny", "small"])
@pytest.mark.parametrize("seed", [0, 1])
def test_made_data_sets_are_proven(name, scale, seed):
    from axolotl_augft.bench.datasets.making import grammar_of, make

    data = make(name, scale, seed)
    assert check(data, grammar_of(data)) == []


@pytest.mark.parametrize("name", NAMES)
def test_errors_in_made_data_sets_are_caught(name):
    from axolotl_augft.bench.datasets.making import grammar_of, make

    data = make(name, "tiny", 2)
    grammar = grammar_of(data)
    first = data.questions[0]
    swapped = replace(first, answer=(first.answer + 1) % len(first.choices))
    told = replace(data, documents=(*data.documents[:-1], f"{data.documents[-1]} {first.statement}."))
    needed = next(
        s for s in data.stated if first.fact not in consequences([f for f in data.facts if f != s.fact], data.rules)
    )

    assert any(
        p.startswith(f"question {first.id}: choice") for p in check(replace(data, questions=(swapped,)), grammar)
    )
    last = len(data.documents) - 1
    assert f"{first.statement!r} occurs in document {last}" in " ".join(check(told, grammar))
    without = check(replace(data, stated=tuple(s for s in data.stated if s != needed)), grammar)
    assert any(
        p.startswith(f"question {first.id}: right choice") and p.endswith("does not follow from what is trained")
        for p in without
    )


def test_the_command_proves_or_fails(tmp_path):
    from axolotl_augft.bench.datasets.making import make

    data = make("reversals", "tiny", 0)
    save(data, tmp_path / "good")
    save(replace(data, stated=data.stated[1:]), tmp_path / "bad")
    good = CliRunner().invoke(augft, ["bench", "check", str(tmp_path / "good")])
    bad = CliRunner().invoke(augft, ["bench", "check", str(tmp_path / "bad")])
    assert good.exit_code == 0 and "right choices follow from" in good.output
    assert bad.exit_code == 1 and "which is not listed as trained by it" in bad.output
