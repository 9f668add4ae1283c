"""All corpora of the zoo by name: those that its modules define, and those of registered recipes."""

from __future__ import annotations

import functools
import importlib

from zoo.common.core.corpus import Corpus
from zoo.common.core.errors import ZooError, nearest
from zoo.common.core.registry import entries, modules


@functools.cache
def corpora() -> dict[str, tuple[Corpus, ...]]:
    """Return the corpora of each name, sorted by name. Corpora of one name share a folder."""
    found: dict[str, dict[Corpus, None]] = {}
    defined = [
        value
        for module in modules("corpora")
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, Corpus)
    ]
    for corpus in (*defined, *(entry.corpus for entry in entries())):
        found.setdefault(corpus.name, {})[corpus] = None
    return {name: tuple(found[name]) for name in sorted(found)}


def corpora_of(name: str) -> tuple[Corpus, ...]:
    """Return the corpora of a name.

    Raises:
        ZooError: there is none. The message lists the nearest names.
    """
    if name not in corpora():
        raise ZooError(f"There is no corpus {name!r}. {nearest(name, corpora())}")
    return corpora()[name]
