"""Choose the examples of an evaluation, and detect those that a preset was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.api.sources import ALL, read_split, read_train_and_dev
from zoo.common.core.capabilities import CustomSplit, WindowedExamples
from zoo.common.core.corpus import Corpus, Source
from zoo.common.core.data import Data
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store, trained_on
from zoo.common.presets.runs import RUN_FILE, read_json


@dataclass(frozen=True)
class Selection:
    """The examples of an evaluation.

    Args:
        split: name of the split.
        examples: the examples.
        from_training: whether the preset was trained on some of them.
        message: the warning about them; empty for none.
    """

    split: str
    examples: list[Any]
    from_training: bool = False
    message: str = ""


def select_examples(
    name: str, folder: Path, recipe: Recipe, corpus: Corpus, source: Source, split: str | None
) -> Selection:
    """Return the examples to measure a preset on.

    Without a split these are the test split of a corpus, or all of a manifest. Of a manifest that a run
    was trained on, they are the examples that chose its best epoch, or else those that are new to it.

    Args:
        name: name of the preset, for messages.
        folder: folder of the preset or run.
        recipe: its recipe.
        corpus: the corpus of the recipe.
        source: origin of the examples.
        split: name of the split; None for the default.

    Raises:
        ZooError: there is no such split, or an example is invalid.
    """
    data, known = recipe.data, trained_on.read(folder)
    chosen = split or (ALL if source.manifest else corpus.test_split)
    examples = read_split(recipe, corpus, source, chosen)
    digests = [data.example_digest(example) for example in examples] if known else []
    count = sum(digest in known.get(trained_on.TRAIN, ()) for digest in digests)
    dev: list[Any] = []
    if source.manifest and known:
        pairs = list(zip(examples, digests, strict=True))
        dev = [example for example, digest in pairs if digest in known.get(trained_on.DEV, ())]
        dev = dev or [e for e, digest in pairs if digest not in known.get(trained_on.TRAIN, ())]
        if not count and isinstance(data, CustomSplit) and chosen == ALL:
            count, dev = _trained_part(recipe, corpus, source, known)
    if split is None and count and dev:
        size = f"{_size(data, dev):,} of {_size(data, examples):,} {data.counted[1]}"
        message = (
            f"{name} was trained on other examples of {source}: only its dev examples are measured, "
            f"{size}. --split all measures all."
        )
        return Selection(trained_on.DEV, dev, message=message)
    if not count and not is_from_training(folder, recipe, corpus, source, chosen, examples):
        return Selection(chosen, examples)
    amount = f"{count} of these {len(examples)}" if digests and count else "some of these"
    message = (
        f"{name} was trained on {amount} examples: its metrics on new examples are probably worse."
    )
    return Selection(chosen, examples, from_training=True, message=message)


def _trained_part(
    recipe: Recipe, corpus: Corpus, source: Source, known: dict[str, set[str]]
) -> tuple[int, list[Any]]:
    """Return how many parts of long examples a run was trained on, and their dev parts."""
    try:
        parts = read_train_and_dev(recipe, corpus, source)
    except ZooError:  # the examples are too short for two parts
        return 0, []
    trained = [recipe.data.example_digest(example) for example in parts.train]
    count = sum(digest in known.get(trained_on.TRAIN, ()) for digest in trained)
    return count, parts.dev if count else []


def _size(data: Data, examples: list[Any]) -> int:
    return data.num_examples(examples) if isinstance(data, WindowedExamples) else len(examples)


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
