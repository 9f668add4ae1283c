"""Find corpora and manifests, and read their splits."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zoo.common.core.capabilities import CustomSplit, PreparedExamples, WindowedExamples
from zoo.common.core.corpus import DATA_VARIABLE, Corpus, Source
from zoo.common.core.data import Data
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.data.manifests import of_split
from zoo.common.data.splits import split_by_group
from zoo.common.presets import store
from zoo.common.utils.progress import say

# Names of the splits of a manifest: the one to train on, and those that choose the best epoch.
TRAIN, DEV, TEST = "train", ("dev", "valid"), "test"
ALL = "all"


@dataclass(frozen=True)
class TrainingExamples:
    """The examples of a run.

    Args:
        train: examples to train on.
        dev: examples that choose the best epoch.
        left_out: number of other examples, by reason.
        test: examples of the split `TEST` of a manifest, which are only counted.
    """

    train: list[Any]
    dev: list[Any]
    left_out: dict[str, int] = field(default_factory=dict)
    test: list[Any] = field(default_factory=list)


def find_source(data: str | Path | None, manifest: str | Path | None, corpus: Corpus) -> Source:
    """Return the source of examples.

    Args:
        data: folder of the corpus; None for its folder in the package, if it has one, or in `data_root`.
        manifest: a list of examples to use instead of the corpus.
        corpus: the corpus.

    Raises:
        ZooError: both `data` and `manifest` are given, or the corpus is not found.
    """
    if data and manifest:
        raise ZooError("data and manifest exclude each other.")
    if manifest:
        return Source(manifest=Path(manifest))
    folder = Path(data) if data else corpus.folder or data_root() / corpus.name
    if not data and not folder.is_dir():
        raise ZooError(
            f"The corpus {corpus.name!r} was not found in {folder.parent}. Get it: "
            f"{corpus.fetch_command}. Or give its folder with --data, or set {DATA_VARIABLE} to the "
            f"folder that contains {corpus.name!r}."
        )
    return Source(folder=folder)


def data_root() -> Path:
    """Return the folder with a folder of each corpus: `ZOO_DATA`, else one in the cache."""
    root = os.environ.get(DATA_VARIABLE)
    return Path(root) if root else store.cache() / "data"


def source_name(source: Source, corpus: Corpus) -> str:
    """Return the name of the corpus, or the path of the manifest."""
    return corpus.name if source.folder else str(source.manifest)


def read_split(recipe: Recipe, corpus: Corpus, source: Source, split: str) -> list[Any]:
    """Return the examples of a split.

    Args:
        recipe: its data reads the examples, and its training settings define the dev split.
        corpus: the corpus of the recipe.
        source: result of `find_source`.
        split: name of a split, "dev" for the examples that choose the best epoch, or "all".

    Raises:
        ZooError: there is no such split, or an example is invalid.
    """
    if split == "dev":
        return read_train_and_dev(recipe, corpus, source).dev
    if source.manifest:
        return of_split(recipe.data.read_manifest(source.manifest), split, source.manifest)
    return _read_corpus(recipe.data, corpus, source, split)


def say_test_reading(corpus: Corpus, source: Source, split: str) -> None:
    """Say that a verb reads a test split, for verbs whose result does not count as an evaluation.

    Only `zoo publish` counts a reading, in metrics.json.
    """
    if source.folder and split in (corpus.test_split, ALL):
        say(
            f"This reads the test split {corpus.test_split!r} of {corpus.name}: no setting may be "
            "chosen by its figures. The count of test readings has only those of `zoo publish`."
        )


def read_train(recipe: Recipe, corpus: Corpus, source: Source) -> TrainingExamples:
    """Return the train split, or all of a manifest without splits. Dev is empty."""
    if source.manifest:
        return _read_manifest(recipe.data, source.manifest, ())
    return TrainingExamples(_read_corpus(recipe.data, corpus, source, corpus.train_split), [])


def read_train_and_dev(recipe: Recipe, corpus: Corpus, source: Source) -> TrainingExamples:
    """Return the examples to train on and those that choose the best epoch.

    Without a split for dev, a part of the train split is used.
    """
    if source.manifest:
        examples = _read_manifest(recipe.data, source.manifest, DEV)
    elif corpus.dev_split:
        dev = _read_corpus(recipe.data, corpus, source, corpus.dev_split)
        return TrainingExamples(read_train(recipe, corpus, source).train, dev)
    else:
        examples = read_train(recipe, corpus, source)
    if examples.dev:
        return examples
    training = recipe.training
    train, dev = split_dev(recipe.data, examples.train, training.dev_fraction, training.seed)
    return replace(examples, train=train, dev=dev)


def split_dev(
    data: Data, examples: list[Any], fraction: float, seed: int
) -> tuple[list[Any], list[Any]]:
    """Return (train, dev). Examples of one group, such as a speaker, are in the same part.

    Args:
        data: defines the groups, or has a `CustomSplit`.
        examples: the examples to split.
        fraction: share of the dev part.
        seed: seed of the choice of groups.
    """
    if isinstance(data, CustomSplit):
        return data.split_dev(examples, fraction, seed)
    if len(examples) > 1 and len({data.group_of(example) for example in examples}) < 2:
        say(
            "All examples are in one group, such as one speaker: dev is split off by example, and its "
            "metrics may be too good."
        )
    return split_by_group(examples, data.group_of, fraction, seed)


def filter_training(
    recipe: Recipe, examples: TrainingExamples
) -> tuple[TrainingExamples, dict[str, dict[str, int]]]:
    """Return the usable examples, and the number of others by part and reason."""
    train, train_left_out = recipe.data.filter_examples(examples.train, recipe.model)
    dev, dev_left_out = recipe.data.filter_examples(examples.dev, recipe.model)
    left_out = {"train": examples.left_out | train_left_out, "dev": dev_left_out}
    return TrainingExamples(train, dev, test=examples.test), left_out


def check_weights(manifests: Sequence[Any], weights: Sequence[int] | None, overfit: Any) -> None:
    """Check the weights of the manifests of a training. Raises `ZooError`."""
    if not manifests:
        raise ZooError("manifest must have at least one path. Received: none.")
    if overfit and len(manifests) > 1:
        raise ZooError(f"overfit needs one manifest. Received: {len(manifests)}.")
    if weights is not None and (len(weights) != len(manifests) or min(weights) < 1):
        raise ZooError(
            "weights must have one number of at least 1 for each manifest. "
            f"Received: {list(weights)} for {len(manifests)} manifest(s)."
        )


def join(
    parts: Sequence[tuple[TrainingExamples, dict[str, dict[str, int]]]],
    weights: Sequence[int] | None,
    common_dev: bool,
) -> tuple[TrainingExamples, dict[str, dict[str, int]]]:
    """Return the examples of several manifests as those of one.

    Args:
        parts: a result of `filter_training` for each manifest.
        weights: how often the examples of each manifest are used in an epoch; None for once.
        common_dev: whether all parts have the same dev.
    """
    train: list[Any] = []
    dev: list[Any] = []
    left_out: dict[str, Counter[str]] = {"train": Counter(), "dev": Counter()}
    for (examples, counts), weight in zip(parts, weights or [1] * len(parts), strict=True):
        first = not train
        train += examples.train * weight
        left_out["train"].update(counts["train"])
        if first or not common_dev:
            dev += examples.dev
            left_out["dev"].update(counts["dev"])
    test = [example for examples, _ in parts for example in examples.test]
    counts = {part: dict(row) for part, row in left_out.items()}
    return TrainingExamples(train, dev, test=test), counts


def training_sizes(recipe: Recipe, examples: TrainingExamples, source: Source) -> dict[str, int]:
    """Return the sizes of train and dev.

    Raises:
        ZooError: one of them is empty.
    """
    data, sizes = recipe.data, {}
    for part, purpose in (("train", "train on"), ("dev", "choose the best epoch")):
        found = getattr(examples, part)
        size = data.num_examples(found) if isinstance(data, WindowedExamples) else len(found)
        if not size:
            raise ZooError(
                f"There are no examples to {purpose}: {source} must have more examples, or "
                f"training.dev_fraction must have another value. Received: "
                f"{recipe.training.dev_fraction}."
            )
        sizes[part] = size
    return sizes


def _read_corpus(data: Data, corpus: Corpus, source: Source, split: str) -> list[Any]:
    assert source.folder is not None
    examples = corpus.read(source.folder, split)
    return data.prepare(examples) if isinstance(data, PreparedExamples) else examples


def _read_manifest(data: Data, path: Path, dev_splits: tuple[str, ...]) -> TrainingExamples:
    """Return the train split of a manifest, and the first of `dev_splits` that it has.

    All examples are for training if the manifest has no splits.
    """
    examples = data.read_manifest(path)
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
    test = [example for example in examples if example.split == TEST]
    return TrainingExamples(train, dev, left_out, test)
