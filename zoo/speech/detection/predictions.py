"""Detections as `zoo predict` writes them in JSON: one object of all inputs, or one line per input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import json_object, read_lines, text_field

# Keys of an answer: to a long recording, to a clip, and to a recording that cannot be read.
ANSWERS = {"detections", "output", "error"}


@dataclass(frozen=True)
class Prediction:
    """The detections in a recording.

    Args:
        number: number of the line.
        input: the recording, as it was given.
        detections: begin, end and class of each detection.
    """

    number: int
    input: str
    detections: list[tuple[Any, Any, str]]


def is_predictions(path: Path) -> bool:
    """Return whether the first line of a file of JSON has answers to recordings."""
    _, line = read_lines(path)[0]
    try:
        row = json_object(line)
    except ZooError:  # its reader reports it
        return False
    return "predictions" in row or ("input" in row and bool(ANSWERS & row.keys()))


def read_predictions(path: Path) -> list[Prediction]:
    """Return the predictions in a file for which `is_predictions` is true.

    Recordings that could not be read are left out. The answer to a clip is one detection, from its begin
    to its end.

    Raises:
        ZooError: a line is invalid. The message has its number.
    """
    found = []
    for number, line in read_lines(path):
        try:
            row = json_object(line)
            answers = row.get("predictions", [row])
            if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
                raise ZooError("the predictions must be a list of objects")
            found += [
                Prediction(number, text_field(one, "input"), _detections(one))
                for one in answers
                if "error" not in one
            ]
        except ZooError as error:
            raise ZooError(f"{path}, line {number}: {error}") from None
    return found


def _detections(answer: dict[str, Any]) -> list[tuple[Any, Any, str]]:
    rows = answer.get("detections")
    if rows is None:
        rows = [{"begin": 0.0, "end": answer.get("seconds"), "label": answer.get("output")}]
        rows = rows if answer.get("output") else []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ZooError("the detections must be a list of objects")
    return [(row.get("begin"), row.get("end"), text_field(row, "label")) for row in rows]
