"""Data set A of the Santa Fe competition: the intensity of a far-infrared laser in a chaotic state.

The train split has the 1000 values that the competitors received. The test split is the continuation in
the file, the 100 values that they had to forecast. Its history is the train split.
"""

from __future__ import annotations

from pathlib import Path

from zoo.common.core.corpus import Corpus, Download, check_folder, no_such_split
from zoo.timeseries.forecasting.corpora.segment import Segment, read_values

FILES = {"train": "santafe_A_train.txt", "test": "santafe_A_cont.txt"}
# In the release, the continuation has 9093 values.
RELEASED = {"train": "A.dat", "test": "A.cont"}
VALUES_AHEAD = 100
_ARCHIVED = (
    "https://web.archive.org/web/20160427182805if_/"
    "http://www-psych.stanford.edu:80/~andreas/Time-Series/SantaFe"
)


def read(folder: Path, split: str) -> list[Segment]:
    """Return the segment of a split.

    Args:
        folder: folder with the files of `FILES` or of `RELEASED`, one value per line.
        split: "train", "test" or "all".

    Raises:
        ZooError: see `zoo.common.core.corpus.Corpus`.
    """
    check_folder(LASER.name, folder)
    if split not in (*FILES, "all"):
        raise no_such_split(LASER.name, list(FILES), split)
    names = FILES if (folder / FILES["train"]).exists() else RELEASED
    train = Segment(FILES["train"], read_values(folder / names["train"]), split="train")
    if split == "train":
        return [train]
    values = read_values(folder / names["test"])[:VALUES_AHEAD]
    test = Segment(FILES["test"], values, train.values, split="test")
    return [test] if split == "test" else [train, test]


LASER = Corpus(
    name="timeseries",
    title="Santa Fe A: 1000 intensities of a chaotic laser, and the 100 that follow as its test split",
    licence="free to copy: it travels with packages under the GPL and BSD licences",
    source="Weigend & Gershenfeld 1994, Time Series Prediction, data set A",
    read=read,
    # Stanford's page is gone; this is its copy in the Internet Archive.
    downloads=tuple(
        Download(
            f"{_ARCHIVED}/{name}", size, recorded="public programs (address); no checksum was found"
        )
        for name, size in (("A.dat", 4_000), ("A.cont", 36_000))  # approximate sizes
    ),
)
