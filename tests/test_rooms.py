"""The order of the rooms: a module imports from its own room and from those below, never from one above."""

import ast
from pathlib import Path

import pytest

import axolotl_augft

PACKAGE = Path(axolotl_augft.__file__).parent
# From the lowest to the highest.
ROOMS = [
    *("batched", "remembered", "text", "errors", "steady", "files", "workers", "formats", "config"),
    *("conversion", "sources"),
    *(
        "teacher",
        "store",
        "strategies",
        "probing",
        "asking",
        "judging",
        "marks",
        "verifying",
        "output",
        "shards",
        "report",
        "launch",
        "prepared",
        "stage",
        "plugin",
        "cli",
        "bench",
    ),
]
OWN = ""
# What lies inside a room, from the lowest to the highest; OWN stands for the room's own modules.
INNER_ROOMS = {
    "config": ["values", OWN],
    "bench": ["served", "datasets", "oracle", "report", "audit", "experiments", "commands", "cli", OWN],
    "teacher": ["entailment", OWN, "serving"],
    "asking": ["pacing", OWN],
    "strategies": ["genres", "worked_examples", OWN],
}
MOST_FILES = 12


def floor(module: str) -> tuple[int, int]:
    """How high a module's room lies, and how high the module lies inside it."""
    room, *rest = module.split(".")[1:]
    inner = INNER_ROOMS.get(room, [OWN])
    return ROOMS.index(room), inner.index(rest[0] if rest and rest[0] in inner else OWN)


def imports(file: Path) -> set[str]:
    """The modules of the package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(name if is_module(name) else str(node.module) for name in inner)
    return {name for name in found if name.startswith("axolotl_augft.")}


def is_module(name: str) -> bool:
    path = PACKAGE.parent / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


MODULES = {
    ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}


@pytest.mark.parametrize("module", [m for m in MODULES if m != "axolotl_augft"])
def test_imports_run_downward(module):
    above = {name for name in imports(MODULES[module]) if floor(name) > floor(module)}
    assert not above, f"{module} imports from a higher room; move what it needs down, or itself up"


def test_what_the_test_reads_is_there():
    assert len(MODULES) > 100 and sum(len(imports(file)) for file in MODULES.values()) > 300
    assert {room for room, *_ in (m.split(".")[1:] for m in MODULES if m != "axolotl_augft")} == set(ROOMS)
    inside = {tuple(m.split(".")[1:3]) for m in MODULES if m.count(".") > 2}
    assert {(room, inner) for room, inner in inside if inner not in INNER_ROOMS.get(room, [])} == set()
    assert floor("axolotl_augft.bench.report.cost") < floor("axolotl_augft.bench.cli")
    own = floor("axolotl_augft.teacher.teacher")
    assert floor("axolotl_augft.teacher.entailment.pair") < own < floor("axolotl_augft.teacher.serving.servers")


def test_a_room_has_a_dozen_files_at_most():
    counts = {
        folder: len([f for f in folder.glob("*.py") if f.name != "__init__.py"])
        for folder in {f.parent for f in MODULES.values()}
    }
    assert {str(folder): n for folder, n in counts.items() if n > MOST_FILES} == {}
