"""The decoder part of a recipe chooses answers. Its fields are options of predict and evaluate."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from zoo.common.core.settings import options_of


def option(default: Any, help: str) -> Any:
    """Return a dataclass field that is a command-line option with a help text."""
    return field(default=default, metadata={"help": help})


def resource(help: str, *, names_file: bool = True) -> Any:
    """Return a field for a file that is given at run time, such as a language model.

    Its default is None, and it is never stored in recipe.json.

    Args:
        help: help text of the command-line option.
        names_file: whether the value names a file. Clients of a server cannot set such an option.
    """
    return field(default=None, metadata={"help": help, "resource": True, "names_file": names_file})


@dataclass(frozen=True)
class Decoder:
    """Base class of decoders. Subclasses are frozen dataclasses with `option` and `resource` fields."""

    @property
    def options(self) -> dict[str, dataclasses.Field]:
        """The fields that are options, by name."""
        return options_of(self)
