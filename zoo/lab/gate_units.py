"""Compute the gates and cells of a character LSTM, and find units that follow features of a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Activity(NamedTuple):
    """The activations of one LSTM layer over a text, each float32 [characters, units].

    Args:
        i: input gates, from 0 to 1.
        f: forget gates, from 0 to 1.
        o: output gates, from 0 to 1.
        c: cell states.
        h: outputs, o * tanh(c).
    """

    i: np.ndarray
    f: np.ndarray
    o: np.ndarray
    c: np.ndarray
    h: np.ndarray


def run_lstm(
    kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray, x: np.ndarray
) -> Activity:
    """Return the activations of an LSTM layer on one sequence, in the gate order of Keras (i, f, c, o).

        z(t) = x(t) K + h(t-1) R + b
        i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)
        c(t) = f * c(t-1) + i * tanh(z_c),  h(t) = o * tanh(c(t))

    Args:
        kernel: K, float32 [features, 4 * units].
        recurrent: R, float32 [units, 4 * units].
        bias: b, float32 [4 * units].
        x: float32 [time, features].
    """
    units = len(recurrent)
    h, c, steps = np.zeros(units, np.float32), np.zeros(units, np.float32), []
    for z in x @ kernel + bias:
        z_i, z_f, z_c, z_o = np.split(z + h @ recurrent, 4)
        i, f, o = _sigmoid(z_i), _sigmoid(z_f), _sigmoid(z_o)
        c = f * c + i * np.tanh(z_c)
        h = o * np.tanh(c)
        steps.append((i, f, o, c, h))
    return Activity(*(np.stack(column) for column in zip(*steps, strict=True)))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def run_layers(model: Any, tokens: np.ndarray) -> list[Activity]:
    """Return the activations of each LSTM layer of a character model over a text.

    Args:
        model: a model of `zoo.language.modelling.models.lstm_lm`.
        tokens: int32 [characters].
    """
    x = model.get_layer("embedding").get_weights()[0][tokens]
    activities: list[Activity] = []
    while any(layer.name == f"lstm{len(activities)}" for layer in model.layers):
        kernel, recurrent, bias = model.get_layer(f"lstm{len(activities)}").get_weights()
        activities.append(run_lstm(kernel, recurrent, bias, x))
        x = activities[-1].h
    return activities


# Features of a text -------------------------------------------------------------------------------


def _since(pattern: str) -> Callable[[str], np.ndarray]:
    """Return a function that counts the characters since the last match of a one-character pattern."""

    def feature(text: str) -> np.ndarray:
        counts, count = np.zeros(len(text)), 0
        for position, character in enumerate(text):
            count = 0 if re.match(pattern, character) else count + 1
            counts[position] = count
        return counts

    return feature


def _is(pattern: str) -> Callable[[str], np.ndarray]:
    """Return a function that is 1 at characters that match a pattern, else 0."""
    return lambda text: np.array([float(bool(re.match(pattern, c))) for c in text])


def _in_speaker(text: str) -> np.ndarray:
    """Return 1 at characters of lines that consist of a speaker's name and a colon, else 0."""
    marks = np.zeros(len(text))
    for match in re.finditer(r"^[A-Z][A-Za-z ]*:$", text, re.MULTILINE):
        marks[match.start() : match.end()] = 1.0
    return marks


FEATURES: dict[str, Callable[[str], np.ndarray]] = {
    "place in the line": _since(r"\n"),
    "place in the word": _since(r"[^A-Za-z']"),
    "place in the sentence": _since(r"[.!?:;]"),
    "inside a speaker's name": _in_speaker,
    "a space was read": _is(r"[ \n]"),
}


class Unit(NamedTuple):
    """The unit with the highest correlation with a feature of the text.

    Args:
        layer: index of the layer.
        unit: index of the unit in the layer.
        correlation: correlation of tanh(c) with the feature, on text that was not used for the choice.
    """

    layer: int
    unit: int
    correlation: float


def choose_units(text: str, activities: list[Activity]) -> dict[str, Unit]:
    """Return one unit per feature in FEATURES.

    Units are chosen on the first two thirds of the text, and measured on the rest.

    Args:
        text: the text.
        activities: result of `run_layers` on the text.
    """
    cut = 2 * len(text) // 3
    chosen = {}
    for name, feature in FEATURES.items():
        values = feature(text)
        tables = [_correlations(np.tanh(a.c[:cut]), values[:cut]) for a in activities]
        layer = int(np.argmax([np.abs(table).max() for table in tables]))
        unit = int(np.abs(tables[layer]).argmax())
        rest = np.tanh(activities[layer].c[cut:, unit : unit + 1])
        chosen[name] = Unit(layer, unit, float(_correlations(rest, values[cut:])[0]))
    return chosen


def _correlations(units: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the Pearson correlation of each column with the values; 0 for a constant column."""
    units = units - units.mean(axis=0)
    values = values - values.mean()
    scale = np.linalg.norm(units, axis=0) * np.linalg.norm(values)
    return np.divide(values @ units, scale, out=np.zeros(units.shape[1]), where=scale > 0)
