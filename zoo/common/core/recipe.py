"""Recipes: a registered name that joins data, model, task, decoder, optimizer and training.

Each part is a frozen, typed dataclass; its fields are the settings of a run, by dotted keys.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any

from zoo.common.core.errors import ZooError, nearest


@dataclass(frozen=True)
class Recipe:
    """Joins the six parts of a recipe under a registered name.

    data: Data. What an example is.
    model: ModelConfig. How inputs become outputs.
    task: Task. What is learnt, and how it is judged.
    training: Trainer. How long, on what, by which trainer.
    decoder: Decoder. How an answer is chosen; None where the task has nothing to choose.
    optimizer: a part with `build`. How the weights move; None for a trainer without gradients.
    """

    # The parts' own modules know this one, so it does not know theirs.
    name: str
    data: Any
    model: Any
    task: Any
    training: Any
    decoder: Any | None = None
    optimizer: Any | None = None

    def override(self, overrides: dict[str, Any]) -> Recipe:
        """Return this recipe with dotted keys replaced: `{"optimizer.learning_rate": "3e-4"}`.

        Text is converted to the type of the field; a part is checked when all of its fields are set.

        Raises:
            ZooError: an unknown key (the nearest valid ones are named), or a value that does not fit
                its field.
        """
        if "name" in overrides:
            raise ZooError("A recipe's name cannot be overridden.")
        return _replace(self, [(key.split("."), value, key) for key, value in overrides.items()])

    def adapt(self, examples: list[Any]) -> Recipe:
        """Return this recipe with what its data and model take from a run's examples, dev included."""
        data, model = self.data.adapt(examples, self.model)
        return dataclasses.replace(self, data=data, model=model)

    def from_scratch(self) -> Recipe:
        """Return this recipe without the assets of its corpus: `adapt` takes them from other data."""
        data = self.data
        empty = {f.name: f.default for f in dataclasses.fields(data) if f.metadata.get("asset")}
        return dataclasses.replace(self, data=dataclasses.replace(data, **empty))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types. Assets and run-time resources are left out."""
        return _to_dict(self)

    def merge(self, values: dict[str, Any]) -> Recipe:
        """Return this recipe with every value of a `to_dict` result put back. Raises as `override`."""
        return self.override({k: v for k, v in flatten(values) if k != "name"})


def asset(default: Any) -> Any:
    """Return a dataclass field that a preset keeps in a file of its own instead of recipe.json."""
    return field(default=default, metadata={"asset": True})


def settings(recipe: Recipe) -> dict[str, Any]:
    """Return every setting of a recipe by its dotted key, as `override` takes it."""
    return {key: value for key, value in flatten(recipe.to_dict()) if key != "name"}


def flatten(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the values of nested dicts by their dotted keys."""
    rows = []
    for key, value in values.items():
        if isinstance(value, dict):
            rows += flatten(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, value))
    return rows


def convert(value: Any, annotation: Any, key: str) -> Any:
    """Return a value, text perhaps, as the type of the field it is for.

    Args:
        value: what was given. annotation: the field's type. key: what an error calls it.

    Raises:
        ZooError: the value is not of that type.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):  # Optional[...]
        if value is None or value == "none":
            return None
        (annotation,) = (a for a in arguments if a is not types.NoneType)
        return convert(value, annotation, key)
    if origin is tuple:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise ZooError(f"{key} must be a list. Received: {value!r}.")
        return tuple(convert(item, arguments[0], key) for item in items)
    try:
        if annotation is bool:
            return {"true": True, "false": False}[str(value).lower()]
        if isinstance(value, bool) or (annotation is str and not isinstance(value, str)):
            raise TypeError
        if annotation is int and isinstance(value, float) and value != int(value):
            raise ValueError
        return annotation(value)
    except (KeyError, ValueError, TypeError, OverflowError):
        kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
        wanted = kind.get(annotation, f"of type {annotation}")
        raise ZooError(f"{key} must be {wanted}. Received: {str(value)[:80]!r}.") from None


def _settable(config: Any) -> list[str]:
    hidden = ("asset", "resource")
    return [
        f.name for f in dataclasses.fields(config) if not any(f.metadata.get(key) for key in hidden)
    ]


def _to_dict(config: Any) -> Any:
    if dataclasses.is_dataclass(config):
        return {name: _to_dict(getattr(config, name)) for name in _settable(config)}
    return list(config) if isinstance(config, tuple) else config


def _replace(config: Any, rows: list[tuple[list[str], Any, str]]) -> Any:
    """`config` with values set: rows of (path of names, value, whole key)."""
    fields, new = _settable(config), {}
    inner: dict[str, list[tuple[list[str], Any, str]]] = {}
    for (head, *rest), value, key in rows:
        if head not in fields:
            raise ZooError(
                f"Unknown setting {key!r}: there is no {head!r}. {nearest(head, fields)}"
            )
        current = getattr(config, head)
        if dataclasses.is_dataclass(current):
            if not rest:
                names = ", ".join(f"{key}.{name}" for name in _settable(current))
                raise ZooError(f"{key!r} is a group, not a setting. Valid: {names}.")
            inner.setdefault(head, []).append((rest, value, key))
        elif rest:
            raise ZooError(f"Unknown setting {key!r}: {head!r} has nothing below it.")
        else:
            new[head] = convert(value, typing.get_type_hints(type(config))[head], key)
    new |= {head: _replace(getattr(config, head), below) for head, below in inner.items()}
    return dataclasses.replace(config, **new)
