"""Whether the examples of a figure are those that a preset was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.cli.sources import read_train_and_dev
from zoo.common.core.corpus import Corpus, Source
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import RUN_FILE, read_json

WARNING = (
    "These examples are among those that {name} was trained on: the figures do not tell how it does on "
    "new ones."
)


def is_from_training(
    folder: Path, recipe: Recipe, corpus: Corpus, source: Source, split: str, examples: list[Any]
) -> bool:
    """Return whether measured examples are, or have among them, what a preset learnt from.

    Of its corpus that is told by the split's name. Of a manifest it is told by checksums: that of the
    manifest's parts for training is the one in the preset's record, and an example of train is among
    those that are measured.

    Args:
        folder: of the preset or run. recipe: its recipe.
        corpus, source, split: where the examples come from.
        examples: what is measured.
    """
    if source.folder:
        trained_on = read_json(folder / RUN_FILE) if (folder / RUN_FILE).exists() else {}
        known = trained_on.get("corpus", corpus.name) == corpus.name
        return known and split in (corpus.train_split, "all")
    checksum = _checksum(folder)
    if checksum is None:
        return False
    if recipe.data.checksum(examples) == checksum:
        return True
    try:
        parts = read_train_and_dev(recipe, corpus, source)
    except ZooError:
        return False
    train = {example.id for example in parts.train}
    is_same = recipe.data.checksum(parts.train + parts.dev) == checksum
    return is_same and any(example.id in train for example in examples)


def _checksum(folder: Path) -> str | None:
    """The digest of the data of a run, or of the run that a preset was."""
    if (folder / RUN_FILE).exists():
        return read_json(folder / RUN_FILE).get("data_checksum")
    if (folder / store.METRICS_FILE).exists():
        return read_json(folder / store.METRICS_FILE).get("training", {}).get("data_checksum")
    return None
