"""The registry: every recipe by name, with what a person wants to know before using it.

Residents are found, not listed: the modules of every family's `models` folder, and those that other
packages name under the entry-point group `zoo.models`. Importing one must not import TensorFlow.
"""

from __future__ import annotations

import fnmatch
import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from zoo.common.core.corpus import Corpus
from zoo.common.core.errors import ZooError, nearest
from zoo.common.core.recipe import Recipe

ENTRY_POINTS = "zoo.models"
PACKAGE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Entry:
    """A registered recipe with its metadata.

    summary, description: str. The first line and the rest of its docstring: what it is, what it is
        for and where its limits are.
    shipped: bool. Whether its preset may travel with the zoo; if not, a user trains it.
    """

    name: str
    make: Callable[[], Recipe]
    summary: str
    description: str
    paper: str
    corpus: Corpus
    metric: str
    shipped: bool

    def recipe(self) -> Recipe:
        """The recipe, freshly made."""
        return self.make()


_entries: dict[str, Entry] = {}


def register(
    name: str, *, paper: str, corpus: Corpus, metric: str, shipped: bool = True
) -> Callable:
    """Register a function from a recipe's name to its `Recipe`, as a decorator.

    The function's docstring is the recipe's summary (first line) and description (the rest).

    Args:
        name: "family/model-corpus", as users type it.
        paper: the source of the model.
        corpus: what the recipe trains on, with its licence and reader.
        metric: the metric the preset is chosen and reported by.
        shipped: False for a recipe whose preset does not travel with the zoo.

    Raises:
        ZooError: the name is taken.
    """

    def decorate(make: Callable[..., Recipe]) -> Callable[..., Recipe]:
        if name in _entries:
            raise ZooError(f"{name!r} is registered twice: a recipe's name must be its own.")
        summary, _, description = (inspect.getdoc(make) or "").partition("\n\n")
        _entries[name] = Entry(
            name, lambda: make(name), summary, description, paper, corpus, metric, shipped
        )
        return make

    return decorate


def entries(pattern: str = "*") -> list[Entry]:
    """Return the registered recipes whose name matches a shell pattern, sorted by name."""
    _find_models()
    return [_entries[name] for name in sorted(_entries) if fnmatch.fnmatchcase(name, pattern)]


def entry(name: str) -> Entry:
    """Return the registered recipe of that name.

    Raises:
        ZooError: there is none; the nearest names are given.
    """
    _find_models()
    if name not in _entries:
        raise ZooError(f"There is no recipe {name!r}. {nearest(name, _entries)}")
    return _entries[name]


def modules(part: str) -> Iterator[str]:
    """Yield the modules `zoo.<...>.<part>`, at any depth, and those in it where it is a package."""
    for folder, folders, files in os.walk(PACKAGE):
        if "__init__.py" not in files:
            folders.clear()  # not a package
            continue
        folders.sort()
        parents = Path(folder).relative_to(PACKAGE.parent).parts
        if f"{part}.py" in files:
            yield ".".join((*parents, part))
        if parents[-1] == part:
            names = sorted(name.removesuffix(".py") for name in files if name.endswith(".py"))
            yield from (".".join((*parents, name)) for name in names if name != "__init__")


@functools.cache
def _find_models() -> None:
    for module in modules("models"):
        importlib.import_module(module)
    for point in entry_points(group=ENTRY_POINTS):
        try:
            point.load()
        except Exception as error:  # somebody else's code may raise anything; ours goes on
            reason = " ".join(str(error).split())
            package = point.dist.name if point.dist else point.value
            print(
                f"Not usable: the package {package!r}, which adds models: "
                f"{type(error).__name__}: {reason}",
                file=sys.stderr,
            )
