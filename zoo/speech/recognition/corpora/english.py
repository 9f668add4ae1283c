"""All English speech of the zoo with a text in letters: AN4 and the mini LibriSpeech corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zoo.common.core.corpus import Corpus, check_folder
from zoo.speech.recognition.corpora.an4 import AN4
from zoo.speech.recognition.corpora.librispeech import LIBRISPEECH_MINI
from zoo.speech.utterance import Utterance

PARTS = (AN4, LIBRISPEECH_MINI)


def read(folder: Path, split: str) -> list[Utterance]:
    """Return the utterances of a split of both corpora. Their ids and speakers begin with the corpus.

    Args:
        folder: a folder with the folders `an4` and `librispeech_mini`, each as its corpus describes.
        split: "train", "test" or "all".

    Raises:
        ZooError: as the readers of both corpora.
    """
    check_folder(ENGLISH.name, Path(folder))
    return [
        replace(one, id=f"{part.name}/{one.id}", speaker=f"{part.name}/{one.speaker}")
        for part in PARTS
        for one in part.read(Path(folder) / part.name, split)
    ]


ENGLISH = Corpus(
    name="english",
    title="AN4 and Mini LibriSpeech together: 2,191 + 286 utterances of 112 speakers",
    licence="CMU, free for any use; CC BY 4.0",
    source="https://github.com/cmusphinx/an4, https://www.openslr.org/31",
    read=read,
)
