"""The contracts of series as data, and of models that forecast them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

import numpy as np

from zoo.common.core.data import Data, Item
from zoo.common.core.predictor import Predictor
from zoo.common.decoding.decoders import Forecast
from zoo.common.metrics.intervals import Intervals


class SeriesWindows(Protocol):
    """Windows of a series."""

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """Model inputs [windows, ...] by name: `series` float64 in the units of the data, and others."""

    @property
    def targets(self) -> np.ndarray:
        """float64 [windows, horizon], NaN where a value is missing."""

    @property
    def first(self) -> np.ndarray:
        """int [windows], the number of the first target."""


class SeriesData(Data):
    """Data of a forecasting task. Examples have the attributes `id` and `values`.

    Args:
        intervals: intervals around forecasts, which `Forecasting.calibrate` measures.
    """

    intervals: Intervals

    @abstractmethod
    def windows(self, example: Any, model: Any, horizon: int, stride: int = 1) -> SeriesWindows:
        """Return the windows of an example, with `stride` values between their targets."""

    @abstractmethod
    def future_inputs(
        self, item: Item, model: Any, horizon: int
    ) -> tuple[dict[str, np.ndarray], list[list[str]] | None]:
        """Return the model inputs for a forecast of `horizon` steps after the end of each series.

        Args:
            item: result of `read_input`, with `names`, the names of its series.
            model: config of the model.
            horizon: number of steps ahead.

        Returns:
            Arrays [series, ...] by name, and the forecast times of each series as text, or None if the
            series has no times.

        Raises:
            ZooError: covariates do not reach as far ahead.
        """


class ForecastModel(Protocol):
    """Config of a forecasting model.

    The model has the input `series` float32 [batch, context], optionally `covariates` float32 [batch,
    context + steps, covariates], and the output `forecast` float32 [batch, steps], the next values.
    `series` and `forecast` are values of the data, minus the offset of the window, divided by its unit.
    """

    context: int
    steps: int

    @property
    def offset(self) -> float:
        """Value that the exported graph expects to be subtracted from every window."""

    def offsets(self, series: np.ndarray) -> np.ndarray:
        """Return the offset, float64 [batch, 1], of windows float64 [batch, context]."""

    def unit(self, series: Any, xp: Any = np) -> Any:
        """Return the unit, [batch, 1], of windows [batch, context] of the array namespace `xp`."""

    def scale(self, series: np.ndarray) -> np.ndarray:
        """Return the unit of errors, [batch, 1], of windows [batch, context]."""


Forecaster = Predictor[SeriesData, ForecastModel, Forecast]
