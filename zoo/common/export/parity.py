"""Comparison of exports with the Keras model: differences and latencies."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.precision import FLOAT32
from zoo.common.layers.recurrent import to_stock
from zoo.common.runtime.keras_model import keras_function

Function = Callable[..., Mapping[str, np.ndarray]]
Samples = Mapping[str, Sequence[Mapping[str, Any]]]

ROUNDS = 20
SECONDS = 2.0  # no round of timing starts later


def compare(
    expected: Mapping[str, Function], received: Mapping[str, Function], samples: Samples
) -> tuple[float, str]:
    """Return the largest difference of two implementations over all samples, and its output.

    Numbers are compared by absolute difference. Different texts and shapes have an infinite difference.
    If there is an output `frame_lengths` [batch], the output `frames` [batch, time, ...] is compared
    inside the length of each row only, since runtimes differ after it.

    Args:
        expected: functions by name.
        received: functions by name, to be compared with `expected`.
        samples: inputs of each function, by its name.
    """
    worst = (0.0, "")
    for name, function in expected.items():
        for inputs in samples[name]:
            right, answer = function(**inputs), received[name](**inputs)
            if set(right) != set(answer):
                raise ZooError(
                    f"{name} gives {', '.join(sorted(right))}. Received: "
                    f"{', '.join(sorted(answer))}."
                )
            for output, value in right.items():
                lengths = right.get(output.removesuffix("s") + "_lengths")
                difference = _difference(value, answer[output], lengths)
                worst = max(worst, (difference, output))
    return worst


def check(difference: float, metric: str, tolerance: float, what: str) -> None:
    """Raise `ZooError` for a difference above the tolerance, or NaN."""
    if not difference <= tolerance:
        raise ZooError(
            f"The {what} differs from the Keras model by {difference:.3g} in {metric}, above the "
            f"tolerance of {tolerance:g}. It was removed."
        )


def latencies(
    models: Mapping[str, keras.Model], received: Mapping[str, Function], samples: Samples
) -> dict[str, float]:
    """Return the median milliseconds of a call of all graphs, one after the other, with batch size 1.

    Each graph runs on the first row of its first sample: as exported (`latency_ms`), and in stock Keras
    layers by `predict` (`keras_predict_ms`) and as a `tf.function` (`tf_function_ms`). The three take
    turns, so that other load of the machine affects all of them.
    """
    first = {name: _first_row(samples[name][0]) for name in models}
    plain = {name: _plain_keras(model) for name, model in models.items()}

    def each(run: Callable[[str], Any]) -> Callable[[], Any]:
        return lambda: [run(name) for name in models]

    ways = {
        "latency_ms": each(lambda name: received[name](**first[name])),
        "keras_predict_ms": each(lambda name: plain[name][0].predict(first[name], verbose=0)),
        "tf_function_ms": each(lambda name: plain[name][1](**first[name])),
    }
    for way in ways.values():
        way()  # the first call sets up and compiles
    seconds: dict[str, list[float]] = {key: [] for key in ways}
    end = time.perf_counter() + SECONDS
    while len(seconds["latency_ms"]) < ROUNDS and (
        not seconds["latency_ms"] or time.perf_counter() < end
    ):
        for key, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[key].append(time.perf_counter() - started)
    return {key: round(float(np.median(taken)) * 1e3, 3) for key, taken in seconds.items()}


def row(
    format_: str,
    path: Path,
    size: int,
    compared: tuple[float, str] | None,
    tolerance: float,
    timed: Mapping[str, float] | None,
) -> dict[str, Any]:
    """Return a row of the table of `zoo export`.

    Args:
        format_: name of the format.
        path: path of the file.
        size: size in bytes.
        compared: result of `compare`; None if the file was not run.
        tolerance: largest valid difference.
        timed: result of `latencies`; None if the file was not run.
    """
    difference, metric = compared or (None, None)
    latency_names = ("latency_ms", "keras_predict_ms", "tf_function_ms")
    return {
        "format": format_,
        "precision": FLOAT32,
        "path": str(path),
        "bytes": size,
        "max_difference": difference,
        "tolerance": tolerance,
        "metric": metric,
        **(timed or dict.fromkeys(latency_names)),
    }


@functools.lru_cache(maxsize=4)  # every format is compared with the same graphs
def _plain_keras(model: keras.Model) -> tuple[keras.Model, Function]:
    """Return a graph in stock layers, and the same as a `tf.function`."""
    stock = to_stock(model)
    return stock, keras_function(stock)


def _difference(right: np.ndarray, answer: np.ndarray, lengths: np.ndarray | None) -> float:
    right, answer = np.asarray(right), np.asarray(answer)
    if right.shape != answer.shape:
        return np.inf
    if right.dtype.kind not in "fiub":  # text
        return 0.0 if np.array_equal(right, answer) else np.inf
    off = np.abs(right.astype(np.float64) - answer.astype(np.float64))
    if lengths is not None:
        inside = np.arange(right.shape[1]) < np.asarray(lengths)[:, np.newaxis]
        off = off[inside]
    worst = float(np.max(off, initial=0.0))
    return np.inf if np.isnan(worst) else worst


def _first_row(inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value)[:1] for name, value in inputs.items()}
