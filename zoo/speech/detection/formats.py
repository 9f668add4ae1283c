"""File formats of detections: CSV, label files of Audacity, selection tables of Raven.

The columns of the CSV and of the table are those of BirdNET-Analyzer, with one column for the label, as
a class has one name. https://github.com/birdnet-team/BirdNET-Analyzer
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from zoo.common.core.formats import Format, csv_row
from zoo.common.decoding.decoders import Classes
from zoo.common.tasks.classification import Classification
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
    "File Offset (s)",
)

Answer = dict[str, Any]
Find = Callable[[Answer], list[dict[str, Any]]]


def detection_formats(
    task: Classification, decoder: Classes, num_classes: int, features: LogMel
) -> dict[str, Format]:
    """Return the formats of a classifier of recordings.

    Args:
        task: decides what a detection is.
        decoder: has the threshold.
        num_classes: number of classes.
        features: settings of the spectrogram, for its frequency range.
    """

    def find(answer: Answer) -> list[dict[str, Any]]:
        return find_detections(answer, task, decoder.min_confidence)

    # All classes are needed, since the most probable one may be the background.
    options = {"n_best": num_classes}
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


def find_detections(
    answer: Answer, task: Classification, min_confidence: float
) -> list[dict[str, Any]]:
    """Return the detections of an answer; the answer to a clip is one, from its begin to its end.

    Args:
        answer: the answer, with all classes as `alternatives`.
        task: decides what a detection is.
        min_confidence: the threshold.
    """
    if "detections" in answer:
        return answer["detections"]
    classes = {one["output"]: one["probability"] for one in answer.get("alternatives", ())}
    label = task.detect(classes, min_confidence)
    whole = {"begin": 0.0, "end": answer.get("seconds"), "label": label}
    return [whole | {"confidence": classes[label]}] if label else []


def _csv(answers: Iterable[Answer], find: Find) -> Iterator[str]:
    """Yield a row for each detection, and for each unreadable recording."""
    yield csv_row(CSV_COLUMNS)
    for answer in answers:
        if "error" in answer:
            yield csv_row(("", "", "", "", answer["input"], answer["error"]))
            continue
        for one in find(answer):
            times = (_number(one["begin"]), _number(one["end"]))
            yield csv_row((*times, one["label"], f"{one['confidence']:.4f}", answer["input"], ""))


def _audacity(answers: Iterable[Answer], find: Find) -> Iterator[str]:
    """Yield a line for each detection: begin, end, and the label with its confidence."""
    for answer in answers:
        for one in find(answer) if "error" not in answer else ():
            yield f"{one['begin']:.6f}\t{one['end']:.6f}\t{one['label']} {one['confidence']:.4f}"


def _raven(answers: Iterable[Answer], find: Find, features: LogMel) -> Iterator[str]:
    """Yield a selection for each detection, over the whole frequency range of the model."""
    yield "\t".join(RAVEN_COLUMNS)
    band = (_number(features.low_hz), _number(features.high_hz))
    for answer in answers:
        for i, one in enumerate(find(answer) if "error" not in answer else (), start=1):
            times = (_number(one["begin"]), _number(one["end"]))
            # Raven resolves a relative path from the folder of the table.
            path = os.path.abspath(answer["input"])
            found = (one["label"], f"{one['confidence']:.4f}", path, times[0])
            yield "\t".join((str(i), "Spectrogram 1", "1", *times, *band, *found))


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
