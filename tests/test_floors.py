"""The rooms of `zoo`: what may import what. Read from the source, so that lazy imports count too."""

import ast
import re
from pathlib import Path

import pytest

import zoo

ROOT = Path(zoo.__file__).parent
# Each room of zoo/common imports its own floor and those before it.
FLOORS = (
    {"core"},
    {"data", "layers", "utils"},
    {"language_model", "decoding", "ctc", "metrics"},
    {"presets"},
    {"training", "runtime"},
    {"tasks"},
    {"export"},
)
# What stands above zoo/common beside the families.
ABOVE = {"cli", "common", "lab", "serving"}
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FAMILIES = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in ABOVE
)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_of(path): ast.parse(path.read_text("utf-8")) for path in ROOT.rglob("*.py")}


def imported(module: str) -> set[str]:
    """The modules of the zoo that a module imports anywhere, for types alone and in functions too."""
    found = set()
    for node in ast.walk(SOURCES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            inner = names & set(SOURCES)
            found |= inner if len(inner) == len(names) else inner | {node.module}
    return {name for name in found if name in SOURCES}


IMPORTS = {module: imported(module) for module in SOURCES}


def room(module: str) -> str | None:
    """The room of zoo/common that a module is in."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["zoo", "common"] and len(parts) > 2 else None


def family(module: str) -> str | None:
    return next((name for name in FAMILIES if f"{module}.".startswith(f"zoo.{name}.")), None)


def offences(allowed) -> list[str]:
    """The imports (from, to) that are not allowed."""
    return [
        f"{module} imports {other}"
        for module in sorted(IMPORTS)
        for other in sorted(IMPORTS[module])
        if not allowed(module, other)
    ]


def test_every_room_has_a_floor():
    rooms = {path.parent.name for path in (ROOT / "common").glob("*/__init__.py")}
    assert rooms == set(FLOOR_OF)
    assert {"language", "speech", "vision_language"} <= set(FAMILIES)


def test_common_imports_downwards():
    def allowed(module, other):
        if room(module) is None:
            return True
        return room(other) is not None and FLOOR_OF[room(other)] <= FLOOR_OF[room(module)]

    assert offences(allowed) == []


def test_core_imports_nothing_heavy_when_it_is_imported():
    """At the head of its modules stand Python's own packages, NumPy and the zoo's core."""
    for module, tree in SOURCES.items():
        if room(module) != "core":
            continue
        heads = {
            name.split(".")[0]
            for node in tree.body
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not heads & {"tensorflow", "keras", "matplotlib", "jax", "torch"}, module


def test_common_names_no_family():
    pattern = re.compile(rf"\bzoo\.({'|'.join(FAMILIES)})\b|\b({'|'.join(FAMILIES)})/")
    for module, tree in SOURCES.items():
        if module != "zoo.common" and room(module) is None:
            continue
        assert not [other for other in IMPORTS[module] if family(other)], module
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not pattern.search(node.value), f"{module}, line {node.lineno}"


def test_a_family_imports_common_and_itself():
    def allowed(module, other):
        mine = family(module)
        return mine is None or family(other) == mine or f"{other}.".startswith("zoo.common.")

    assert offences(allowed) == []


def test_the_command_line_imports_no_family():
    def allowed(module, other):
        return not (module.startswith("zoo.cli") and family(other))

    assert offences(allowed) == []


def test_there_are_no_circles():
    state: dict[str, str] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        if state.get(module) == "done":
            return
        if module in path:
            pytest.fail(" -> ".join((*path[path.index(module) :], module)))
        for other in sorted(IMPORTS[module]):
            visit(other, (*path, module))
        state[module] = "done"

    for module in sorted(IMPORTS):
        visit(module, ())
