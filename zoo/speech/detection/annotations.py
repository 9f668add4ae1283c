"""Annotations of long recordings: tables and labels that give the class and the time of each event.

They are selection tables of Raven, labels of Audacity, CSV, and the files that `zoo predict` writes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import is_json_lines, parse_lines, read_lines
from zoo.common.data.tables import Table, read_table
from zoo.common.utils.progress import say
from zoo.speech.audio.reading import recording_seconds
from zoo.speech.audio.recording import SUFFIXES
from zoo.speech.detection.predictions import is_predictions, read_predictions

ANNOTATION_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl")
# Names of columns, in lower case: begin and end in seconds, class, and recording.
TIMES = (
    ("begin", "end"),
    ("begin time (s)", "end time (s)"),
    ("start (s)", "end (s)"),
    ("start", "end"),
    ("start", "stop"),
    ("begin_time", "end_time"),
    ("start_time", "end_time"),
    ("onset", "offset"),
)
LABELS = ("label", "annotation", "class", "species", "event_label", "common name", "tags")
FILES = ("begin path", "begin file", "file", "filename", "file_name", "path", "audio")
# The time of an event in its file, where the other times count from the first of several files.
FILE_OFFSET = "file offset (s)"
# The end of an event may exceed the recording by this time in seconds, as times are rounded.
ROUNDING = 0.1

_OTHER_UNIT = re.compile(r"(begin|start|onset|end|stop|offset).*(frame|samp|ms\b|milli|minute)")
_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_AUDACITY = re.compile(rf"{_NUMBER}\t{_NUMBER}(\t|$)")
# The second line of a label of Audacity has its range of frequencies.
_FREQUENCIES = re.compile(r"\\\t")
# `zoo predict --format audacity` writes the confidence after the class.
_CONFIDENCE = re.compile(r" [01]\.\d{4}$")


@dataclass(frozen=True)
class Event:
    """The class of a part of a recording.

    Args:
        begin: begin in seconds.
        end: end in seconds.
        label: its class.
    """

    begin: float
    end: float
    label: str


@dataclass(frozen=True)
class Annotated:
    """A recording with its events.

    Args:
        path: the recording.
        seconds: its duration.
        events: the events, sorted by begin.
        group: name of what it has in common with other recordings, such as a site; empty if unknown.
        split: its split; empty if the annotation has none.
    """

    path: Path
    seconds: float
    events: tuple[Event, ...]
    group: str = ""
    split: str = ""


@dataclass(frozen=True)
class _Row:
    """An event with its recording, as a row of an annotation states it."""

    path: Path
    event: Event
    group: str = ""
    split: str = ""

    @property
    def id(self) -> str:
        return f"{self.path} {self.event}"


def read_annotations(path: Path) -> list[Annotated] | None:
    """Return the annotated recordings of a file or a folder; None if it is not an annotation.

    Args:
        path: a selection table, labels of Audacity, the JSON that `zoo predict` writes, or a
            table with columns of `TIMES` and `LABELS`, and optionally of `FILES`, `group` and `split`.
            Without a column of files, the recording has the name of the annotation and is in the same
            folder. Or a folder of such files, with its subfolders.

    Raises:
        ZooError: a file cannot be read; or a row is invalid: it has no class, its times are not seconds
            in the recording, or its recording is missing or invalid.
    """
    if not path.is_dir():
        return _joined(*_read(path)) if is_annotation(path) else None
    files = [file for file in sorted(path.rglob("*")) if _is_annotation_below(file)]
    if not files:
        return None
    rows: list[_Row] = []
    empty: list[Path] = []
    for file in files:
        found, silent = _read(file)
        rows += found
        empty += silent
    annotated = _joined(rows, empty)
    known = {one.path.resolve() for one in annotated}
    others = [p for p in sorted(path.rglob("*")) if _is_audio(p) and p.resolve() not in known]
    if others:
        say(f"Left out: {len(others)} recording(s) without an annotation, such as {others[0]}.")
    return annotated


def is_annotation(path: Path) -> bool:
    """Return whether a file states the times of events.

    An empty file is an annotation without events if there is a recording of its name.

    Raises:
        ZooError: it states them in another unit than seconds.
    """
    if path.is_file() and not path.stat().st_size:
        return _recording_of(path) is not None
    if is_json_lines(path):
        return is_predictions(path)
    if _AUDACITY.match(read_lines(path)[0][1]):
        return True
    names = [name.lower() for name in read_table(path).names]
    if _first_times(names):
        return True
    if unit := [name for name in names if _OTHER_UNIT.search(name)]:
        raise ZooError(
            f"{path}: times must be in seconds, in columns such as begin and end. "
            f"Received: {', '.join(unit)}."
        )
    return False


def _is_annotation_below(file: Path) -> bool:
    """Return whether a file in a folder is an annotation; an unrelated file need not be readable."""
    if file.suffix.lower() not in ANNOTATION_SUFFIXES or file.name.startswith("."):
        return False
    try:
        return is_annotation(file)
    except ZooError as error:
        if _recording_of(file):
            raise
        say(f"Left out: {error}")
        return False


def _read(path: Path) -> tuple[list[_Row], list[Path]]:
    """Return the rows of an annotation, and its recording if it has no rows."""
    recording = _recording_of(path)
    if not path.stat().st_size:
        return [], [recording] if recording else []
    if is_json_lines(path):
        return _read_predictions(path)
    if _AUDACITY.match(read_lines(path)[0][1]):
        return _read_labels(path, recording), []
    table = read_table(path)
    if not table.rows:
        return [], [recording] if recording else []
    return _read_rows(table, recording), []


def _read_labels(path: Path, recording: Path | None) -> list[_Row]:
    """Return the rows of labels of Audacity: begin, end, class."""
    if recording is None:
        raise ZooError(f"{path}: there is no recording {_stems(path)[-1]!r} in its folder.")
    audio = recording

    def parse(line: str) -> _Row | None:
        if _FREQUENCIES.match(line):
            return None
        if not _AUDACITY.match(line):
            raise ZooError(f"a label must be BEGIN, END and a class. Received: {line[:80]!r}")
        begin, end, *label = line.split("\t")
        return _row(audio, begin, end, _CONFIDENCE.sub("", "\t".join(label).strip()))

    return parse_lines(path, read_lines(path), parse, join=lambda first, _: first)


def _read_predictions(path: Path) -> tuple[list[_Row], list[Path]]:
    """Return the detections in a file of JSON, and the recordings without one."""
    rows: list[_Row] = []
    empty: list[Path] = []
    for one in read_predictions(path):
        audio = _find(path.parent, [one.input])
        if audio is None:
            raise ZooError(f"{path}, line {one.number}: there is no recording {one.input!r}")
        try:
            rows += [_row(audio, *detection) for detection in one.detections]
        except ZooError as error:
            raise ZooError(f"{path}, line {one.number}: {error}") from None
        empty += [] if one.detections else [audio]
    return rows, empty


def _read_rows(table: Table, recording: Path | None) -> list[_Row]:
    names = {name.lower(): name for name in table.names}
    begin, end = (names[name] for name in _first_times(names) or ())
    label = next((names[name] for name in LABELS if name in names), None)
    files = [names[name] for name in FILES if name in names]
    if label is None:
        raise ZooError(
            f"{table.path}, line {table.number}: the header must have a column of classes, such as "
            f"label. Received: {','.join(table.names)[:80]!r}"
        )
    if not files and recording is None:
        raise ZooError(
            f"{table.path}: it must have a column of recordings, such as file, or be in the folder of "
            f"the recording {_stems(table.path)[-1]!r}."
        )
    offset, error = names.get(FILE_OFFSET), names.get("error")

    def parse(row: dict[str, str]) -> _Row | None:
        if error and row[error].strip():  # `zoo predict` could not read this recording
            return None
        given = [row[name].strip() for name in files if row[name].strip()]
        path = _find(table.path.parent, given) if given else recording
        if path is None:
            raise ZooError(f"there is no recording {given[0] if given else ''!r}")
        found = _row(path, row[begin], row[end], row[label].strip())
        if offset and row[offset].strip():
            shift = _seconds(row[offset], FILE_OFFSET) - found.event.begin
            found = _row(
                path, found.event.begin + shift, found.event.end + shift, found.event.label
            )
        group, split = (
            row[names[key]].strip() if key in names else "" for key in ("group", "split")
        )
        return _Row(path, found.event, group, split)

    # Raven has a row for each view of a selection.
    return table.parse((begin, end, label), parse, join=lambda first, _: first)


def _row(path: Path, begin: Any, end: Any, label: str) -> _Row:
    """Return an event with its recording. Raises `ZooError` for an invalid one."""
    event = Event(_seconds(begin, "begin"), _seconds(end, "end"), label)
    if not label:
        raise ZooError("the label is empty")
    if not 0 <= event.begin < event.end:
        raise ZooError(f"end must be after begin. Received: {event.begin:g} to {event.end:g}")
    return _Row(path, event)


def _seconds(value: Any, name: str) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ZooError(f"{name} must be a number of seconds. Received: {str(value)[:80]!r}")
    return seconds


def _joined(rows: list[_Row], empty: list[Path]) -> list[Annotated]:
    """Return the recordings of rows, and recordings without events."""
    found: dict[Path, list[_Row]] = {path: [] for path in empty}
    for row in {row.id: row for row in rows}.values():
        found.setdefault(row.path, []).append(row)
    annotated = [_recording(path, of_path) for path, of_path in sorted(found.items())]
    crossing = sum(_crossing(one.events) for one in annotated)
    if crossing:
        say(
            f"Warning: {crossing} event(s) overlap an event of another class. A window has one class: "
            "that of the event it is cut for."
        )
    return annotated


def _recording(path: Path, rows: list[_Row]) -> Annotated:
    """Return a recording with its events, which must be inside it."""
    seconds = recording_seconds(path)
    for row in rows:
        if row.event.end > seconds + ROUNDING or row.event.begin >= seconds:
            raise ZooError(
                f"{path}: events must be inside its {seconds:.2f} s. Received: {row.event.label!r} from "
                f"{row.event.begin:g} to {row.event.end:g}. Times must be in seconds from the begin of "
                "the recording, not in frames or samples."
            )
    for name in ("group", "split"):
        values = Counter(getattr(row, name) for row in rows)
        if len(values) > 1:
            received = ", ".join(map(repr, sorted(values)))
            raise ZooError(f"{path}: a recording must have one {name}. Received: {received}.")
    events = sorted((row.event for row in rows), key=lambda event: (event.begin, event.end))
    events = [Event(e.begin, min(e.end, seconds), e.label) for e in events]
    of_all = rows[0] if rows else None
    return Annotated(
        path,
        seconds,
        tuple(events),
        of_all.group if of_all else "",
        of_all.split if of_all else "",
    )


def _crossing(events: tuple[Event, ...]) -> int:
    """Return the number of events that begin before an event of another class has ended."""
    count, active = 0, list[Event]()
    for event in events:
        active = [before for before in active if before.end > event.begin]
        count += any(before.label != event.label for before in active)
        active.append(event)
    return count


def _first_times(names: Any) -> tuple[str, str] | None:
    return next((pair for pair in TIMES if set(pair) <= set(names)), None)


def _find(folder: Path, given: list[str]) -> Path | None:
    """Return the recording that a row names: a path, or the name of a file in the folder.

    A relative path is relative to the folder, or to the working directory, as `zoo predict` writes it.
    """
    for name in given:
        for path in (folder / name, Path(name), folder / PureWindowsPath(name).name):
            if path.is_file():
                return path
    return None


def _recording_of(path: Path) -> Path | None:
    """Return the recording in the folder of an annotation that has its name."""
    neighbours = {file.stem: file for file in sorted(path.parent.glob("*")) if _is_audio(file)}
    return next((neighbours[stem] for stem in _stems(path) if stem in neighbours), None)


def _stems(path: Path) -> list[str]:
    """Return the possible names of the recording of `a.Table.1.selections.txt`, the longest first."""
    parts = path.name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def _is_audio(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
