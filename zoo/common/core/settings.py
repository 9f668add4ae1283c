"""Settings: the fields of a recipe's parts, their metadata, and their values given as text."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any

from zoo.common.core.errors import ZooError, nearest


@dataclass(frozen=True)
class Asset:
    """An asset of a data kind: a value that a preset stores in a file of its own.

    Args:
        kind: class with `to_text()` and the class method `from_text(text, path)`.
        file: name of the file.
        optional: whether the file may be missing. An empty optional asset is not written.
    """

    kind: Any
    file: str
    optional: bool = False


def asset(kind: Any, *, file: str, optional: bool = False) -> Any:
    """Return a dataclass field that a preset stores in a file of its own instead of recipe.json.

    Args:
        kind: class with `to_text()`, the class method `from_text(text, path)`, and an empty value
            `kind()` whose truth value is False.
        file: name of the file.
        optional: whether the file may be missing.

    Returns:
        A field whose default is `kind()`.
    """
    return field(default=kind(), metadata={"asset": Asset(kind, file, optional)})


def training_only(default: Any) -> Any:
    """Return a field of a model config that has no effect on the answers of a trained model.

    Dropout is an example. `zoo train --init` takes such settings from the recipe, all others from the
    preset.
    """
    return field(default=default, metadata={"training_only": True})


def fine_tunable(default: Any) -> Any:
    """Return a field of a model config that `zoo train --init` may set to another value.

    It changes the answers of a trained model, but its weights remain a good start. A file without the
    field, which is older, has the default.
    """
    return field(default=default, metadata={"fine_tunable": True})


def renamed(default: Any, *, formerly: str) -> Any:
    """Return a field that is also read under an earlier name, so that older files remain valid."""
    return field(default=default, metadata={"formerly": formerly})


def options_of(part: Any) -> dict[str, dataclasses.Field]:
    """Return the fields with a help text, which are options of the command line, by name."""
    return {f.name: f for f in dataclasses.fields(part) if "help" in f.metadata}


def assets(part: Any) -> dict[str, Asset]:
    """Return the assets of a data kind by the name of their field."""
    return {f.name: f.metadata["asset"] for f in dataclasses.fields(part) if "asset" in f.metadata}


def training_only_settings(part: Any) -> set[str]:
    """Return the names of the fields made by `training_only`."""
    return {f.name for f in dataclasses.fields(part) if f.metadata.get("training_only")}


def fine_tunable_settings(part: Any) -> set[str]:
    """Return the names of the fields made by `fine_tunable`."""
    return {f.name for f in dataclasses.fields(part) if f.metadata.get("fine_tunable")}


def fine_tunable_defaults(part: Any) -> dict[str, Any]:
    """Return the defaults of all fields made by `fine_tunable` by their dotted keys."""
    found = {}
    for one in dataclasses.fields(part):
        if one.metadata.get("fine_tunable"):
            found[one.name] = one.default
        elif dataclasses.is_dataclass(inner := getattr(part, one.name)):
            found |= {f"{one.name}.{key}": v for key, v in fine_tunable_defaults(inner).items()}
    return found


def to_dict(part: Any) -> Any:
    """Return a part as plain JSON types. Assets and resources are left out."""
    if dataclasses.is_dataclass(part):
        return {name: to_dict(getattr(part, name)) for name in _settable(part)}
    return list(part) if isinstance(part, tuple) else part


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
    """Return a value, which may be text, converted to the type of its field.

    Args:
        value: the given value.
        annotation: type of the field.
        key: name of the setting in an error message.

    Raises:
        ZooError: the value does not have that type.
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
        kind = {bool: "true or false", int: "an integer", float: "a number", str: "text"}
        wanted = kind.get(annotation, f"of type {annotation}")
        raise ZooError(f"{key} must be {wanted}. Received: {str(value)[:80]!r}.") from None


def replace_settings(part: Any, rows: list[tuple[list[str], Any, str]]) -> Any:
    """Return a part with settings replaced.

    Args:
        part: a dataclass.
        rows: for each setting, the names of its key, the value and the whole key.

    Raises:
        ZooError: an unknown key, or a value that does not fit its field.
    """
    fields, new = _settable(part), {}
    formerly = {
        f.metadata["formerly"]: f.name for f in dataclasses.fields(part) if "formerly" in f.metadata
    }
    inner: dict[str, list[tuple[list[str], Any, str]]] = {}
    for (head, *rest), value, key in rows:
        head = formerly.get(head, head)
        if head not in fields:
            raise ZooError(
                f"Unknown setting {key!r}: there is no {head!r}. {nearest(head, fields)}"
            )
        current = getattr(part, head)
        if dataclasses.is_dataclass(current):
            if not rest:
                names = ", ".join(f"{key}.{name}" for name in _settable(current))
                raise ZooError(f"{key!r} is a group of settings. Valid: {names}.")
            inner.setdefault(head, []).append((rest, value, key))
        elif rest:
            raise ZooError(f"Unknown setting {key!r}: {head!r} is not a group of settings.")
        else:
            new[head] = convert(value, typing.get_type_hints(type(part))[head], key)
    new |= {head: replace_settings(getattr(part, head), below) for head, below in inner.items()}
    return dataclasses.replace(part, **new)


def _settable(part: Any) -> list[str]:
    hidden = ("asset", "resource")
    return [
        f.name for f in dataclasses.fields(part) if not any(f.metadata.get(key) for key in hidden)
    ]
