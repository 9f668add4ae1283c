"""Cut annotated recordings into examples: a window for each event, and windows of the background."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.speech.audio.excerpts import Excerpt
from zoo.speech.audio.reading import recording_seconds
from zoo.speech.audio.recording import SUFFIXES
from zoo.speech.detection.annotations import Annotated, Event, read_annotations

# Class of time without an event, unless the data names it.
BACKGROUND = "none"
# Largest number of background windows for each window with an event.
BACKGROUND_RATIO = 3

# The events of a recording, and then its background.
Timeline = tuple[Event, ...]


@dataclass(frozen=True)
class Cut:
    """A recording of one class, or an excerpt of one.

    Args:
        id: unique name.
        path: the recording.
        label: its class.
        seconds: its duration.
        group: name of a group of clips, such as those of one recording; empty if unknown.
        split: its split; empty if unknown.
        excerpt: the part of the recording; None for the whole.
        timeline: the events in the range of the excerpt, with background between them if it is known.
    """

    id: str
    path: Path
    label: str
    seconds: float
    group: str = ""
    split: str = ""
    excerpt: Excerpt | None = None
    timeline: tuple[Event, ...] = ()


def read_cuts(
    path: Path, window: float, background: str | None, margin: float | None = None
) -> list[Cut] | None:
    """Return the examples of an annotation, or of a folder with a folder for each class.

    Args:
        path: see `read_annotations`.
        window: duration of an excerpt in seconds.
        background: class of excerpts without an event; None if the annotation is incomplete.
        margin: time in seconds at each side of an event; None for excerpts as long as the window.

    Returns:
        The examples; None if the path is neither.

    Raises:
        ZooError: as `read_annotations`; or there are no events, or no folders of classes.
    """
    annotated = read_annotations(path)
    if annotated is None:
        return _class_folders(path) if path.is_dir() else None
    folder = path if path.is_dir() else path.parent
    timelines = [(*one.events, *_background(one, background)) for one in annotated]
    pairs = list(zip(annotated, timelines, strict=True))
    cuts = [c for one, timeline in pairs for c in _events(one, timeline, folder, window, margin)]
    if not cuts:
        raise ZooError(f"{path}: there are no events.")
    silent = [c for one, timeline in pairs for c in _silent(one, timeline, folder, window)]
    chosen = np.linspace(0, len(silent), min(len(silent), BACKGROUND_RATIO * len(cuts)), False)
    return cuts + [silent[int(i)] for i in chosen]


def _background(one: Annotated, label: str | None) -> list[Event]:
    """Return the times without an event, as events of the class of background; none if it is None."""
    if label is None:
        return []
    found, end = [], 0.0
    for event in (*one.events, Event(one.seconds, one.seconds, "")):
        if event.begin > end:
            found.append(Event(end, event.begin, label))
        end = max(end, event.end)
    return found


def _events(
    one: Annotated, timeline: Timeline, folder: Path, window: float, margin: float | None
) -> Iterable[Cut]:
    """Yield an excerpt for each event. It has the whole event, or is a part of a longer event."""
    for event in one.events:
        length = event.end - event.begin
        wanted = window if margin is None else min(window, length + 2 * margin)
        seconds = min(wanted, one.seconds)
        first, last = sorted((event.begin, event.end - seconds))
        latest = min(last, one.seconds - seconds)
        excerpt = Excerpt(min(max(0.0, first), latest), latest, seconds)
        yield _cut(one, timeline, folder, event, excerpt)


def _silent(one: Annotated, timeline: Timeline, folder: Path, window: float) -> Iterable[Cut]:
    """Yield excerpts of the background. Their ranges do not overlap."""
    for event in timeline[len(one.events) :]:
        count = int((event.end - event.begin) / window)
        for i in range(count):
            room = (event.end - event.begin) / count
            begin = event.begin + i * room
            excerpt = Excerpt(begin, begin + room - window, window)
            part = Event(begin, begin + room, event.label)
            yield _cut(one, timeline, folder, part, excerpt)


def _cut(one: Annotated, timeline: Timeline, folder: Path, event: Event, excerpt: Excerpt) -> Cut:
    name = one.path.relative_to(folder) if one.path.is_relative_to(folder) else one.path
    id = f"{name.as_posix()} {event.begin:.3f}-{event.end:.3f} {event.label}"
    group = one.group or str(one.path)
    first, end = excerpt.earliest, excerpt.latest + excerpt.seconds
    inside = tuple(e for e in timeline if e.begin < end and e.end > first)
    return Cut(id, one.path, event.label, excerpt.seconds, group, one.split, excerpt, inside)


def _class_folders(path: Path) -> list[Cut]:
    """Return the recordings of a folder that has a folder for each class.

    A folder in the folder of a class, such as one for each tape, is a group.
    """
    files = [p for p in sorted(path.rglob("*")) if p.suffix.lower() in SUFFIXES and p.is_file()]
    names = [file.relative_to(path) for file in files if not file.name.startswith(".")]
    if not names:
        raise ZooError(f"{path}: the folder has no annotation and no recordings.")
    if bare := [name for name in names if len(name.parts) < 2]:
        raise ZooError(
            f"{path}: recordings must have an annotation, or be in a folder for each class. "
            f"Received: {bare[0]} in neither."
        )
    return [
        Cut(
            name.as_posix(),
            path / name,
            name.parts[0],
            recording_seconds(path / name),
            "/".join(name.parts[1:-1]),
        )
        for name in names
    ]
