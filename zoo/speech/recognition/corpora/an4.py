"""CMU AN4: spelled names, numbers and control words, read over a close microphone."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from zoo.common.core.corpus import Corpus, Download
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import Published
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.common.data.pronunciations import read_pronunciations
from zoo.speech.utterance import Utterance, find_audio, read_splits, read_utterances, utterance

# The symbols of AN4's transcripts: it spells numbers as words.
AN4_LETTERS = tuple(" ABCDEFGHIJKLMNOPQRSTUVWXYZ")
# egs2/an4/asr1/README.md of ESPnet, on the same 130 recordings with 773 words.
AN4_PUBLISHED = Published("wer", 0.076, "ESPnet2 2021, a transformer without a language model")
TABLE = "utterances.tsv"
DICTIONARY = "an4.dic"
# The first pronunciation in the dictionary is used, except for A, which is nearly always the letter.
_PRONUNCIATIONS = {"A": "A(2)"}
# The folders of recordings in the original release, by split.
_RECORDINGS = {"test": "an4test_clstk", "train": "an4_clstk"}


def read(folder: Path, split: str) -> list[Utterance]:
    """Return the utterances of a split.

    Args:
        folder: the corpus in the layout of its release (in WAV or SPHERE); or `utterances.tsv` with the
            audio at `<split>/<speaker>/<utt_id>`.
        split: "train", "test" or "all".

    Raises:
        ZooError: as `zoo.speech.utterance.read_splits`.
    """
    return read_splits(
        AN4.name,
        folder,
        split,
        find_splits=_find_splits,
        read_split=_read_split,
        layout=f"{TABLE} and <split>/<speaker>/, or etc/an4_<split>.transcription, wav/an4_clstk and "
        "wav/an4test_clstk",
    )


AN4 = Corpus(
    name="an4",
    title="CMU AN4: 948 + 130 utterances of letters, numbers and control words, 84 speakers",
    licence="CMU, free for any use",
    source="https://github.com/cmusphinx/an4",
    read=read,
    downloads=(
        Download(
            "https://dldata-public.s3.us-east-2.amazonaws.com/an4_sphere.tar.gz",
            size=64_000_000,  # approximate
            checksum="sha256:a0525579493735d32b60fb6fa5975dd0eaacde087b0a4eeb7f13b7ef33077b12",
            recorded="NVIDIA NeMo's documentation (address), training programs for it (checksum)",
            members=("etc/*", "wav/*", "LICENSE", "README*"),
            strip=1,
        ),
    ),
)


def read_phonemes(folder: Path, split: str) -> list[Utterance]:
    """Return the utterances of a split with transcripts in phonemes, such as "Y EH S" for YES.

    Args:
        folder: as in `read`, with the dictionary of the release at `etc/an4.dic`.
        split: as in `read`.

    Raises:
        ZooError: as `read`; or the dictionary is missing, has an invalid line, or lacks a word.
    """
    utterances = read(folder, split)
    dictionary = read_pronunciations(Path(folder) / "etc" / DICTIONARY)

    def pronounce(example: Utterance) -> Utterance:
        words = (_PRONUNCIATIONS.get(word, word) for word in example.transcript.split())
        try:
            return replace(example, transcript=" ".join(dictionary[word] for word in words))
        except KeyError as error:
            raise ZooError(
                f"{folder}: {DICTIONARY} has no pronunciation of {error}, a word of {example.id!r}."
            ) from None

    return [pronounce(example) for example in utterances]


AN4_PHONEMES = replace(AN4, title=f"{AN4.title}, in phonemes", read=read_phonemes)


def _find_splits(folder: Path) -> list[str]:
    if (folder / TABLE).is_file():
        return [split for split in _RECORDINGS if (folder / split).is_dir()]
    return [
        split
        for split, recordings in _RECORDINGS.items()
        if _transcription(folder, split).is_file() and (folder / "wav" / recordings).is_dir()
    ]


def _read_split(folder: Path, split: str) -> list[Utterance]:
    if (folder / TABLE).is_file():
        return read_utterances(folder / TABLE, split)
    path, recordings = _transcription(folder, split), folder / "wav" / _RECORDINGS[split]
    return parse_lines(path, read_lines(path), partial(_from_transcription, recordings, split))


def _transcription(folder: Path, split: str) -> Path:
    return folder / "etc" / f"an4_{split}.transcription"


def _from_transcription(folder: Path, split: str, line: str) -> Utterance:
    """Return the utterance of a line such as `<s> RUBOUT A(2) </s> (an251-fash-b)`.

    The middle part of the id is the speaker.
    """
    match = re.fullmatch(r"(.*?)\s*\((\w+-(\w+)-\w+)\)\s*", line)
    if match is None:
        raise ZooError("not of the form `<s> WORDS </s> (name-speaker-b)`")
    words, name, speaker = match.groups()
    # Removes marks of silence and of sentence ends, and the numbers of pronunciations.
    words = re.sub(r"<[^<>\s]*>|\(\d+\)", " ", words)
    audio = find_audio(folder, speaker, name)
    return utterance(audio, words.upper(), id=name, speaker=speaker, split=split)
