"""Spelled words as data: the letters of a word, and the phonemes of each letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import RawInput, RawInputs
from zoo.common.core.data import Batches, Epoch, Item
from zoo.common.core.errors import ZooError
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.data.batching import keep_readable, pad, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, LabelledData, Labels
from zoo.common.data.manifests import digest
from zoo.common.data.text import read_text, single_spaces
from zoo.common.runtime.keras_model import MODEL
from zoo.language.pronunciation.corpora.spelled import SpelledWord, read_words, tag
from zoo.language.text_inputs import TextInputs

# Letter i has the index i + 1. The index 0 pads.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ'"
MAX_LETTERS = 100
EXAMPLES = ("go", "seventeen", "FOURTH")


@dataclass(frozen=True)
class Spelling(LabelledData, TextInputs, RawInputs, Baselines):
    """Words with a tag for each letter.

    The inputs of a model are `letters` int32 [batch, time], padded with 0, and `lengths` int32 [batch].
    The targets are `labels` int32 [batch, time].

    Args:
        labels: the tags; empty to take them from the words of a training.
    """

    input_example: ClassVar[str] = "seventeen"
    baseline_limit: ClassVar[int] = 1_000

    labels: Labels = asset(Labels, file=LABELS_FILE)

    def __post_init__(self):
        object.__setattr__(self, "labels", self.labels.with_unit("class"))

    # Reading

    def read_manifest(self, path: Path) -> list[SpelledWord]:
        """Return the words of a user's pronouncing dictionary, aligned with their phonemes."""
        words = read_words(path)
        return tag(words, words)

    def checksum(self, examples: list[SpelledWord]) -> str:
        """Return a digest of the words, pronunciations and tags."""
        return digest((e.id, list(e.pronunciations), list(e.tags)) for e in examples)

    def label_texts(self, example: SpelledWord) -> Sequence[str]:
        return example.tags

    def adapt(self, examples: list[SpelledWord], model: Any) -> tuple[Spelling, Any]:
        """Return the data with the tags of the words, and the model with their number."""
        labels = self.labels or Labels.of((name for e in examples for name in e.tags), "class")
        return replace(self, labels=labels), replace(model, num_classes=labels.size)

    def filter_examples(
        self, examples: list[SpelledWord], model: Any
    ) -> tuple[list[SpelledWord], dict[str, int]]:
        """Return the words whose letters are in `LETTERS` and whose tags are among the labels."""

        def read(example: SpelledWord) -> Item:
            self.tags_of(example)
            return self.read_example(example, model)

        return keep_readable(examples, read, "with other letters or tags")

    def tags_of(self, example: SpelledWord) -> np.ndarray:
        """Return the index of the tag of each letter, int32 [letters]."""
        labels = [label for name in example.tags for label in self.labels.encode(name)]
        return np.array(labels, np.int32)

    # Training

    def batches(
        self, examples: list[SpelledWord], model: Any, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches of words of similar lengths."""
        items = [self.read_example(example, model) for example in examples]
        labels = [self.tags_of(example) for example in examples]
        lengths = [len(row) for row in labels]

        def generate():
            for group in shuffled_windows(lengths, epoch.batch_size, epoch.generator()):
                x = self.collate([items[i] for i in group])
                padded, _ = pad([labels[i] for i in group])
                yield x, {"labels": padded}, np.array([examples[i].id for i in group])

        spec = {"letters": ((None, None), "int32"), "lengths": ((None,), "int32")}
        steps = -(-len(examples) // epoch.batch_size)
        return Batches(generate, (spec, {"labels": ((None, None), "int32")}), steps)

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.language.pronunciation.baselines import letter_baselines

        return letter_baselines(predictor, examples)

    # Use

    def read_input(self, source: str, model: Any) -> Item:
        """Return `letters` int32 [letters] of a word in upper or lower case.

        Raises:
            ZooError: the text is empty, is not valid Unicode, has more than `MAX_LETTERS` characters, or
                has a character that is not in `LETTERS`.
        """
        word = single_spaces(read_text(source))
        if not word:
            raise ZooError("The text is empty.")
        if len(word) > MAX_LETTERS:
            raise ZooError(
                f"A word must have at most {MAX_LETTERS} letters. Received: {len(word)}."
            )
        if other := sorted(set(word) - set(LETTERS) - set(LETTERS.lower())):
            raise ZooError(
                f"A word must have only the letters A to Z and the apostrophe. Received: "
                f"{source[:80]!r} with {' '.join(map(repr, other[:5]))}."
            )
        indices = [LETTERS.index(letter) + 1 for letter in word.upper()]
        return {"letters": np.array(indices, np.int32)}

    def read_example(self, example: SpelledWord, model: Any) -> Item:
        """Return the word as `read_input` does."""
        return self.read_input(example.id, model)

    def sort_key(self, example: SpelledWord) -> float:
        """Return the number of letters."""
        return len(example.id)

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """Return `letters` int32 [batch, time] and `lengths` int32 [batch]."""
        letters, lengths = pad([item["letters"] for item in items])
        return {"letters": letters, "lengths": lengths}

    # Export

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the tags, and the letters, the first of which has the index 1."""
        return self.labels.export_metadata() | {"letters": LETTERS}

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return the input `word`."""
        from zoo.language.pronunciation.signatures import word_input

        return {"serving_default": word_input(LETTERS, MAX_LETTERS)}

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return some words, one by one and as one batch."""
        groups = [[word] for word in EXAMPLES] + [list(EXAMPLES)]
        arrays = [self.collate([self.read_input(w, model) for w in group]) for group in groups]
        return {"serving_default": [{"word": group} for group in groups], MODEL: arrays}
