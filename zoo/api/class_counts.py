"""Count the examples of each class before a training, and warn about classes with too few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from zoo.api.sources import TrainingExamples
from zoo.common.core.recipe import Recipe
from zoo.common.data.text import normalize
from zoo.common.language_model.lexicon import list_words
from zoo.common.tasks.classification import Classification
from zoo.common.utils.progress import say

# Number of classes that are listed.
MAX_CLASSES = 40
# With fewer dev examples, one example changes an accuracy by more than 0.05.
LEAST_DEV = 20


def say_class_counts(recipe: Recipe, examples: TrainingExamples) -> None:
    """Say the number of examples of each class in each split, and warn about too few.

    Args:
        recipe: the adapted recipe. Nothing is printed unless its task is a classification.
        examples: usable examples.
    """
    if not isinstance(recipe.task, Classification):
        return
    data: Any = recipe.data
    splits = {"train": examples.train, "dev": examples.dev, "test": examples.test}
    counts = {
        name: Counter(normalize(example.label) for example in rows)
        for name, rows in splits.items()
        if rows
    }
    classes = sorted({*data.labels.symbols}.union(*counts.values()))
    for line in _table(classes[:MAX_CLASSES], counts):
        say(line)
    if len(classes) > MAX_CLASSES:
        say(f"and {len(classes) - MAX_CLASSES} other classes")
    _warn(classes, counts, len(examples.dev))


def _table(classes: Sequence[str], counts: dict[str, Counter[str]]) -> list[str]:
    """Return the lines of a table with a row for each class and a column for each split."""
    width = max(len(name) for name in ("class", *classes))
    rows = [("class", list(counts))]
    rows += [(name, [str(count[name]) for count in counts.values()]) for name in classes]
    return [f"{name:<{width}}" + "".join(f"{cell:>8}" for cell in cells) for name, cells in rows]


def _warn(classes: Sequence[str], counts: dict[str, Counter[str]], dev_size: int) -> None:
    train, dev = counts["train"], counts["dev"]
    if absent := [name for name in classes if not train[name]]:
        say(f"Warning: no training examples of {list_words(absent)}: no new answer is learned.")
    if single := [name for name in classes if train[name] == 1]:
        say(f"Warning: only one training example of {list_words(single)}.")
    if unseen := [name for name in classes if train[name] and not dev[name]]:
        say(
            f"Warning: no dev examples of {list_words(unseen)}: the best epoch is chosen without them. "
            "Add examples of other groups, such as recordings, or set another training.seed."
        )
    if dev_size < LEAST_DEV:
        say(
            f"Warning: dev has {dev_size} example(s). One of them changes the accuracy by "
            f"{1 / dev_size:.2f}, so the choice of the best epoch is mostly chance."
        )
