"""Options of a preset's decoder and data on the command line."""

from __future__ import annotations

import argparse
import os
import shlex
import typing
from dataclasses import Field
from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.errors import ZooError

# Prefixes of parsed options: `decoder.beam_width`, `data.text_column`.
_DECODER, _DATA = "decoder.", "data."
_METAVARS = {int: "INT", float: "NUMBER", str: "TEXT"}
_HELP = {"-h", "--help"}
# The parsed `--decoder`, a file with options.
_FILE = "decoder_file"
_RECIPE_FILE = "recipe.json"


def accept_options(parser: argparse.ArgumentParser) -> None:
    """Let a verb with the argument `preset` accept the options of the preset's decoder and data."""
    parser.set_defaults(accepted_options=(_DECODER, _DATA))


def accept_data_options(parser: argparse.ArgumentParser) -> None:
    """Let a verb with the argument `recipe` accept the options of the recipe's data."""
    parser.set_defaults(accepted_options=(_DATA,))


def accepts_options(parser: argparse.ArgumentParser) -> bool:
    """Return whether a verb accepts the options of a decoder or of data."""
    return bool(parser.get_default("accepted_options"))


def add_options(parser: argparse.ArgumentParser, arguments: list[str]) -> str | None:
    """Add the options of the preset that is in the arguments of a verb: those of decoder and data.

    The help of a verb that answers inputs also gets an example with the preset.

    Args:
        parser: parser of the verb.
        arguments: the arguments after the verb.

    Returns:
        The preset; None if there is none in the arguments.

    Raises:
        ZooError: the recipe of the preset is corrupt, or there is no preset for which help is requested.
    """
    from zoo.api.options import decoder_options, find_recipe, option_types

    preset = _find_preset(arguments)
    if preset is None:
        if _HELP.intersection(arguments) and not arguments[0].startswith("-"):
            find_recipe(arguments[0])
        parser.add_argument_group("options of the decoder", f"see {parser.prog} PRESET --help")
        return None
    recipe = find_recipe(preset)
    kinds = option_types(recipe)
    accepted = parser.get_default("accepted_options")
    if _DATA in accepted and recipe.data.options:
        group = parser.add_argument_group(f"options for your own files of {recipe.name}")
        _add(group, _DATA, recipe.data, recipe.data.options, kinds)
    if _DECODER in accepted:
        group = parser.add_argument_group(f"options of the decoder of {recipe.name}")
        _add(group, _DECODER, recipe.decoder, decoder_options(recipe), kinds)
        words = "a file with such options, as zoo tune-lm writes it; other options override it"
        group.add_argument("--decoder", dest=_FILE, type=Path, metavar="FILE", help=words)
    if parser.get_default("gives_example"):
        given = shlex.quote(recipe.data.input_example)
        parser.epilog = f"example:\n  {parser.prog} {preset} {given}"
    return preset


def _add(group: Any, prefix: str, part: Any, options: dict[str, Field], kinds: Any) -> None:
    """Add the options of a part of a recipe to a group of arguments.

    Args:
        group: the group.
        prefix: prefix of the parsed options.
        part: the part, whose values are the defaults.
        options: its fields that are options.
        kinds: the type of each.
    """
    from zoo.api.options import flag_of

    for name, field in options.items():
        default = getattr(part, name)
        shown = "" if default in (None, ()) else f" (default: {_text(default)})"
        form: dict[str, Any] = {"metavar": _METAVARS.get(kinds[name], "FILE")}
        if kinds[name] is bool:
            form = {"action": argparse.BooleanOptionalAction}
        elif typing.get_origin(kinds[name]) is tuple:
            form = {"metavar": "TEXT", "action": "append"}
        words = (field.metadata["help"] + shown).replace("%", "%%")
        group.add_argument(flag_of(name), dest=prefix + name, help=words, **form)


def given_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of decoder and data on a command line, and in the file it names, by name.

    Raises:
        ZooError: the file is missing or not a decoder file.
    """
    from zoo.common.decoding.decoder_file import read_options

    file = getattr(arguments, _FILE, None)
    options: dict[str, Any] = dict(read_options(file)) if file else {}
    return options | {
        key.partition(".")[2]: value
        for key, value in vars(arguments).items()
        if key.startswith((_DECODER, _DATA)) and value is not None
    }


def given_data_settings(arguments: argparse.Namespace) -> list[str]:
    """Return the options of data on a command line as settings KEY=VALUE."""
    return [
        f"{key}={_text(value)}"
        for key, value in vars(arguments).items()
        if key.startswith(_DATA) and value is not None
    ]


def unknown_flag(parser: argparse.ArgumentParser, preset: str, flag: str) -> ZooError:
    """Return the error about a flag that is not an option of a preset which a verb accepts.

    Raises:
        ZooError: there is no such preset.
    """
    from zoo.api.options import find_recipe, option_types, unknown_option

    recipe, has_decoder = find_recipe(preset), _DECODER in parser.get_default("accepted_options")
    return unknown_option(
        preset, option_types(recipe) if has_decoder else recipe.data.options, flag
    )


def _find_preset(arguments: list[str]) -> str | None:
    """Return the first argument that is the name of a recipe or the folder of a preset or run."""
    registered = registry.names()
    for argument in arguments:
        if argument in registered or os.path.exists(os.path.join(argument, _RECIPE_FILE)):
            return argument
    return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
