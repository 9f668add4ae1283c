"""Combine the answers to the segments of a long input: transcripts with times, or detections."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from zoo.common.core.capabilities import Segment
from zoo.common.core.data import Data
from zoo.common.decoding.confidence import CONFIDENCE, confidence

# Number of segments in a batch.
BATCH_SIZE = 16


def join_texts(answers: Iterable[tuple[Segment, dict[str, Any]]]) -> dict[str, Any]:
    """Return the answer to a long input from the answers to its segments.

    Args:
        answers: segments that do not overlap, in order, each with its answer: `output`,
            `log_probability`, `confidence` and optionally `words`, with times relative to the begin of
            the segment.

    Returns:
        `output`, the texts of all segments, joined with spaces; `log_probability`, the sum over the
        segments; `confidence`, the geometric mean, weighted by duration; `segments`, with the `begin`
        and `end` in seconds and the `output` of each segment whose text is not empty; and `words` if
        the segments have them, with times relative to the begin of the input.
    """
    rows: list[dict[str, Any]] = []
    words: list[dict[str, Any]] | None = None
    log_probability, log_confidence, seconds = 0.0, 0.0, 0.0
    for segment, answer in answers:
        log_probability += answer["log_probability"]
        duration = segment.end - segment.begin
        log_confidence += duration * math.log(answer[CONFIDENCE])
        seconds += duration
        if answer["output"]:
            times = {"begin": round(segment.begin, 3), "end": round(segment.end, 3)}
            rows.append(times | {"output": answer["output"]})
        if "words" in answer:
            words = words or []
            words += [_shift_times(word, segment.begin) for word in answer["words"]]
    joined = {
        "output": " ".join(row["output"] for row in rows),
        "log_probability": log_probability,
        CONFIDENCE: confidence(log_confidence, seconds or 1.0),
        "segments": rows,
    }
    return joined if words is None else joined | {"words": words}


def _shift_times(word: dict[str, Any], seconds: float) -> dict[str, Any]:
    times = {key: round(word[key] + seconds, 3) for key in ("begin", "end")}
    return word | times


def batches(
    data: Data, segments: Iterable[Segment]
) -> Iterator[tuple[list[Segment], dict[str, np.ndarray]]]:
    """Yield batches of segments, each with the inputs of the model.

    Args:
        data: the data, whose `collate` makes the inputs.
        segments: the segments of a long input.
    """
    remaining = iter(segments)
    while batch := list(itertools.islice(remaining, BATCH_SIZE)):
        yield batch, data.collate([segment.item for segment in batch])


def merge_detections(found: Iterable[tuple[Segment, str, float]]) -> list[dict[str, Any]]:
    """Return detections without duplicates from segments that may overlap.

    Args:
        found: segments in order, each with a label and its probability.

    Returns:
        One detection for each sequence of segments that touch or overlap and have the same label:
        `begin` and `end` in seconds, `label`, and `confidence`, the highest probability.
    """
    merged: list[dict[str, Any]] = []
    for segment, label, probability in found:
        begin, end = round(segment.begin, 3), round(segment.end, 3)
        last = merged[-1] if merged else None
        if last and last["label"] == label and begin <= last["end"]:
            last |= {"end": end, "confidence": max(last["confidence"], probability)}
        else:
            merged.append({"begin": begin, "end": end, "label": label, "confidence": probability})
    return merged


def count_detections(detections: list[dict[str, Any]]) -> str:
    """Return the number of detections as text."""
    return {0: "no detections", 1: "1 detection"}.get(
        len(detections), f"{len(detections)} detections"
    )
