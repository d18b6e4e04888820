"""The tables of `docs/configuration.md`, made from the JSON schema of the settings.

`make docs-keys` writes them into the page.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.config.augment import STRATEGIES
from axolotl_augft.config.strategy_settings import AskingSettings

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
PAGE = ROOT / "docs" / "configuration.md"
MARKS = re.compile(r"(?<=<!-- keys: )(?P<name>[a-z]+)( -->\n).*?(?=<!-- /keys -->)", re.DOTALL)
_DEFAULT = re.compile(r"\s*\bDefault: (?P<what>.*?)(?:\.(?=\s)|\.?$)")
_SET_BY_THE_PLUGIN = "val_set_size"
_BLOCKS = {
    "augft": "AugftConfig",
    "documents": "DocumentsConfig",
    "teacher": "TeacherConfig",
    "price": "TeacherPrice",
    "replicas": "ReplicaRange",
    "sources": "SourceConfig",
    "mix": "MixConfig",
    "replay": "ReplayConfig",
    "probe": "ProbeConfig",
    **{name: model.__name__ for name, model in STRATEGIES.items()},
}
# Keys whose value is a block with a table of its own.
_HEADINGS = {
    "DocumentsConfig": "documents",
    "TeacherConfig": "teacher",
    "TeacherPrice": "price",
    "ReplicaRange": "replicas",
    "SourceConfig": "sources",
    "MixConfig": "mix",
    "ReplayConfig": "replay",
    "ProbeConfig": "probe",
}


def with_tables(page: str) -> str:
    """The page with the tables between its marks as the settings have them now.

    `<!-- keys: NAME -->` names a block; `both` stands for the keys that all strategies share that ask the teacher.
    """
    return MARKS.sub(lambda mark: f"{mark['name']} -->\n\n{table(mark['name'])}\n", page)


def table(name: str) -> str:
    """One block's keys as a Markdown table."""
    lines = ["| Key | Value | Default | Description |", "|---|---|---|---|"]
    return "\n".join([*lines, *_rows(name)]) + "\n"


def names() -> list[str]:
    """The blocks that the page must have a table of."""
    return [*_BLOCKS, "both"]


def _rows(name: str) -> Iterator[str]:
    schema = AugftConfig.model_json_schema()
    blocks: Mapping[str, Any] = {"AugftConfig": schema, **schema["$defs"]}
    shared = AskingSettings.model_fields
    keys = blocks[_BLOCKS["local" if name == "both" else name]]["properties"]
    given = _given(name)
    for key, field in sorted(keys.items(), key=lambda item: item[0] != "strategy"):
        if (
            key == _SET_BY_THE_PLUGIN
            or (name in STRATEGIES and key in shared)
            or (name == "both" and key not in shared)
        ):
            continue
        if key == "strategy":
            strategies = ", ".join(f"`{strategy}`" for strategy in STRATEGIES)
            yield f"| `strategy` | {strategies} | required | The name of the strategy. |"
            continue
        required = key in blocks[_BLOCKS.get(name, "LocalAugment")].get("required", [])
        what, default = _split(field["description"])
        shown = default or ("required" if required else _shown(field.get("default", given.get(key))))
        yield f"| `{key}` | {_values(field)} | {_escaped(shown)} | {_escaped(what)} |"


def _given(name: str) -> Mapping[str, Any]:
    """The defaults that a factory makes, which a schema does not tell."""
    made = AugftConfig().model_dump(mode="json")
    entries = {entry["strategy"]: entry for entry in made["augment"]}
    found: Mapping[str, Any] = {"teacher": made["teacher"], **entries}.get(name, {})
    return found


def _split(description: str) -> tuple[str, str]:
    """A description without its sentence about the default, and what that says."""
    said = _DEFAULT.search(description)
    return (_DEFAULT.sub("", description, count=1).strip(), said["what"]) if said else (description, "")


def _shown(value: Any) -> str:
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, list):
        return "all" if len(value) > 1 else f"`{value[0]}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _values(field: Mapping[str, Any]) -> str:
    kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
    return ", ".join(_kind(kind) for kind in kinds)


def _kind(kind: Mapping[str, Any]) -> str:
    if "$ref" in kind:
        heading = _HEADINGS.get(kind["$ref"].rpartition("/")[2])
        return f"block, [see below](#{heading})" if heading else "block"
    if "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    if kind.get("type") == "array":
        items = kind.get("items", {})
        if "discriminator" in items or "oneOf" in items:
            return "list of [entries](#augment)"
        kind_of_items = _kind(items)
        plural = {"string": "strings"}.get(kind_of_items, kind_of_items.replace("block", "blocks", 1))
        return f"list of {plural}"
    if kind.get("type") in ("integer", "number"):
        return _number(kind)
    return {"string": "string", "boolean": "`true`, `false`", "object": "mapping"}[kind["type"]]


def _number(kind: Mapping[str, Any]) -> str:
    name = "integer" if kind["type"] == "integer" else "number"
    low, high = kind.get("minimum"), kind.get("maximum")
    if low is not None and high is not None:
        return f"{name}, {low:g} to {high:g}"
    above = kind.get("exclusiveMinimum")
    bounds = [
        f"≥ {low:g}" if low is not None else "",
        f"> {above:g}" if above is not None else "",
        f"≤ {high:g}" if high is not None else "",
        f"< {kind['exclusiveMaximum']:g}" if "exclusiveMaximum" in kind else "",
    ]
    return f"{name} {', '.join(filter(None, bounds))}".strip()


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
