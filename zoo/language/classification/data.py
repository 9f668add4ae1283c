"""Labelled texts as data: the words of a text, and its class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import RawInput, RawInputs
from zoo.common.core.data import Batches, Epoch, Item
from zoo.common.core.decoder import option
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.data.batching import keep_readable, pad, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, LabelledData, Labels
from zoo.common.data.manifests import digest
from zoo.common.data.text import read_text
from zoo.common.data.vocabulary import PAD, UNKNOWN, VOCABULARY_FILE, Vocabulary
from zoo.common.runtime.keras_model import MODEL
from zoo.language.classification.corpora.labelled import (
    LABEL,
    TEXT,
    LabelledSentence,
    read_manifest,
)
from zoo.language.classification.sentences import MAX_WORDS, RULES, split_sentence
from zoo.language.text_inputs import TextInputs

SPECIALS = (PAD, UNKNOWN)
PAD_INDEX, UNKNOWN_INDEX = 0, 1
EXAMPLES = (
    "The film is a joy .",
    "It isn't funny, and it's far too long.",
    "One of the best and most moving stories of the year, in spite of a slow start and a weak end.",
)


@dataclass(frozen=True)
class LabelledText(LabelledData, TextInputs, RawInputs, Baselines):
    """Texts with one class each.

    The inputs of a model are `tokens` int32 [batch, time], padded with 0, and `lengths` int32 [batch].
    The target is `label` int32 [batch].

    Args:
        vocabulary: the words; if empty, those of the run's training and dev texts.
        labels: the classes; if empty, those of the run's texts.
        min_count: rarer words of the run's texts are read as unknown.
        word_dropout: share of the words of a training text that are read as unknown, drawn in each
            epoch.
        column: column of the texts in tables and JSON lines; None for `text` in lists of examples.
        label: column of the labels; None for `label`.
    """

    input_example: ClassVar[str] = "A fine film."

    vocabulary: Vocabulary = asset(Vocabulary, file=VOCABULARY_FILE)
    labels: Labels = asset(Labels, file=LABELS_FILE)
    min_count: int = 1
    word_dropout: float = 0.0
    column: str | None = option(None, "column of the texts in a table or JSON lines; default: text")
    label: str | None = option(None, "column of the labels; default: label")

    def __post_init__(self):
        check_range("data.min_count", self.min_count, at_least=1)
        check_range("data.word_dropout", self.word_dropout, at_least=0, below=1)
        self.vocabulary.check_first(SPECIALS)
        object.__setattr__(self, "labels", self.labels.with_unit("class"))

    # Reading

    def read_manifest(self, path: Path) -> list[LabelledSentence]:
        """See `zoo.language.classification.corpora.labelled.read_manifest`."""
        return read_manifest(path, self.column or TEXT, self.label or LABEL)

    def group_of(self, example: LabelledSentence) -> str:
        """Return the text."""
        return example.text

    def checksum(self, examples: list[LabelledSentence]) -> str:
        """Return a digest of ids, texts and classes."""
        return digest((e.id, e.text, e.label) for e in examples)

    def adapt(
        self, examples: list[LabelledSentence], model: Any
    ) -> tuple[LabelledText, ModelConfig]:
        """Return the data with vocabulary and classes of the texts, and the model with their sizes."""
        vocabulary = self.vocabulary or Vocabulary.of(
            (split_sentence(e.text) for e in examples), SPECIALS, self.min_count
        )
        labels = self.labels or Labels.of((e.label for e in examples), "class")
        return (
            replace(self, vocabulary=vocabulary, labels=labels),
            replace(model, vocabulary_size=len(vocabulary), num_classes=labels.size),
        )

    def filter_examples(
        self, examples: list[LabelledSentence], model: Any
    ) -> tuple[list[LabelledSentence], dict[str, int]]:
        """Leave out texts without a word of the vocabulary.

        Raises:
            ZooError: a class is not among the labels, or no text is usable.
        """
        for example in examples:
            self.labels.class_of(example)
        return keep_readable(
            examples, lambda example: self.read_example(example, model), "without a known word"
        )

    # Training

    def batches(
        self, examples: list[LabelledSentence], model: Any, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches of texts of similar lengths."""
        rows = [self.read_example(example, model)["tokens"] for example in examples]
        labels = np.array([self.labels.class_of(example) for example in examples], np.int32)

        def generate():
            generator = epoch.generator()
            for group in shuffled_windows([len(row) for row in rows], epoch.batch_size, generator):
                x = self.collate([{"tokens": self._drop(rows[i], generator)} for i in group])
                yield x, {"label": labels[group]}, np.array([examples[i].id for i in group])

        x_spec = {"tokens": ((None, None), "int32"), "lengths": ((None,), "int32")}
        steps = math.ceil(len(examples) / epoch.batch_size)
        return Batches(generate, (x_spec, {"label": ((None,), "int32")}), steps)

    def _drop(self, row: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        dropped = generator.random(len(row)) < self.word_dropout
        return np.where(dropped, UNKNOWN_INDEX, row).astype(np.int32)

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.language.classification.baselines import text_baselines

        return text_baselines(predictor, examples, seed)

    # Use

    def read_input(self, source: str, model: Any) -> Item:
        """Return `tokens` int32 [words] of a text, and `unknown`, the number of words out of vocabulary.

        Raises:
            ZooError: the text is empty, is not valid Unicode, has more than `MAX_WORDS` words, or has no
                word in the vocabulary.
        """
        words = split_sentence(read_text(source))
        if not words:
            raise ZooError("The text is empty.")
        if len(words) > MAX_WORDS:
            raise ZooError(
                f"A text must have at most {MAX_WORDS:,} words. Received: {len(words):,}."
            )
        tokens = np.array(self.vocabulary.encode(words), np.int32)
        unknown = int((tokens <= UNKNOWN_INDEX).sum())
        if unknown == len(words):
            raise ZooError(
                f"No word of the text is in the vocabulary of {len(self.vocabulary)} words. "
                f"Received: {source[:80]!r}."
            )
        return {"tokens": tokens, "unknown": unknown}

    def read_example(self, example: LabelledSentence, model: Any) -> Item:
        return self.read_input(example.text, model)

    def sort_key(self, example: LabelledSentence) -> float:
        """Return the number of characters."""
        return len(example.text)

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """Return `tokens` int32 [batch, time] and `lengths` int32 [batch]."""
        tokens, lengths = pad([item["tokens"] for item in items], PAD_INDEX)
        return {"tokens": tokens, "lengths": lengths}

    # Export

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the words, the rules that split a text in lower case into words, and the classes."""
        words, labels = self.vocabulary.export_metadata(), self.labels.export_metadata()
        return words | {"rules": RULES} | labels

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return the raw input for texts."""
        from zoo.language.classification.signatures import text_input

        return {"serving_default": text_input(self.vocabulary)}

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return some texts, each alone and all as one batch."""
        groups = [[text] for text in EXAMPLES] + [list(EXAMPLES)]
        encoded = [np.array(self.vocabulary.encode(split_sentence(t)), np.int32) for t in EXAMPLES]
        items = [{"tokens": row} for row in encoded]
        arrays = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": [{"text": group} for group in groups], MODEL: arrays}
