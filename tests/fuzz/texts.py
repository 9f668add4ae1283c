"""Kinds of files with texts, lists of examples, and resources of decoders."""

from __future__ import annotations

import functools
import gzip
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fuzz.kinds import Kind
from tests.fuzz.making import AN4, CLIP, json_lines, kind, manifest, of, picture, write_text
from zoo.common.data.labels import Labels
from zoo.common.data.pronunciations import read_pronunciations
from zoo.common.decoding.decoder_file import read_options, write_options
from zoo.common.language_model.arpa import read_arpa, read_words
from zoo.common.language_model.lexicon import read_lexicon
from zoo.language.classification.corpora import labelled
from zoo.language.embeddings.similarity import read_pairs
from zoo.language.modelling.data import SAMPLE as TEXT
from zoo.language.translation.corpora import parallel
from zoo.speech.detection.corpora import spectrogram
from zoo.speech.manifests import ManifestReader
from zoo.speech.recognition.corpora.an4 import AN4 as AN4_CORPUS
from zoo.vision_language.captioning import captions
from zoo.vision_language.motion.video_clip import read_clips

LABELS = Labels.of(["A SMALL CLIP"], "character")
LANGUAGES = ("en", "de")
RECORDINGS = ManifestReader()

# Texts

_LABELLED = (("it was good", "positive"), ("bad, very bad", "negative"))
_PAIRS = (("A dog runs.", "Ein Hund läuft."), ("Two men sit.", "Zwei Männer sitzen."))


def _sides(folder: Path) -> None:
    for language, side in zip(LANGUAGES, zip(*_PAIRS, strict=True), strict=True):
        (folder / f"talk.{language}").write_text("\n".join(side) + "\n", "utf-8")


TEXTS = [
    kind(
        "text",
        "a.txt",
        lambda path: write_text(TEXT.read_text()[:3000], path),
        manifest("language/lstm-small-ptb"),
    ),
    kind(
        "text, zipped",
        "a.txt.gz",
        lambda path: path.write_bytes(gzip.compress(TEXT.read_bytes()[:3000], mtime=0)),
        manifest("language/lstm-small-ptb"),
        detectable=True,
    ),
    kind(
        "labelled texts, CSV",
        "a.csv",
        functools.partial(write_text, 'text,label\nit was good,positive\n"bad, bad",negative\n'),
        labelled.read_manifest,
    ),
    kind(
        "labelled texts, JSON",
        "a.jsonl",
        functools.partial(write_text, json_lines(*({"text": t, "label": k} for t, k in _LABELLED))),
        labelled.read_manifest,
    ),
    Kind("parallel text", _sides, "*", lambda f: parallel.read_manifest(f / "talk.en", LANGUAGES)),
    kind(
        "parallel text, JSON",
        "a.jsonl",
        functools.partial(write_text, json_lines(*({"source": a, "target": b} for a, b in _PAIRS))),
        lambda path: parallel.read_manifest(path, LANGUAGES),
    ),
    kind(
        "word pairs",
        "a.txt",
        functools.partial(write_text, "tiger cat 7.35\nbook paper 7.5\n"),
        read_pairs,
    ),
]

# Lists of recordings, pictures and videos


def _with_clips(folder: Path, name: str, text: str) -> None:
    for clip in ("a.flac", "b.flac"):
        shutil.copy(CLIP, folder / clip)
    (folder / name).write_text(text)


def _kaldi(folder: Path) -> None:
    _with_clips(folder, "wav.scp", "one a.flac\ntwo b.flac\n")
    (folder / "text").write_text("x GO\ny ENTER\n")
    (folder / "segments").write_text("x one 0 0.4\ny two 0.1 -1\n")


def _an4(folder: Path) -> None:
    shutil.copytree(AN4, folder, dirs_exist_ok=True)


def _pictures(folder: Path, name: str, *rows: dict[str, Any]) -> None:
    picture(folder / "a.png")
    (folder / name).write_text(json_lines(*rows))


def _list(name: str, file: str, make: Callable[..., None], read: Callable[[Path], Any], *content):
    """Return a kind with a list and the files that it names. Only the list is damaged."""
    return Kind(name, lambda folder: make(folder, file, *content), file, of(read, file))


LISTS = [
    _list(
        "utterances, CSV",
        "a.csv",
        _with_clips,
        RECORDINGS.read,
        "wav_filename,transcript,split\na.flac,GO,train\nb.flac,ENTER,dev\n",
    ),
    _list(
        "utterances, JSON",
        "a.json",
        _with_clips,
        RECORDINGS.read,
        json_lines({"audio_filepath": "a.flac", "text": "GO", "speaker": 3}),
    ),
    _list(
        "utterances, Common Voice",
        "a.tsv",
        _with_clips,
        RECORDINGS.read,
        "client_id\tpath\tsentence\nann\ta.flac\tGo.\nbob\tb.flac\tEnter!\n",
    ),
    _list(
        "utterances, LJSpeech",
        "metadata.csv",
        _with_clips,
        RECORDINGS.read,
        "a|GO 2|GO TWO\nb|ENTER|\n",
    ),
    _list(
        "utterances, LibriSpeech",
        "1-2.trans.txt",
        _with_clips,
        RECORDINGS.read,
        "a GO TWO\nb ENTER\n",
    ),
    Kind("utterances, Kaldi", _kaldi, "wav.scp", of(RECORDINGS.read, "wav.scp")),
    Kind("segments of Kaldi", _kaldi, "segments", of(RECORDINGS.read, "wav.scp")),
    Kind("utterances, TSV", _an4, "utterances.tsv", of(RECORDINGS.read, "utterances.tsv")),
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

# Resources of decoders

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
    return [
        model.words,
        read_words(path),
        *itertools.chain(*(vars(order).values() for order in model.orders)),
    ]


DECODING = [
    kind("ARPA", "a.arpa", functools.partial(write_text, _ARPA), _arpa),
    kind(
        "ARPA, zipped",
        "a.arpa.gz",
        lambda path: path.write_bytes(gzip.compress(_ARPA.encode(), mtime=0)),
        _arpa,
        detectable=True,
    ),
    kind(
        "lexicon",
        "a.txt",
        functools.partial(write_text, ";;; words\nA\nSMALL\nCLIP(2) C L I P\n"),
        lambda path: read_lexicon(path, LABELS),
    ),
    kind(
        "pronunciations",
        "a.dic",
        lambda path: shutil.copy(AN4 / "etc" / "an4.dic", path),
        read_pronunciations,
    ),
    kind(
        "decoder file",
        "a.json",
        lambda path: write_options(path, {"beam_width": 8, "lm_weight": 0.5}, {"dev": "an4"}),
        read_options,
    ),
]

KINDS = [*TEXTS, *LISTS, *DECODING]
