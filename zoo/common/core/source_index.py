"""Read what models register from their source files, without importing them.

Importing all models takes most of the time of a short command such as `zoo list`. If a source file has
another form than expected, the functions return None, and the caller imports the module.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from pathlib import Path

# The folder of the package.
ROOT = Path(__file__).resolve().parents[3]
# Decorators with a literal name, all calls, and imports under another name.
_NAME = re.compile(r"^@(?:\w+\.)*register\(\s*[\"']([^\"'\\]+)[\"']", re.MULTILINE)
_CALL = re.compile(r"\bregister\s*\(")
_RENAMED = re.compile(r"\bregister\s+as\b")
_QUOTES = '"""'


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
    source = _source(module)
    names = _NAME.findall(source)
    # Other calls may register further names, and an import may rename the function.
    others = len(_CALL.findall(source)) != len(names) or _RENAMED.search(source)
    return None if others else names


def read_listing(module: str, name: str) -> Listing | None:
    """Return the listing of a name that a module registers; None if its source does not state it."""
    source = _source(module)
    start = next((m.start() for m in _NAME.finditer(source) if m[1] == name), None)
    if start is None:
        return None
    quotes = source.find(_QUOTES, source.find("\ndef ", start))
    function = _statement(source[start : source.find(_QUOTES, quotes + 3) + 3])
    if not isinstance(function, ast.FunctionDef) or len(function.decorator_list) != 1:
        return None
    arguments = _keywords(function.decorator_list[0])
    metric, corpus = _text(source, arguments.get("metric")), arguments.get("corpus")
    found = _corpus(module, corpus.id) if isinstance(corpus, ast.Name) else None
    if metric is None or found is None:
        return None
    summary = (ast.get_docstring(function) or "").partition("\n\n")[0]
    return Listing(name, summary, metric, *found)


def _corpus(module: str, variable: str) -> tuple[str, str] | None:
    """Return the name and the test split of the corpus that a variable of a module holds."""
    source = _source(module)
    imported = re.search(
        rf"^from (\S+) import (?:\([^)]*\b{variable}\b|[^(\n]*\b{variable}\b)", source, re.MULTILINE
    )
    if imported:
        return _corpus(imported[1], variable)
    call = _assigned(source, variable)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    defaults: tuple[str | None, str | None] = (None, "test")
    if call.func.id == "replace" and call.args and isinstance(call.args[0], ast.Name):
        defaults = _corpus(module, call.args[0].id) or (None, None)  # a copy of another corpus
    elif call.func.id != "Corpus":
        return None
    arguments = _keywords(call)
    name, test_split = (
        _text(source, arguments[key]) if key in arguments else default
        for key, default in zip(("name", "test_split"), defaults, strict=True)
    )
    return (name, test_split) if name is not None and test_split is not None else None


def _keywords(call: ast.expr) -> dict[str | None, ast.expr]:
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return {keyword.arg: keyword.value for keyword in keywords}


def _text(source: str, node: ast.expr | None) -> str | None:
    """Return the text of a literal, or of a variable that holds one."""
    if isinstance(node, ast.Name):
        node = _assigned(source, node.id)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _assigned(source: str, variable: str) -> ast.expr | None:
    """Return the expression that a module assigns to a variable."""
    for pattern in (rf"^{variable} = .*$", rf"^{variable} = .*\n(?:(?: .*)?\n)*\)"):
        found = re.search(pattern, source, re.MULTILINE)
        statement = _statement(found[0]) if found else None
        if isinstance(statement, ast.Assign):
            return statement.value
    return None


def _statement(source: str) -> ast.stmt | None:
    """Return the only statement of a source text; None if there is another number of them."""
    try:
        body = ast.parse(source).body
    except (ValueError, SyntaxError):
        return None
    return body[0] if len(body) == 1 else None


@functools.cache
def _source(module: str) -> str:
    """Return the source of a module; empty if it has no readable file in the package."""
    try:
        return (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
