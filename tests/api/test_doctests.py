"""The public functions are those of their modules, and the examples in their docstrings run."""

import ast
import doctest
import inspect
import sys
from pathlib import Path

import pytest

import zoo

FUNCTIONS = [name for name in zoo.__all__ if not isinstance(getattr(zoo, name), type)]


@pytest.mark.parametrize("module", sorted({getattr(zoo, name).__module__ for name in FUNCTIONS}))
def test_examples_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(sys.modules[module])
    assert result.failed == 0


def test_public_functions_have_examples():
    without = {name for name in FUNCTIONS if ">>>" not in getattr(zoo, name).__doc__}
    assert without == {"publish", "register"}  # they change the presets and the registry


def test_type_checkers_see_the_functions_that_are_imported():
    imports = {
        alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(Path(zoo.__file__).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for name in FUNCTIONS:
        function = inspect.unwrap(getattr(zoo, name))
        assert imports[name] == f"{function.__module__}.{function.__name__}"


def test_an_unknown_name_is_an_error_and_all_public_names_are_listed():
    assert {*zoo.__all__, "layers", "__version__"} <= set(dir(zoo))
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'no_such_name'"):
        _ = zoo.no_such_name
