"""A decoder: how an answer is chosen at use time. Its fields are the options of predict and evaluate."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


def option(default: Any, help: str) -> Any:
    """Return a dataclass field that is an option of the command line, with what its help says."""
    return field(default=default, metadata={"help": help})


def resource(help: str) -> Any:
    """Return a field for a file that a user hands over at run time, such as a language model.

    It is None unless it is given, and never stands in recipe.json.
    """
    return field(default=None, metadata={"help": help, "resource": True})


@dataclass(frozen=True)
class Decoder:
    """Subclasses are frozen dataclasses; a field made by `option` or `resource` is an option."""

    @property
    def options(self) -> dict[str, dataclasses.Field]:
        """The fields that are options, by name."""
        return {f.name: f for f in dataclasses.fields(self) if "help" in f.metadata}
