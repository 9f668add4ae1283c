"""The search space of a sweep: settings that are fixed, and settings with a range or several values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import ZooError, nearest
from zoo.common.core.recipe import Recipe, settings
from zoo.common.data.text import is_number

if TYPE_CHECKING:
    import optuna

RANGE = ".."
# A range whose end is at least this multiple of its beginning is searched on a logarithmic scale.
LOG_RATIO = 10


@dataclass(frozen=True)
class Range:
    """Numbers between two bounds, both included.

    Args:
        low: the lower bound.
        high: the upper bound, of the same type.
    """

    low: int | float
    high: int | float

    @property
    def log(self) -> bool:
        """Whether the range is searched on a logarithmic scale."""
        return 0 < LOG_RATIO * self.low <= self.high

    def suggest(self, trial: optuna.Trial, key: str) -> int | float:
        """Return the value of a setting in a trial."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(key, self.low, self.high, log=self.log)
        return trial.suggest_float(key, self.low, self.high, log=self.log)

    def __str__(self) -> str:
        return f"{self.low}{RANGE}{self.high}"


@dataclass(frozen=True)
class Choices:
    """Several values.

    Args:
        values: the values: numbers, texts, truth values or None.
    """

    values: tuple[Any, ...]

    def suggest(self, trial: optuna.Trial, key: str) -> Any:
        """Return the value of a setting in a trial."""
        return trial.suggest_categorical(key, self.values)

    def __str__(self) -> str:
        return ",".join(map(str, self.values))


@dataclass(frozen=True)
class Space:
    """The settings of a sweep.

    Args:
        fixed: values of settings that all trials share, by dotted key.
        searched: the range or the choices of each other setting, by dotted key.
    """

    fixed: dict[str, Any]
    searched: dict[str, Range | Choices]

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """Return the searched settings of a trial."""
        return {key: values.suggest(trial, key) for key, values in self.searched.items()}

    def to_dict(self) -> dict[str, dict[str, str]]:
        """Return the space as text, JSON-ready."""
        return {
            "fixed": {key: str(value) for key, value in self.fixed.items()},
            "searched": {key: str(values) for key, values in self.searched.items()},
        }


def read_space(recipe: Recipe, given: Mapping[str, Any]) -> Space:
    """Return the search space that settings describe.

    Args:
        recipe: the recipe, which defines the type and the valid values of each setting.
        given: by dotted key a single value, a text "LOW..HIGH", or several values as a list or as a text
            "A,B". A setting that is a list itself, such as names of columns, cannot be searched.

    Raises:
        ZooError: an unknown key, an invalid value, an empty range, a value that is given twice, or no
            setting with more than one value.
    """
    ranges = {key: bounds for key, value in given.items() if (bounds := _bounds(key, value))}
    current = settings(recipe)
    lists = {
        key: [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
        for key, value in given.items()
        if key not in ranges
        and not isinstance(current.get(key), list)
        and (isinstance(value, list | tuple) or (isinstance(value, str) and "," in value))
    }
    fixed = {key: value for key, value in given.items() if key not in ranges and key not in lists}
    base = recipe.override(fixed)
    searched: dict[str, Range | Choices] = {}
    for key, bounds in ranges.items():
        low, high = (_typed(base, key, bound) for bound in bounds)
        for bound in (low, high):
            if isinstance(bound, bool) or not isinstance(bound, int | float):
                raise ZooError(f"{key} must be a number for a range. Received: {given[key]!r}.")
        if not low < high:
            raise ZooError(f"The range of {key} must rise. Received: {given[key]!r}.")
        searched[key] = Range(low, high)
    for key, values in lists.items():
        typed = tuple(_typed(base, key, value) for value in values)
        if len(set(typed)) < len(typed) or len(typed) < 2:
            raise ZooError(f"{key} must have different values. Received: {given[key]!r}.")
        searched[key] = Choices(typed)
    if not searched:
        raise ZooError(
            "A sweep needs a setting with a range or several values, such as "
            "--set optimizer.learning_rate=1e-4..1e-2 or --set model.dropout=0.1,0.3."
        )
    return Space(fixed, searched)


def _bounds(key: str, value: Any) -> list[str] | None:
    """Return the bounds of a range; None for another value.

    Raises:
        ZooError: one of the bounds is not a number.
    """
    if not isinstance(value, str) or RANGE not in value:
        return None
    bounds = value.split(RANGE, 1)
    numbers = sum(map(is_number, bounds))
    if not numbers:
        return None  # such as a path
    if numbers == 1:
        raise ZooError(f"{key} must be LOW..HIGH, two numbers. Received: {value!r}.")
    return bounds


def _typed(recipe: Recipe, key: str, value: Any) -> Any:
    """Return a value as its setting has it. Raises `ZooError` if it is invalid."""
    found = settings(recipe.override({key: value}))
    if key not in found:
        raise ZooError(f"Unknown setting {key!r}. {nearest(key, found)}")
    return found[key]
