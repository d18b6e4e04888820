"""Rows that many tests share."""

import json
from pathlib import Path

LOCAL_BY_DOCUMENT = {"strategy": "local", "unit_tokens": 96}
"""An `augment` entry with which each text of `TEXTS` is one request, whatever the default for the teacher's API."""

TEXTS = [
    "Mara Quell is the harbour master of Port Ennis. She lives in the mill house.",
    "All pumps carry a label.",
    "The mill house was built in 1901. It has two floors. Nobody sleeps there.",
    "Cats are more curious than dogs.",
    "Port Ennis lies north of Saltmere.",
    "The Heron is a pump.",
]


def write_rows(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
