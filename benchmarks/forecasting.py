"""Compare forecasters on the laser, the sunspots and NN5, with baselines.

    python benchmarks/forecasting.py --data corpora/timeseries [laser] [sunspots] [nn5] [--split test]

Laser: one step ahead, with the share of targets inside the 0.9 intervals, and 100 steps ahead.
Sunspots: `nmse`, and the error divided by 1535, the variance of the whole series, as in the literature.
NN5: 56 days ahead for each of 111 series, compared with the same weekday of the week before, and with
exponential smoothing with a weekly season (Winters 1960, by statsmodels), fitted to each series. A
preset that is not shipped is read from `runs/`.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

LASER = [f"timeseries/{model}-laser" for model in ("ar", "tdnn", "rnn", "gru", "lstm")]
SUNSPOTS = ["timeseries/ar-sunspots", "timeseries/lstm-sunspots"]
NN5 = "timeseries/lstm-nn5"
SUNSPOT_VARIANCE = 1535.0
WEEK = 7


def evaluate(name: str, data: Path, split: str, **options) -> tuple[dict, list[dict]]:
    """Return the metrics of a preset or run on a split, and its rows."""
    import zoo
    from zoo.common.presets import store

    found = name if name in store.names() else str(Path("runs") / name.split("/")[1])
    result = zoo.evaluate(found, data=data, split=split, options=options)
    return result.metrics, result.rows


def laser(data: Path, split: str) -> list[dict]:
    """Return the metrics of one step and of 100 steps ahead."""
    results = []
    for name in LASER:
        metrics, rows = evaluate(name, data, split, interval=0.9)
        far, _ = evaluate(name, data, split, horizon=100)
        results.append(
            {
                "preset": name,
                "nmse": metrics["nmse"],
                "inside 0.9": np.mean([r["low"] <= r["reference"] <= r["high"] for r in rows]),
                "nmse, 100 steps": far["nmse"],
            }
        )
    return results


def sunspots(data: Path, split: str) -> list[dict]:
    """Return the metrics of one year ahead."""
    results = []
    for name in SUNSPOTS:
        metrics, rows = evaluate(name, data, split, interval=0.9)
        squared = np.mean([(r["reference"] - r["output"]) ** 2 for r in rows])
        inside = np.mean([r["low"] <= r["reference"] <= r["high"] for r in rows])
        over = {"over 1535": squared / SUNSPOT_VARIANCE, "inside 0.9": inside}
        results.append({"preset": name, "nmse": metrics["nmse"], **over})
    return results


def nn5(data: Path, split: str) -> list[dict]:
    """Return the metrics of 56 days ahead for all series."""
    metrics, rows = evaluate(NN5, data, split, interval=0.9)
    inside = np.mean([r["low"] <= r["reference"] <= r["high"] for r in rows])
    baselines = {"same weekday of last week": naive, "exponential smoothing": smoothing}
    results = [
        {"preset": name, "smape": baseline_smape(forecast, data, split), "inside 0.9": None}
        for name, forecast in baselines.items()
    ]
    return [*results, {"preset": NN5, "smape": metrics["smape"], "inside 0.9": inside}]


def baseline_smape(forecast, data: Path, split: str) -> float:
    """Return the `smape` of forecasts of the last 56 values of each series."""
    from zoo.timeseries.forecasting.corpora.nn5 import DAYS_AHEAD, read
    from zoo.timeseries.forecasting.windows import fill_missing

    errors = []
    for segment in read(data, "train" if split == "dev" else split):
        values = np.array([*segment.history, *segment.values])
        past, targets = fill_missing(values[:-DAYS_AHEAD], WEEK), values[-DAYS_AHEAD:]
        outputs = forecast(past, DAYS_AHEAD)
        size = (np.abs(targets) + np.abs(outputs)) / 2
        errors.append(np.abs(targets - outputs) / np.where(size > 0, size, 1))
    return float(np.nanmean(errors))


def naive(past: np.ndarray, days: int) -> np.ndarray:
    """Return the last week, repeated."""
    return np.resize(past[-WEEK:], days)


def smoothing(past: np.ndarray, days: int) -> np.ndarray:
    """Return exponential smoothing with an additive weekly season and no trend."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from an optimizer that stops early
        return (
            ExponentialSmoothing(past, seasonal="add", seasonal_periods=WEEK).fit().forecast(days)
        )


def main() -> None:
    """Print a table for each corpus."""
    from zoo.cli.output import table

    parts = {"laser": laser, "sunspots": sunspots, "nn5": nn5}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", help=", ".join(parts))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="dev")
    options = parser.parse_args()
    for name in options.part or parts:
        print(f"{name}, {options.split}")
        print(table(parts[name](options.data, options.split)), flush=True)


if __name__ == "__main__":
    main()
