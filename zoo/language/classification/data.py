"""Labelled texts as data: the words of a text, and the class that the whole of it is of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item, RawInput
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import asset
from zoo.common.data.batching import keep_readable, pad, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, Labels
from zoo.common.data.manifests import digest
from zoo.common.data.splits import split_by_group
from zoo.common.data.vocabulary import PAD, UNKNOWN, VOCABULARY_FILE, Vocabulary
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.files import read_text
from zoo.language.classification.corpora.labelled import LabelledSentence, read_manifest
from zoo.language.classification.sentences import RULES, split_sentence
from zoo.language.whole_texts import check_text

if TYPE_CHECKING:
    from zoo.common.core.model import ModelConfig
    from zoo.common.core.recipe import Recipe

SPECIALS = (PAD, UNKNOWN)
PAD_INDEX, UNKNOWN_INDEX = 0, 1
LONGEST = 10_000  # words: what is longer is no sentence, and takes the memory of many
NO_LABELS = Labels((), "class")
EXAMPLES = (
    "The film is a joy .",
    "It isn't funny, and it's far too long.",
    "One of the best and most moving stories of the year, in spite of a slow start and a weak end.",
)


@dataclass(frozen=True)
class LabelledText(Data):
    """Texts, each of one class.

    The inputs of a model are `tokens` int32 [batch, time], 0 behind a text's end, and `lengths` int32
    [batch]; the target is `label` int32 [batch].

    vocabulary: Vocabulary. None: the words of the run's training and dev texts.
    labels: Labels. The classes. Empty: those of the run's texts.
    min_count: int. Words rarer than this in the run's texts are read as unknown.
    word_dropout: float. Share of a training text's words that are read as unknown, others in each epoch.
    """

    input_example: ClassVar[str] = "A fine film."

    vocabulary: Vocabulary | None = asset(None)
    labels: Labels = asset(NO_LABELS)
    min_count: int = 1
    word_dropout: float = 0.0

    def __post_init__(self):
        check_range("data.min_count", self.min_count, at_least=1)
        check_range("data.word_dropout", self.word_dropout, at_least=0, below=1)

    # Reading

    def read_manifest(self, path: Path) -> list[LabelledSentence]:
        """See `zoo.language.classification.corpora.labelled.read_manifest`."""
        return read_manifest(path)

    def split_dev(self, examples, fraction, seed):
        """See `Data.split_dev`: no text is in both."""
        return split_by_group(examples, lambda example: example.text, fraction, seed)

    def checksum(self, examples: list[LabelledSentence]) -> str:
        """See `Data.checksum`: of ids, texts and classes."""
        return digest((e.id, e.text, e.transcript) for e in examples)

    def adapt(self, examples: list[LabelledSentence], model: ModelConfig):
        """See `Data.adapt`: vocabulary and classes of the texts, and their sizes for the model."""
        vocabulary = self.vocabulary or Vocabulary.of(
            (split_sentence(e.text) for e in examples), SPECIALS, self.min_count
        )
        labels = self.labels
        if not len(labels):
            labels = Labels.of((e.transcript for e in examples), "class")
        return (
            replace(self, vocabulary=vocabulary, labels=labels),
            replace(model, vocabulary_size=len(vocabulary), num_classes=labels.size),
        )

    def filter_examples(self, examples: list[LabelledSentence], recipe: Recipe):
        """See `Data.filter_examples`: leaves out texts without a word that is known."""
        for example in examples:
            self.labels.class_of(example)
        return keep_readable(
            examples, lambda example: self.read_example(example, recipe), "without a known word"
        )

    # Learning

    def batches(
        self, model: Any, recipe: Recipe, examples: list[LabelledSentence], epoch: int
    ) -> Batches:
        """See `Data.batches`: texts of about one length together."""
        rows = [self.read_example(example, recipe)["tokens"] for example in examples]
        labels = np.array([self.labels.class_of(example) for example in examples], np.int32)
        batch_size, seed = recipe.training.batch_size, recipe.training.seed

        def generate():
            generator = np.random.default_rng((seed, epoch))
            for group in shuffled_windows([len(row) for row in rows], batch_size, generator):
                x = self.collate([{"tokens": self._drop(rows[i], generator)} for i in group])
                yield x, {"label": labels[group]}, np.array([examples[i].id for i in group])

        spec = {"tokens": ((None, None), "int32"), "lengths": ((None,), "int32")}
        return Batches(generate, (spec, {"label": ((None,), "int32")}))

    def _drop(self, row: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        dropped = generator.random(len(row)) < self.word_dropout
        return np.where(dropped, UNKNOWN_INDEX, row).astype(np.int32)

    def steps_per_epoch(self, recipe: Recipe, examples: list[LabelledSentence]) -> int:
        """See `Data.steps_per_epoch`."""
        return math.ceil(len(examples) / recipe.training.batch_size)

    # Use

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: `tokens` int32 [words] of a text.

        Raises:
            ZooError: the text is no valid Unicode, empty, far too long, or has no word that is known.
        """
        check_text(source)
        words = split_sentence(source)
        if not words:  # marks alone that words are cut at
            raise ZooError("The text is empty.")
        if len(words) > LONGEST:
            raise ZooError(f"A text must have at most {LONGEST:,} words. Received: {len(words):,}.")
        tokens = np.array(self.vocabulary.encode(words), np.int32)
        if (tokens <= UNKNOWN_INDEX).all():
            raise ZooError(
                f"No word of the text is among the {len(self.vocabulary)} the model knows. "
                f"Received: {source[:80]!r}."
            )
        return {"tokens": tokens}

    def read_example(self, example: LabelledSentence, recipe: Recipe) -> Item:
        """See `Data.read_example` and `read_input`."""
        return self.read_input(example.text, recipe)

    def length(self, example: LabelledSentence) -> float:
        """See `Data.length`: in characters."""
        return len(example.text)

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: `tokens` int32 [batch, time] and `lengths` int32 [batch]."""
        tokens, lengths = pad([item["tokens"] for item in items], PAD_INDEX)
        return {"tokens": tokens, "lengths": lengths}

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the words, how a text in lower case becomes words, and the classes."""
        return self.vocabulary.facts() | {"rules": RULES} | self.labels.facts()

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: texts."""
        from zoo.language.classification.signatures import text_input

        return {"serving_default": text_input(self.vocabulary)}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: some texts, one by one and as one batch."""
        groups = [[text] for text in EXAMPLES] + [list(EXAMPLES)]
        encoded = [np.array(self.vocabulary.encode(split_sentence(t)), np.int32) for t in EXAMPLES]
        items = [{"tokens": row} for row in encoded]
        arrays = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": [{"text": group} for group in groups], MODEL: arrays}

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each word with its count, and one for each class."""
        return {VOCABULARY_FILE: self.vocabulary.text(), LABELS_FILE: self.labels.to_text()}

    def with_assets(self, folder: Path) -> LabelledText:
        """See `Data.with_assets`."""
        classes = folder / LABELS_FILE
        vocabulary = Vocabulary.read(folder, SPECIALS)
        labels = Labels.from_text(read_text(classes), classes, "class")
        return replace(self, vocabulary=vocabulary, labels=labels)
