"""The options of a preset's decoder on the command line, and presets opened with them."""

from __future__ import annotations

import argparse
import os
import shlex
import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe, convert
from zoo.common.decoding.decoder_file import read_options
from zoo.common.presets import store

# Parsed options are attributes of this beginning: `decoder.beam_width`.
_PREFIX = "decoder."
_METAVARS = {int: "INT", float: "NUMBER", str: "TEXT"}
_HELP = {"-h", "--help"}
# The parsed `--decoder`, a file of such options.
_FILE = "decoder_file"


def accept_options(parser: argparse.ArgumentParser) -> None:
    """Let a verb, which must have the argument `preset`, take the options of that preset's decoder."""
    parser.set_defaults(accepts_decoder_options=True)


def accepts_options(parser: argparse.ArgumentParser) -> bool:
    """Return whether a verb takes the options of a decoder."""
    return bool(parser.get_default("accepts_decoder_options"))


def add_options(parser: argparse.ArgumentParser, arguments: list[str]) -> str | None:
    """Add the options of the decoder of the preset that is among a verb's arguments.

    The help of a verb that answers inputs gets an example of the preset, too.

    Returns:
        The preset; None if there is none among them.

    Raises:
        ZooError: the preset's recipe is corrupt, or help is asked for about what is no preset.
    """
    preset = _find_preset(arguments)
    if preset is None:
        if _HELP.intersection(arguments) and not arguments[0].startswith("-"):
            find_recipe(arguments[0])
        parser.add_argument_group("options of the decoder", f"see {parser.prog} PRESET --help")
        return None
    recipe = find_recipe(preset)
    types_, options = _types(recipe), _options(recipe)
    group = parser.add_argument_group(f"options of the decoder of {recipe.name}")
    for name, field in options.items():
        default = getattr(recipe.decoder, name)
        shown = "" if default is None else f" (default: {_text(default)})"
        form: dict[str, Any] = {"metavar": _METAVARS.get(types_[name], "FILE")}
        if types_[name] is bool:
            form = {"action": argparse.BooleanOptionalAction}
        elif typing.get_origin(types_[name]) is tuple:
            form = {"metavar": "TEXT", "action": "append"}
        words = (field.metadata["help"] + shown).replace("%", "%%")
        group.add_argument(flag_of(name), dest=_PREFIX + name, help=words, **form)
    words = "a file of such options, as of zoo tune-lm; what is given beside it comes first"
    group.add_argument("--decoder", dest=_FILE, type=Path, metavar="FILE", help=words)
    if parser.get_default("gives_example"):
        given = shlex.quote(recipe.data.input_example)
        parser.epilog = f"example:\n  {parser.prog} {preset} {given}"
    return preset


def given_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the decoder's options that a command line gives, itself or by a file, by name.

    Raises:
        ZooError: the file is missing, or no decoder file.
    """
    file = getattr(arguments, _FILE, None)
    options: dict[str, Any] = dict(read_options(file)) if file else {}
    found = {key: value for key, value in vars(arguments).items() if key.startswith(_PREFIX)}
    return options | {
        key.removeprefix(_PREFIX): value for key, value in found.items() if value is not None
    }


def flag_of(option: str) -> str:
    """Return an option as it is typed: `--beam-width`."""
    return "--" + option.replace("_", "-")


def unknown_option(preset: str, flag: str) -> ZooError:
    """Return the error about an option that the decoder of a preset does not have.

    Raises:
        ZooError: there is no such preset.
    """
    return _unknown_option(preset, find_recipe(preset), flag)


def find_recipe(name: str) -> Recipe:
    """Return the recipe of a preset or run; of a preset that is not shipped, the registered one.

    Raises:
        ZooError: there is neither, or its recipe is corrupt.
    """
    if name not in store.names() and name in {entry.name for entry in registry.entries()}:
        return registry.entry(name).recipe()
    return store.load_recipe(store.find(name))


def set_options(name: str, recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    """Return a recipe with options of its decoder set.

    Args:
        name: what the preset is called in an error.
        recipe: of the preset.
        options: text, or a value of the option's own type, by the option's name.

    Raises:
        ZooError: there is no such option, or a value does not fit.
    """
    valid = _options(recipe)
    for option in options:
        if option not in valid:
            raise _unknown_option(name, recipe, flag_of(option))
    if not options:
        return recipe
    types_ = _types(recipe)
    values = {
        option: convert(value, types_[option], flag_of(option)) for option, value in options.items()
    }
    return replace(recipe, decoder=replace(recipe.decoder, **values))


def open_preset(name: str, backend: str, options: Mapping[str, Any]) -> tuple[Recipe, Graphs]:
    """Return a preset's recipe, with options of its decoder set, and its graphs in a runtime.

    Raises:
        ZooError: as `set_options` and `zoo.common.runtime.open_graphs`.
    """
    from zoo.common.runtime import open_graphs

    recipe = set_options(name, store.load_recipe(store.find(name)), options)
    return recipe, open_graphs(backend, name)


def _find_preset(arguments: list[str]) -> str | None:
    """The first argument that is the name of a recipe or the folder of a preset or run."""
    registered = {entry.name for entry in registry.entries()}
    for argument in arguments:
        if argument in registered or os.path.exists(os.path.join(argument, store.RECIPE_FILE)):
            return argument
    return None


def _options(recipe: Recipe) -> dict[str, Any]:
    return recipe.decoder.options if recipe.decoder else {}


def _types(recipe: Recipe) -> dict[str, Any]:
    """The type of each option; of an optional one, the type it has when it is given."""
    hints = typing.get_type_hints(type(recipe.decoder)) if recipe.decoder else {}
    return {name: _given_type(hints[name]) for name in _options(recipe)}


def _given_type(annotation: Any) -> Any:
    inner = [a for a in typing.get_args(annotation) if a is not types.NoneType]
    return inner[0] if isinstance(annotation, types.UnionType) else annotation


def _unknown_option(name: str, recipe: Recipe, flag: str) -> ZooError:
    valid = ", ".join(map(flag_of, _options(recipe))) or "none"
    return ZooError(f"{name} has no option {flag}. Valid: {valid}.")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
