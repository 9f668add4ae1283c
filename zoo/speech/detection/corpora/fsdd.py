"""The Free Spoken Digit Dataset: one spoken digit per recording."""

from __future__ import annotations

import re
from pathlib import Path

from zoo.common.core.corpus import Corpus, Download
from zoo.common.core.errors import ZooError
from zoo.speech.utterance import (
    AUDIO_SUFFIXES,
    LabelledRecording,
    labelled_recording,
    read_splits,
)

# The test split of the corpus: the first takes of each digit by each speaker.
TEST_TAKES = range(5)
_NAME = re.compile(r"(\d)_([a-z]+)_(\d+)")


def read(folder: Path, split: str) -> list[LabelledRecording]:
    """Return the recordings of a split, each with its digit as the label, "0" to "9".

    Args:
        folder: the corpus as released: `recordings/<digit>_<speaker>_<take>` in WAV or another type.
        split: "test" (takes 0 to 4), "train" (the others) or "all".

    Raises:
        ZooError: as `zoo.speech.utterance.read_splits`, or the name of a recording is invalid.
    """
    return read_splits(
        FSDD.name,
        folder,
        split,
        find_splits=_find_splits,
        read_split=_read_split,
        layout="recordings/<digit>_<speaker>_<take>, such as recordings/7_jackson_32.wav",
    )


FSDD = Corpus(
    name="fsdd",
    title="Free Spoken Digit Dataset: 3000 recordings of the ten digits, 6 speakers, 8 kHz",
    licence="CC BY-SA 4.0",
    source="https://github.com/Jakobovski/free-spoken-digit-dataset",
    read=read,
    downloads=(
        # TensorFlow Datasets has the release 1.0.9, of five speakers.
        Download(
            "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
            size=16_419_872,
            checksum="sha256:c680098f5d2355ba7cc4bd8b0ca9e0a24c00ebe3b4c552208889a4d28d4fbc2b",
            recorded="SpeechBrain (address), a published audit of the release (size and checksum)",
            members=("recordings/*", "README.md"),
            strip=1,
        ),
    ),
)


def _find_splits(folder: Path) -> list[str]:
    return sorted({split for _, _, split in _recordings(folder)})


def _read_split(folder: Path, split: str) -> list[LabelledRecording]:
    return [
        labelled_recording(path, match[1], id=path.stem, speaker=match[2], split=split)
        for path, match, of_split in _recordings(folder)
        if of_split == split
    ]


def _recordings(folder: Path) -> list[tuple[Path, re.Match, str]]:
    """Return each recording, the match of its name, and its split, sorted by name."""
    rows = []
    for path in sorted((folder / "recordings").glob("*")):
        if path.suffix not in AUDIO_SUFFIXES:
            continue
        match = _NAME.fullmatch(path.stem)
        if match is None:
            raise ZooError(f"{path} must be named <digit>_<speaker>_<take>.")
        rows.append((path, match, "test" if int(match[3]) in TEST_TAKES else "train"))
    return rows
