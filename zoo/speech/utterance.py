"""Utterances: recordings with what is said in them, and what the readers of corpora share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.corpus import check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import (
    find_file,
    parse_json_lines,
    parse_table,
    read_lines,
    text_field,
)
from zoo.speech.audio.reading import audio_seconds

AUDIO_SUFFIXES = (".flac", ".wav", ".opus", ".ogg", ".mp3", ".aiff", ".sph")
TABLE_COLUMNS = ("split", "speaker", "utt_id", "transcript")
CSV_COLUMNS = ("wav_filename", "transcript")


@dataclass(frozen=True)
class Utterance:
    """One recording.

    id: str. Its name, unique in the corpus or manifest it was read from; never used as a path.
    audio: Path. The recording.
    transcript: str. Words separated by single spaces, or a label.
    speaker: str. Empty if unknown.
    split: str. The corpus's own split; empty if it has none.
    seconds: float. Length of the recording by its own header.
    """

    id: str
    audio: Path
    transcript: str
    speaker: str = ""
    split: str = ""
    seconds: float = 0.0


def utterance(audio: Path, transcript: str, **fields: str) -> Utterance:
    """Return an utterance with the length its header tells.

    Args:
        audio: the recording. transcript: with any white space. fields: the other fields.

    Raises:
        ZooError: the transcript is empty, or the recording is not audio as far as its header tells.
    """
    transcript = " ".join(transcript.split())
    if not transcript:
        raise ZooError("the transcript is empty")
    return Utterance(audio=audio, transcript=transcript, seconds=audio_seconds(audio), **fields)


def find_audio(folder: Path, *names: str) -> Path:
    """Return the recording `folder/<names>` of any kind. Raises as `find_file`."""
    return find_file(folder, names, AUDIO_SUFFIXES)


def read_splits(
    corpus: str,
    folder: Path,
    split: str,
    *,
    find_splits: Callable[[Path], list[str]],
    read_split: Callable[[Path, str], list[Utterance]],
    layout: str,
) -> list[Utterance]:
    """Return the utterances of one split of a corpus, or of all that are in its folder.

    Args:
        corpus: its name. folder: where it lies; it need hold no more than the split asked for.
        split: one of its splits, or "all".
        find_splits: of the folder, to the splits in it. read_split: reads one of them.
        layout: what an error says a folder of the corpus has.

    Raises:
        ZooError: the folder is missing or holds no split, the split is not there, or a line is bad.
    """
    folder = Path(folder)
    check_folder(corpus, folder)
    splits = find_splits(folder)
    if not splits:
        raise ZooError(f"{folder} holds no split of the corpus {corpus!r}. It must have {layout}.")
    if split == "all":
        return [example for name in splits for example in read_split(folder, name)]
    if split not in splits:
        raise no_such_split(folder, splits, split)
    return read_split(folder, split)


def read_table(path: Path, split: str | None = None) -> list[Utterance]:
    """Return the utterances of a TSV file, the audio beside it at `<split>/<speaker>/<utt_id>`.

    Args:
        path: it has a header with the columns split, speaker, utt_id and transcript.
        split: the one that is read, or None for all.

    Raises:
        ZooError: as `zoo.common.data.manifests.parse_table`.
    """

    def parse(row: dict[str, str]) -> Utterance | None:
        if split not in (None, row["split"]):
            return None
        audio = find_audio(path.parent, row["split"], row["speaker"], row["utt_id"])
        return utterance(
            audio, row["transcript"], id=row["utt_id"], speaker=row["speaker"], split=row["split"]
        )

    return parse_table(path, TABLE_COLUMNS, parse)


def read_manifest(path: Path) -> list[Utterance]:
    """Return the utterances listed in one file, in its order.

    Args:
        path: UTF-8 text of one of three kinds, known by content:
            CSV with a header that has the columns `wav_filename` and `transcript` (DeepSpeech);
            JSON lines, each an object with the keys `audio_filepath` and `text` (NeMo);
            TSV as of `read_table` (AN4's `utterances.tsv`).
            `speaker` and `split` are read from CSV and JSON too; other columns are ignored. Relative
            audio paths start at the manifest's folder.

    Raises:
        ZooError: the file, the number of the first bad line, what is wrong with it (not UTF-8, a missing
            column or key, invalid JSON, an empty transcript, audio that is missing or not audio, an id
            that was there before), and how many more are bad.
    """
    path = Path(path)
    _, header = read_lines(path)[0]
    if path.suffix.lower() in (".json", ".jsonl") or header.lstrip().startswith(("{", "[")):
        return parse_json_lines(path, lambda row: _from_json(path.parent, row))
    if "\t" in header:
        return read_table(path)
    return parse_table(path, CSV_COLUMNS, lambda row: _from_csv(path.parent, row))


def _from_csv(folder: Path, row: dict[str, str]) -> Utterance:
    return _from_path(folder, row["wav_filename"], row["transcript"], row)


def _from_json(folder: Path, row: dict[str, Any]) -> Utterance:
    return _from_path(folder, text_field(row, "audio_filepath"), text_field(row, "text"), row)


def _from_path(folder: Path, audio: str, transcript: str, row: dict[str, Any]) -> Utterance:
    if not audio.strip():
        raise ZooError("the audio path is empty")
    path = folder / audio
    name = path.relative_to(folder) if path.is_relative_to(folder) else path
    # JSON may have no such key, null, or a number.
    optional = {key: row.get(key) for key in ("speaker", "split")}
    known = {key: str(value) for key, value in optional.items() if value is not None}
    return utterance(path, transcript, id=name.as_posix(), **known)
