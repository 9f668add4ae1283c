"""Read users' lists of recordings with transcripts or labels, in the common layouts."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import (
    check_whole,
    is_json_lines,
    parse_json_lines,
    parse_lines,
    read_lines,
    text_field,
)
from zoo.common.data.tables import read_table
from zoo.common.utils.progress import say
from zoo.speech.kaldi import SCRIPT, read_kaldi
from zoo.speech.layouts import LABEL, Layout, find_layout
from zoo.speech.utterance import (
    MAX_REST,
    Make,
    find_audio,
    labelled_recording,
    parse_utterances,
    utterance,
)

# Lists that a folder may have, in order.
LISTS = ("metadata.csv", "metadata.jsonl", "metadata.tsv")
TRANSCRIPTS = ".trans.txt"
_LJSPEECH = re.compile(r"[^|\t]+\|[^|]*(\|[^|]*)?")


@dataclass(frozen=True)
class ManifestReader:
    """Reads lists of recordings. The layout is recognized by content, and named in a line on stderr.

    Args:
        make: makes the examples: `utterance`, or `labelled_recording` if the texts are labels.
        audio_column: column or key of the file; None for the one of a known layout.
        text_column: column or key of the transcript or label; None for the one of a known layout.
    """

    make: Make = utterance
    audio_column: str | None = None
    text_column: str | None = None

    def read(self, path: Path) -> list[Any]:
        """Return the examples that a file or folder lists, in its order.

        A file has one of these forms:
            CSV or TSV with a header, or JSON lines, with the columns or keys of a layout in
            `zoo.speech.layouts.LAYOUTS`, or with the given ones. They may have `speaker` and `split`;
            other columns are ignored. With labels, the column of the text may be `label`.
            A table as in `zoo.speech.utterance.read_utterances` (AN4's `utterances.tsv`).
            LJSpeech: lines `ID|text` or `ID|text|normalized text`, and the audio in the folder `wavs`.
            Kaldi and ESPnet: `wav.scp`, see `zoo.speech.kaldi.read_kaldi`.
            LibriSpeech: `*.trans.txt`, lines `ID text`, and the audio in the same folder.
        A folder has one of `LISTS`, `wav.scp`, or `*.trans.txt` in any subfolder. Relative paths are
        relative to the folder of the list.

        Raises:
            ZooError: the layout is not recognized, or a line is invalid: not UTF-8, a missing column or
                key, invalid JSON, an empty text, a missing or invalid audio file, a part of a file that
                the layout does not define, or a repeated id. The message has the number of the first
                such line, and how many others there are.
        """
        path = Path(path)
        examples, layout = self._read_folder(path) if path.is_dir() else self._read_file(path)
        say(f"{path}: {len(examples)} recording(s), in {layout}.")
        return examples

    def _read_folder(self, folder: Path) -> tuple[list[Any], str]:
        for name in LISTS:
            if (folder / name).is_file():
                return self._read_file(folder / name)
        if (folder / SCRIPT).is_file():
            return self._read_file(folder / SCRIPT)
        lists = sorted(folder.rglob(f"*{TRANSCRIPTS}"))
        if lists:
            parts = [self._read_file(path) for path in lists]
            return [example for part, _ in parts for example in part], parts[0][1]
        raise ZooError(
            f"{folder}: a folder of recordings must have {', '.join(LISTS)}, {SCRIPT} with text, or "
            f"*{TRANSCRIPTS}. Received: a folder without them."
        )

    def _read_file(self, path: Path) -> tuple[list[Any], str]:
        if path.name == SCRIPT:
            return read_kaldi(path, self.make), "the layout of Kaldi and ESPnet"
        if path.name.endswith(TRANSCRIPTS):
            return read_transcripts(path, make=self.make), "the layout of LibriSpeech"
        if is_json_lines(path):
            return self._read_json(path)
        if _LJSPEECH.fullmatch(read_lines(path)[0][1]) and not self.audio_column:
            return read_ljspeech(path, self.make), "the layout of LJSpeech"
        return self._read_table(path)

    def _read_json(self, path: Path) -> tuple[list[Any], str]:
        layout: Layout | None = None

        def from_json(row: dict[str, Any]) -> Any:
            nonlocal layout
            layout = layout or self._layout(list(row))
            audio, text = text_field(row, layout.audio), text_field(row, layout.text)
            return self._from_row(path.parent, layout, audio, text, row)

        return parse_json_lines(path, from_json), str(layout)

    def _read_table(self, path: Path) -> tuple[list[Any], str]:
        table = read_table(path)
        if "utt_id" in table.names and not self.audio_column:
            return parse_utterances(table, None, self.make), "the layout of AN4 (utt_id)"
        try:
            layout = self._layout(table.names)
        except ZooError as error:
            raise ZooError(f"{path}, line {table.number}: {error}") from None

        def from_row(row: dict[str, str]) -> Any:
            return self._from_row(path.parent, layout, row[layout.audio], row[layout.text], row)

        return table.parse((layout.audio, layout.text), from_row), str(layout)

    def _layout(self, names: list[str]) -> Layout:
        label = LABEL if self.make is labelled_recording and LABEL in names else None
        return find_layout(names, self.audio_column, self.text_column or label)

    def _from_row(
        self, folder: Path, layout: Layout, audio: str, text: str, row: dict[str, Any]
    ) -> Any:
        if not audio.strip():
            raise ZooError("the audio path is empty")
        path = folder / audio
        # Path.exists raises for a name that is too long.
        if layout.folder and not os.path.exists(path):
            path = folder / layout.folder / audio
        name = (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()
        # A key of JSON may be missing, null, or a number.
        optional = {"speaker": row.get(layout.speaker), "split": row.get("split")}
        given = {key: str(value) for key, value in optional.items() if value is not None}
        if not layout.has_parts:
            check_whole(row)
            example = self.make(path, text, id=name, **given)
            _check_duration(row.get("duration"), example.seconds)
            return example
        example = self.make(path, text, id=name, **given)
        begin, duration = (_seconds(key, row.get(key)) for key in ("offset", "duration"))
        if not begin and (duration is None or abs(duration - example.seconds) <= MAX_REST):
            return example
        begin = begin or 0.0
        end = example.seconds if duration is None else begin + duration
        part = f"{name}, {begin:g} to {end:g} s"
        return self.make(path, text, span=(begin, end), id=part, **given)


def read_ljspeech(path: Path, make: Make) -> list[Any]:
    """Return the examples of LJSpeech's `metadata.csv`. The last text of a line, normalized, is used."""

    def parse(line: str) -> Any:
        name, *texts = line.split("|")
        if len(texts) not in (1, 2):
            raise ZooError(f"a line must be ID|text or ID|text|text. Received: {line[:80]!r}")
        folder = path.parent / "wavs"
        audio = find_audio(folder if folder.is_dir() else path.parent, name.strip())
        return make(audio, texts[-1].strip() or texts[0], id=name.strip())

    return parse_lines(path, read_lines(path), parse)


def read_transcripts(path: Path, split: str = "", make: Make = utterance) -> list[Any]:
    """Return the examples of a chapter of LibriSpeech, `<speaker>-<chapter>.trans.txt`."""

    def parse(line: str) -> Any:
        name, _, words = line.partition(" ")
        speaker = name.partition("-")[0]
        return make(find_audio(path.parent, name), words, id=name, speaker=speaker, split=split)

    return parse_lines(path, read_lines(path), parse)


def _seconds(name: str, value: Any) -> float | None:
    """Return a number of seconds; None if it is not given."""
    if value in (None, ""):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ZooError(f"{name!r} must be a number. Received: {str(value)[:80]!r}") from None


def _check_duration(stated: Any, seconds: float) -> None:
    """Check that the stated duration of a recording is not that of a part of it.

    Args:
        stated: seconds as a number or a text; None or empty if unknown.
        seconds: duration of the file.

    Raises:
        ZooError: it is not a number, or shorter than the file by more than `MAX_REST`.
    """
    duration = _seconds("duration", stated)
    if duration is not None and duration < seconds - MAX_REST:
        raise ZooError(
            f"'duration' must be that of the whole file, {seconds:.2f} s. Received: {duration:g}"
        )
