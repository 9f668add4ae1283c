"""Examples of speech: recordings with a transcript or a label, and their manifests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from zoo.common.core.corpus import check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.manifests import (
    check_whole,
    find_file,
    is_json_lines,
    parse_json_lines,
    text_field,
)
from zoo.common.data.tables import Table, read_table
from zoo.common.data.text import single_spaces
from zoo.speech.audio.excerpts import Excerpt
from zoo.speech.audio.reading import audio_seconds, decoded

AUDIO_SUFFIXES = (".flac", ".wav", ".opus", ".ogg", ".mp3", ".aiff", ".sph")
TABLE_COLUMNS = ("split", "speaker", "utt_id", "transcript")
# Column or key of labels, which may replace the one of transcripts.
LABEL = "label"

# Difference in seconds between the duration of a file and the stated one.
MAX_REST = 0.5

# Makes an example from a path, a text and the other fields; see `utterance`.
Make = Callable[..., Any]
ExampleT = TypeVar("ExampleT")


@dataclass(frozen=True)
class Recorded:
    """A recording as an example.

    Args:
        id: name, unique in its corpus or manifest. It is never used as a path.
        audio: the recording.
        speaker: name of the speaker; empty if unknown.
        split: the corpus's own split; empty if it has none.
        seconds: duration according to the header of the file.
    """

    id: str
    audio: Path
    speaker: str = ""
    split: str = ""
    seconds: float = 0.0

    def content(self) -> Content:
        """Return the transcript or label, and the samples as they are in the file."""
        return Content((self.text,), decoded(self.audio))

    @property
    def text(self) -> str:
        """The transcript or the label."""
        raise NotImplementedError


@dataclass(frozen=True)
class Utterance(Recorded):
    """A recording with a transcript.

    Args:
        transcript: words in NFC, separated by single spaces.
    """

    transcript: str = field(kw_only=True)

    @property
    def text(self) -> str:
        return self.transcript


@dataclass(frozen=True)
class LabelledRecording(Recorded):
    """A recording with a label.

    Args:
        label: its class.
        group: name of what it has in common with other recordings, such as a site; empty if unknown.
        excerpt: the part of the recording that has the label; None for the whole.
    """

    label: str = field(kw_only=True)
    group: str = field(default="", kw_only=True)
    excerpt: Excerpt | None = field(default=None, kw_only=True)

    @property
    def text(self) -> str:
        return self.label


def utterance(audio: Path, transcript: str, **fields: str) -> Utterance:
    """Return an utterance with the duration from the header of its file.

    Args:
        audio: the recording.
        transcript: words with any white space between them.
        fields: the other fields.

    Raises:
        ZooError: the transcript is empty, or the header is not that of an audio file.
    """
    transcript = _one_line(transcript, "transcript")
    return Utterance(audio=audio, transcript=transcript, seconds=audio_seconds(audio), **fields)


def labelled_recording(audio: Path, label: str, **fields: str) -> LabelledRecording:
    """Return a labelled recording with the duration from the header of its file.

    Arguments and errors are those of `utterance`.
    """
    label = _one_line(label, "label")
    return LabelledRecording(audio=audio, label=label, seconds=audio_seconds(audio), **fields)


def _one_line(text: str, name: str) -> str:
    text = single_spaces(text)
    if not text:
        raise ZooError(f"the {name} is empty")
    return text


def find_audio(folder: Path, *names: str) -> Path:
    """Return the recording `folder/<names>` of any file type. Raises as `find_file`."""
    return find_file(folder, names, AUDIO_SUFFIXES)


def read_splits(
    corpus: str,
    folder: Path,
    split: str,
    *,
    find_splits: Callable[[Path], list[str]],
    read_split: Callable[[Path, str], list[ExampleT]],
    layout: str,
) -> list[ExampleT]:
    """Return the examples of one split of a corpus, or of all splits in its folder.

    Args:
        corpus: name of the corpus.
        folder: its folder, which may contain only some of the splits.
        split: one of the splits, or "all".
        find_splits: returns the splits in the folder.
        read_split: returns the examples of one split.
        layout: description of the expected folder, for an error message.

    Raises:
        ZooError: the folder is missing or contains no split, the split does not exist, or a line is
            invalid.
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


def read_utterances(path: Path, split: str | None = None) -> list[Utterance]:
    """Return the utterances of a table with audio at `<split>/<speaker>/<utt_id>` next to it.

    Args:
        path: a file with a header that has the columns split, speaker, utt_id and transcript.
        split: the split to read; None for all.

    Raises:
        ZooError: as `zoo.common.data.tables.Table.parse`.
    """
    return _parse_utterances(read_table(path), split, utterance)


def _parse_utterances(table: Table, split: str | None, make: Make) -> list[Any]:
    def parse(row: dict[str, str]) -> Any:
        if split not in (None, row["split"]):
            return None
        audio = find_audio(table.path.parent, row["split"], row["speaker"], row["utt_id"])
        return make(
            audio, row["transcript"], id=row["utt_id"], speaker=row["speaker"], split=row["split"]
        )

    return table.parse(TABLE_COLUMNS, parse)


def read_manifest(path: Path, make: Make = utterance) -> list[Any]:
    """Return the examples that a file lists, in its order.

    Args:
        path: text in one of three formats, recognized by content:
            CSV or TSV with a header that has the columns `wav_filename` and `transcript` (DeepSpeech);
            JSON lines, each an object with the keys `audio_filepath` and `text` (NeMo);
            in both, labels may have the column or key `label`;
            a table as in `read_utterances` (AN4's `utterances.tsv`).
            Lists of files may have `speaker` and `split`. Relative paths are relative to the folder of
            the manifest. A row that is a part of a recording is rejected; other columns are ignored.
        make: makes the examples: `utterance`, or `labelled_recording` if the texts are labels.

    Raises:
        ZooError: a line is invalid: not UTF-8, a missing column or key, invalid JSON, an empty text, a
            missing or invalid audio file, a part of a file, or a repeated id. The message has the number
            of the first such line, and how many others there are.
    """
    path = Path(path)
    is_labelled = make is labelled_recording
    if is_json_lines(path):

        def from_json(row: dict[str, Any]) -> Any:
            key = LABEL if is_labelled and LABEL in row else "text"
            audio, text = text_field(row, "audio_filepath"), text_field(row, key)
            return _from_path(path.parent, audio, text, row, make)

        return parse_json_lines(path, from_json)
    table = read_table(path)
    if "utt_id" in table.names:
        return _parse_utterances(table, None, make)
    text_column = LABEL if is_labelled and LABEL in table.names else "transcript"

    def from_row(row: dict[str, str]) -> Any:
        return _from_path(path.parent, row["wav_filename"], row[text_column], row, make)

    return table.parse(("wav_filename", text_column), from_row)


def _from_path(folder: Path, audio: str, text: str, row: dict[str, Any], make: Make) -> Any:
    if not audio.strip():
        raise ZooError("the audio path is empty")
    check_whole(row)
    path = folder / audio
    name = path.relative_to(folder) if path.is_relative_to(folder) else path
    # A key of JSON may be missing, null, or a number.
    optional = {key: row.get(key) for key in ("speaker", "split")}
    given = {key: str(value) for key, value in optional.items() if value is not None}
    example = make(path, text, id=name.as_posix(), **given)
    _check_duration(row.get("duration"), example.seconds)
    return example


def _check_duration(stated: Any, seconds: float) -> None:
    """Check that the stated duration of a recording is not that of a part of it.

    Args:
        stated: seconds as a number or a text; None or empty if unknown.
        seconds: duration of the file.

    Raises:
        ZooError: it is not a number, or shorter than the file by more than `MAX_REST`.
    """
    if stated in (None, ""):
        return
    try:
        duration = float(stated)
    except (TypeError, ValueError):
        raise ZooError(f"'duration' must be a number. Received: {str(stated)[:80]!r}") from None
    if duration < seconds - MAX_REST:
        raise ZooError(
            f"'duration' must be that of the whole file, {seconds:.2f} s. Received: {duration:g}"
        )
