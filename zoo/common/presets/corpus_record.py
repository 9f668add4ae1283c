"""The content of the corpus that a preset was trained on, in metrics.json, and its comparison.

The key `corpus` has the name of the corpus, and the digests of `zoo.common.data.content` of each split.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.corpus import Corpus
from zoo.common.core.errors import ZooError
from zoo.common.data.content import digests
from zoo.common.presets import store
from zoo.common.presets.runs import read_json, write_json

# Key of metrics.json.
CORPUS = "corpus"
# How the content of a split differs from the recorded one.
SAME = "same"
OTHER_SIGNALS = "the same texts and labels, but other recordings, pictures or numbers"
OTHER = "other examples"

# The digests of each split.
Splits = dict[str, dict[str, Any]]


def read_splits(corpus: Corpus, folder: Path) -> Splits:
    """Return the digests of each split of a corpus.

    Raises:
        ZooError: a split is missing or has an invalid example.
    """
    names = dict.fromkeys((corpus.train_split, corpus.dev_split, corpus.test_split))
    return {name: digests(corpus.read(folder, name)) for name in names if name}


def write_record(folder: Path, corpus: Corpus, splits: Splits) -> None:
    """Add the content of a corpus to metrics.json of a preset."""
    path = folder / store.METRICS_FILE
    write_json(path, read_json(path) | {CORPUS: {"name": corpus.name, "splits": splits}})


def recorded(preset: str) -> Splits | None:
    """Return the digests that metrics.json of a preset records; None if it has none.

    Raises:
        ZooError: the file is corrupt.
    """
    path = store.folder_of(preset) / store.METRICS_FILE
    if not path.exists():
        return None
    metrics = read_json(path)
    record = metrics.get(CORPUS) if isinstance(metrics, dict) else None
    if record is None:
        return None
    splits = record.get("splits") if isinstance(record, dict) else None
    if not isinstance(splits, dict) or not all(
        isinstance(split, dict) and isinstance(split.get("examples"), int)
        for split in splits.values()
    ):
        raise ZooError(f"{path} is corrupt: {CORPUS!r} is not the content of a corpus.")
    return splits


def compare(found: Splits, expected: Splits) -> str:
    """Return `SAME`, `OTHER_SIGNALS` if only texts and labels are equal, or `OTHER`."""
    if found == expected:
        return SAME
    texts, others = (
        {name: split.get("texts") for name, split in s.items()} for s in (found, expected)
    )
    return OTHER_SIGNALS if texts == others and None not in texts.values() else OTHER
