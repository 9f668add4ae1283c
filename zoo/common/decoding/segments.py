"""Answers to a long input out of those to its pieces: one text with times, or what was found where."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from zoo.common.core.data import Data, Segment

# Pieces that a model answers together.
BATCH = 16


def join_texts(answers: Iterable[tuple[Segment, dict[str, Any]]]) -> dict[str, Any]:
    """Return one answer for a long input out of the answers to its pieces.

    Args:
        answers: pieces that do not overlap, in order, each with its answer: `output`,
            `log_probability` and perhaps `words`, whose times count from where the piece begins.

    Returns:
        `output`, the texts of all pieces with a space between them; `log_probability`, their sum;
        `segments`, each with its `begin` and `end` in seconds and its `output`, without those of no
        text; `words` where the pieces have them, their times counted from where the input begins.
    """
    rows: list[dict[str, Any]] = []
    words: list[dict[str, Any]] | None = None
    log_probability = 0.0
    for segment, answer in answers:
        log_probability += answer["log_probability"]
        if answer["output"]:
            times = {"begin": round(segment.begin, 3), "end": round(segment.end, 3)}
            rows.append(times | {"output": answer["output"]})
        if "words" in answer:
            words = words or []
            words += [_later(word, segment.begin) for word in answer["words"]]
    joined = {
        "output": " ".join(row["output"] for row in rows),
        "log_probability": log_probability,
        "segments": rows,
    }
    return joined if words is None else joined | {"words": words}


def _later(word: dict[str, Any], seconds: float) -> dict[str, Any]:
    times = {key: round(word[key] + seconds, 3) for key in ("begin", "end")}
    return word | times


def batches(
    data: Data, segments: Iterable[Segment]
) -> Iterator[tuple[list[Segment], dict[str, np.ndarray]]]:
    """Yield (pieces, inputs of the model) of so many pieces as a model answers together."""
    waiting = iter(segments)
    while batch := list(itertools.islice(waiting, BATCH)):
        yield batch, data.collate([segment.item for segment in batch])


def merge_detections(found: Iterable[tuple[Segment, str, float]]) -> list[dict[str, Any]]:
    """Return what was found in pieces that may overlap, each thing once.

    Args:
        found: pieces in order, each with a label and its probability.

    Returns:
        For each run of pieces that touch or overlap and have one label: `begin` and `end` in seconds,
        `label`, and `confidence`, the highest probability.
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
    """Return how many there are, for a person to read."""
    return {0: "nothing heard", 1: "1 detection"}.get(
        len(detections), f"{len(detections)} detections"
    )
