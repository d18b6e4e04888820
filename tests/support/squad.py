"""A folder in the form of the SQuAD passages, with text of our own: three articles of six passages each."""

from pathlib import Path

from tests.support.data import write_rows

_FILLER = " ".join(f"Word{n} says little of the matter, and so it goes on." for n in range(4))
TOWNS = {
    "Ports": ("Varn", "Ostrel", "Saltmere", "Brill", "Ennis", "Dunmoor"),
    "Mills": ("Haldon", "Merrow", "Tilby", "Corvane", "Estry", "Wexley"),
    "Lamps": ("Quarn", "Lethe", "Odrin", "Pellas", "Rusk", "Synder"),
}


def passage(title: str, n: int) -> dict:
    town, year = TOWNS[title][n], 1801 + 10 * n
    return {
        "title": title,
        "text": f"The oldest tower of {title} stands in {town} Harbour. In {year} the tower was built by {town}son. "
        f"{_FILLER}",
        "questions": [
            {"question": f"Where does the {n}. oldest tower of {title} stand?", "answer": f"{town} Harbour"},
            {"question": f"Who built the tower of {title} at place {n}?", "answer": f"{town}son"},
            {"question": f"When was tower {n} of {title} built by somebody?", "answer": str(year)},
            {"question": f"What is not said about passage {n} of {title}?", "answer": "the colour"},
        ],
    }


def write_squad(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    write_rows(folder / "passages.jsonl", [passage(title, n) for title in TOWNS for n in range(6)])
    return folder
