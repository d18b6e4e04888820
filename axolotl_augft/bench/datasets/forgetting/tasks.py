"""The name of a small general task -> its questions, which come with the package.

Each is scored by likelihood over the continuations of a prompt, before and after training. None of the questions is
among those of `replay: questions`.
"""

from pathlib import Path
from typing import Literal

import orjson

from axolotl_augft.bench.datasets.dataset import Question

GeneralTask = Literal["everyday", "grammar"]
"""`everyday`: what everyone knows, four choices; `grammar`: right and wrong endings of a sentence, two choices."""


def general_questions(name: GeneralTask) -> tuple[Question, ...]:
    """Return the questions of a general task."""
    lines = (Path(__file__).parent / f"{name}.jsonl").read_bytes().splitlines()
    return tuple(
        Question(r["id"], r["prompt"], tuple(r["choices"]), r["answer"], name) for r in map(orjson.loads, lines)
    )
