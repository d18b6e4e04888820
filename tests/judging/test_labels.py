"""Signs at the beginning of a statement survive every label; labels and layout never become part of a row."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from axolotl_augft.judging.labels import read_line
from axolotl_augft.judging.read_statements import read_inferences
from axolotl_augft.judging.rules import judge
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.task import Reading, Task
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.request import Prefix, Request, Sampling

LINES = Reading()
REQUEST = Request("t", "chat", Prefix("", ""), "", Sampling(0, None, 9, (), 1), 0)
PREMISES = (
    "The limit of the Heron is at minus forty degrees, at five dollars, since the third of October.",
    "Es gilt: Die Grenze liegt bei −40 °C, am 3. Oktober 1990, bei 1. FC Ennis.",
)


def task(premises=PREMISES, reading=LINES, kind="statement", sentences=("One.", "Two.", "Three.")):
    return Task(REQUEST, "local", Document("0a1b2c3d", "", 0, 0), premises, sentences, kind=kind, reading=reading)


def read(text, reason="stop", **kwargs):
    return read_inferences(task(**kwargs), Answer(Outcome.ANSWERED, text, reason))


def trained(text, reason="stop", **kwargs):
    """What becomes rows of an answer."""
    own = task(**kwargs)
    return [i.text for i in read(text, reason, **kwargs) if judge(own, i) is None]


STATEMENTS = [
    "-40 °C is the limit.",
    "−40 °C is the limit.",
    "+5 V is the limit.",
    "±5 V is the limit.",
    "$5 is the limit.",
    "€5 is the limit.",
    ".NET is the limit.",
    "#5 is the limit.",
    "@mara is the limit.",
    "~5 days is the limit.",
    "<5 days is the limit.",
    "*args is the limit.",
    "_init is the limit.",
    "`ls` is the limit.",
    "/etc is the limit.",
    "\\alpha is the limit.",
    "¿Is the limit 5 or is it 6?",
    "…and the limit is 5.",
    '"The limit" is what it is called.',
    "“The limit” is what it is called.",
    "«The limit» is what it is called.",
    "„Die Grenze“ liegt bei 5.",
    "'The limit' is what it is called.",
    "(The limit) is at 5.",
    "3. Oktober 1990 ist die Grenze.",
    "1. FC Ennis ist die Grenze.",
    "1990 is the limit.",
    "5) is what the limit is called.",
    "The limit is at 5.",
    "Die Grenze: 5 Grad oder mehr.",
    "限度は5度です。",
]
LABELS = [
    "[1] reversal: {}",
    "[1] Reversal: {}",
    "[1] reversal : {}",
    "[1] reversal：{}",
    "[1] reversal - {}",
    "[1] reversal – {}",
    "[1] reversal — {}",
    "[1] reversal -> {}",
    "[1] reversal → {}",
    "[1] reversal | {}",
    "[1] reversal = {}",
    "[1] (reversal) {}",
    "[1] [reversal] {}",
    "[1] [reversal]: {}",
    "[1] (reversal): {}",
    "[1, reversal] {}",
    "[1: reversal] {}",
    "[1] - reversal: {}",
    "[1]: reversal: {}",
    "[1]. reversal: {}",
    "[1] | reversal | {}",
    "[1] reversal 2: {}",
    "[1] reversal (2): {}",
    "[1] reversal #2: {}",
    "[1] **reversal**: {}",
    "[1] **reversal:** {}",
    "[1] *reversal:* {}",
    "[1] __reversal:__ {}",
    "[1] `reversal`: {}",
    "**[1] reversal:** {}",
    "**[1] reversal**: {}",
    "**[1]** reversal: {}",
    "**[1]** **reversal:** {}",
    "**[1] reversal: {}**",
    "【1】reversal：{}",
    "［1］ reversal: {}",
    "(1) reversal: {}",
    "- [1] reversal: {}",
    "* [1] reversal: {}",
    "◦ [1] reversal: {}",
    "• [1] reversal: {}",
    "> [1] reversal: {}",
    "> - [1] reversal: {}",
    "- [ ] [1] reversal: {}",
    "### [1] reversal: {}",
    "1. [1] reversal: {}",
    "[sentence 1] reversal: {}",
    "[1]\treversal:\t{}",
    "  [1]\u00a0reversal:\u00a0{}",
    "| 1 | reversal | {} |",
    "| [1] reversal: {} |",
    "|[1]|reversal|{}|",
]
KINDS = [
    "reversal: {}",
    "Reversal: {}",
    "**Reversal:** {}",
    "**Reversal**: {}",
    "reversal - {}",
    "reversal：{}",
    "Reversal 1: {}",
    "1. Reversal: {}",
    "2) reversal - {}",
    "◦ **Reversal:** {}",
    "Reversed: {}",
    "Inverse: {}",
    "**Reversal:**\n{}",
    "### Reversal\n{}",
    "Reversal:\n\n- {}",
    "```\nreversal: {}\n```",
    "```text\nreversal: {}\n```",
]
NUMBERS = ["[1] {}", "[1]: {}", "[1]. {}", "- [1] {}", "◦ [1] {}", "**[1]** {}", "| 1 | {} |", "[1]\n- {}"]
BULLETS = ["- {}", "* {}", "• {}", "◦ {}", "‣ {}", "▪ {}", "> {}", "+ {}", "– {}"]


@pytest.mark.parametrize("label", LABELS)
def test_after_a_label_the_statement_is_whole(label):
    for statement in STATEMENTS:
        (inference,) = read(label.format(statement))
        assert (inference.kind, inference.sentence, inference.text) == ("reversal", 0, statement), label


@pytest.mark.parametrize("label", KINDS)
def test_after_a_kind_the_statement_is_whole(label):
    for statement in STATEMENTS:
        (inference,) = read(label.format(statement))
        assert (inference.kind, inference.sentence, inference.text) == ("reversal", None, statement), label


@pytest.mark.parametrize("label", NUMBERS)
def test_after_a_number_the_statement_is_whole(label):
    for statement in STATEMENTS:
        (inference,) = read(label.format(statement))
        assert (inference.kind, inference.sentence, inference.text) == ("statement", 0, statement), label


@pytest.mark.parametrize("label", ["{}", *BULLETS])
def test_after_a_bullet_or_nothing_the_statement_is_whole(label):
    for statement in STATEMENTS:
        (inference,) = read(label.format(statement))
        assert (inference.kind, inference.sentence, inference.text) == ("statement", None, statement), label


FEW = [s for s in STATEMENTS if not s[:1].isdigit() or s[:4] == "1990"]
ANSWERS = [
    # A list is numbered one after the other.
    ("1. {0}\n2. {1}", [0, 1]),
    ("1) {0}\n2) {1}\n3) {2}", [0, 1, 2]),
    ("(1) {0}\n(2) {1}", [0, 1]),
    ("**1.** {0}\n**2.** {1}", [0, 1]),
    ("1. {0}\n\n2. {1}\n", [0, 1]),
    ("- 1. {0}\n- 2. {1}", [0, 1]),
    # Chatter around labelled lines is none of them.
    ("Sure! Here are the statements:\n\n- {0}\n- {1}\n\nI hope this helps.", [0, 1]),
    ("Sure! Here are the statements.\n[1] reversal: {0}\nLet me know if you need more.", [0]),
    ("Natürlich! Hier sind sie.\n1. {0}\n2. {1}\nIch hoffe, das hilft dir weiter.", [0, 1]),
    ("好的，以下是陈述。\n[1] 改写：{0}\n[1] reversal: {1}\n希望对你有帮助。", [1]),
    ("Sure, two of them:\n{0}\n{1}\n\nMöchtest du noch mehr davon?", [0, 1]),
    ("**Reversals**\n{0}\n{1}\n\nDas war alles, was ich weiß.", [0, 1]),
    # Tables.
    ("| # | Kind | Statement |\n|---|:---:|---|\n| 1 | reversal | {0} |\n| 2 | rephrasing | {1} |", [0, 1]),
    ("| 1 | {0} |\n| 2 | {1} |", [0, 1]),
    ("| Sentence | Statement |\n| --- | --- |\n| [1] | {0} |", [0]),
    ("| {0} | {1} |", []),
    # Rules, headings, fences.
    ("---\n{0}\n---\n{1}\n***", [0, 1]),
    ("```\n- {0}\n- {1}\n```", [0, 1]),
    ("### Sentence [1]\n- {0}\n\n### Sentence [2]\n- {1}", [0, 1]),
]


@pytest.mark.parametrize(("answer", "kept"), ANSWERS)
def test_whole_answers(answer, kept):
    for at in range(len(FEW)):
        some = [FEW[at], FEW[(at + 7) % len(FEW)], FEW[(at + 11) % len(FEW)]]
        assert set(trained(answer.format(*some))) <= set(some)
        if answer != "| {0} | {1} |":
            assert [t for t in trained(answer.format(*some)) if t in some], answer.format(*some)
    plain = ["The limit is five.", "At five is the limit.", "The Heron is at its limit."]
    assert trained(answer.format(*plain)) == [plain[i] for i in kept]


@pytest.mark.parametrize(
    ("answer", "read_as"),
    [
        ("3. Oktober 1990 ist es.", ["3. Oktober 1990 ist es."]),
        ("3. Oktober ist es.\n7. Oktober ist es.", ["3. Oktober ist es.", "7. Oktober ist es."]),
        ("1. FC Ennis ist es.\n2. Bundesliga ist es.", ["1. FC Ennis ist es.", "Bundesliga ist es."]),
        ("- 3. Oktober ist es.\n- Die Grenze ist es.", ["3. Oktober ist es.", "Die Grenze ist es."]),
        ("- 40 °C is it.\n- The limit is it.", ["40 °C is it.", "The limit is it."]),
        ('"B is A."\n"C is D."', ["B is A.", "C is D."]),
        ('[1] reversal: "B is A."', ['"B is A."']),
        ('[1] reversal: "B is A."\n[2] reversal: "D is C."', ['"B is A."', '"D is C."']),
        ('[1] reversal: "B" is "A."\n[2] reversal: "D is C."', ['"B" is "A."', '"D is C."']),
        ("__B is A.__", ["B is A."]),
        ("B is A.\r\nC is D.", ["B is A.", "C is D."]),
        ("B is\u2028A.", ["B is\u2028A."]),
        ("B is\x85A.", ["B is\x85A."]),
        ("[0] is the first of them.", ["[0] is the first of them."]),
        ("(2) holds if (1) does.", ["(2) holds if (1) does."]),
        ("Reversal is a kind of statement.", ["Reversal is a kind of statement."]),
        ("Consequences, however, follow.", ["Consequences, however, follow."]),
    ],
)
def test_what_decides_is_the_answer_as_a_whole(answer, read_as):
    assert [i.text for i in read(answer)] == read_as


B, D = "B is A.", "D is C."
JSON_ANSWERS = [
    ('["B is A.", "D is C.",]', [B, D]),
    ('["B is A.", "D is C."', [B, D, ""]),
    ('["B is A.", "D is', [B, ""]),
    ('Here you are:\n["B is A.", "D is C."]\nI hope this helps.', [B, D]),
    ('Here you are:\n```json\n["B is A.", "D is C."]\n```\nI hope this helps.', [B, D]),
    ('```json\n{"statements": ["B is A.", "D is C.",]}\n```', [B, D]),
    ('{"statements": [{"text": "B is A."}, {"text": "D is C."},]}', [B, D]),
    ('{"statements": [{"text": "B is A."}, {"text": "D is', [B, ""]),
    ('{"reversal": "B is A.", "rephrasing": ["D is C."]}', [B, D]),
    ('[{"reversal": "B is A."}, {"rephrasing": "D is C."}]', [B, D]),
    ('[{"sentence": 1, "kind": "reversal", "statement": "B is A."}]', [B]),
    ('"B is A.",\n"D is C."', [B, D]),
    ('[\n  "[1] reversal: B is A.",\n  "[2] rephrasing: D is C."\n]', [B, D]),
    ('["B" is A.", "D is C."]', [""]),
    ('["B is A." and so on, "D is C."]', [""]),
    ('[["B is A."], ["D is C."]]', [B, D]),
    ('{"a": 1}', []),
    ("[" * 100_000, None),
    ('{"a":' * 100_000, None),
]


@pytest.mark.parametrize(("answer", "texts"), JSON_ANSWERS, ids=[a[:40] for a, _ in JSON_ANSWERS])
def test_json_of_all_sorts(answer, texts):
    assert texts is None or [i.text for i in read(answer)] == texts
    assert set(trained(answer)) <= {B, D}


LEFT = [
    "Umkehrung: The Heron has a limit.",
    "**Umkehrung:** The Heron has a limit.",
    "*Umformulierung*: The Heron has a limit.",
    "Umkehrung – The Heron has a limit.",
    "[1] Umkehrung: The Heron has a limit.",
    "[2] **Relación:** The Heron has a limit.",
    "[1] 改写：The Heron has a limit.",
    "[1] reformulation : The Heron has a limit.",
    "Logische Folge: The Heron has a limit.",
    "перефразирование: The Heron has a limit.",
    "Rephrasing/Umkehrung: The Heron has a limit.",
    "Paraphrase of sentence 1: The Heron has a limit.",
    "*Reversal* The Heron has a limit.",
    "(reversal) The Heron has a limit.",
    "The Heron has a limit (reversal).",
    "The Heron has a limit. [reversal]",
    "Sure! [1] reversal: The Heron has a limit.",
    "1. The Heron has a limit.",
    "2) The Heron has a limit.",
    "[1] [2] The Heron has a limit.",
    "[1] reversal: [2] The Heron has a limit.",
    "[1] reversal: rephrasing: The Heron has a limit.",
    "| The Heron has a limit. | The limit is the Heron's. |",
    '"text": "The Heron has a limit."',
    '{"text": "The Heron has a limit."',
    "[1] - 5 is the limit of the Heron.",
    "- 5 is the limit of the Heron.",
]


@pytest.mark.parametrize("answer", LEFT)
def test_a_line_that_keeps_a_label_is_rejected(answer):
    assert trained(answer) == []


@pytest.mark.parametrize(
    "statement",
    [
        "Heron: its limit is at minus forty degrees.",
        "The limit: minus forty degrees.",
        "Grenze – das sind minus 40 °C.",
        "At 10:30 the limit is reached.",
        "[1] reversal: Consequences follow from the limit.",
    ],
)
def test_colons_of_statements_are_no_labels(statement):
    assert trained(statement) == [statement.removeprefix("[1] reversal: ")]


TRACE = Reading(ends_in_conclusions=True)
HEADINGS = [
    "Conclusions:",
    "**Conclusions:**",
    "## Conclusions",
    "Conclusions：",
    "**Conclusions**:",
    "CONCLUSIONS:",
    "Conclusion:",
    "Final conclusions:",
    "*Conclusions*",
    "__Conclusions:__",
    "2. Conclusions:",
    "- Conclusions:",
    "### **Conclusions:**",
    "Schlussfolgerungen:",
    "**Выводы:**",
    "结论：",
]


@pytest.mark.parametrize("heading", HEADINGS)
def test_conclusions_below_any_heading(heading):
    answer = f"The Heron is at its limit, so it stops.\n\n{heading}\n\n- -40 °C is the limit.\n- The Heron stops."
    read_as = [(i.kind, i.text) for i in read(answer, reading=TRACE, sentences=())]
    assert read_as == [
        ("trace", "The Heron is at its limit, so it stops."),
        ("conclusion", "-40 °C is the limit."),
        ("conclusion", "The Heron stops."),
    ]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("A, so B.\nConclusions: C is D.", ["A, so B.", "C is D."]),
        ("A, so B.\nConclusions: C is D.\n- E is F.", ["A, so B.", "C is D.", "E is F."]),
        ("A, so B.\nConclusion 1: C is D.\nConclusion 2: E is F.", ["A, so B.", "C is D.", "E is F."]),
        (
            "Conclusions: none yet.\nA, so B.\n- C is so.\nBut D.",
            ["Conclusions: none yet.\nA, so B.\n- C is so.\nBut D."],
        ),
        ("A, so B.\nConclusions:\nI hope so.\n- C is D.", ["A, so B.", "C is D."]),
        ("**Reasoning:** -40 is it.\nConclusions:\n", ["-40 is it."]),
        ("Reasoning: *A* is it.\nConclusions:\n", ["*A* is it."]),
        ("Reasoning：-40 is it.\nConclusions:\n", ["-40 is it."]),
    ],
)
def test_traces_and_their_labels(answer, found):
    assert [i.text for i in read(answer, reading=TRACE, sentences=()) if not i.stray] == found


CUT_TRACES = [
    ("The Heron is at its limit. So the harb", "The Heron is at its limit."),
    ("The Heron is at its limit. So it stops", "The Heron is at its limit."),
    ("The Heron is at its limit.\n- So it stops. And\n", "The Heron is at its limit.\n- So it stops."),
    ("The Heron (the pump) is at its limit.) And no", "The Heron (the pump) is at its limit.)"),
    ("Dr. Quell is at the limit. So Dr. Quell stops and", "Dr. Quell is at the limit."),
    ("泵已达到极限。所以它停", "泵已达到极限。"),
    ("पंप अपनी सीमा पर है। इसलिए यह", "पंप अपनी सीमा पर है।"),
    ("The Heron is at its li", None),
]


@pytest.mark.parametrize("reason", ["stop", "length", "", "abort"])
@pytest.mark.parametrize(("answer", "whole"), CUT_TRACES)
def test_a_trace_that_ends_inside_a_word_is_cut_back(answer, whole, reason):
    (trace,) = read(answer, reason, reading=TRACE, sentences=())
    assert (trace.cut, None if trace.cut else trace.text) == (whole is None, whole)


OPENINGS = [
    "",
    "-",
    "−",
    "+",
    "±",
    "$",
    "€",
    ".",
    "#",
    "@",
    "~",
    "<",
    ">",
    "=",
    "*",
    "**",
    "_",
    "`",
    "/",
    "\\",
    "¿",
    "¡",
    "…",
    "—",
    "–5 ",
    "- 5 ",
    '"',
    "“",
    "«",
    "„",
    "「",
    "'",
    "(",
    "(a) ",
    "(1) ",
    "[",
    "[1] ",
    "[a] ",
    "{",
    "|",
    "1. ",
    "3. ",
    "12) ",
    "5: ",
    "1990 ",
    "a) ",
    "A. ",
    "Note: ",
    "Reversal: ",
    "reversal - ",
    "Reversal of ",
    "Conclusions: ",
    "Answer: ",
    "Question: ",
    "<think>",
    "[THINK]",
    "```",
    "•",
]
WORDS = [
    "limit",
    "Heron",
    "-40",
    "40",
    "$5",
    "°C",
    "is",
    "die",
    "Grenze",
    ".NET",
    "C++",
    "“so”",
    "(b)",
    "1.",
    "a:b",
    "*x*",
    "泵",
    "–",
    "|",
]
statements = st.builds(
    lambda opening, words, end: f"{opening}{' '.join(words)}{end}",
    st.sampled_from(OPENINGS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    st.lists(
        st.sampled_from(WORDS) | st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=6),
        min_size=2,
        max_size=6,
    ),
    st.sampled_from([".", "!", "?", "…", '."', "。", ".)"]),
)
ONE_LABEL = [*LABELS, *KINDS, *(n for n in NUMBERS if "\n" not in n)]
SURROUNDED = [
    "{}",
    "Sure! Here are the statements:\n{}",
    "Gern!\n\n{}\n\nIch hoffe, das hilft.",
    "```\n{}\n```",
    "<think>Hm.</think>\n{}",
]


def is_part_of_a_label(statement, label):
    """Whether a statement begins like the kind, or the separator, that may follow a label that ends without one."""
    line, numbered = read_line(statement), read_line(f"[1] {statement}")
    is_open = label.replace("*", "").endswith(("\n{}", "\n- {}", "] {}", "]: {}", "]. {}", ") {}", "| {} |"))
    return is_open and (line.labelled or bool(line.bullet) or numbered.kind is not None)


@settings(max_examples=400, deadline=None)
@given(statements, st.sampled_from(ONE_LABEL), st.sampled_from(SURROUNDED))
@example("-40 °C is the limit.", "[1] reversal: {}", "{}")
@example("- 40 °C is the limit.", "[1] (reversal) {}", "{}")
@example("Reversal: limit limit.", "Reversal:\n\n- {}", "{}")
@example("(reversal) limit limit.", "[1] {}", "{}")
def test_what_is_trained_is_the_statement_or_nothing(statement, label, around):
    made = around.format(label.format(statement)) if "\n" not in statement else None
    if made is not None and not is_part_of_a_label(statement, label):
        assert set(trained(made)) <= {statement, statement.strip()}, made


@settings(max_examples=200, deadline=None)
@given(
    st.lists(statements, min_size=2, max_size=4),
    st.sampled_from(["[{n}] reversal: {}", "[{n}] {}", "**[{n}] reversal:** {}"]),
)
def test_of_several_statements_each_is_whole_or_left_out(some, label):
    some = [s.strip() for s in some if "\n" not in s and not is_part_of_a_label(s, label)]
    answer = "\n".join(label.format(s, n=n) for n, s in enumerate(some, 1))
    assert set(trained(answer)) <= set(some), answer
