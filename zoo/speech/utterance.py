"""Examples of speech: recordings with a transcript or a label, and the reading of corpora."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from zoo.common.core.corpus import check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.manifests import find_file
from zoo.common.data.tables import Table, read_table
from zoo.common.data.text import single_spaces
from zoo.speech.audio.excerpts import Excerpt
from zoo.speech.audio.reading import audio_seconds, decoded, recording_seconds

AUDIO_SUFFIXES = (".flac", ".wav", ".opus", ".ogg", ".mp3", ".aiff", ".sph")
TABLE_COLUMNS = ("split", "speaker", "utt_id", "transcript")
# Difference in seconds between the duration of a file and the stated one.
MAX_REST = 0.5

# Makes an example from a path, a text and the other fields; see `utterance`.
Make = Callable[..., Any]
ExampleT = TypeVar("ExampleT")


@dataclass(frozen=True)
class Recorded:
    """A recording, or a part of one, as an example.

    Args:
        id: name, unique in its corpus or manifest. It is never used as a path.
        audio: the recording.
        speaker: name of the speaker; empty if unknown.
        split: the corpus's own split; empty if it has none.
        seconds: duration, for a whole file according to its header.
        excerpt: the part of the recording that is the example; None for the whole.
    """

    id: str
    audio: Path
    speaker: str = ""
    split: str = ""
    seconds: float = 0.0
    excerpt: Excerpt | None = field(default=None, kw_only=True)

    def content(self) -> Content:
        """Return the transcript or label, the samples as they are in the file, and the part of them."""
        part = [astuple(self.excerpt)] if self.excerpt else []
        return Content((self.text,), (*decoded(self.audio), *part))

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
    """

    label: str = field(kw_only=True)
    group: str = field(default="", kw_only=True)

    @property
    def text(self) -> str:
        return self.label


def utterance(
    audio: Path, transcript: str, span: tuple[float, float] | None = None, **fields: Any
) -> Utterance:
    """Return an utterance with the duration from the header of its file.

    Args:
        audio: the recording.
        transcript: words with any white space between them.
        span: begin and end of a part of the recording in seconds, at most `MAX_REST` after its end; None
            for the whole.
        fields: the other fields.

    Raises:
        ZooError: the transcript is empty, the header is not that of an audio file, or the part is not in
            the recording.
    """
    transcript = _one_line(transcript, "transcript")
    return Utterance(audio=audio, transcript=transcript, **_duration(audio, span), **fields)


def labelled_recording(
    audio: Path, label: str, span: tuple[float, float] | None = None, **fields: Any
) -> LabelledRecording:
    """Return a labelled recording with the duration from the header of its file.

    Arguments and errors are those of `utterance`.
    """
    label = _one_line(label, "label")
    return LabelledRecording(audio=audio, label=label, **_duration(audio, span), **fields)


def _duration(audio: Path, span: tuple[float, float] | None) -> dict[str, Any]:
    """Return the fields `seconds` and `excerpt` of an example."""
    if span is None:
        return {"seconds": audio_seconds(audio)}
    begin, end = span
    whole = recording_seconds(audio)
    if not 0 <= begin < end <= whole + MAX_REST or begin >= whole:
        raise ZooError(
            f"a part must begin before its end, both within the file, 0 to {whole:.2f} s. "
            f"Received: {begin:g} to {end:g} s"
        )
    seconds = min(end, whole) - begin
    return {"seconds": seconds, "excerpt": Excerpt(begin, begin, seconds)}


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
    return parse_utterances(read_table(path), split, utterance)


def parse_utterances(table: Table, split: str | None, make: Make) -> list[Any]:
    """Return the examples of a table; see `read_utterances`. `make` makes them."""

    def parse(row: dict[str, str]) -> Any:
        if split not in (None, row["split"]):
            return None
        audio = find_audio(table.path.parent, row["split"], row["speaker"], row["utt_id"])
        return make(
            audio, row["transcript"], id=row["utt_id"], speaker=row["speaker"], split=row["split"]
        )

    return table.parse(TABLE_COLUMNS, parse)
