"""Spelled words as data: the letters of a word, and what each of them stands for."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item, RawInput
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import asset
from zoo.common.data.batching import keep_readable, pad, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, Labels
from zoo.common.data.manifests import digest
from zoo.common.data.splits import split_by_group
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.files import read_text
from zoo.language.pronunciation.corpora.spelled import SpelledWord, read_words, tag
from zoo.language.whole_texts import check_text

if TYPE_CHECKING:
    from zoo.common.core.model import ModelConfig
    from zoo.common.core.recipe import Recipe

# Letter i has the index i + 1; 0 pads.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ'"
LONGEST = 100
NO_LABELS = Labels((), "class")
EXAMPLES = ("go", "seventeen", "FOURTH")


@dataclass(frozen=True)
class Spelling(Data):
    """Words with a tag for each letter.

    The inputs of a model are `letters` int32 [batch, time], 0 behind a word's end, and `lengths` int32
    [batch]; the targets are `labels` int32 [batch, time].

    labels: Labels. The tags. Empty: those of the run's words.
    """

    input_example: ClassVar[str] = "seventeen"

    labels: Labels = asset(NO_LABELS)

    # Reading

    def read_manifest(self, path: Path) -> list[SpelledWord]:
        """See `Data.read_manifest`: a pronouncing dictionary of one's own, aligned by itself."""
        words = read_words(path)
        return tag(words, words)

    def split_dev(self, examples, fraction, seed):
        """See `Data.split_dev`: by the word."""
        return split_by_group(examples, lambda example: example.id, fraction, seed)

    def checksum(self, examples: list[SpelledWord]) -> str:
        """See `Data.checksum`: of words, pronunciations and tags."""
        return digest((e.id, list(e.pronunciations), list(e.tags)) for e in examples)

    def adapt(self, examples: list[SpelledWord], model: ModelConfig):
        """See `Data.adapt`: the tags of the words, and how many there are for the model."""
        labels = self.labels
        if not len(labels):
            labels = Labels.of((name for e in examples for name in e.tags), "class")
        return replace(self, labels=labels), replace(model, num_classes=labels.size)

    def filter_examples(self, examples: list[SpelledWord], recipe: Recipe):
        """See `Data.filter_examples`: leaves out words of other letters, or with unknown tags."""

        def read(example: SpelledWord) -> Item:
            self._labels_of(example)
            return self.read_example(example, recipe)

        return keep_readable(examples, read, "of other letters or tags")

    def _labels_of(self, example: SpelledWord) -> np.ndarray:
        labels = [label for name in example.tags for label in self.labels.encode(name)]
        return np.array(labels, np.int32)

    # Learning

    def batches(
        self, model: Any, recipe: Recipe, examples: list[SpelledWord], epoch: int
    ) -> Batches:
        """See `Data.batches`: words of about one length together."""
        items = [self.read_example(example, recipe) for example in examples]
        labels = [self._labels_of(example) for example in examples]
        batch_size, seed = recipe.training.batch_size, recipe.training.seed

        def generate():
            generator = np.random.default_rng((seed, epoch))
            for group in shuffled_windows([len(row) for row in labels], batch_size, generator):
                x = self.collate([items[i] for i in group])
                padded, _ = pad([labels[i] for i in group])
                yield x, {"labels": padded}, np.array([examples[i].id for i in group])

        spec = {"letters": ((None, None), "int32"), "lengths": ((None,), "int32")}
        return Batches(generate, (spec, {"labels": ((None, None), "int32")}))

    def steps_per_epoch(self, recipe: Recipe, examples: list[SpelledWord]) -> int:
        """See `Data.steps_per_epoch`."""
        return math.ceil(len(examples) / recipe.training.batch_size)

    # Use

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: `letters` int32 [letters] of a word in capitals or small letters.

        Raises:
            ZooError: the text is no valid Unicode, empty, far too long, or has another character than
                `LETTERS`.
        """
        check_text(source)
        word = source.strip().upper()
        if len(word) > LONGEST:
            raise ZooError(f"A word must have at most {LONGEST} letters. Received: {len(word)}.")
        if other := sorted(set(word) - set(LETTERS)):
            raise ZooError(
                f"A word must be of the letters A to Z and the apostrophe. Received: {source[:80]!r} "
                f"with {' '.join(map(repr, other[:5]))}."
            )
        return {"letters": np.array([LETTERS.index(letter) + 1 for letter in word], np.int32)}

    def read_example(self, example: SpelledWord, recipe: Recipe) -> Item:
        """See `Data.read_example` and `read_input`."""
        return self.read_input(example.id, recipe)

    def length(self, example: SpelledWord) -> float:
        """See `Data.length`: in letters."""
        return len(example.id)

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: `letters` int32 [batch, time] and `lengths` int32 [batch]."""
        letters, lengths = pad([item["letters"] for item in items])
        return {"letters": letters, "lengths": lengths}

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the tags, and the letters, of which the first has the index 1."""
        return self.labels.facts() | {"letters": LETTERS}

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: words."""
        return {"serving_default": _word_input()}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: some words, one by one and as one batch."""
        groups = [[word] for word in EXAMPLES] + [list(EXAMPLES)]
        arrays = [self.collate([self.read_input(w, recipe) for w in group]) for group in groups]
        return {"serving_default": [{"word": group} for group in groups], MODEL: arrays}

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each tag."""
        return {LABELS_FILE: self.labels.to_text()}

    def with_assets(self, folder: Path) -> Spelling:
        """See `Data.with_assets`."""
        path = folder / LABELS_FILE
        return replace(self, labels=Labels.from_text(read_text(path), path, "class"))


def _word_input() -> RawInput:
    """The way in for `word` string [batch]: a word with another character than `LETTERS`, or none, is
    an error of the graph."""
    import tensorflow as tf

    valid = f"[{re.escape(LETTERS)}]+"
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(list(LETTERS)), tf.range(1, len(LETTERS) + 1)
        ),
        default_value=0,
    )

    def encode(word):
        word = tf.strings.upper(tf.strings.strip(word))
        known = tf.debugging.assert_equal(
            tf.strings.regex_full_match(word, valid), True, "A word must be of the letters A to Z."
        )
        with tf.control_dependencies([known]):
            letters = tf.strings.unicode_split(word, "UTF-8")
        indices = tf.ragged.map_flat_values(table.lookup, letters)
        lengths = tf.cast(indices.row_lengths(), tf.int32)
        return {"letters": indices.to_tensor(), "lengths": lengths}

    return RawInput([tf.TensorSpec([None], tf.string, "word")], encode, (table,))
