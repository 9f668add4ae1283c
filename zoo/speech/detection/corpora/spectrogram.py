"""Spectrograms with a class: examples whose features were computed by others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_table

COLUMNS = ("filename", "label")


@dataclass(frozen=True)
class Spectrogram:
    """One clip.

    id: str. Its name, unique in the corpus or manifest it was read from.
    transcript: str. Its class.
    split: str. The corpus's own split; empty if it has none.
    values: [frames, bands] in any type of number; None where `path` is to be read.
    path: Path. A recording, or a spectrogram as a .npy file; None where there are values.
    group: str. What it shares with others, such as a tape; empty where nothing is known.
    seconds: float. Length of the recording, where that is known.
    """

    id: str
    transcript: str
    split: str = ""
    values: np.ndarray | None = field(default=None, repr=False, compare=False)
    path: Path | None = None
    group: str = ""
    seconds: float = 0.0


def read_manifest(path: Path) -> list[Spectrogram]:
    """Return the clips listed in one file, in its order.

    Args:
        path: CSV or TSV with a header that has the columns `filename` and `label`, and perhaps `split`
            and `group`. A file is a recording or a spectrogram (.npy); relative paths start at the
            manifest's folder.

    Raises:
        ZooError: as `zoo.common.data.manifests.parse_table`.
    """
    path = Path(path)

    def parse(row: dict[str, str]) -> Spectrogram:
        file, label = path.parent / row["filename"], row["label"].strip()
        if not file.is_file():
            raise ZooError(f"there is no file {file}")
        if not label:
            raise ZooError("the label is empty")
        split, group = (row.get(name) or "" for name in ("split", "group"))
        return Spectrogram(row["filename"], label, split, path=file, group=group)

    return parse_table(path, COLUMNS, parse)
