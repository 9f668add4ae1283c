"""The examples in docstrings of the Python API run."""

import doctest
import importlib
import pkgutil

import pytest

import zoo
import zoo.api

MODULES = ["zoo", *(module.name for module in pkgutil.iter_modules(zoo.api.__path__, "zoo.api."))]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_public_functions_have_examples():
    functions = {name for name in zoo.__all__ if not isinstance(getattr(zoo, name), type)}
    without = {name for name in functions if ">>>" not in getattr(zoo, name).__doc__}
    assert without <= {"publish", "register"}  # they change the presets and the registry
