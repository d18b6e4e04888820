"""Rows shaped like those of the data sets in axolotl's own recipes, and the scripted teacher's augmentations."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Rows of a data set, and what the stage makes of the first one.

    Attributes:
        rows: The source rows.
        augmented: Local augmentations of the first row, without provenance columns.
        trained: For each of these, the text that is trained on.
        not_asked: Numbers of the rows that cannot be augmented.
    """

    rows: list[dict]
    augmented: list[dict]
    trained: tuple[str, str]
    not_asked: tuple[int, ...] = ()


def _alpaca(question, answer, **others):
    return {"instruction": question, "input": "", "output": answer, **others}


ALPACA = Shape(
    [
        _alpaca("Name the keeper of the brass key.", "Orla Fenwick keeps the brass key."),
        {"instruction": "Answer in one word.", "input": "Which pump is heavier?", "output": "The Heron."},
        _alpaca("Where is the paint shop?", "The paint shop is at Saltmere."),
    ],
    [
        _alpaca("In other words: Name the keeper of the brass key.", "Orla Fenwick keeps the brass key."),
        _alpaca("Seen from its end: Name the keeper of the brass key.", "It is so: Orla Fenwick keeps the brass key."),
    ],
    ("Orla Fenwick keeps the brass key.", "It is so: Orla Fenwick keeps the brass key."),
)


def _chat(*turns, **others):
    return {"messages": [{"role": role, "content": content} for role, content in turns], **others}


MESSAGES = Shape(
    [
        _chat(("system", "Be short."), ("user", "Who prints badges?"), ("assistant", "Dov Larrick prints badges.")),
        _chat(("system", "Be short."), ("user", "Is the dock open?"), ("assistant", "The dock opens at six.")),
        _chat(
            ("user", "Hello."),
            ("assistant", "Good day."),
            ("user", "Who buys brass?"),
            ("assistant", "Bram Tollick buys brass."),
        ),
    ],
    [
        _chat(
            ("system", "Be short."),
            ("user", "In other words: Who prints badges?"),
            ("assistant", "Dov Larrick prints badges."),
        ),
        _chat(
            ("system", "Be short."),
            ("user", "Seen from its end: Who prints badges?"),
            ("assistant", "It is so: Dov Larrick prints badges."),
        ),
    ],
    ("Dov Larrick prints badges.", "It is so: Dov Larrick prints badges."),
)


def _sharegpt(*turns):
    return {
        "conversations": [{"from": role, "value": content} for role, content in turns],
        "source": "made",
        "score": 5.0,
    }


SHAREGPT = Shape(
    [
        _sharegpt(
            ("human", "Hello!"),
            ("gpt", "Good day."),
            ("human", "Who owns the mill?"),
            ("gpt", "The company owns the mill."),
        ),
        _sharegpt(
            ("system", "Be kind."), ("human", "Who founded the firm?"), ("gpt", "Sela Harrock founded the firm.")
        ),
        _sharegpt(("human", "Who runs the night shift?"), ("gpt", "Dov Larrick runs the night shift.")),
    ],
    [
        _sharegpt(("human", "In other words: Who owns the mill?"), ("gpt", "The company owns the mill.")),
        _sharegpt(("human", "Seen from its end: Who owns the mill?"), ("gpt", "It is so: The company owns the mill.")),
    ],
    ("The company owns the mill.", "It is so: The company owns the mill."),
)


def _thinking(question, thought, answer):
    turns = [("system", "Think in German.", None), ("user", question, None), ("assistant", answer, thought)]
    return {
        "reasoning_language": "German",
        "messages": [{"role": role, "content": content, "thinking": thinking} for role, content, thinking in turns],
    }


THINKING = Shape(
    [
        _thinking("Who drives the van?", "Der Wagen gehört Nessa.", "Nessa Quill drives the van."),
        _thinking("Which site is oldest?", "Gull Street war zuerst da.", "Gull Street is the oldest site."),
        _thinking("Who trains the drivers?", "Das ist Nessa.", "Nessa Quill trains the drivers."),
    ],
    [
        _thinking("In other words: Who drives the van?", "Der Wagen gehört Nessa.", "Nessa Quill drives the van."),
        _thinking("Seen from its end: Who drives the van?", None, "It is so: Nessa Quill drives the van."),
    ],
    ("Nessa Quill drives the van.", "It is so: Nessa Quill drives the van."),
)

THINK_TAGS = Shape(
    [
        _chat(
            ("user", "Who lights the lamp?"),
            ("assistant", "<think>\nI recall Tam.\n</think>\n\nTam Roake lights the lamp."),
        ),
        _chat(
            ("user", "Who rings the bell?"), ("assistant", "<think>\nHm.\n</think>\n\nPetra Larrick rings the bell.")
        ),
        _chat(("user", "Who shuts the gate?"), ("assistant", "Ivo Marsh shuts the gate.")),
    ],
    [
        _chat(
            ("user", "In other words: Who lights the lamp?"),
            ("assistant", "<think>\nI recall Tam.\n</think>\n\nTam Roake lights the lamp."),
        ),
        _chat(
            ("user", "Seen from its end: Who lights the lamp?"), ("assistant", "It is so: Tam Roake lights the lamp.")
        ),
    ],
    ("Tam Roake lights the lamp.", "It is so: Tam Roake lights the lamp."),
)

_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "stock",
            "description": "Parts left.",
            "parameters": {"type": "object", "properties": {"part": {"type": "string"}}},
        },
    }
]
_CALL = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": {"part": "fuse"}}}


def _tooled(*messages):
    keys = ("role", "content", "tool_calls", "tool_call_id", "name")
    return {"tools": _TOOLS, "messages": [{key: m.get(key) for key in keys} for m in messages]}


TOOL_CALLS = Shape(
    [
        _tooled(
            {"role": "user", "content": "Who packs the fuses?"},
            {"role": "assistant", "content": "Marla Strowe packs the fuses."},
        ),
        _tooled(
            {"role": "user", "content": "Order a fuse."}, {"role": "assistant", "content": None, "tool_calls": [_CALL]}
        ),
        _tooled(
            {"role": "user", "content": "How many fuses are left?"},
            {"role": "assistant", "content": None, "tool_calls": [_CALL]},
            {"role": "tool", "content": "40", "tool_call_id": "c1", "name": "stock"},
            {"role": "assistant", "content": "Forty fuses are left."},
        ),
        _tooled(
            {"role": "user", "content": "Who counts the fuses?"},
            {"role": "assistant", "content": "Tam Roake counts the fuses."},
        ),
    ],
    [
        _tooled(
            {"role": "user", "content": "In other words: Who packs the fuses?"},
            {"role": "assistant", "content": "Marla Strowe packs the fuses."},
        ),
        _tooled(
            {"role": "user", "content": "Seen from its end: Who packs the fuses?"},
            {"role": "assistant", "content": "It is so: Marla Strowe packs the fuses."},
        ),
    ],
    ("Marla Strowe packs the fuses.", "It is so: Marla Strowe packs the fuses."),
    not_asked=(1, 2),
)


def _talk(question, answer):
    return {"talk": [{"who": "customer", "says": question}, {"who": "agent", "says": answer}], "ticket": 7}


OWN_ROLES = Shape(
    [
        _talk("Who mends meters?", "The Repair Desk mends meters."),
        _talk("Who paints pumps?", "Saltmere paints pumps."),
        _talk("And who tests?", "We do."),
    ],
    [
        _talk("In other words: Who mends meters?", "The Repair Desk mends meters."),
        _talk("Seen from its end: Who mends meters?", "It is so: The Repair Desk mends meters."),
    ],
    ("The Repair Desk mends meters.", "It is so: The Repair Desk mends meters."),
)


def _texts(column, *texts):
    return [{column: text} for text in texts]


def _statements(column, text):
    return [{column: f"In other words, {text}"}, {column: f"Seen from its end, {text}"}]


TEXT = Shape(
    _texts(
        "text",
        "The Heron pump is heavier than the Tarn.",
        "Every Tarn pump is a Class B device.",
        "The Bittern valve is made of brass.",
    ),
    _statements("text", "The Heron pump is heavier than the Tarn."),
    (
        "In other words, The Heron pump is heavier than the Tarn.",
        "Seen from its end, The Heron pump is heavier than the Tarn.",
    ),
)
CHAPTER = Shape(
    _texts(
        "chapter",
        "The mill house was built in 1901.",
        "The dock lies north of the mill.",
        "Nobody sleeps in the mill house.",
    ),
    _statements("chapter", "The mill house was built in 1901."),
    ("In other words, The mill house was built in 1901.", "Seen from its end, The mill house was built in 1901."),
)


def _asked(question, answer):
    return {"ask": question, "reply": answer, "id": 3}


USER_DEFINED = Shape(
    [
        _asked("Who counts the stock?", "Alric Venn counts the stock."),
        _asked("Who sweeps?", "Nobody sweeps."),
        _asked("Who cooks?", "Tilda cooks."),
    ],
    [
        _asked("In other words: Who counts the stock?", "Alric Venn counts the stock."),
        _asked("Seen from its end: Who counts the stock?", "It is so: Alric Venn counts the stock."),
    ],
    ("Alric Venn counts the stock.", "It is so: Alric Venn counts the stock."),
)


def _segments(question, answer):
    return {"segments": [{"label": False, "text": f"<s>Q: {question}\nA:"}, {"label": True, "text": f" {answer}</s>"}]}


SEGMENTS = Shape(
    [
        _segments("Who opens the shed?", "Hesk Oldrin opens the shed."),
        _segments("Who locks it?", "He does too."),
        _segments("When?", "At dusk."),
    ],
    [
        _segments("In other words: Who opens the shed?", "Hesk Oldrin opens the shed."),
        _segments("Seen from its end: Who opens the shed?", "It is so: Hesk Oldrin opens the shed."),
    ],
    ("Hesk Oldrin opens the shed.", "It is so: Hesk Oldrin opens the shed."),
)
