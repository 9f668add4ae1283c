"""Multi30k, English to German: captions of photographs, with translations by humans.

Elliott et al., "Multi30K: multilingual English-German image descriptions" (2016), task 1.
"""

from __future__ import annotations

from pathlib import Path

from zoo.common.core.corpus import Corpus, check_folder, no_such_split
from zoo.language.translation.corpora.parallel import SentencePair, read_two_files

SPLITS = ("train", "val", "test_2016_flickr")
LANGUAGES = ("en", "de")


def read(folder: Path, split: str) -> list[SentencePair]:
    """Return the pairs of a split.

    Args:
        folder: a folder with `<split>.en` and `<split>.de`, plain or gzipped.
        split: one of `SPLITS` or "all".

    Raises:
        ZooError: as `zoo.common.core.corpus.Corpus` describes it.
    """
    check_folder(MULTI30K.name, folder)
    if split not in (*SPLITS, "all"):
        raise no_such_split(MULTI30K.name, list(SPLITS), split)
    splits = SPLITS if split == "all" else (split,)
    return [
        pair for name in splits for pair in read_two_files(folder / name, LANGUAGES, name, name)
    ]


MULTI30K = Corpus(
    name="multi30k",
    title="Multi30k: 31,014 captions of photographs, in English and German",
    licence="derived from Flickr30k; non-commercial research",
    source="https://github.com/multi30k/dataset",
    read=read,
    dev_split="val",
    test_split="test_2016_flickr",
)
