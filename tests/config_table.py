"""The README's table of keys, made from the settings' own descriptions. `python tests/config_table.py` writes it into the README."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from axolotl_augft.config import AugftConfig, GlobalAugment, LocalAugment, TeacherConfig

README = Path(__file__).parent.parent / "README.md"
MARKS = re.compile(r"(?<=<!-- keys -->\n).*?(?=<!-- /keys -->)", re.DOTALL)


def table() -> str:
    lines = ["| key | default | what |", "|---|---|---|"]
    for prefix, model in (
        ("", AugftConfig),
        ("teacher.", TeacherConfig),
        ("augment: local, ", LocalAugment),
        ("augment: global, ", GlobalAugment),
    ):
        for name, field in model.model_fields.items():
            if name in ("strategy", "val_set_size") or (model is GlobalAugment and name in LocalAugment.model_fields):
                continue
            both = model is LocalAugment and name in GlobalAugment.model_fields
            label = f"augment: both, {name}" if both else f"{prefix}{name}"
            lines.append(f"| `{label}` | {_default(field)} | {field.description.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def _default(field) -> str:
    value = field.default if field.default is not PydanticUndefined else None
    if field.default_factory and (made := field.default_factory()) and isinstance(made[0] if isinstance(made, list) else None, str):
        return ", ".join(made)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    README.write_text(MARKS.sub(lambda _: table(), README.read_text()))
