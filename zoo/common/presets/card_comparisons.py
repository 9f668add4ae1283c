"""Sections of CARD.md that compare a preset with others, and with itself on changed inputs."""

from __future__ import annotations

from typing import Any

from zoo.common.core import registry
from zoo.common.core.metrics import BETTER, EQUAL, WORSE, compare
from zoo.common.presets.measurements import BASELINE, ROBUSTNESS

# Texts of sections without measurements.
NOT_MEASURED = "Not measured."
NO_REFERENCE = "No published figure on this test split is recorded."
COMPARED = {BETTER: "Better than", EQUAL: "Equal to", WORSE: "Worse than"}


def _compared(baseline: dict[str, Any], metrics: dict[str, Any], metric: str) -> tuple[str, str]:
    """Return the comparison with the baseline: (the baseline, the values of both)."""
    split = baseline["split"]
    value, other = metrics["figures"][split]["metrics"][metric], baseline["metrics"][metric]
    return (
        f"{COMPARED[baseline['compared']]} a simple baseline, {baseline['name']}",
        f"{metric} on {split} {value:.4f}, baseline {other:.4f}",
    )


def warning(metrics: dict[str, Any], metric: str) -> str:
    """Return the beginning of the card of a preset that is worse than its baseline; else empty."""
    baseline = metrics.get(BASELINE)
    if baseline is None or baseline["compared"] != WORSE:
        return ""
    return f"**{': '.join(_compared(baseline, metrics, metric))}.**"


def baseline(metrics: dict[str, Any], metric: str) -> str:
    """Return the comparison with the baseline."""
    baseline = metrics.get(BASELINE)
    if baseline is None:
        return NOT_MEASURED
    ends = baseline["difference"]
    interval = f"{ends[0]:+.4f} to {ends[1]:+.4f}" if ends else "not measured"
    compared, values = _compared(baseline, metrics, metric)
    return (
        f"{compared}, fitted on the same examples in {baseline['fit_seconds']:.1f} s: {values}; 95 % "
        f"interval of the difference: {interval} (`{baseline['command']}`)."
    )


def published(entry: registry.Entry, figures: dict[str, Any]) -> str:
    """Return the published figure, and whether the preset's is better, by its interval."""
    reference, row = entry.published, figures.get(entry.corpus.test_split)
    if reference is None:
        return NO_REFERENCE
    text = f"{reference.metric} {reference.value:g}: {reference.source}."
    if row is None:
        return text
    value = row["metrics"][reference.metric]
    low, high = row.get("intervals", {}).get(reference.metric, (value, value))
    found = compare(reference.metric, low - reference.value, high - reference.value)
    return f"{text} {COMPARED[found]} it: {value:.4f} on {entry.corpus.test_split}."


def robustness(metrics: dict[str, Any]) -> str:
    """Return the figures of the changes of inputs that harm the answers most."""
    measured = metrics.get(ROBUSTNESS)
    if measured is None:
        return NOT_MEASURED
    metric, worst = measured["metric"], measured["worst"].items()
    changes = "; ".join(f"{name}: {value:.4f}" for name, value in worst)
    return (
        f"On {measured['examples']} inputs of dev, {metric} is {measured['as_is']:.4f} as they are. The "
        f"changes that harm most (docs/robustness.md): {changes}."
    )
