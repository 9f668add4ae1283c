"""The verbs of the `zoo` command: each one function, registered with its help.

The command line walks the modules of `zoo/cli/` and the modules `commands` of the families.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from zoo.common.core.errors import ZooError


@dataclass(frozen=True)
class Verb:
    """A verb.

    run: of the parsed arguments, to the exit status or None. add_arguments: adds the verb's own.
    summary, example: str. What its help says.
    """

    name: str
    run: Callable[[argparse.Namespace], int | None]
    add_arguments: Callable[[argparse.ArgumentParser], None]
    summary: str
    example: str


VERBS: dict[str, Verb] = {}


def register_verb(
    name: str,
    summary: str,
    example: str,
    add_arguments: Callable[[argparse.ArgumentParser], None],
) -> Callable:
    """Register a function as a verb of the command line, as a decorator. See `Verb`.

    Raises:
        ZooError: the name is taken.
    """

    def decorate(run: Callable) -> Callable:
        if name in VERBS:
            raise ZooError(f"The verb {name!r} is registered twice.")
        VERBS[name] = Verb(name, run, add_arguments, summary, example)
        return run

    return decorate
