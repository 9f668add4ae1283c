"""What a user hands over, to be damaged: recordings, pictures, texts, strokes, series, lists."""

from __future__ import annotations

import csv
import functools
import gzip
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image

from tests.fuzz.kinds import Kind
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.common.data.pronunciations import read_pronunciations
from zoo.common.decoding.arpa import read_arpa, read_words
from zoo.common.decoding.decoder_file import read_options, write_options
from zoo.common.decoding.lexicon import read_lexicon
from zoo.language.corpora import labelled, parallel
from zoo.language.data import SAMPLE as TEXT
from zoo.language.similarity import read_pairs
from zoo.speech.audio import read_audio
from zoo.speech.corpora import spectrogram, utterance
from zoo.speech.corpora.an4 import AN4 as AN4_CORPUS
from zoo.speech.recordings import recording_seconds
from zoo.speech.spectrogram_files import read_array
from zoo.timeseries.corpora.labelled_series import read_rows, read_ts
from zoo.timeseries.corpora.segment import read_segments
from zoo.timeseries.tables import Columns
from zoo.vision_language import captions
from zoo.vision_language.images import read_image
from zoo.vision_language.ink import read_ink
from zoo.vision_language.moving_shapes import write_clip
from zoo.vision_language.skeleton_files import JOINTS, read_skeleton
from zoo.vision_language.video_clip import read_clips
from zoo.vision_language.video_files import read_video

AN4 = Path(__file__).parents[1] / "data" / "an4"
CLIP = AN4 / "test" / "fcaw" / "an409-fcaw-b.flac"
RATE, LABELS = 16_000, Labels.of(["A SMALL CLIP"], "character")
LANGUAGES = ("en", "de")


def _text(text: str, path: Path) -> None:
    path.write_text(text, "utf-8")


def _json_lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _of(read: Callable[[Path], Any], name: str) -> Callable[[Path], Any]:
    """`read` of the file of that name in a folder."""
    return lambda folder: read(folder / name)


def _kind(name: str, file: str, make: Callable[[Path], Any], read: Callable[[Path], Any], **more):
    """A kind of one file: `make` and `read` take its path."""
    return Kind(name, lambda folder: make(folder / file), file, _of(read, file), **more)


# Recordings


def _recording(container: str, coding: str, path: Path) -> None:
    samples, rate = soundfile.read(CLIP, dtype="float32", frames=RATE // 2)
    soundfile.write(path, samples, rate, format=container, subtype=coding)


def _hear(path: Path) -> np.ndarray:
    """As a clip, and at another rate, as a long one."""
    samples = read_audio(path, RATE)
    read_audio(path, 2000)
    recording_seconds(path)
    return samples


def _mp3_without_length(path: Path) -> None:
    """Its first frame tells its length: it is as long as those of its kind."""
    _recording("MP3", "MPEG_LAYER_III", path)
    content = path.read_bytes()
    path.write_bytes(content[content.index(b"\xff", 64) :])


_RECORDINGS = {
    "WAV": ("WAV", "PCM_16", False),
    "WAV of floats": ("WAV", "FLOAT", False),
    "WAV, mu-law": ("WAV", "ULAW", False),
    "AIFF": ("AIFF", "PCM_16", False),
    "NIST SPHERE": ("NIST", "PCM_16", False),
    "FLAC": ("FLAC", "PCM_16", True),
    "OGG Vorbis": ("OGG", "VORBIS", True),
    "OGG Opus": ("OGG", "OPUS", True),
    "MP3": ("MP3", "MPEG_LAYER_III", False),
}
RECORDINGS = [
    *(
        _kind(name, "clip", functools.partial(_recording, *how), _hear, detectable=detectable)
        for name, (*how, detectable) in _RECORDINGS.items()
    ),
    _kind("MP3 without its length", "clip", _mp3_without_length, _hear),
    _kind(
        "spectrogram",
        "a.npy",
        lambda path: np.save(path, np.eye(20, 64, dtype=np.float32)),
        lambda path: read_array(str(path)),
    ),
]

# Pictures and videos


def _picture(path: Path) -> None:
    y, x = np.mgrid[:40, :60]
    pixels = np.stack([4 * x, 6 * y, 200 - 2 * x - y], axis=2).astype(np.uint8)
    image = Image.fromarray(pixels)
    image.save(path, **({"compression": "tiff_lzw"} if path.suffix == ".tiff" else {}))


def _video(path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (12, 64, 64, 3), np.uint8)
    write_clip(path, frames, 10)


PICTURES = [
    *(
        _kind(
            suffix.upper(),
            f"a.{suffix}",
            _picture,
            lambda path: read_image(path, 32),
            detectable=suffix == "png",
        )
        for suffix in ("jpeg", "png", "webp", "gif", "bmp", "tiff")
    ),
    *(
        _kind(suffix.upper(), f"a.{suffix}", _video, lambda path: list(read_video(path, 5.0, 32)))
        for suffix in ("mp4", "mkv", "avi")
    ),
]

# Strokes and movements

_INKML = """<?xml version="1.0"?>
<ink xmlns="http://www.w3.org/2003/InkML">
<traceFormat><channel name="X" type="decimal"/><channel name="Y" orientation="-ve"/></traceFormat>
<trace id="a">10 20, 11 22, 14 25, 20 20</trace>
<trace>30 20, 31 22.5, 34 -25</trace>
</ink>
"""
_STROKES = {"strokes": [[[1, 2], [3.5, 4], [5, 2]], [[7, 7], [8, 9]]]}
_POINTS = {"points": [[1, 2, 0], [3.5, 4, 1], [5, 2, 0]]}


def _joints() -> list[list[list[float]]]:
    generator = np.random.default_rng(0)
    still = generator.uniform(0.5, 1.5, (len(JOINTS), 3))
    return np.round(still + generator.normal(0, 0.02, (4, len(JOINTS), 3)), 3).tolist()


def _skeleton_text() -> str:
    rows = (row for frame in _joints() for row in frame)
    return "".join(f"{x} {y} {z} 1.0\n" for x, y, z in rows)


def _manifest(recipe: str) -> Callable[[Path], Any]:
    """How a recipe reads a list of examples."""
    return lambda path: entry(recipe).recipe().data.read_manifest(path)


STROKES = [
    _kind("InkML", "a.inkml", functools.partial(_text, _INKML), read_ink),
    _kind("strokes", "a.json", functools.partial(_text, json.dumps(_STROKES)), read_ink),
    _kind("points", "a.json", functools.partial(_text, json.dumps(_POINTS)), read_ink),
    _kind(
        "list of words",
        "a.jsonl",
        functools.partial(
            _text,
            _json_lines(
                {"word": "go", **_STROKES, "split": "train"}, {"word": "no", "page": "b", **_POINTS}
            ),
        ),
        _manifest("vision_language/blstm-ctc-gw-online"),
    ),
    _kind(
        "list of drawings",
        "a.jsonl",
        functools.partial(_text, _json_lines({"group": "a", **_STROKES}, _POINTS)),
        _manifest("vision_language/mdn-lstm-omniglot"),
    ),
    _kind(
        "skeleton",
        "a.json",
        functools.partial(_text, json.dumps({"joints": _joints()})),
        read_skeleton,
    ),
    _kind(
        "skeleton, MSR Action3D", "a.txt", functools.partial(_text, _skeleton_text()), read_skeleton
    ),
    _kind(
        "list of movements",
        "a.jsonl",
        functools.partial(_text, _json_lines({"action": "wave", "joints": _joints()})),
        _manifest("vision_language/lstm-msr-action3d"),
    ),
]

# Series

_DAYS = [f"2020-01-{day:02}" for day in range(1, 21)]


def _table(path: Path) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["day", "value", "price", "split"])
        for i, day in enumerate(_DAYS):
            rows.writerow(
                [day, "" if i == 7 else f"{i * i / 7:.3f}", i % 3, "train" if i < 15 else "dev"]
            )


def _parquet(path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    columns = {"day": _DAYS, "value": [i * i / 7 for i in range(20)]}
    parquet.write_table(pyarrow.table(columns), path)


_TS = """# series of two channels
@problemName tiny
@dimensions 2
@classLabel true up down
@data
1,2,3:3,2,1:up
4,5,6:1.5,2,3:down
"""
SERIES = [
    _kind(
        "numbers",
        "a.txt",
        functools.partial(_text, "".join(f"{i * 1.5}\n" for i in range(30))),
        lambda path: read_segments(path, Columns()),
    ),
    _kind("table", "a.csv", _table, lambda path: read_segments(path, Columns("value", ("price",)))),
    _kind("Parquet", "a.parquet", _parquet, lambda path: read_segments(path, Columns())),
    _kind("UEA archive", "a.ts", functools.partial(_text, _TS), read_ts),
    _kind("rows", "a.csv", functools.partial(_text, "a,b\n1,2\n3,4.5\n5,6\n"), read_rows),
]

# Texts

_WORDS = "The company said it expects a loss.\nThe loss is small.\n"
_LABELLED = (("it was good", "positive"), ("bad, very bad", "negative"))
_PAIRS = (("A dog runs.", "Ein Hund läuft."), ("Two men sit.", "Zwei Männer sitzen."))


def _sides(folder: Path) -> None:
    for language, side in zip(LANGUAGES, zip(*_PAIRS, strict=True), strict=True):
        (folder / f"talk.{language}").write_text("\n".join(side) + "\n", "utf-8")


TEXTS = [
    _kind(
        "text",
        "a.txt",
        lambda path: _text(TEXT.read_text()[:3000], path),
        _manifest("language/lstm-small-ptb"),
    ),
    _kind(
        "text, zipped",
        "a.txt.gz",
        lambda path: path.write_bytes(gzip.compress(TEXT.read_bytes()[:3000], mtime=0)),
        _manifest("language/lstm-small-ptb"),
        detectable=True,
    ),
    _kind(
        "labelled texts, CSV",
        "a.csv",
        lambda path: csv.writer(path.open("w", newline="")).writerows(
            [("text", "label"), *_LABELLED]
        ),
        labelled.read_manifest,
    ),
    _kind(
        "labelled texts, JSON",
        "a.jsonl",
        functools.partial(_text, _json_lines(*({"text": t, "label": k} for t, k in _LABELLED))),
        labelled.read_manifest,
    ),
    Kind("parallel text", _sides, "*", lambda f: parallel.read_manifest(f / "talk.en", LANGUAGES)),
    _kind(
        "parallel text, JSON",
        "a.jsonl",
        functools.partial(_text, _json_lines(*({"source": a, "target": b} for a, b in _PAIRS))),
        lambda path: parallel.read_manifest(path, LANGUAGES),
    ),
    _kind(
        "word pairs",
        "a.txt",
        functools.partial(_text, "tiger cat 7.35\nbook paper 7.5\n"),
        read_pairs,
    ),
]

# Lists of recordings, pictures and videos


def _with_clips(folder: Path, name: str, text: str) -> None:
    for clip in ("a.flac", "b.flac"):
        shutil.copy(CLIP, folder / clip)
    (folder / name).write_text(text)


def _an4(folder: Path) -> None:
    shutil.copytree(AN4, folder, dirs_exist_ok=True)


def _pictures(folder: Path, name: str, *rows: dict[str, Any]) -> None:
    _picture(folder / "a.png")
    (folder / name).write_text(_json_lines(*rows))


def _list(name: str, file: str, make: Callable[..., None], read: Callable[[Path], Any], *content):
    """A kind of a list beside what it names, of which the list alone is damaged."""
    return Kind(name, lambda folder: make(folder, file, *content), file, _of(read, file))


LISTS = [
    _list(
        "utterances, CSV",
        "a.csv",
        _with_clips,
        utterance.read_manifest,
        "wav_filename,transcript,split\na.flac,GO,train\nb.flac,ENTER,dev\n",
    ),
    _list(
        "utterances, JSON",
        "a.json",
        _with_clips,
        utterance.read_manifest,
        _json_lines({"audio_filepath": "a.flac", "text": "GO", "speaker": 3}),
    ),
    Kind("utterances, TSV", _an4, "utterances.tsv", _of(utterance.read_manifest, "utterances.tsv")),
    Kind("corpus of speech", _an4, "utterances.tsv", lambda folder: AN4_CORPUS.read(folder, "all")),
    _list(
        "sounds, CSV",
        "a.csv",
        _with_clips,
        spectrogram.read_manifest,
        "filename,label,split,group\na.flac,call,train,1\nb.flac,none,,2\n",
    ),
    _list(
        "captioned pictures",
        "a.jsonl",
        _pictures,
        captions.read_manifest,
        {"image": "a.png", "captions": ["a field", "some trees"], "split": "train"},
        {"image": "a.png", "caption": "a road"},
    ),
    _list(
        "videos", "a.jsonl", _pictures, read_clips, {"video": "a.png", "label": "up", "group": "x"}
    ),
]

# What a decoder takes

_ARPA = """\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-99\t<s>\t-0.3
-0.9\t</s>
-0.7\tA\t-0.3
-0.8\tSMALL\t-0.2
-0.9\tC<U+0020>P\t-0.2

\\2-grams:
-0.3\t<s> A
-0.4\tA SMALL
-0.5\tSMALL </s>

\\end\\
"""


def _arpa(path: Path) -> list[Any]:
    model = read_arpa(path)
    return [model.words, read_words(path), *itertools.chain(*map(vars_of, model.orders))]


def vars_of(value: Any) -> list[Any]:
    """The fields of a dataclass or named tuple."""
    return list(vars(value).values())


DECODING = [
    _kind("ARPA", "a.arpa", functools.partial(_text, _ARPA), _arpa),
    _kind(
        "ARPA, zipped",
        "a.arpa.gz",
        lambda path: path.write_bytes(gzip.compress(_ARPA.encode(), mtime=0)),
        _arpa,
        detectable=True,
    ),
    _kind(
        "lexicon",
        "a.txt",
        functools.partial(_text, ";;; words\nA\nSMALL\nCLIP(2) C L I P\n"),
        lambda path: read_lexicon(path, LABELS),
    ),
    _kind(
        "pronunciations",
        "a.dic",
        lambda path: shutil.copy(AN4 / "etc" / "an4.dic", path),
        read_pronunciations,
    ),
    _kind(
        "decoder file",
        "a.json",
        lambda path: write_options(path, {"beam_width": 8, "lm_weight": 0.5}, {"dev": "an4"}),
        read_options,
    ),
]

KINDS = [*RECORDINGS, *PICTURES, *STROKES, *SERIES, *TEXTS, *LISTS, *DECODING]
