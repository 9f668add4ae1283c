"""Examples of spectrograms with a label, and their manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.manifests import check_whole
from zoo.common.data.tables import read_table
from zoo.speech.audio.excerpts import Excerpt
from zoo.speech.audio.reading import decoded
from zoo.speech.detection.annotations import Event

COLUMNS = ("filename", "label")


@dataclass(frozen=True)
class Spectrogram:
    """A spectrogram with a label.

    Args:
        id: name, unique in its corpus or manifest.
        label: its class.
        split: the corpus's own split; empty if it has none.
        values: numbers [frames, bands]; None if `path` is to be read.
        path: a recording, or a spectrogram as a .npy file; None if there are values.
        group: name of what it has in common with other examples, such as a tape; empty if unknown.
        seconds: duration of the recording or the excerpt, if known.
        excerpt: the part of the recording that has the label; None for the whole.
        timeline: the events in the recording around the excerpt, as in
            `zoo.speech.detection.cutting.Cut`.
    """

    id: str
    label: str
    split: str = ""
    values: np.ndarray | None = field(default=None, repr=False, compare=False)
    path: Path | None = None
    group: str = ""
    seconds: float = 0.0
    excerpt: Excerpt | None = None
    timeline: tuple[Event, ...] = ()

    def content(self) -> Content:
        """Return the label, and the values or the samples of the recording."""
        signals = (self.values,) if self.path is None else decoded(self.path)
        return Content((self.label,), signals)


def read_manifest(path: Path) -> list[Spectrogram]:
    """Return the spectrograms that a file lists, in its order.

    Args:
        path: CSV or TSV with a header that has the columns `filename` and `label`, and optionally
            `split` and `group`. A file is a recording or a spectrogram (.npy). Relative paths are
            relative to the folder of the manifest. A row that is a part of a recording is rejected.

    Raises:
        ZooError: as `zoo.common.data.tables.Table.parse`.
    """
    path = Path(path)

    def parse(row: dict[str, str]) -> Spectrogram:
        check_whole(row)
        file, label = path.parent / row["filename"], row["label"].strip()
        if not file.is_file():
            raise ZooError(f"there is no file {file}")
        if not label:
            raise ZooError("the label is empty")
        split, group = (row.get(name) or "" for name in ("split", "group"))
        return Spectrogram(row["filename"], label, split, path=file, group=group)

    return read_table(path).parse(COLUMNS, parse)
