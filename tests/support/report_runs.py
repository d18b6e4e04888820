"""Finished results for the page, made by the stage itself with a scripted teacher: of any size, with hostile text."""

import random
import re
from pathlib import Path
from typing import Any

import yaml

from axolotl_augft.config.recipe import Recipe
from axolotl_augft.stage import run_stage
from tests.support.data import write_rows
from tests.support.teacher_server import TeacherServer, is_verification, prompt_of, scripted_answer
from tests.support.tiny_model import make_tiny_model

HOSTILE = (
    "<script>window.planted = true</script><img src=x onerror='window.planted = true'>",
    "</script><script>window.planted = true</script>",
    "<!-- <script> -->",
    "a\u202eb\u2066c\u2069",
    "NUL \x00 and ESC \x1b[31m",
    "line\u2028separator\u2029paragraph",
    "javascript:window.planted=true",
    "one long line " * 80_000,
)
_ENDS = "rick ble den sper ford gate wick holm".split()
_WORDS = [start + end for start in "ten mar pol vel cor dra lin sto".split() for end in _ENDS]


class Nothing(list):
    """A list that stays empty: for a server that need not remember its requests."""

    def append(self, _: Any) -> None:
        """Forget the item."""


def made_up_rows(count: int) -> list[dict]:
    """Rows of three sentences of made-up words."""
    choose = random.Random(7)

    def sentence() -> str:
        return " ".join(choose.choice(_WORDS) for _ in range(choose.randint(7, 16))).capitalize() + "."

    return [{"text": " ".join(sentence() for _ in range(3))} for _ in range(count)]


def turning_answer(body: dict) -> str:
    """Answer a local request with sentences whose words stand in another order; some are echoes, some have no end.

    A conclusion rests on the first document of its prompt; of what is verified, five sixths follow.
    """
    prompt = prompt_of(body)
    if is_verification(prompt):
        return random.Random(prompt).choice(["yes"] * 5 + ["no"])
    asked = prompt.rsplit("Now these sentences:", 1)
    if len(asked) < 2:
        label = re.search(r"\[[0-9a-f]{8}\]", prompt)
        return scripted_answer(body).rstrip() + (f" {label.group()}\n" if label else "\n")
    lines = []
    for number, sentence in re.findall(r"^\[(\d+)\] (.*)$", asked[1], re.MULTILINE):
        words, chance = sentence[:-1].split(), random.Random(sentence)
        turned = " ".join([*words[1:], words[0]]).capitalize()
        lines.append(f"[{number}] rephrasing: {turned + '.' if chance.random() < 0.8 else sentence}")
        lines.append(f"[{number}] reversal: {' '.join(reversed(words))}" + "." * (chance.random() < 0.9))
    return "\n".join(lines)


def make_run(folder: Path, rows: list[dict], name: str = "cfg", held_out: int = 0, **augft: Any) -> Path:
    """Run the stage over some rows; return the path of the recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    data = write_rows(folder / "data.jsonl", rows)
    model = folder / "tiny"
    if not model.exists():
        make_tiny_model(model)
    with TeacherServer(answer=turning_answer, bodies=Nothing(), headers=Nothing()) as teacher:
        settings = {"base_url": teacher.base_url, "model": "scripted", "api": "chat"}
        cfg = {
            "base_model": str(model),
            "plugins": ["axolotl_augft.AugFTPlugin"],
            "augft": {
                "teacher": {**settings, "price": {"input": 0.1, "output": 0.4}},
                "augment": ["local"],
                "output_dir": str(folder / "augft"),
                **augft,
            },
            "datasets": [{"path": str(data), "ds_type": "json", "type": "completion"}],
            "sequence_len": 256,
            "val_set_size": held_out,
        }
        run_stage(Recipe.from_cfg(cfg))
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(cfg))
    return path
