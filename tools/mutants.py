"""Measure the strength of the tests: change the source in one place, and run the tests of its package.

    make mutants
    .venv/bin/python tools/mutants.py ctc data --number 20 --seed 1

A change is an operator, a number, a truth value, a negated or false condition, or a returned
value that is made None. Type hints, decorators, and f-strings, which are messages, are not changed. The
operators are those of cosmic-ray. Tests run in a copy of the repository, in processes that are forked
from one that has imported TensorFlow. The survivors are printed.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("core", "ctc", "data", "decoding", "presets")
# Replacements of operators, and other operators of cosmic-ray.
BINARY = "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul BitOr_BitAnd BitAnd_BitOr"
UNARY = "USub_UAdd Delete_USub Delete_Not"
COMPARISON = "Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Is_IsNot IsNot_Is"
KEYWORDS = "TrueWithFalse FalseWithTrue AndWithOr OrWithAnd"
OTHERS = ("AddNot", "NumberReplacer", "ZeroIterationForLoop")
# Time of the tests of a changed package in seconds: a multiple of that of the unchanged one, at least.
SLOWER, SECONDS = 3, 60
CAUGHT, MISSED = "noticed", "survived"


class ConditionFalse(Operator):
    """Replace the condition of an `if` by False."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        if node.type == "if_stmt":
            yield (node.children[1].start_pos, node.children[1].end_pos)

    def mutate(self, node: Any, index: int) -> Any:
        node.children[1] = parso.parse(" False")
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("if a: pass", "if False: pass"),)


class ReturnNone(Operator):
    """Replace a returned value by None."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        if node.type == "return_stmt" and node.children[1].get_code().strip() != "None":
            yield (node.children[1].start_pos, node.children[1].end_pos)

    def mutate(self, node: Any, index: int) -> Any:
        node.children[1] = parso.parse(" None")
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("def f(): return 1", "def f(): return None"),)


OPERATORS = [
    *(get_operator(f"core/ReplaceBinaryOperator_{name}")() for name in BINARY.split()),
    *(get_operator(f"core/ReplaceUnaryOperator_{name}")() for name in UNARY.split()),
    *(get_operator(f"core/ReplaceComparisonOperator_{name}")() for name in COMPARISON.split()),
    *(get_operator(f"core/Replace{name}")() for name in KEYWORDS.split()),
    *(get_operator(f"core/{name}")() for name in OTHERS),
    ConditionFalse(),
    ReturnNone(),
]


@dataclass(frozen=True)
class Change:
    """A change of one place: the n-th occurrence of an operator in the source of a file."""

    path: Path
    source: str
    operator: Operator
    occurrence: int

    def apply(self) -> str:
        """Return the source with the change."""
        return mutate_code(self.source, self.operator, self.occurrence)

    def show(self) -> str:
        """Return the changed lines."""
        lines = [text.splitlines() for text in (self.source, self.apply())]
        lines = list(difflib.unified_diff(*lines, n=0, lineterm=""))[2:]
        return "\n".join([f"{self.path} {lines[0].split()[1]}", *lines[1:]])


def places(path: Path) -> Iterator[list[Change]]:
    """Return the possible changes of each place of a file."""
    source = (ROOT / path).read_text("utf-8")
    nodes, excluded = list(ast_nodes(get_ast(source))), set()
    for node in nodes:
        if node.type in ("annassign", "tfpdef"):
            excluded |= {
                id(n) for n in ast_nodes(node.children[1 if node.type == "annassign" else 2])
            }
        if node.type == "funcdef" and node.annotation:
            excluded |= {id(n) for n in ast_nodes(node.annotation)}
        if node.type in ("fstring", "decorator"):
            excluded |= {id(n) for n in ast_nodes(node)}
    found: dict[Any, list[Change]] = {}
    for operator in OPERATORS:
        count = 0
        for node in nodes:
            for position in operator.mutation_positions(node):
                if id(node) not in excluded:
                    found.setdefault(position, []).append(Change(path, source, operator, count))
                count += 1
    yield from found.values()


def sample(packages: list[str], number: int, seed: int) -> list[Change]:
    """Return changes of random places, one each, that compile."""
    paths = [p for name in packages for p in sorted((ROOT / "zoo/common" / name).glob("*.py"))]
    everywhere = [place for path in paths for place in places(path.relative_to(ROOT))]
    generator, changes = random.Random(seed), []
    for place in generator.sample(everywhere, len(everywhere)):
        change = generator.choice(place)
        try:
            compile(change.apply(), str(change.path), "exec")
        except (SyntaxError, ValueError):
            continue
        changes.append(change)
        if len(changes) == number:
            break
    return changes


def copy_tree(folder: Path) -> None:
    """Copy the source and the tests to a folder, and link the other files of the repository."""
    for path in ROOT.iterdir():
        if path.name in ("zoo", "tests"):
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif not path.name.startswith("."):
            (folder / path.name).symlink_to(path)


def write_source(path: Path, source: str) -> None:
    """Write a source file, and remove its compiled file.

    Python compares only the sizes of the files and their times in seconds.
    """
    path.write_text(source, "utf-8")
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def run_tests(folder: Path, package: str, first: str, seconds: float) -> bool:
    """Return whether the tests of a package pass within a time, with those of a module first."""
    files = sorted((folder / "tests/common" / package).glob("test_*.py"))
    files.sort(key=lambda path: first not in path.name)
    child = os.fork()
    if not child:
        _run_child(folder, files)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run_child(folder: Path, files: list[Path]) -> None:
    """Run tests in a forked process, and end it."""
    os.setsid()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    import pytest

    status = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *map(str, files)])
    os._exit(int(status))


def main() -> None:
    """Run the tests on a sample of changes, and print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*", default=list(PACKAGES), help="of zoo/common")
    parser.add_argument("--number", type=int, default=100, help="number of changes (100)")
    parser.add_argument("--seed", type=int, default=0, help="determines the changes (0)")
    args = parser.parse_args()
    changes = sample(args.packages, args.number, args.seed)
    import keras  # noqa: F401
    import pytest  # noqa: F401

    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory(prefix="zoo-mutants-") as name:
        folder = Path(name)
        copy_tree(folder)
        limits = {}
        for package in args.packages:
            start = time.monotonic()
            if not run_tests(folder, package, "", 1e9):
                raise SystemExit(f"The tests of {package} must pass without a change.")
            limits[package] = max(SECONDS, SLOWER * (time.monotonic() - start))
        for change in changes:
            path, package = folder / change.path, change.path.parent.name
            write_source(path, change.apply())
            survived = run_tests(folder, package, change.path.stem, limits[package])
            write_source(path, change.source)
            counts[package, MISSED if survived else CAUGHT] += 1
            print("." if not survived else f"\n{change.show()}\n", end="", flush=True)
    print()
    for package in sorted({package for package, _ in counts}):
        caught, missed = counts[package, CAUGHT], counts[package, MISSED]
        print(f"{package}: {caught} of {caught + missed} {CAUGHT}")
    caught = sum(count for (_, result), count in counts.items() if result == CAUGHT)
    print(f"all: {caught} of {len(changes)} {CAUGHT} ({caught / len(changes):.0%})")


if __name__ == "__main__":
    main()
