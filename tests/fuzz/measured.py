"""Kinds of files with strokes, movements and series."""

from __future__ import annotations

import csv
import functools
import json
from pathlib import Path

import numpy as np

from tests.fuzz.making import json_lines, kind, manifest, write_text
from zoo.timeseries.classification.corpora.labelled_series import read_rows, read_ts
from zoo.timeseries.forecasting.columns import Columns
from zoo.timeseries.forecasting.corpora.segment import read_segments
from zoo.vision_language.handwriting.ink import read_ink
from zoo.vision_language.motion.skeleton_files import JOINTS, read_skeleton

# Strokes and movements

_INKML = """<?xml version="1.0"?>
<ink xmlns="http://www.w3.org/2003/InkML">
<traceFormat><channel name="X" type="decimal"/><channel name="Y" orientation="-ve"/></traceFormat>
<trace id="a">10 20, 11 22, 14 25, 20 20</trace>
<trace>30 20, 31 22.5, 34 -25</trace>
</ink>
"""
_STROKES = {"strokes": [[[1, 2], [3.5, 4], [5, 2]], [[7, 7], [8, 9]]]}
_POINTS = {"points": [[1, 2, 0], [3.5, 4, 1], [5, 2, 0]]}


def _joints() -> list[list[list[float]]]:
    generator = np.random.default_rng(0)
    still = generator.uniform(0.5, 1.5, (len(JOINTS), 3))
    return np.round(still + generator.normal(0, 0.02, (4, len(JOINTS), 3)), 3).tolist()


def _skeleton_lines() -> str:
    rows = (row for frame in _joints() for row in frame)
    return "".join(f"{x} {y} {z} 1.0\n" for x, y, z in rows)


STROKES = [
    kind("InkML", "a.inkml", functools.partial(write_text, _INKML), read_ink),
    kind("strokes", "a.json", functools.partial(write_text, json.dumps(_STROKES)), read_ink),
    kind("points", "a.json", functools.partial(write_text, json.dumps(_POINTS)), read_ink),
    kind(
        "list of words",
        "a.jsonl",
        functools.partial(
            write_text,
            json_lines(
                {"word": "go", **_STROKES, "split": "train"}, {"word": "no", "page": "b", **_POINTS}
            ),
        ),
        manifest("vision_language/blstm-ctc-gw-online"),
    ),
    kind(
        "list of drawings",
        "a.jsonl",
        functools.partial(write_text, json_lines({"group": "a", **_STROKES}, _POINTS)),
        manifest("vision_language/mdn-lstm-omniglot"),
    ),
    kind(
        "skeleton",
        "a.json",
        functools.partial(write_text, json.dumps({"joints": _joints()})),
        read_skeleton,
    ),
    kind(
        "skeleton, MSR Action3D",
        "a.txt",
        functools.partial(write_text, _skeleton_lines()),
        read_skeleton,
    ),
    kind(
        "list of movements",
        "a.jsonl",
        functools.partial(write_text, json_lines({"action": "wave", "joints": _joints()})),
        manifest("vision_language/lstm-msr-action3d"),
    ),
]

# Series

_DAYS = [f"2020-01-{day:02}" for day in range(1, 21)]


def _table(path: Path) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["day", "value", "price", "split"])
        for i, day in enumerate(_DAYS):
            rows.writerow(
                [day, "" if i == 7 else f"{i * i / 7:.3f}", i % 3, "train" if i < 15 else "dev"]
            )


def _parquet(path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    columns = {"day": _DAYS, "value": [i * i / 7 for i in range(20)]}
    parquet.write_table(pyarrow.table(columns), path)


_LONG = "unique_id;year;month;value\r" + "".join(
    f"{name};2020;{month};{month * month},5\r" for month in range(1, 13) for name in "ab"
)
_TS = """# series of two channels
@problemName tiny
@dimensions 2
@classLabel true up down
@data
1,2,3:3,2,1:up
4,5,6:1.5,2,3:down
"""
SERIES = [
    kind(
        "numbers",
        "a.txt",
        functools.partial(write_text, "".join(f"{i * 1.5}\n" for i in range(30))),
        lambda path: read_segments(path, Columns()),
    ),
    kind("table", "a.csv", _table, lambda path: read_segments(path, Columns("value", ("price",)))),
    kind(
        "table with semicolons, in UTF-16",
        "a.csv",
        lambda path: path.write_bytes(_LONG.encode("utf-16")),
        lambda path: read_segments(path, Columns()),
    ),
    kind("Parquet", "a.parquet", _parquet, lambda path: read_segments(path, Columns())),
    kind("UEA archive", "a.ts", functools.partial(write_text, _TS), read_ts),
    kind("rows", "a.csv", functools.partial(write_text, "a,b\n1,2\n3,4.5\n5,6\n"), read_rows),
]

KINDS = [*STROKES, *SERIES]
