"""The registry: every recipe by name, with what a person wants to know before using it."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from zoo.common.errors import ZooError, nearest
from zoo.common.recipe import Recipe

# Task families. The modules in `models` of each register its recipes; none of them imports TensorFlow
# to do so.
FAMILIES = ("zoo.language", "zoo.speech", "zoo.vision_language")


@dataclass(frozen=True)
class Corpus:
    """A corpus a recipe trains on: its name, what it is, its licence, where to get it, and what it
    calls the split to train on and the one to choose by; without that, a part is cut off the first."""

    name: str
    title: str
    licence: str
    source: str
    train_split: str = "train"
    dev_split: str | None = None


@dataclass(frozen=True)
class Entry:
    """A registered recipe with its metadata.

    summary, description: str. The first line and the rest of its docstring: what it is, what it is
    for and where its limits are.
    """

    name: str
    make: Callable[[], Recipe]
    summary: str
    description: str
    paper: str
    corpus: Corpus
    metric: str

    def recipe(self) -> Recipe:
        """The recipe, freshly made."""
        return self.make()


_entries: dict[str, Entry] = {}


def register(name: str, *, paper: str, corpus: Corpus, metric: str) -> Callable:
    """Decorator: registers a function from its name to a `Recipe`.

    The function's docstring is the recipe's summary (first line) and description (the rest).

    name: str. "family/model-corpus", as users type it.
    paper: str. The source of the model.
    corpus: Corpus. What the recipe trains on, with its licence.
    metric: str. The metric the preset is chosen and reported by.

    Raises `ZooError` if the name is taken.
    """

    def decorate(make: Callable[..., Recipe]) -> Callable[..., Recipe]:
        if name in _entries:
            raise ZooError(f"{name!r} is registered twice: a recipe's name must be its own.")
        summary, _, description = (inspect.getdoc(make) or "").partition("\n\n")
        _entries[name] = Entry(
            name, lambda: make(name), summary, description, paper, corpus, metric
        )
        return make

    return decorate


def entries(pattern: str = "*") -> list[Entry]:
    """Registered recipes whose name matches a shell pattern, sorted by name."""
    _import_families()
    return [_entries[name] for name in sorted(_entries) if fnmatch.fnmatchcase(name, pattern)]


def entry(name: str) -> Entry:
    """The registered recipe of that name. Raises `ZooError` naming the nearest ones."""
    _import_families()
    if name not in _entries:
        raise ZooError(f"There is no recipe {name!r}. {nearest(name, _entries)}")
    return _entries[name]


def _import_families() -> None:
    for family in FAMILIES:
        models = importlib.import_module(f"{family}.models")
        for module in pkgutil.iter_modules(models.__path__):
            importlib.import_module(f"{models.__name__}.{module.name}")
