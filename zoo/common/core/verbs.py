"""Verbs of the `zoo` command, and extensions of verbs: functions registered with their arguments.

The command line imports the modules of `zoo/cli/` and the modules `commands` of the packages. These
modules should import little, since `zoo list` imports them too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from zoo.common.core.errors import ZooError

Run = Callable[[argparse.Namespace], int | None]
AddArguments = Callable[[argparse.ArgumentParser], None]


@dataclass(frozen=True)
class Verb:
    """A verb of the command line.

    Args:
        name: the word after `zoo`.
        run: maps the parsed arguments to the exit status, or None for 0.
        add_arguments: adds the arguments of the verb to a parser.
        summary: one line for the help.
        example: a command for the help.
    """

    name: str
    run: Run
    add_arguments: AddArguments
    summary: str
    example: str


@dataclass(frozen=True)
class Extension:
    """An extension of a verb, such as an option for one kind of model.

    Args:
        run: maps the parsed arguments, which it may change, to the exit status; None to go on with the
            verb.
        add_arguments: adds the arguments of the extension to the parser of the verb.
    """

    run: Run
    add_arguments: AddArguments


VERBS: dict[str, Verb] = {}
EXTENSIONS: dict[str, list[Extension]] = {}


def register_verb(
    name: str, summary: str, example: str, add_arguments: AddArguments
) -> Callable[[Run], Run]:
    """Register a function as a verb of the command line, as a decorator. Arguments as `Verb`.

    Raises:
        ZooError: the verb is already registered.
    """

    def decorate(run: Run) -> Run:
        if name in VERBS:
            raise ZooError(f"The verb {name!r} is registered twice.")
        VERBS[name] = Verb(name, run, add_arguments, summary, example)
        return run

    return decorate


def extend_verb(name: str, add_arguments: AddArguments) -> Callable[[Run], Run]:
    """Register a function as an extension of a verb, as a decorator. Arguments as `Extension`."""

    def decorate(run: Run) -> Run:
        EXTENSIONS.setdefault(name, []).append(Extension(run, add_arguments))
        return run

    return decorate
