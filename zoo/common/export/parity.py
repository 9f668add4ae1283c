"""An exported file beside the Keras model: how far its numbers are off, and how fast it answers."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.layers.recurrent import to_stock
from zoo.common.runtime.keras_model import keras_function

Function = Callable[..., Mapping[str, np.ndarray]]
Samples = Mapping[str, Sequence[Mapping[str, Any]]]

ROUNDS = 20
SECONDS = 2.0  # after which no further round of timing begins


def compare(
    expected: Mapping[str, Function], received: Mapping[str, Function], samples: Samples
) -> tuple[float, str]:
    """Return the largest difference of two implementations over all samples, and the output it was in.

    Args:
        expected, received: functions by name; each of `expected` is run on the samples of its name.

    Numbers are compared by their absolute difference, text to the letter (else infinity), and so are
    whole numbers and shapes. Of an output `frames` [batch, time, ...] beside an output
    `frame_lengths` [batch], only what lies inside each row's length counts: beyond it runtimes
    leave what they like.
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
    """Raise `ZooError` for a difference above the tolerance; NaN is above any."""
    if not difference <= tolerance:
        raise ZooError(
            f"The {what} differs from the Keras model by {difference:.3g} in {metric}, "
            f"more than {tolerance:g}: it was removed."
        )


def latencies(
    models: Mapping[str, keras.Model], received: Mapping[str, Function], samples: Samples
) -> dict[str, float]:
    """Return the median milliseconds of a call of some graphs, one after the other, at batch 1.

    Each runs on the first row of its first sample: as exported (`latency_ms`); and as plain Keras runs
    it, in stock layers, by the model's `predict` (`keras_predict_ms`) and as a `tf.function`
    (`tf_function_ms`). They take turns, so that whatever else the machine does falls on all.
    """
    first = {name: _first_row(samples[name][0]) for name in models}
    plain = {name: _plain_keras(model) for name, model in models.items()}

    def each(run: Callable[[str], Any]) -> Callable[[], None]:
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
    """Return a row of the table that `zoo export` prints.

    compared, timed: what `compare` and `latencies` gave; None where the file was not run.
    """
    difference, metric = compared or (None, None)
    timed = timed or dict.fromkeys(("latency_ms", "keras_predict_ms", "tf_function_ms"))
    return {
        "format": format_,
        "path": str(path),
        "bytes": size,
        "max_difference": difference,
        "tolerance": tolerance,
        "metric": metric,
        **timed,
    }


@functools.lru_cache(maxsize=4)  # every format is timed beside the same graphs
def _plain_keras(model: keras.Model) -> tuple[keras.Model, Function]:
    """A graph in stock layers, and that as a `tf.function`."""
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
