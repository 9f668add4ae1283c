"""Scale and shift of series: the forecast of a * values + b is a * forecast + b.

A model that scales each window by its mean and deviation has this property as it is. A model with the
scale of its training values has it if it is trained on the changed values.
"""

import functools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import zoo
from tests.invariance.presets import EXAMPLES, load
from zoo.timeseries.forecasting.corpora.segment import read_values
from zoo.timeseries.forecasting.data import SAMPLE

pandas = pytest.importorskip("pandas")
LASER = np.array(read_values(SAMPLE)[:200])
scales = st.sampled_from([1e-6, -0.01, 3.0, -1e5])
shifts = st.sampled_from([0.0, -1.0, 1e3, 42_004_010.0, -1e9])


def forecast(preset, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return forecasts and intervals of daily values."""
    days = pandas.date_range("2026-01-01", periods=len(values), freq="D")
    series = pandas.Series(values, index=days)
    (answer,) = zoo.predict(preset, series, options={"horizon": 4, "interval": 0.8})
    return {key: np.array([step[key] for step in answer["steps"]]) for key in answer["steps"][0]}


def check(found: dict, expected: dict, scale: float, shift: float, tolerance: float) -> None:
    """Compare answers, with a tolerance that is a share of the range of the series.

    An answer has seven digits, or as many as the values of the series, and the values have 16.
    """
    ends = ("low", "high") if scale > 0 else ("high", "low")
    atol = tolerance * abs(scale) * np.ptp(LASER) + 1e-15 * abs(shift)
    for key, name in zip(("forecast", "low", "high"), ("forecast", *ends), strict=True):
        np.testing.assert_allclose(found[key], scale * expected[name] + shift, rtol=1e-6, atol=atol)


@functools.cache
def of_windows() -> dict[str, np.ndarray]:
    return forecast(load("timeseries/lstm-nn5"), LASER)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(scale=scales.map(abs), shift=shifts)
@example(scale=1.0, shift=42_004_010.0)
def test_scaled_windows(scale, shift):
    check(
        forecast(load("timeseries/lstm-nn5"), scale * LASER + shift),
        of_windows(),
        scale,
        shift,
        1e-4,
    )


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Return a function that trains an autoregression on values and returns the preset."""

    @functools.cache
    def train(scale: float, shift: float):
        folder = tmp_path_factory.mktemp("runs")
        (folder / "series.txt").write_text(
            "".join(f"{x!r}\n" for x in (scale * LASER + shift).tolist())
        )
        zoo.train(
            "timeseries/ar-laser",
            manifest=folder / "series.txt",
            out=folder / "run",
            overrides={"model.context": 8},
        )
        return zoo.load(folder / "run")

    return train


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(scale=scales, shift=shifts)
@example(scale=1.0, shift=42_004_010.0)
def test_scaled_trainings(train, scale, shift):
    expected = forecast(train(1.0, 0.0), LASER)
    check(forecast(train(scale, shift), scale * LASER + shift), expected, scale, shift, 1e-4)
