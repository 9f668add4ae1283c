"""metrics.json of presets: their measurements with command, commit and date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import BETTER, EQUAL, WORSE
from zoo.common.presets import store
from zoo.common.presets.lineage import EARLIER
from zoo.common.presets.provenance import provenance
from zoo.common.presets.runs import read_json, write_json

# Keys of metrics.json: every evaluation on test of this preset, of earlier ones of its name and of their
# baseline; the comparison with the baseline; changed inputs; wrong answers on dev; and processor
# milliseconds of exports.
TEST_READINGS, BASELINE, ROBUSTNESS = "test_readings", "baseline", "robustness"
FAILURES, SPEED = "failures", "speed"


def read_metrics(folder: Path) -> dict[str, Any]:
    """Return the contents of metrics.json of a preset; empty if there is no such file.

    Raises:
        ZooError: the file is corrupt.
    """
    path = folder / store.METRICS_FILE
    if not path.exists():
        return {}
    metrics = read_json(path)
    try:
        _check(metrics)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ZooError(f"{path} is corrupt: {reason}.") from None
    return metrics


def _check(metrics: Any) -> None:
    """Read all entries that a card needs, so that missing and invalid ones raise an exception here."""
    training = metrics["training"]
    for part in (training, *training.get(EARLIER, ())):
        for key in ("epochs", "minutes"):
            _number(part["history"][key])
        int(part["history"].get("best_epoch", 1))
    for earlier in training.get(EARLIER, ()):
        dict(earlier["settings"])
    for key in ("train", "dev"):
        _number(training["examples"][key])
    rows = list(metrics["figures"].values())
    names = {tuple(row["metrics"]) for row in rows}
    if len(names) > 1:
        raise ValueError("its splits have different metrics")
    for row in rows:
        _number(row["examples"])
        str(row["command"])
    for row in (*rows, *metrics[TEST_READINGS]):
        str(row["date"])
        if not row["metrics"]:
            raise ValueError("an evaluation has no metrics")
        for value in row["metrics"].values():
            _number(value)
    for row in rows:
        _check_intervals(row.get("intervals", {}))
    if BASELINE in metrics:
        _check_baseline(metrics[BASELINE])
    if ROBUSTNESS in metrics:
        for value in (metrics[ROBUSTNESS]["as_is"], *metrics[ROBUSTNESS]["worst"].values()):
            _number(value)
        str(metrics[ROBUSTNESS]["metric"])
    for row in metrics.get(FAILURES, {}).get("rows", ()):
        dict(row)
    for value in metrics.get(SPEED, {}).values():
        _number(value)


def _check_baseline(baseline: dict[str, Any]) -> None:
    for key in ("name", "split", "command"):
        str(baseline[key])
    if baseline["compared"] not in (BETTER, EQUAL, WORSE):
        raise ValueError(f"its comparison is {str(baseline['compared'])[:80]!r}")
    _number(baseline["metrics"][baseline["metric"]])
    _number(baseline["fit_seconds"])
    _check_intervals(baseline["intervals"])
    if baseline["difference"] is not None:
        _check_intervals({baseline["metric"]: baseline["difference"]})


def _check_intervals(intervals: dict[str, list[float]]) -> None:
    for low, high in intervals.values():
        _number(low)
        _number(high)


def _number(value: Any) -> None:
    if not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:80]!r} must be a number")


def begin_metrics(folder: Path, training: dict[str, Any], before: dict[str, Any]) -> None:
    """Write a metrics.json without evaluations.

    Args:
        folder: folder of a new preset.
        training: record of its run.
        before: metrics of the preset that it replaces, whose evaluations on test are kept.
    """
    readings = before.get(TEST_READINGS, [])
    metrics = {"training": training, "figures": {}, TEST_READINGS: readings}
    write_json(folder / store.METRICS_FILE, metrics)


def record_evaluation(folder: Path, evaluation: dict[str, Any], command: str) -> None:
    """Add an evaluation to a preset's metrics.json, with command, commit and date.

    Args:
        folder: folder of the preset.
        evaluation: JSON result of `zoo evaluate`.
        command: command that reproduces the metrics.
    """
    metrics, split = read_metrics(folder), evaluation["split"]
    figures = {key: evaluation[key] for key in ("corpus", "examples", "seconds", "metrics")}
    origin = {key: provenance()[key] for key in ("commit", "date")}
    metrics["figures"][split] = figures | {"command": command} | origin
    if split == _test_split(folder):
        metrics[TEST_READINGS].append(origin | {"metrics": evaluation["metrics"]})
    write_json(folder / store.METRICS_FILE, metrics)


def record_intervals(folder: Path, split: str, intervals: dict[str, list[float]]) -> None:
    """Add the 95 % intervals of an evaluation to a preset's metrics.json.

    Args:
        folder: folder of the preset.
        split: name of the evaluated split.
        intervals: (low, high) by metric.
    """
    metrics = read_metrics(folder)
    if intervals:
        metrics["figures"][split]["intervals"] = intervals
        write_json(folder / store.METRICS_FILE, metrics)


def record_baseline(folder: Path, baseline: dict[str, Any]) -> None:
    """Add the comparison with the baseline to a preset's metrics.json, with commit and date.

    Args:
        folder: folder of the preset.
        baseline: `name`, `split`, `metrics`, `intervals`, `metric`, `difference`, `compared`,
            `fit_seconds` and `command`.
    """
    metrics = read_metrics(folder)
    origin = {key: provenance()[key] for key in ("commit", "date")}
    metrics[BASELINE] = baseline | origin
    if baseline["split"] == _test_split(folder):
        reading = {"metrics": baseline["metrics"], "options": [f"baseline, {baseline['name']}"]}
        metrics[TEST_READINGS].append(origin | reading)
    write_json(folder / store.METRICS_FILE, metrics)


def _test_split(folder: Path) -> str:
    return registry.entry(store.load_recipe(folder).name).corpus.test_split


def record_robustness(
    folder: Path, metric: str, examples: int, as_is: float, worst: dict[str, float]
) -> None:
    """Add the figures of changed inputs of dev to a preset's metrics.json.

    Args:
        folder: folder of the preset.
        metric: name of the metric.
        examples: number of examples.
        as_is: the metric of unchanged inputs.
        worst: the metric of the worst changes, by the name of the change.
    """
    row = {"metric": metric, "examples": examples, "as_is": as_is, "worst": worst}
    _record(folder, ROBUSTNESS, row)


def record_failures(folder: Path, command: str, rows: list[dict[str, Any]]) -> None:
    """Add wrong answers on dev to a preset's metrics.json.

    Args:
        folder: folder of the preset.
        command: the command whose option `--rows` writes all answers.
        rows: rows of `zoo.common.presets.failures.worst_answers`.
    """
    _record(folder, FAILURES, {"command": command, "rows": rows})


def record_speed(folder: Path, milliseconds: dict[str, float]) -> None:
    """Add the processor time of one call of exports to a preset's metrics.json.

    Args:
        folder: folder of the preset.
        milliseconds: the times by runtime.
    """
    _record(folder, SPEED, milliseconds)


def _record(folder: Path, key: str, value: Any) -> None:
    write_json(folder / store.METRICS_FILE, read_metrics(folder) | {key: value})
