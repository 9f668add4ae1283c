"""LibriSpeech's layout: read English, here the mini corpus of five hours."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from zoo.common.core.corpus import Corpus
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.speech.corpora.utterance import Utterance, find_audio, read_splits, utterance


def read(folder: Path, split: str) -> list[Utterance]:
    """Return the utterances of a split.

    Args:
        folder: the corpus as released: `<split>/<speaker>/<chapter>/` with a list of transcripts.
        split: one of its subsets, such as "dev-clean", or "all" for every subset that is there.

    Raises:
        ZooError: as `zoo.speech.corpora.utterance.read_splits`.
    """
    return read_splits(
        LIBRISPEECH_MINI.name,
        folder,
        split,
        find_splits=_find_splits,
        read_split=_read_split,
        layout="<split>/<speaker>/<chapter>/<speaker>-<chapter>.trans.txt",
    )


LIBRISPEECH_MINI = Corpus(
    name="librispeech",
    title="Mini LibriSpeech: 5.3 hours of read English, 28 speakers",
    licence="CC BY 4.0",
    source="https://www.openslr.org/31",
    train_split="train-clean-5",
    read=read,
)


def _find_splits(folder: Path) -> list[str]:
    return sorted({path.parts[-4] for path in folder.glob("*/*/*/*.trans.txt")})


def _read_split(folder: Path, split: str) -> list[Utterance]:
    examples = []
    for path in sorted((folder / split).glob("*/*/*.trans.txt")):
        examples += parse_lines(path, read_lines(path), partial(_from_line, path.parent, split))
    return examples


def _from_line(folder: Path, split: str, line: str) -> Utterance:
    name, _, words = line.partition(" ")
    audio = find_audio(folder, name)
    return utterance(audio, words, id=name, speaker=name.partition("-")[0], split=split)
