"""Detect metrics that are measured on the training data of a preset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.api.sources import ALL, read_train_and_dev
from zoo.common.core.corpus import Corpus, Source
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import RUN_FILE, read_json

WARNING = (
    "{name} was trained on some of these examples: its metrics on new examples are probably worse."
)


def is_from_training(
    folder: Path, recipe: Recipe, corpus: Corpus, source: Source, split: str, examples: list[Any]
) -> bool:
    """Return whether a preset was trained on some of the evaluated examples.

    For a corpus, the name of the split decides. For a manifest, checksums decide: the examples for
    training must have the checksum that the preset has recorded, and one of them must be evaluated.

    Args:
        folder: folder of the preset or run.
        recipe: its recipe.
        corpus: the corpus of the recipe.
        source: origin of the examples.
        split: name of the split.
        examples: the evaluated examples.
    """
    if source.folder:
        trained_on = read_json(folder / RUN_FILE) if (folder / RUN_FILE).exists() else {}
        is_corpus = trained_on.get("corpus", corpus.name) == corpus.name
        return is_corpus and split in (corpus.train_split, ALL)
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
    """Return the checksum of the training data of a run or preset."""
    if (folder / RUN_FILE).exists():
        return read_json(folder / RUN_FILE).get("data_checksum")
    if (folder / store.METRICS_FILE).exists():
        return read_json(folder / store.METRICS_FILE).get("training", {}).get("data_checksum")
    return None
