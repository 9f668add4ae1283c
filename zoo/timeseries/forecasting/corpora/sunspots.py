"""The yearly number of sunspots, 1700 to 2008, in the classic split of its years.

The literature evaluates on two parts after 1920: 1921-1955 and 1956-1979. Here the first one is dev,
which chooses the best epoch, and the second one, which is harder, is test. Later years are not used.
"""

from __future__ import annotations

from pathlib import Path

from zoo.common.core.corpus import Corpus, Download, check_folder, no_such_split
from zoo.timeseries.forecasting.columns import Columns
from zoo.timeseries.forecasting.corpora.segment import Segment
from zoo.timeseries.forecasting.tables import read_table
from zoo.timeseries.forecasting.time_index import TimeIndex

FILE, COLUMN = "sunspots_yearly.csv", "SUNACTIVITY"
# First and last year of each split.
YEARS = {"train": (1700, 1920), "dev": (1921, 1955), "test": (1956, 1979)}


def read(folder: Path, split: str) -> list[Segment]:
    """Return the segment of a split; the years before it are its history.

    Args:
        folder: folder with `FILE`.
        split: "train", "dev", "test" or "all".

    Raises:
        ZooError: see `zoo.common.core.corpus.Corpus`.
    """
    check_folder(SUNSPOTS.name, folder)
    if split not in (*YEARS, "all"):
        raise no_such_split(SUNSPOTS.name, list(YEARS), split)
    values = tuple(read_table(folder / FILE, Columns(COLUMN)).values[COLUMN].tolist())
    segments = []
    for name, (first, last) in YEARS.items():
        begin, end = (year - YEARS["train"][0] for year in (first, last + 1))
        id_ = f"sunspots {first}-{last}"
        time_index = TimeIndex(str(YEARS["train"][0]), 1)
        segments.append(Segment(id_, values[begin:end], values[:begin], name, (), time_index))
    return [segment for segment in segments if split in (segment.split, "all")]


SUNSPOTS = Corpus(
    name="timeseries",
    title="Yearly sunspot numbers: 1700-1920 train, 1921-1955 dev, 1956-1979 test",
    licence="public domain, as statsmodels states it",
    source="National Geophysical Data Center, in statsmodels.datasets.sunspots",
    read=read,
    dev_split="dev",
    downloads=(
        Download(
            "https://raw.githubusercontent.com/statsmodels/statsmodels/main/statsmodels/datasets/sunspots/"
            "sunspots.csv",
            size=2_944,
            checksum="sha256:f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b",
            recorded="statsmodels 0.15, whose package has the file",
            name=FILE,
        ),
    ),
)
