"""NN5: daily withdrawals from 111 cash machines in England, over two years from 18 March 1996.

The test split has the 56 days that the competitors had to forecast. Its history is the 735 days of the
train split.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np

from zoo.common.core.corpus import Corpus, Download, check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.common.data.text import is_number
from zoo.timeseries.forecasting.columns import Columns
from zoo.timeseries.forecasting.corpora.segment import Segment
from zoo.timeseries.forecasting.tables import read_table
from zoo.timeseries.forecasting.time_index import TimeIndex

FILES = {"train": "nn5_train.csv.gz", "test": "nn5_test.csv.gz"}
RELEASED = "nn5_daily_dataset_with_missing_values.tsf"
FIRST_DAY, DAYS_AHEAD = "1996-03-18", 56


def read(folder: Path, split: str) -> list[Segment]:
    """Return one segment per cash machine.

    Args:
        folder: folder with the files of `FILES`, one column per series; or with `RELEASED`, the file of
            the Monash archive, one series per line.
        split: "train", "test" or "all".

    Raises:
        ZooError: see `zoo.common.core.corpus.Corpus`.
    """
    check_folder(NN5.name, folder)
    if split not in (*FILES, "all"):
        raise no_such_split(NN5.name, list(FILES), split)
    time_index, segments = TimeIndex(FIRST_DAY, 1), []
    if not (folder / FILES["train"]).exists() and (folder / RELEASED).exists():
        train, ahead = _read_released(folder / RELEASED)
    else:
        train = _read(folder / FILES["train"])
        ahead = _read(folder / FILES["test"]) if split != "train" else {}
    history = {name: tuple(v.tolist()) for name, v in train.items()}
    if split != "test":
        segments += [Segment(name, v, (), "train", (), time_index) for name, v in history.items()]
    if split != "train":
        segments += [
            Segment(f"{name}, test", tuple(v.tolist()), history[name], "test", (), time_index)
            for name, v in ahead.items()
        ]
    return segments


def _read(path: Path) -> dict[str, np.ndarray]:
    return read_table(path, Columns()).values


def _read_released(path: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the series of the Monash archive up to the days ahead, and these days, by name.

    After a line "@data", a line is a name, the time of the first value and the values, separated by ":".

    Raises:
        ZooError: the file is missing, or a line is invalid. The message has its number.
    """
    lines = read_lines(path)
    data = list(itertools.dropwhile(lambda line: line[1].strip().lower() != "@data", lines))
    if not data:
        raise ZooError(f'{path}: a .tsf file must have a line "@data".')
    numbers = itertools.count(1)

    def parse(line: str) -> Segment:
        texts = [text.strip() for text in line.rpartition(":")[2].split(",")]
        if not all(is_number(text) or text == "?" for text in texts):
            raise ZooError(f"a value must be a number or '?'. Received: {line[:80]!r}")
        if len(texts) <= DAYS_AHEAD:
            raise ZooError(f"a series must have over {DAYS_AHEAD} values. Received: {len(texts)}")
        values = (math.nan if text == "?" else float(text) for text in texts)
        return Segment(f"NN5.{next(numbers):03}", tuple(values))

    series = {each.id: np.array(each.values) for each in parse_lines(path, data[1:], parse)}
    return (
        {name: values[:-DAYS_AHEAD] for name, values in series.items()},
        {name: values[-DAYS_AHEAD:] for name, values in series.items()},
    )


NN5 = Corpus(
    name="timeseries",
    title="NN5: daily withdrawals from 111 cash machines, 735 days, and the 56 that follow as test",
    licence="free to copy: it travels with packages under the GPL and BSD licences",
    source="Crone 2008, NN5 forecasting competition for neural networks",
    read=read,
    downloads=(
        Download(
            "https://zenodo.org/records/4656110/files/nn5_daily_dataset_with_missing_values.zip",
            size=250_000,  # approximate
            checksum="md5:2529489455b2d9f730fbb3c65d39df88",
            recorded="the Monash archive, GluonTS (address), a public program (checksum)",
        ),
    ),
)
