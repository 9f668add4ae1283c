"""NN5: daily withdrawals from 111 cash machines in England, over two years from 18 March 1996.

The test split has the 56 days that the competitors had to forecast. Its history is the 735 days of the
train split.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.common.core.corpus import Corpus, check_folder, no_such_split
from zoo.timeseries.forecasting.columns import Columns
from zoo.timeseries.forecasting.corpora.segment import Segment
from zoo.timeseries.forecasting.tables import read_table
from zoo.timeseries.forecasting.time_index import TimeIndex

FILES = {"train": "nn5_train.csv.gz", "test": "nn5_test.csv.gz"}
FIRST_DAY, DAYS_AHEAD = "1996-03-18", 56


def read(folder: Path, split: str) -> list[Segment]:
    """Return one segment per cash machine.

    Args:
        folder: folder with the files of `FILES`, one column per series.
        split: "train", "test" or "all".

    Raises:
        ZooError: see `zoo.common.core.corpus.Corpus`.
    """
    check_folder(NN5.name, folder)
    if split not in (*FILES, "all"):
        raise no_such_split(NN5.name, list(FILES), split)
    time_index, segments = TimeIndex(FIRST_DAY, 1), []
    history = {name: tuple(v.tolist()) for name, v in _read(folder / FILES["train"]).items()}
    if split != "test":
        segments += [Segment(name, v, (), "train", (), time_index) for name, v in history.items()]
    if split != "train":
        test = _read(folder / FILES["test"])
        segments += [
            Segment(f"{name}, test", tuple(v.tolist()), history[name], "test", (), time_index)
            for name, v in test.items()
        ]
    return segments


def _read(path: Path) -> dict[str, np.ndarray]:
    return read_table(path, Columns()).values


NN5 = Corpus(
    name="timeseries",
    title="NN5: daily withdrawals from 111 cash machines, 735 days, and the 56 that follow as test",
    licence="free to copy: it travels with packages under the GPL and BSD licences",
    source="Crone 2008, NN5 forecasting competition for neural networks",
    read=read,
)
