"""Files of detections: CSV, labels of Audacity, selection tables of Raven.

The columns of the table and of the CSV are those of BirdNET-Analyzer, with one column for the label, as
a class has one name. https://github.com/birdnet-team/BirdNET-Analyzer
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from zoo.common.core.formats import Format, csv_row

if TYPE_CHECKING:
    from zoo.common.core.recipe import Recipe
    from zoo.speech.features.frontend import LogMel

CSV_COLUMNS = ("Start (s)", "End (s)", "Label", "Confidence", "File", "Error")
RAVEN_COLUMNS = (
    "Selection",
    "View",
    "Channel",
    "Begin Time (s)",
    "End Time (s)",
    "Low Freq (Hz)",
    "High Freq (Hz)",
    "Label",
    "Confidence",
    "Begin Path",
)

Answer = dict[str, Any]
Find = Callable[[Answer], list[dict[str, Any]]]


def detection_formats(recipe: Recipe, features: LogMel) -> dict[str, Format]:
    """Return the formats of a classifier of recordings.

    Args:
        recipe: its task is a `Classification`, its decoder a `Classes`.
        features: what its model hears with, for the range of frequencies.
    """

    def find(answer: Answer) -> list[dict[str, Any]]:
        """The detections of an answer; the answer to a clip is one from its begin to its end."""
        if "detections" in answer:
            return answer["detections"]
        classes = {one["output"]: one["probability"] for one in answer.get("alternatives", ())}
        label = recipe.task.detect(classes, recipe.decoder.min_confidence)
        whole = {"begin": 0.0, "end": answer.get("seconds"), "label": label}
        return [whole | {"confidence": classes[label]}] if label else []

    # All classes, so that the likeliest besides the background is among them.
    options = {"n_best": len(recipe.data.labels)}
    return {
        "csv": Format(".csv", lambda answers: _csv(answers, find), options=options),
        "audacity": Format(
            ".labels.txt", lambda answers: _audacity(answers, find), joins=False, options=options
        ),
        "raven": Format(
            ".selections.txt",
            lambda answers: _raven(answers, find, features),
            joins=False,
            options=options,
        ),
    }


def _csv(answers: Iterable[Answer], find: Find) -> Iterator[str]:
    """A row for each detection, and one for each recording that could not be read."""
    yield csv_row(CSV_COLUMNS)
    for answer in answers:
        if "error" in answer:
            yield csv_row(("", "", "", "", answer["input"], answer["error"]))
            continue
        for one in find(answer):
            times = (_number(one["begin"]), _number(one["end"]))
            yield csv_row((*times, one["label"], f"{one['confidence']:.4f}", answer["input"], ""))


def _audacity(answers: Iterable[Answer], find: Find) -> Iterator[str]:
    """A line for each detection: begin, end, and the label with its confidence."""
    for answer in answers:
        for one in find(answer) if "error" not in answer else ():
            yield f"{one['begin']:.6f}\t{one['end']:.6f}\t{one['label']} {one['confidence']:.4f}"


def _raven(answers: Iterable[Answer], find: Find, features: LogMel) -> Iterator[str]:
    """A selection for each detection, in the whole range of frequencies that the model hears."""
    yield "\t".join(RAVEN_COLUMNS)
    band = (_number(features.low_hz), _number(features.high_hz))
    for answer in answers:
        for i, one in enumerate(find(answer) if "error" not in answer else (), start=1):
            times = (_number(one["begin"]), _number(one["end"]))
            found = (one["label"], f"{one['confidence']:.4f}", answer["input"])
            yield "\t".join((str(i), "Spectrogram 1", "1", *times, *band, *found))


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
