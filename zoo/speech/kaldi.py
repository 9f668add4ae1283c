"""Folders of Kaldi and ESPnet: `wav.scp`, `text`, and optionally `segments` and `utt2spk`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.speech.audio.reading import recording_seconds
from zoo.speech.utterance import Make

SCRIPT, TEXT, SEGMENTS, SPEAKERS = "wav.scp", "text", "segments", "utt2spk"


@dataclass(frozen=True)
class _Line:
    """A line of a list: its first word, and the rest."""

    id: str
    rest: str


def read_kaldi(script: Path, make: Make) -> list[Any]:
    """Return the examples of a folder of Kaldi, in the order of `segments`, or else of `wav.scp`.

    Args:
        script: `wav.scp`: an id and a path in each line. Relative paths are relative to its folder, or
            else to the working directory. Lines with a command are refused, since commands are not run.
            `text` in its folder has ids and transcripts, `utt2spk` an id and the speaker, `segments` an
            id, the id of a recording, and begin and end in seconds, -1 for the end of the recording.
        make: makes the examples.

    Raises:
        ZooError: `text` is missing, a line is invalid, an id has no transcript or recording, or a
            part is not in its recording. The message has the line.
    """
    folder = script.parent
    files = {line.id: line.rest for line in _read(script)}
    texts = {line.id: line.rest for line in _read(folder / TEXT)}
    speakers = (
        {line.id: line.rest for line in _read(folder / SPEAKERS)}
        if (folder / SPEAKERS).is_file()
        else {}
    )

    def example(line: str) -> Any:
        id, fields = _split(line)
        if id not in texts:
            raise ZooError(f"there is no transcript of {id!r} in {folder / TEXT}")
        given = {"id": id, "speaker": speakers.get(id, "")}
        if not has_segments:
            return make(_path(folder, fields), texts[id], **given)
        recording, begin, end = _segment(fields)
        if recording not in files:
            raise ZooError(f"there is no recording {recording!r} in {script}")
        path = _path(folder, files[recording])
        end = recording_seconds(path) if end == -1 else end
        return make(path, texts[id], span=(begin, end), **given)

    has_segments = (folder / SEGMENTS).is_file()
    rows = folder / SEGMENTS if has_segments else script
    return parse_lines(rows, read_lines(rows), example)


def _read(path: Path) -> list[_Line]:
    return parse_lines(path, read_lines(path), lambda line: _Line(*_split(line)))


def _split(line: str) -> tuple[str, str]:
    id, *rest = line.split(maxsplit=1)
    return id, "".join(rest).strip()


def _path(folder: Path, text: str) -> Path:
    """Return the path in a line of `wav.scp`."""
    if not text or text.endswith("|"):
        raise ZooError(f"it must name a file; commands are not run. Received: {text[:80]!r}")
    # Path.exists raises for a name that is too long.
    is_beside = os.path.exists(folder / text) or not os.path.exists(text)
    return folder / text if is_beside else Path(text)


def _segment(fields: str) -> tuple[str, float, float]:
    try:
        recording, begin, end = fields.split()
        return recording, float(begin), float(end)
    except ValueError:
        raise ZooError(
            f"it must be ID RECORDING BEGIN END, the times in seconds. Received: {fields[:80]!r}"
        ) from None
