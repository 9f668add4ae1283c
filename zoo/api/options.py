"""Options of decoders, and presets opened with them."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import Field, replace
from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.core.settings import convert
from zoo.common.presets import store
from zoo.common.runtime import open_graphs
from zoo.common.runtime.preset import Preset

# A preset by name, the folder of a run or preset, or a loaded preset.
PresetLike = str | Path | Preset


def preset_name(preset: PresetLike) -> str:
    """Return the name of a preset, or the path of its folder."""
    return preset.name if isinstance(preset, Preset) else str(preset)


def preset_folder(preset: PresetLike) -> Path:
    """Return the folder of a preset.

    Raises:
        ZooError: there is no such preset or folder.
    """
    return preset.folder if isinstance(preset, Preset) else store.find(preset)


def preset_recipe(preset: PresetLike, options: Mapping[str, Any] | None = None) -> Recipe:
    """Return the recipe of a preset, with options of its decoder set. No model is loaded.

    Raises:
        ZooError: there is no such preset or option, or a value is invalid.
    """
    if isinstance(preset, Preset):
        return set_options(preset.name, preset.recipe, options or {})
    return set_options(str(preset), store.load_recipe(store.find(preset)), options or {})


def open_predictor(preset: PresetLike, recipe: Recipe, runtime: str | None) -> Predictor:
    """Return the predictor of a preset.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset.
        recipe: result of `preset_recipe`.
        runtime: see `zoo.common.runtime.open_graphs`; None for the runtime of a loaded preset.

    Raises:
        ZooError: the model cannot be opened in the runtime.
    """
    if isinstance(preset, Preset) and runtime in (None, preset.runtime):
        return recipe.predictor(preset.graphs)
    folder = preset.folder if isinstance(preset, Preset) else preset
    return recipe.predictor(open_graphs(runtime or "auto", folder))


def runtime_of(preset: PresetLike, runtime: str | None, default: str) -> str | None:
    """Return the runtime to use: the given one, that of a loaded preset (None), or a default."""
    return None if runtime is None and isinstance(preset, Preset) else runtime or default


def find_recipe(name: str) -> Recipe:
    """Return the recipe of a preset or run, or the registered recipe if it has no preset here.

    Raises:
        ZooError: there is neither, or `recipe.json` is corrupt.
    """
    if name in registry.names() and not store.is_available(name):
        return registry.entry(name).recipe()
    return store.load_recipe(store.find(name))


def set_options(name: str, recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    """Return a recipe with options of its decoder set, or of its data for the reading of files.

    Args:
        name: name of the preset, for error messages.
        recipe: recipe of the preset.
        options: values by name. Text is converted to the type of the option.

    Raises:
        ZooError: there is no such option, or a value is invalid.
    """
    parts: dict[str, dict[str, Any]] = {"decoder": {}, "data": {}}
    kinds = option_types(recipe)
    for option, value in options.items():
        if option not in kinds:
            raise unknown_option(name, kinds, flag_of(option))
        part = "data" if option in recipe.data.options else "decoder"
        parts[part][option] = convert(value, kinds[option], flag_of(option))
    changed = {
        part: replace(getattr(recipe, part), **values) for part, values in parts.items() if values
    }
    return replace(recipe, **changed)


def decoder_options(recipe: Recipe) -> dict[str, Field]:
    """Return the fields of the decoder that are options, by name."""
    return recipe.decoder.options if recipe.decoder else {}


def option_types(recipe: Recipe) -> dict[str, Any]:
    """Return the type of each option of decoder and data; for an optional one, that of a given value."""
    hints = typing.get_type_hints(type(recipe.decoder)) if recipe.decoder else {}
    hints |= typing.get_type_hints(type(recipe.data)) if recipe.data.options else {}
    names = (*decoder_options(recipe), *recipe.data.options)
    return {name: _given_type(hints[name]) for name in names}


def flag_of(option: str) -> str:
    """Return an option as a flag of the command line, such as `--beam-width`."""
    return "--" + option.replace("_", "-")


def unknown_option(name: str, options: Iterable[str], flag: str) -> ZooError:
    """Return the error about an option that is not one of the options of a preset."""
    valid = ", ".join(map(flag_of, options)) or "none"
    return ZooError(f"{name} has no option {flag}. Valid: {valid}.")


def _given_type(annotation: Any) -> Any:
    inner = [a for a in typing.get_args(annotation) if a is not types.NoneType]
    return inner[0] if isinstance(annotation, types.UnionType) else annotation
