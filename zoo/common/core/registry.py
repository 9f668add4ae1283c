"""The registry holds every recipe by name, with its paper, corpus and metric.

Models are discovered, not listed: the registry searches the `models` packages of the zoo at any depth,
and the entry-point group `zoo.models` of other packages. A model is imported when its recipe is needed.
Its import must not import TensorFlow.
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
from typing import TYPE_CHECKING

from zoo.common.core.corpus import Corpus
from zoo.common.core.errors import ZooError, nearest
from zoo.common.core.source_index import Listing, read_listing, registered_names

if TYPE_CHECKING:
    from zoo.common.core.recipe import Recipe

ENTRY_POINTS = "zoo.models"
PACKAGE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Published:
    """A published figure of a comparable model on the same corpus.

    Args:
        metric: name of the metric.
        value: its value on the test split.
        source: authors and year, and what differs, such as the split.
    """

    metric: str
    value: float
    source: str


@dataclass(frozen=True)
class Entry:
    """A registered recipe with its metadata.

    Args:
        name: "family/model-corpus", as users type it.
        make: makes the recipe.
        summary: first line of the docstring: what the model does.
        description: rest of the docstring: a paragraph about its use, then its limits.
        paper: source of the model.
        corpus: the corpus that the recipe trains on.
        metric: metric by which the preset is chosen and reported.
        shipped: whether the preset may be distributed with the zoo. If not, users train it.
        published: a published figure to compare the preset with.
    """

    name: str
    make: Callable[[], Recipe]
    summary: str
    description: str
    paper: str
    corpus: Corpus
    metric: str
    shipped: bool
    published: Published | None = None

    def recipe(self) -> Recipe:
        """Return the recipe.

        Raises:
            ZooError: the code of the recipe, which may be of another package, raises an error.
        """
        try:
            return self.make()
        except ZooError:
            raise
        except Exception as error:
            raise ZooError(f"The recipe {self.name!r} is not usable: {_reason(error)}") from error


_entries: dict[str, Entry] = {}


def register(
    name: str,
    *,
    paper: str,
    corpus: Corpus,
    metric: str,
    shipped: bool = True,
    published: Published | None = None,
) -> Callable:
    """Register a function that returns a `Recipe` for a name, as a decorator.

    The docstring of the function is the recipe's summary (first line) and description (the rest), whose
    first paragraph describes its use, and the others its limits.

    Args:
        name: "family/model-corpus", as users type it.
        paper: source of the model.
        corpus: the corpus that the recipe trains on.
        metric: metric by which the preset is chosen and reported.
        shipped: whether the preset may be distributed with the zoo.
        published: a published figure to compare the preset with.

    Raises:
        ZooError: the name is already registered, or the corpus is not a `Corpus`.
    """
    if not isinstance(corpus, Corpus):
        raise ZooError(f"The corpus of {name!r} must be a Corpus. Received: {corpus!r}.")

    def decorate(make: Callable[..., Recipe]) -> Callable[..., Recipe]:
        if name in _entries:
            raise ZooError(f"{name!r} is registered twice. The name of a recipe must be unique.")
        summary, _, description = (inspect.getdoc(make) or "").partition("\n\n")
        _entries[name] = Entry(
            name,
            lambda: make(name),
            summary,
            description,
            paper,
            corpus,
            metric,
            shipped,
            published,
        )
        return make

    return decorate


def names(pattern: str = "*") -> list[str]:
    """Return the registered names that match a shell pattern, sorted. Imports few models."""
    found = sorted({*_module_of(), *_entries})
    return [name for name in found if fnmatch.fnmatchcase(name, pattern)]


def listings(pattern: str = "*") -> list[Listing]:
    """Return the listing of each name that matches a shell pattern, sorted. Imports few models."""
    return [_listing(name) for name in names(pattern)]


def entries(pattern: str = "*") -> list[Entry]:
    """Return the registered recipes whose name matches a shell pattern, sorted by name."""
    return [entry(name) for name in names(pattern)]


def entry(name: str) -> Entry:
    """Return the registered recipe of a name.

    Raises:
        ZooError: there is none. The message lists the nearest names.
    """
    if name not in _entries and name in _module_of():
        importlib.import_module(_module_of()[name])
    if name not in _entries:
        raise ZooError(f"There is no recipe {name!r}. {nearest(name, names())}")
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
            found = sorted(name.removesuffix(".py") for name in files if name.endswith(".py"))
            yield from (".".join((*parents, name)) for name in found if name != "__init__")


def _listing(name: str) -> Listing:
    module = _module_of().get(name)
    if module is not None and (listing := read_listing(module, name)):
        return listing
    found = entry(name)
    corpus = found.corpus
    return Listing(name, found.summary, found.metric, corpus.name, corpus.test_split)


@functools.cache
def _module_of() -> dict[str, str]:
    """Return the module of each name that the zoo's own sources register.

    Other modules, and the models of other packages, are imported: they add to `_entries`.
    """
    found: dict[str, str] = {}
    for module in modules("models"):
        registered = registered_names(module)
        if registered is None:
            importlib.import_module(module)
        else:
            found |= dict.fromkeys(registered, module)
    _load_entry_points()
    return found


def _load_entry_points() -> None:
    for point in entry_points(group=ENTRY_POINTS):
        try:
            point.load()
        except (Exception, SystemExit) as error:  # code of other packages may raise anything
            package = point.dist.name if point.dist else point.value
            print(
                f"Not usable: the package {package!r}, which adds models: {_reason(error)}",
                file=sys.stderr,
            )


def _reason(error: BaseException) -> str:
    """Return the type and the message of an error as one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
