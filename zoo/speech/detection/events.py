"""Event-based precision, recall and F1 of the detections in annotated recordings.

A detection is correct if its class is that of an event and their times agree: the begin within a collar,
the end within the collar or half of the event's duration, whichever is longer. Each event and each
detection is matched at most once. These are the definitions of `sed_eval` (Mesaros, Heittola & Virtanen,
"Metrics for polyphonic sound event detection", 2016), computed by `mir_eval`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.predictor import Predictor
from zoo.common.tasks.classification import Classification
from zoo.common.utils.packages import import_package
from zoo.common.utils.progress import progress
from zoo.speech.detection.annotations import Annotated, Event
from zoo.speech.detection.formats import find_detections

# Tolerance of ends as a share of the duration of an event.
LENGTH_SHARE = 0.5
EXTRA = "events"

# Numbers of events, of detections, and of detections that match an event.
Counts = Counter[str]


def evaluate_events(
    predictor: Predictor[Any, Any, Any],
    task: Classification,
    recordings: Sequence[Annotated],
    collar: float,
) -> Evaluation:
    """Return the event-based metrics of a detector.

    Args:
        predictor: the trained model.
        task: its task.
        recordings: recordings with all of their events.
        collar: tolerance of begins and ends in seconds.

    Returns:
        `event_f1`, `event_precision` and `event_recall` over all events; `event_f1_macro`, the mean F1
        of the classes with events. There is one row per recording, with its events and detections.

    Raises:
        ZooError: a recording cannot be read, or there are no events.
    """
    started = time.perf_counter()
    decoder = replace(predictor.decoder, n_best=len(predictor.data.labels))
    predictor = replace(predictor, decoder=decoder)
    totals: dict[str, Counts] = {}
    rows = []
    for one in progress(recordings, "Detecting", len(recordings), "recording"):
        (answer,) = task.predict(predictor, [str(one.path)])
        if "error" in answer:
            raise ZooError(answer["error"])
        events = [event for event in one.events if event.label != task.background]
        found = [
            Event(float(each["begin"]), float(each["end"]), each["label"])
            for each in find_detections(answer, task, decoder.min_confidence)
        ]
        for label, counts in count_matches(events, found, collar).items():
            totals.setdefault(label, Counter()).update(counts)
        rows.append(
            {
                "id": str(one.path),
                "reference": [_row(event) for event in events],
                "output": [_row(event) for event in found],
            }
        )
    scores = {label: f1(counts) for label, counts in sorted(totals.items())}
    with_events = [scores[label]["f1"] for label, counts in totals.items() if counts["events"]]
    if not with_events:
        raise ZooError("The recordings must have events. Received: none.")
    overall = f1(sum(totals.values(), Counter()))
    num_events = sum(counts["events"] for counts in totals.values())
    metrics = {f"event_{name}": overall[name] for name in ("f1", "precision", "recall")}
    metrics["event_f1_macro"] = float(np.mean(with_events))
    report = [
        f"{label}: F1 {score['f1']:.4f}, precision {score['precision']:.4f}, recall "
        f"{score['recall']:.4f} of {totals[label]['events']} event(s), "
        f"{totals[label]['found']} detection(s)"
        for label, score in scores.items()
    ]
    seconds = time.perf_counter() - started
    return Evaluation(metrics, num_events, seconds, report, rows)


def count_matches(
    events: Sequence[Event], found: Sequence[Event], collar: float
) -> dict[str, Counts]:
    """Return the counts of each class in one recording: `events`, `found` and `matched`.

    Args:
        events: the events of the recording.
        found: the detections.
        collar: tolerance of begins and ends in seconds.
    """
    transcription = import_package("mir_eval.transcription", "mir_eval", EXTRA)
    counts = {}
    for label in {event.label for event in (*events, *found)}:
        true, detected = (
            np.array([(e.begin, e.end) for e in part if e.label == label]).reshape(-1, 2)
            for part in (events, found)
        )
        matched = 0
        if len(true) and len(detected):
            # All events of a class have one pitch.
            pairs = transcription.match_notes(
                true,
                np.full(len(true), 440.0),
                detected,
                np.full(len(detected), 440.0),
                onset_tolerance=collar,
                offset_ratio=LENGTH_SHARE,
                offset_min_tolerance=collar,
            )
            matched = len(pairs)
        counts[label] = Counter(events=len(true), found=len(detected), matched=matched)
    return counts


def f1(counts: Counts) -> dict[str, float]:
    """Return `precision`, `recall` and `f1`. A share of nothing is 0."""
    events, found, matched = counts["events"], counts["found"], counts["matched"]
    return {
        "precision": matched / found if found else 0.0,
        "recall": matched / events if events else 0.0,
        "f1": 2 * matched / (events + found) if matched else 0.0,
    }


def recordings_of(annotated: Sequence[Annotated], examples: Sequence[Any]) -> list[Annotated]:
    """Return the recordings from which examples are cut."""
    paths: set[Path] = {getattr(e, "audio", None) or e.path for e in examples}
    return [one for one in annotated if one.path in paths]


def _row(event: Event) -> dict[str, Any]:
    return {"begin": event.begin, "end": event.end, "label": event.label}
