"""The Stanford Sentiment Treebank with two classes: sentences of film reviews, with its own splits.

Each line is a sentence in lower case, with spaces between words and punctuation marks, then a tab, and 0
or 1.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from zoo.common.core.corpus import Corpus, Download, check_folder, no_such_split
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.language.classification.corpora.labelled import LabelledSentence, labelled_sentence

SPLITS = ("train", "dev", "test")
_FILES = (
    "https://raw.githubusercontent.com/clairett/pytorch-sentiment-classification/master/data/SST2"
)
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
    restricted=True,
    # The 6,920 training sentences of Socher et al. GLUE's SST-2 has 67,349 phrases of them and another
    # form of the text. The checksums are those of the files that the presets were trained on.
    downloads=tuple(
        Download(f"{_FILES}/{split}.tsv", size, f"sha256:{digest}", "public notebooks (address)")
        for split, size, digest in (
            ("train", 720_259, "ec192f833a64da08f475488a77b0d0b47db47acd0f458bd18433fc793b569920"),
            ("dev", 92_057, "eddea6b39e601dd4e7a672b53cc40fdf6019fa80522f351206c24340ca5d9359"),
            ("test", 188_749, "831169c7e2e429d6026e1bdbb542f33b636e3e596caad9602ebc953c205928b7"),
        )
    ),
)


def _file(folder: Path, split: str) -> Path:
    return folder / f"{split}.tsv"


def _read(folder: Path, split: str) -> list[LabelledSentence]:
    path, numbers = _file(folder, split), count(1)

    def parse(line: str) -> LabelledSentence:
        return labelled_sentence(line, f"{split} {next(numbers)}", CLASSES, split)

    return parse_lines(path, read_lines(path), parse)
