"""The Stanford Sentiment Treebank with two classes: sentences of film reviews, with its own splits.

Each line is a sentence in lower case, with spaces between words and punctuation marks, then a tab, and 0
or 1.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from zoo.common.core.corpus import Corpus, check_folder, no_such_split
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.language.classification.corpora.labelled import LabelledSentence, labelled_sentence

SPLITS = ("train", "dev", "test")
CLASSES = {"0": "negative", "1": "positive"}


def read(folder: Path, split: str) -> list[LabelledSentence]:
    """Return the sentences of a split.

    Args:
        folder: a folder with `train.tsv`, `dev.tsv` and `test.tsv`, or with the requested ones.
        split: one of `SPLITS` or "all".

    Raises:
        ZooError: as `zoo.common.core.corpus.Corpus` describes it.
    """
    check_folder(SST2.name, folder)
    if split not in (*SPLITS, "all"):
        raise no_such_split(SST2.name, list(SPLITS), split)
    splits = [split]
    if split == "all":  # the existing files
        splits = [name for name in SPLITS if _file(folder, name).exists()] or list(SPLITS)
    return [example for name in splits for example in _read(folder, name)]


SST2 = Corpus(
    name="sst2",
    title="Stanford Sentiment Treebank, two classes: 9,613 sentences of film reviews",
    licence="none stated; research use",
    source="https://nlp.stanford.edu/sentiment",
    read=read,
    dev_split="dev",
)


def _file(folder: Path, split: str) -> Path:
    return folder / f"{split}.tsv"


def _read(folder: Path, split: str) -> list[LabelledSentence]:
    path, numbers = _file(folder, split), count(1)

    def parse(line: str) -> LabelledSentence:
        return labelled_sentence(line, f"{split} {next(numbers)}", CLASSES, split)

    return parse_lines(path, read_lines(path), parse)
