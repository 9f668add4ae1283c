"""Where examples come from: the one place that finds a corpus, and reads it or a manifest."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.common.core.corpus import Corpus, Source
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.data.manifests import of_split

DATA_VARIABLE = "ZOO_DATA"
# What a manifest calls its splits, and which of these a run chooses its epoch by.
TRAIN, DEV = "train", ("dev", "valid")


@dataclass(frozen=True)
class TrainingExamples:
    """What a run trains on and chooses its epoch by.

    train, dev: lists of examples. left_out: how many others there are, by what they are.
    """

    train: list[Any]
    dev: list[Any]
    left_out: dict[str, int] = field(default_factory=dict)


def find_source(data: Path | None, manifest: Path | None, corpus: Corpus) -> Source:
    """Return where examples come from: `--manifest`, `--data`, the corpus's folder in the package where
    it travels with it, or that in ZOO_DATA.

    Raises:
        ZooError: both are given, or neither, the corpus does not travel and there is no ZOO_DATA.
    """
    if data and manifest:
        raise ZooError("--data and --manifest exclude each other.")
    if manifest:
        return Source(manifest=manifest)
    root = os.environ.get(DATA_VARIABLE)
    data = data or corpus.folder
    if data is None and root is None:
        raise ZooError(
            f"Where is the corpus {corpus.name!r}? Name its folder with --data, or set "
            f"{DATA_VARIABLE} to the folder that holds {corpus.name!r}."
        )
    return Source(folder=data or Path(root) / corpus.name)


def read_split(recipe: Recipe, corpus: Corpus, source: Source, split: str) -> list[Any]:
    """Return the examples of a split; "dev" is what a run chooses its epoch by, "all" every split.

    Raises:
        ZooError: there is no such split, or a bad line.
    """
    if split == "dev":
        return read_train_and_dev(recipe, corpus, source).dev
    if source.manifest:
        return of_split(recipe.data.read_manifest(source.manifest), split, source.manifest)
    return _read_corpus(recipe, corpus, source.folder, split)


def read_train(recipe: Recipe, corpus: Corpus, source: Source) -> TrainingExamples:
    """Return the train split; of a manifest without splits, all of it. Dev is empty."""
    if source.folder:
        return TrainingExamples(_read_corpus(recipe, corpus, source.folder, corpus.train_split), [])
    return _read_manifest(recipe, source.manifest, ())


def read_train_and_dev(recipe: Recipe, corpus: Corpus, source: Source) -> TrainingExamples:
    """Return what a run trains on and chooses by: the splits for it, or one split in two."""
    if source.manifest:
        examples = _read_manifest(recipe, source.manifest, DEV)
    elif corpus.dev_split:
        dev = _read_corpus(recipe, corpus, source.folder, corpus.dev_split)
        return TrainingExamples(read_train(recipe, corpus, source).train, dev)
    else:
        examples = read_train(recipe, corpus, source)
    if examples.dev:
        return examples
    training = recipe.training
    train, dev = recipe.data.split_dev(examples.train, training.dev_fraction, training.seed)
    return TrainingExamples(train, dev, examples.left_out)


def _read_corpus(recipe: Recipe, corpus: Corpus, folder: Path, split: str) -> list[Any]:
    return recipe.data.prepare(corpus.read(folder, split))


def _read_manifest(recipe: Recipe, path: Path, dev_splits: tuple[str, ...]) -> TrainingExamples:
    """A manifest's train split and the first of `dev_splits` it has; without splits all is train."""
    examples = recipe.data.read_manifest(path)
    sizes = Counter(example.split for example in examples)
    if not any(sizes):
        return TrainingExamples(examples, [])
    train = of_split(examples, TRAIN, path)
    dev_split = next((split for split in dev_splits if split in sizes), None)
    dev = [example for example in examples if example.split == dev_split] if dev_split else []
    left_out = {
        f"of the split {split!r}": size
        for split, size in sorted(sizes.items(), key=str)
        if split not in (TRAIN, dev_split)
    }
    return TrainingExamples(train, dev, left_out)
