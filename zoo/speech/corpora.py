"""Speech corpora and manifests as lists of examples: where a recording lies, who speaks, and what.

Every layout is text files of one utterance a line. A reader turns a line into an `Example` or says
what is wrong with it; `_parse` does the rest for all of them.
"""

import csv
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zoo.common.errors import ZooError, nearest
from zoo.common.registry import Corpus
from zoo.speech.audio import audio_seconds

AN4 = Corpus(
    name="an4",
    title="CMU AN4: 948 + 130 utterances of letters, numbers and control words, 84 speakers",
    licence="CMU, free for any use",
    source="https://github.com/cmusphinx/an4",
)
LIBRISPEECH_MINI = Corpus(
    name="librispeech",
    title="Mini LibriSpeech: 5.3 hours of read English, 28 speakers",
    licence="CC BY 4.0",
    source="https://www.openslr.org/31",
    train_split="train-clean-5",
)


@dataclass(frozen=True)
class Example:
    """One utterance.

    id: str. Its name, unique in the corpus or manifest it was read from; never used as a path.
    audio: Path. The recording.
    transcript: str. Words separated by single spaces.
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


def read_corpus(corpus: str, folder: str | Path, split: str) -> list[Example]:
    """Examples of one split of a corpus.

    corpus: "an4" or "librispeech".
    folder: the corpus, as its original release lays it out (AN4: in WAV or SPHERE) or, for AN4, as
        `utterances.tsv` with the audio at `<split>/<speaker>/<utt_id>`. It need hold no more than
        the split asked for.
    split: one of the corpus's own names (AN4: "train", "test"; LibriSpeech: its subsets, such as
        "dev-clean"), or "all" for every split that is there.

    Raises `ZooError` for an unknown corpus, a folder that is not laid out like it, a split that is
    not there, and for the first bad line of its lists, by number.
    """
    if corpus not in _CORPORA:
        raise ZooError(f"unknown corpus {corpus!r}. {nearest(corpus, _CORPORA)}")
    folder = Path(folder)
    if not folder.is_dir():
        raise ZooError(f"{folder}: no such folder; the corpus {corpus!r} is looked for there")
    find_splits, read_split, layout = _CORPORA[corpus]
    splits = find_splits(folder)
    if not splits:
        raise ZooError(f"{folder}: holds no split of the corpus {corpus!r}; looked for {layout}")
    if split == "all":
        return [example for name in splits for example in read_split(folder, name)]
    if split not in splits:
        there = ", ".join(map(repr, splits))
        raise ZooError(f"{folder}: no such split. There are: {there}, 'all'. Received: {split!r}")
    return read_split(folder, split)


def read_manifest(path: str | Path) -> list[Example]:
    """Examples listed in one file, in its order.

    path: UTF-8 text of one of three kinds, told by content:
        CSV with a header that has the columns `wav_filename` and `transcript` (DeepSpeech);
        JSON lines, each an object with the keys `audio_filepath` and `text` (NeMo);
        TSV with a header that has `split`, `speaker`, `utt_id` and `transcript` (AN4's
        `utterances.tsv`), the audio beside it at `<split>/<speaker>/<utt_id>` in any kind.
        `speaker` is read from CSV and JSON too; other columns are ignored.
        Relative audio paths start at the manifest's folder.

    Raises `ZooError` naming the file, the number of the first bad line and what is wrong with it
    (not UTF-8, a missing column or key, invalid JSON, an empty transcript, audio that is missing or
    not audio, an id that was there before), and how many more are bad.
    """
    path = Path(path)
    _, header = _lines(path)[0]
    if path.suffix.lower() in (".json", ".jsonl") or header.lstrip().startswith(("{", "[")):
        return _parse(path, _lines(path), partial(_from_json, path.parent))
    if "\t" in header:
        return _read_tsv(path)
    columns, lines = _columns(path, _csv_fields, ("wav_filename", "transcript"))
    return _parse(path, lines, partial(_from_csv, path.parent, columns))


def of_split(examples: list[Example], split: str, manifest: Path) -> list[Example]:
    """The examples of a manifest's split, or of "all". Raises `ZooError` if there is none."""
    chosen = [example for example in examples if split in ("all", example.split)]
    if not chosen:
        there = ", ".join(map(repr, [*sorted({e.split for e in examples if e.split}), "all"]))
        raise ZooError(f"{manifest}: no such split. There are: {there}. Received: {split!r}")
    return chosen


def split_by_speaker(
    examples: Iterable[Example], fraction: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Cut examples in two, `(train, dev)`, with no speaker in both.

    fraction: float in (0, 1). The share of examples meant for dev; whole speakers make it inexact.
    seed: int. Which speakers those are.

    Each side has at least one speaker and is sorted by id; neither depends on the order of
    `examples`. Where fewer than two speakers are known the cut is between utterances.

    Raises `ZooError` for a fraction outside (0, 1) or fewer than two examples.
    """
    examples = sorted(examples, key=lambda example: example.id)
    if not 0 < fraction < 1:
        raise ZooError(f"a dev fraction lies between 0 and 1. Received: {fraction}")
    if len(examples) < 2:
        raise ZooError(f"two examples are needed to cut a dev split. Received: {len(examples)}")
    by_speaker = len({example.speaker for example in examples}) > 1
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.speaker if by_speaker else example.id, []).append(example)
    # A hash, not a generator's shuffle: the same speakers on every version of every library.
    order = sorted(groups, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
    wanted = fraction * len(examples)
    dev: list[Example] = []
    for group in order[:-1]:
        if dev and len(dev) + len(groups[group]) / 2 > wanted:
            break
        dev += groups[group]
    chosen = {example.id for example in dev}
    train = [example for example in examples if example.id not in chosen]
    return train, [example for example in examples if example.id in chosen]


def checksum(examples: Iterable[Example]) -> str:
    """SHA-256, in hex, of ids, transcripts and sizes of audio files, in whatever order."""
    rows = sorted((e.id, e.transcript, e.audio.stat().st_size) for e in examples)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


# Lines


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not blank, each with its number."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ZooError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise ZooError(f"{path}, line {number}: not UTF-8") from None
    numbered = enumerate((line.rstrip("\r") for line in text.split("\n")), start=1)
    lines = [(number, line) for number, line in numbered if line.strip()]
    if not lines:
        raise ZooError(f"{path}: empty: at least one utterance is needed")
    return lines


def _parse(
    path: Path, lines: list[tuple[int, str]], parse: Callable[[str], Example | None]
) -> list[Example]:
    """An example from each line (None: not asked for), or the first bad line and how many more."""
    examples: dict[str, Example] = {}
    bad: list[str] = []
    for number, line in lines:
        try:
            example = parse(line)
            if example is None:
                continue
            if example.id in examples:
                raise ZooError(f"the id {example.id!r} was there before")
            examples[example.id] = example
        except ZooError as error:
            bad.append(f"line {number}: {error}")
    if bad:
        others = f" (bad lines after it: {len(bad) - 1})" if len(bad) > 1 else ""
        raise ZooError(f"{path}, {bad[0]}{others}")
    if not examples:
        raise ZooError(f"{path}: no utterance is listed")
    return list(examples.values())


def _example(audio: Path, transcript: str, **fields: str) -> Example:
    transcript = " ".join(transcript.split())
    if not transcript:
        raise ZooError("the transcript is empty")
    return Example(audio=audio, transcript=transcript, seconds=audio_seconds(audio), **fields)


_SUFFIXES = (".flac", ".wav", ".opus", ".ogg", ".mp3", ".aiff", ".sph")


def _find_audio(folder: Path, *names: str) -> Path:
    """The recording `folder/<names>` of any kind; names from a file may not leave the folder."""
    for name in names:
        if name in ("", ".", "..") or not name.isprintable() or set(name) & set("/\\"):
            raise ZooError(f"not a plain name: {name!r}")
    stem = folder.joinpath(*names)
    for suffix in _SUFFIXES:
        audio = stem.with_name(stem.name + suffix)
        if os.path.isfile(audio):  # unlike Path.is_file, not an error for a name too long
            return audio
    raise ZooError(f"no audio file {stem} with one of {' '.join(_SUFFIXES)}")


# Manifests

_TSV_COLUMNS = ("split", "speaker", "utt_id", "transcript")


def _columns(
    path: Path, fields: Callable[[str], list[str]], needed: tuple[str, ...]
) -> tuple[list[str], list[tuple[int, str]]]:
    """The names in the header and the lines below it."""
    (number, header), *lines = _lines(path)
    try:
        columns = [name.strip() for name in fields(header)]
    except ZooError as error:
        raise ZooError(f"{path}, line {number}: {error}") from None
    if missing := [name for name in needed if name not in columns]:
        raise ZooError(
            f"{path}, line {number}: the header lacks {', '.join(missing)}. A manifest is CSV with "
            f"the columns wav_filename,transcript, TSV with {','.join(_TSV_COLUMNS)}, or JSON "
            f"lines with the keys audio_filepath,text. Received: {header[:80]!r}"
        )
    return columns, lines


def _read_tsv(path: Path, split: str | None = None) -> list[Example]:
    columns, lines = _columns(path, lambda line: line.split("\t"), _TSV_COLUMNS)
    return _parse(path, lines, partial(_from_tsv, path.parent, columns, split))


def _row(columns: list[str], fields: list[str]) -> dict[str, str]:
    if len(fields) != len(columns):
        raise ZooError(f"{len(fields)} fields where the header has {len(columns)}")
    return dict(zip(columns, fields, strict=True))


def _csv_fields(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise ZooError(f"invalid CSV: {error}") from None


def _from_csv(folder: Path, columns: list[str], line: str) -> Example:
    row = _row(columns, _csv_fields(line))
    return _from_path(folder, row["wav_filename"], row["transcript"], row.get("speaker", ""))


def _from_json(folder: Path, line: str) -> Example:
    try:
        row = json.loads(line)
        json.dumps(row, ensure_ascii=False).encode()  # fails where an escape makes half a letter
    except (ValueError, RecursionError) as error:
        raise ZooError(f"invalid JSON: {error}") from None
    if not isinstance(row, dict):
        raise ZooError("not a JSON object with the keys audio_filepath and text")
    for key in ("audio_filepath", "text"):
        if not isinstance(row.get(key), str):
            raise ZooError(f"no string under the key {key!r}")
    speaker = row.get("speaker")
    speaker = "" if speaker is None else str(speaker)
    return _from_path(folder, row["audio_filepath"], row["text"], speaker)


def _from_path(folder: Path, audio: str, transcript: str, speaker: str) -> Example:
    if not audio.strip():
        raise ZooError("the audio path is empty")
    path = folder / audio
    name = path.relative_to(folder) if path.is_relative_to(folder) else path
    return _example(path, transcript, id=name.as_posix(), speaker=speaker)


def _from_tsv(folder: Path, columns: list[str], split: str | None, line: str) -> Example | None:
    row = _row(columns, line.split("\t"))
    if split not in (None, row["split"]):
        return None
    audio = _find_audio(folder, row["split"], row["speaker"], row["utt_id"])
    return _example(
        audio, row["transcript"], id=row["utt_id"], speaker=row["speaker"], split=row["split"]
    )


# Corpora

_AN4_RECORDINGS = {"test": "an4test_clstk", "train": "an4_clstk"}


def _an4_splits(folder: Path) -> list[str]:
    if (folder / "utterances.tsv").is_file():
        return [split for split in _AN4_RECORDINGS if (folder / split).is_dir()]
    return [
        split
        for split, recordings in _AN4_RECORDINGS.items()
        if _an4_transcription(folder, split).is_file() and (folder / "wav" / recordings).is_dir()
    ]


def _read_an4(folder: Path, split: str) -> list[Example]:
    table = folder / "utterances.tsv"
    if table.is_file():
        return _read_tsv(table, split)
    path, wav = _an4_transcription(folder, split), folder / "wav" / _AN4_RECORDINGS[split]
    return _parse(path, _lines(path), partial(_from_an4_transcription, wav, split))


def _an4_transcription(folder: Path, split: str) -> Path:
    return folder / "etc" / f"an4_{split}.transcription"


def _from_an4_transcription(folder: Path, split: str, line: str) -> Example:
    """A line such as `<s> RUBOUT A(2) </s> (an251-fash-b)`; the id's middle part is the speaker."""
    match = re.fullmatch(r"(.*?)\s*\((\w+-(\w+)-\w+)\)\s*", line)
    if match is None:
        raise ZooError("not of the form `<s> WORDS </s> (name-speaker-b)`")
    words, utterance, speaker = match.groups()
    # Marks of silence and sentence ends, and which of its pronunciations a word was given.
    words = re.sub(r"<[^<>\s]*>|\(\d+\)", " ", words)
    audio = _find_audio(folder, speaker, utterance)
    return _example(audio, words.upper(), id=utterance, speaker=speaker, split=split)


def _librispeech_splits(folder: Path) -> list[str]:
    return sorted({path.parts[-4] for path in folder.glob("*/*/*/*.trans.txt")})


def _read_librispeech(folder: Path, split: str) -> list[Example]:
    examples = []
    for path in sorted((folder / split).glob("*/*/*.trans.txt")):
        read_line = partial(_from_librispeech, path.parent, split)
        examples += _parse(path, _lines(path), read_line)
    return examples


def _from_librispeech(folder: Path, split: str, line: str) -> Example:
    utterance, _, words = line.partition(" ")
    audio = _find_audio(folder, utterance)
    return _example(audio, words, id=utterance, speaker=utterance.partition("-")[0], split=split)


_CORPORA = {
    "an4": (
        _an4_splits,
        _read_an4,
        "utterances.tsv beside <split>/<speaker>/, or etc/an4_<split>.transcription beside "
        "wav/an4_clstk and wav/an4test_clstk",
    ),
    "librispeech": (
        _librispeech_splits,
        _read_librispeech,
        "<split>/<speaker>/<chapter>/<speaker>-<chapter>.trans.txt",
    ),
}
