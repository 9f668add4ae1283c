"""Test which packages import which. All imports count, also those for types and those in functions."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import zoo

ROOT = Path(zoo.__file__).parent
# The packages of zoo/common by level. A package imports its own level and the levels before it.
LEVELS = (
    {"core"},
    {"data", "layers", "utils"},
    {"language_model", "decoding", "ctc", "metrics"},
    {"presets"},
    {"training", "runtime"},
    {"tasks"},
    {"export"},
)
LEVEL_OF = {package: level for level, packages in enumerate(LEVELS) for package in packages}
# The packages of the zoo that are not families.
NO_FAMILIES = {"api", "cli", "common", "lab", "scaling", "serving"}
FAMILIES = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in NO_FAMILIES
)
# The packages that these packages import, besides themselves.
IMPORTED_BY = {
    "common": set(),
    "api": {"common"},
    "cli": {"api", "common", "serving"},
    "serving": {"api", "common"},
    **{family: {"common"} for family in FAMILIES},
}
# The additional imports of modules `commands`, which define commands of a family.
IMPORTED_BY_COMMANDS = {"api", "cli"}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_of(path): ast.parse(path.read_text("utf-8")) for path in ROOT.rglob("*.py")}


def imported(module: str) -> set[str]:
    """Return the modules of the zoo that a module imports."""
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


def package(module: str) -> str | None:
    """Return the package of the zoo that a module is in; None for the module `zoo`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def common_package(module: str) -> str | None:
    """Return the package of zoo/common that a module is in; None for modules outside zoo/common."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["zoo", "common"] and len(parts) > 2 else None


def violations(is_allowed: Callable[[str, str], bool]) -> list[str]:
    """Return the imports for which `is_allowed(module, imported_module)` is False."""
    return [
        f"{module} imports {other}"
        for module in sorted(IMPORTS)
        for other in sorted(IMPORTS[module])
        if not is_allowed(module, other)
    ]


def test_every_package_of_common_has_a_level():
    packages = {path.parent.name for path in (ROOT / "common").glob("*/__init__.py")}
    assert packages == set(LEVEL_OF)
    assert {"language", "speech", "timeseries", "vision_language"} <= set(FAMILIES)


def test_common_packages_import_the_same_or_earlier_levels():
    def is_allowed(module, other):
        package, imported_package = common_package(module), common_package(other)
        if package is None or imported_package is None:
            return package is None
        return LEVEL_OF[imported_package] <= LEVEL_OF[package]

    assert violations(is_allowed) == []


def test_packages_import_allowed_packages_only():
    def is_allowed(module, other):
        importer = package(module)
        if importer not in IMPORTED_BY:
            return True
        allowed = {importer} | IMPORTED_BY[importer]
        if importer in FAMILIES and module.endswith(".commands"):
            allowed |= IMPORTED_BY_COMMANDS
        return package(other) in allowed

    assert violations(is_allowed) == []


def test_modules_of_core_import_no_large_packages_at_import():
    for module, tree in SOURCES.items():
        if common_package(module) != "core":
            continue
        names: list[str] = []
        for node in tree.body:
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names.append(node.module)
        packages = {name.partition(".")[0] for name in names}
        assert not packages & {"tensorflow", "keras", "matplotlib", "jax", "torch"}, module


def test_common_names_no_family():
    names = "|".join(FAMILIES)
    pattern = re.compile(rf"\bzoo\.({names})\b|\b({names})/")
    for module, tree in SOURCES.items():
        if package(module) != "common":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not pattern.search(node.value), f"{module}, line {node.lineno}"


def test_there_are_no_import_cycles():
    done = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        if module in done:
            return
        if module in path:
            pytest.fail(" -> ".join((*path[path.index(module) :], module)))
        for other in sorted(IMPORTS[module]):
            visit(other, (*path, module))
        done.add(module)

    for module in sorted(IMPORTS):
        visit(module, ())
