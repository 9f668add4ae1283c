"""Read what models register from their source files, without importing them.

Importing all models takes most of the time of a short command such as `zoo list`.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

REGISTER, CORPUS = "register", "Corpus"


@dataclass(frozen=True)
class Listing:
    """State what a list of recipes shows of one.

    Args:
        name: the registered name.
        summary: first line of the docstring.
        metric: the metric by which the preset is reported.
        corpus: name of the corpus.
        test_split: name of its test split.
    """

    name: str
    summary: str
    metric: str
    corpus: str
    test_split: str


def registered_names(module: str) -> list[str] | None:
    """Return the names that a module registers; None if its source does not state them literally."""
    tree = _tree(module)
    if tree is None:
        return None
    names = [_literal(call.args[0]) if call.args else None for _, call in _registrations(tree)]
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and _called(n) == REGISTER]
    if len(calls) != len(names):  # not only decorators of functions
        return None
    found = [name for name in names if name is not None]
    return found if len(found) == len(names) else None


def read_listing(module: str, name: str) -> Listing | None:
    """Return the listing of a name that a module registers; None if its source does not state it."""
    tree = _tree(module)
    for function, call in _registrations(tree) if tree else ():
        if not call.args or _literal(call.args[0]) != name:
            continue
        arguments = {keyword.arg: keyword.value for keyword in call.keywords}
        metric = _literal(arguments.get("metric"))
        corpus = _corpus(module, arguments.get("corpus"))
        if metric is None or corpus is None:
            return None
        summary = (ast.get_docstring(function) or "").partition("\n\n")[0]
        return Listing(name, summary, metric, *corpus)
    return None


def _corpus(module: str, node: ast.expr | None) -> tuple[str, str] | None:
    """Return the name and the test split of the corpus that a variable of a module holds."""
    tree = _tree(module)
    if tree is None or not isinstance(node, ast.Name):
        return None
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                if (alias.asname or alias.name) == node.id:
                    return _corpus(statement.module, ast.Name(alias.name))
    call = _assigned(tree, node.id)
    if not isinstance(call, ast.Call):
        return None
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    if _called(call) == CORPUS:
        defaults: tuple[str | None, str | None] = (None, "test")
    elif _called(call) == "replace" and call.args:  # a copy of another corpus
        defaults = _corpus(module, call.args[0]) or (None, None)
    else:
        return None
    name, test_split = (
        _text(tree, arguments[key]) if key in arguments else default
        for key, default in zip(("name", "test_split"), defaults, strict=True)
    )
    return (name, test_split) if name is not None and test_split is not None else None


def _registrations(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, ast.Call]]:
    """Yield the functions decorated by `register`, each with the call."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            for decorator in statement.decorator_list:
                if isinstance(decorator, ast.Call) and _called(decorator) == REGISTER:
                    yield statement, decorator


def _called(call: ast.Call) -> str | None:
    """Return the last name of the called function."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else None


def _assigned(tree: ast.Module, name: str) -> ast.expr | None:
    """Return the expression that a module assigns to a variable."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in statement.targets
        ):
            return statement.value
    return None


def _text(tree: ast.Module, node: ast.expr) -> str | None:
    """Return the text of a literal, or of a variable that holds one."""
    return _literal(_assigned(tree, node.id) if isinstance(node, ast.Name) else node)


def _literal(node: ast.expr | None) -> str | None:
    """Return the value of a literal text."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@functools.cache
def _tree(module: str) -> ast.Module | None:
    """Return the syntax tree of a module; None if it has no valid source file."""
    try:
        spec = find_spec(module)
        source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
        return ast.parse(source)
    except (OSError, ValueError, SyntaxError, ImportError):
        return None
