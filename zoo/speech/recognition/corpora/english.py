"""All English speech of the zoo with a text in letters: AN4 and the mini LibriSpeech corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zoo.common.core.corpus import Corpus, check_folder
from zoo.common.data.splits import split_by_group
from zoo.speech.recognition.corpora.an4 import AN4
from zoo.speech.recognition.corpora.librispeech import LIBRISPEECH_MINI
from zoo.speech.utterance import Utterance

PARTS = (AN4, LIBRISPEECH_MINI)
# Those of the recipes for one corpus, so that a preset of one (`--init`) was not trained on dev.
DEV_FRACTION, SEED = 0.1, 0


def read(folder: Path, split: str) -> list[Utterance]:
    """Return the utterances of a split of both corpora. Their ids and speakers begin with the corpus.

    Args:
        folder: a folder with the folders `an4` and `librispeech_mini`, each as its corpus describes.
        split: "train", "dev", "test" or "all". Dev has the speakers that the recipes for one corpus
            split off.

    Raises:
        ZooError: as the readers of both corpora.
    """
    check_folder(ENGLISH.name, Path(folder))
    return [
        replace(one, id=f"{part.name}/{one.id}", speaker=f"{part.name}/{one.speaker}")
        for part in PARTS
        for one in _read_part(part, Path(folder) / part.name, split)
    ]


def _read_part(part: Corpus, folder: Path, split: str) -> list[Utterance]:
    if split not in ("train", "dev"):
        return part.read(folder, split)
    found = part.read(folder, "train")
    train, dev = split_by_group(found, lambda one: one.speaker, DEV_FRACTION, SEED)
    return train if split == "train" else dev


ENGLISH = Corpus(
    name="english",
    title="AN4 and Mini LibriSpeech together: 2,191 + 286 utterances of 112 speakers",
    licence="CMU, free for any use; CC BY 4.0",
    source="https://github.com/cmusphinx/an4, https://www.openslr.org/31",
    read=read,
    dev_split="dev",
)
