"""The README's table of keys, made from the settings' own descriptions. `python tests/config_table.py` writes it into the README."""

import re
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic_core import PydanticUndefined

from axolotl_augft.config.augft import AugftConfig, DocumentsConfig
from axolotl_augft.config.augment import GlobalAugment, LocalAugment
from axolotl_augft.config.teacher import TeacherConfig

README = Path(__file__).parents[2] / "README.md"
MARKS = re.compile(r"(?<=<!-- keys -->\n).*?(?=<!-- /keys -->)", re.DOTALL)


def table() -> str:
    lines = ["| key | default | what |", "|---|---|---|"]
    for prefix, model in (
        ("", AugftConfig),
        ("documents.", DocumentsConfig),
        ("teacher.", TeacherConfig),
        ("augment: local, ", LocalAugment),
        ("augment: global, ", GlobalAugment),
    ):
        for name, field in model.model_fields.items():
            if (
                name == "val_set_size"
                or (name == "strategy" and model is GlobalAugment)
                or (model is GlobalAugment and name in LocalAugment.model_fields)
            ):
                continue
            both = model is LocalAugment and name in GlobalAugment.model_fields
            label = f"augment: local and global, {name}" if both else f"{prefix}{name}"
            if name == "strategy":
                lines.append(
                    "| `augment: local and global, strategy` |  | Which kind of augmentation the entry is. One of: local, global. |"
                )
                continue
            values = list(_literals(field.annotation))
            what = field.description + (f" One of: {', '.join(values)}." if values else "")
            lines.append(f"| `{label}` | {_default(field)} | {what.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def _literals(annotation):
    for argument in get_args(annotation):
        if get_origin(annotation) is Literal:
            yield str(argument)
        elif get_origin(argument) is not None:
            yield from _literals(argument)


def _default(field) -> str:
    value = field.default if field.default is not PydanticUndefined else None
    if field.default_factory and (made := field.default_factory()) and isinstance(made[0] if isinstance(made, list) else None, str):
        return ", ".join(made)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    README.write_text(MARKS.sub(lambda _: table(), README.read_text()))
