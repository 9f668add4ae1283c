"""The layouts of lists of recordings with a header or with keys, recognized by their names.

A layout has a column with the file and one with the text. Each known layout is a row of `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from zoo.common.core.errors import ZooError, nearest


@dataclass(frozen=True)
class Layout:
    """The columns or keys of a list of recordings.

    Args:
        name: the program or corpus that writes such lists; empty for any other.
        audio: column of the file.
        text: column of the transcript or label.
        speaker: column of the speaker.
        folder: folder of the files below the folder of the list, unless they are in that.
        has_parts: whether `offset` and `duration`, in seconds, make a row a part of a file.
    """

    name: str
    audio: str
    text: str
    speaker: str = "speaker"
    folder: str = ""
    has_parts: bool = False

    def __str__(self) -> str:
        columns = f"{self.audio}, {self.text}"
        return f"the layout of {self.name} ({columns})" if self.name else f"the columns {columns}"


LAYOUTS = (
    Layout("DeepSpeech", "wav_filename", "transcript"),
    Layout("NeMo", "audio_filepath", "text", has_parts=True),
    Layout("Common Voice", "path", "sentence", speaker="client_id", folder="clips"),
    Layout("Hugging Face", "file_name", "transcription"),
)
# Other names of the two columns. A list must have one of each, unless they are given.
AUDIO = (
    *(layout.audio for layout in LAYOUTS),
    *("audio", "audio_path", "audio_file", "file_path", "filepath", "filename", "file", "wav"),
)
TEXT = (
    *(layout.text for layout in LAYOUTS),
    *("normalized_text", "utterance", "words"),
)
LABEL = "label"


def find_layout(names: Sequence[str], audio: str | None = None, text: str | None = None) -> Layout:
    """Return the layout of a list with these columns or keys.

    Args:
        names: the columns or keys.
        audio: column of the file; None for one in `AUDIO`.
        text: column of the text; None for one in `TEXT`.

    Raises:
        ZooError: a given column does not exist, or there is none or more than one to choose from.
    """
    for layout in LAYOUTS:
        given = (audio or layout.audio, text or layout.text)
        if given == (layout.audio, layout.text) and set(given) <= set(names):
            return layout
    audio = _column(names, audio, AUDIO, "recordings", "--audio-column")
    text = _column(names, text, TEXT, "texts", "--text-column")
    known = next((layout for layout in LAYOUTS if layout.audio == audio), Layout("", audio, text))
    return replace(known, name="", text=text)


def _column(
    names: Sequence[str], given: str | None, known: Iterable[str], what: str, flag: str
) -> str:
    if given:
        if given not in names:
            raise ZooError(f"there is no column {given!r}. {nearest(given, filter(None, names))}")
        return given
    found = [name for name in names if name.lower() in known]
    if len(found) != 1:
        count = "more than one column" if found else "no column"
        raise ZooError(
            f"there is {count} of {what}: name it with {flag}. Known names are "
            f"{', '.join(known)}. Received: {', '.join(names)[:80]!r}"
        )
    return found[0]
