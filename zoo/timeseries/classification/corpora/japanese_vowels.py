"""Japanese Vowels: nine men speak the vowels "ae"; the class is the speaker.

A series has twelve cepstral coefficients of a linear prediction, for 7 to 29 frames.
"""

from __future__ import annotations

from pathlib import Path

from zoo.common.core.corpus import Corpus, Download, check_folder, no_such_split
from zoo.timeseries.classification.corpora.labelled_series import LabelledSeries, read_ts

FILES = {"train": "JapaneseVowels_TRAIN.ts", "test": "JapaneseVowels_TEST.ts"}
SPEAKERS = tuple("123456789")


def read(folder: Path, split: str) -> list[LabelledSeries]:
    """Return the series of a split, in the order of the file.

    Args:
        folder: folder with the files of `FILES`.
        split: "train", "test" or "all".

    Raises:
        ZooError: see `zoo.common.core.corpus.Corpus`.
    """
    check_folder(JAPANESE_VOWELS.name, folder)
    if split not in (*FILES, "all"):
        raise no_such_split(JAPANESE_VOWELS.name, list(FILES), split)
    names = FILES if split == "all" else [split]
    return [each for name in names for each in read_ts(folder / FILES[name], name)]


JAPANESE_VOWELS = Corpus(
    name="timeseries",
    title="Japanese Vowels: nine speakers, 270 series of twelve channels and 370 for test",
    licence="CC BY 4.0, UCI Machine Learning Repository",
    source="Kudo, Toyama & Shimbo 1999, Multidimensional curve classification using passing-through "
    "regions",
    read=read,
    downloads=(
        Download(
            "https://www.timeseriesclassification.com/aeon-toolkit/JapaneseVowels.zip",
            size=700_000,  # approximate
            recorded="aeon and other libraries (address); no checksum was found",
            members=tuple(FILES.values()),
        ),
    ),
)
