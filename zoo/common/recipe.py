"""Recipes: a registered name that joins model, corpus, task and hyperparameters, frozen and typed."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zoo.common.errors import ZooError, nearest

if TYPE_CHECKING:
    import keras

    from zoo.common.task import Task


@dataclass(frozen=True)
class ModelConfig(ABC):
    """Every argument of a model. Subclasses are frozen dataclasses, one for each model file."""

    @abstractmethod
    def build(self) -> keras.Model:
        """The functional `keras.Model` of this config, with fresh weights."""

    def own_part(self, model: keras.Model) -> keras.Model:
        """The part of `model` that its own file holds: all of it, unless `build` finds the rest,
        such as a pretrained encoder that several models share, where it is shipped once."""
        return model


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with a linear warm-up and a cosine decay to zero.

    learning_rate: float. The peak, reached after the warm-up.
    warmup_epochs: float. Epochs of linear rise from zero.
    weight_decay: float. Decoupled decay per step, times the learning rate (Loshchilov & Hutter 2019).
    clip_norm: float. Gradients are scaled down to this global norm.
    """

    learning_rate: float = 1e-3
    warmup_epochs: float = 1.0
    weight_decay: float = 0.0
    clip_norm: float = 1.0

    def __post_init__(self):
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise ZooError(f"optimizer.{name} is above 0. Received: {getattr(self, name)}.")
        for name in ("warmup_epochs", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ZooError(f"optimizer.{name} is at least 0. Received: {getattr(self, name)}.")


@dataclass(frozen=True)
class TrainingConfig:
    """How long and on what a run trains.

    epochs: int. Passes over the training examples; the learning rate decays over all of them.
    batch_size: int. Examples in a batch.
    patience: int. Epochs without a better dev metric after which the run stops.
    dev_fraction: float. Share of the train split cut off for the dev metric.
    precision: str. A Keras dtype policy: "float32", "mixed_bfloat16" or "mixed_float16".
    seed: int. Fixes initial weights, the dev split, batch order, augmentation and dropout.
    """

    epochs: int = 50
    batch_size: int = 16
    patience: int = 20
    dev_fraction: float = 0.1
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self):
        valid = ("float32", "mixed_bfloat16", "mixed_float16")
        if self.precision not in valid:
            raise ZooError(
                f"training.precision is one of {', '.join(valid)}. Received: {self.precision!r}."
            )
        for name in ("epochs", "patience"):
            if getattr(self, name) < 1:
                raise ZooError(f"training.{name} is at least 1. Received: {getattr(self, name)}.")
        if not 0 < self.dev_fraction < 1:
            raise ZooError(
                f"training.dev_fraction lies between 0 and 1. Received: {self.dev_fraction}."
            )
        for name, least, most in (("batch_size", 1, 2**16), ("seed", 0, 2**32 - 1)):
            if not least <= getattr(self, name) <= most:
                raise ZooError(
                    f"training.{name} lies between {least} and {most}. "
                    f"Received: {getattr(self, name)}."
                )


@dataclass(frozen=True)
class Recipe:
    """Joins a model, a task and hyperparameters under a registered name."""

    name: str
    model: ModelConfig
    task: Task
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def override(self, overrides: dict[str, Any]) -> Recipe:
        """This recipe with dotted keys replaced: `{"optimizer.learning_rate": "3e-4"}`.

        Text is converted to the type of the field. Raises `ZooError` for an unknown key (naming
        the nearest valid ones) and for a value that does not fit its field.
        """
        recipe = self
        for key, value in overrides.items():
            if key == "name":
                raise ZooError("A recipe's name cannot be overridden.")
            recipe = _replace(recipe, key.split("."), value, key)
        return recipe

    def fit(self, examples: list) -> Recipe:
        """This recipe with what its task and model take from the examples of a run, dev included."""
        task, model = self.task.fit(examples, self.model)
        return dataclasses.replace(self, task=task, model=model)

    def from_scratch(self) -> Recipe:
        """This recipe without the assets of its corpus: `fit` takes them from other examples."""
        task = self.task
        empty = {f.name: f.default for f in dataclasses.fields(task) if f.metadata.get("asset")}
        return dataclasses.replace(self, task=dataclasses.replace(task, **empty))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types. What a task keeps in files of its own (`assets`) is left out."""
        return _to_dict(self)

    def merge(self, values: dict[str, Any]) -> Recipe:
        """This recipe with every value of a `to_dict` result put back. Raises as `override`."""
        return self.override({k: v for k, v in flatten(values) if k != "name"})


def asset(default: Any) -> Any:
    """A dataclass field that a preset keeps in a file of its own instead of recipe.json."""
    return field(default=default, metadata={"asset": True})


def settings(recipe: Recipe) -> dict[str, Any]:
    """Every setting of a recipe by its dotted key, as `override` takes it."""
    return {key: value for key, value in flatten(recipe.to_dict()) if key != "name"}


def _settable(config: Any) -> list[str]:
    return [f.name for f in dataclasses.fields(config) if not f.metadata.get("asset")]


def _to_dict(config: Any) -> Any:
    if dataclasses.is_dataclass(config):
        return {name: _to_dict(getattr(config, name)) for name in _settable(config)}
    return list(config) if isinstance(config, tuple) else config


def flatten(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """The values of nested dicts by their dotted keys."""
    rows = []
    for key, value in values.items():
        if isinstance(value, dict):
            rows += flatten(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, value))
    return rows


def _replace(config: Any, path: list[str], value: Any, key: str) -> Any:
    head, *rest = path
    fields = _settable(config)
    if head not in fields:
        raise ZooError(f"Unknown setting {key!r}: there is no {head!r}. {nearest(head, fields)}")
    current = getattr(config, head)
    if dataclasses.is_dataclass(current):
        if not rest:
            inner = ", ".join(f"{key}.{name}" for name in _settable(current))
            raise ZooError(f"{key!r} is a group, not a setting. Valid: {inner}.")
        new = _replace(current, rest, value, key)
    elif rest:
        raise ZooError(f"Unknown setting {key!r}: {head!r} has nothing below it.")
    else:
        new = _convert(value, typing.get_type_hints(type(config))[head], key)
    return dataclasses.replace(config, **{head: new})


def _convert(value: Any, annotation: Any, key: str) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):  # Optional[...]
        if value is None or value == "none":
            return None
        (annotation,) = (a for a in arguments if a is not types.NoneType)
        return _convert(value, annotation, key)
    if origin is tuple:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise ZooError(f"{key} is a list. Received: {value!r}.")
        return tuple(_convert(item, arguments[0], key) for item in items)
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
        raise ZooError(f"{key} is {wanted}. Received: {value!r}.") from None
