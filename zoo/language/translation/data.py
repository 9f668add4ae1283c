"""Parallel text as data: sentences in one language as subword pieces, and their translations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import InputPlots, RawInput, RawInputs
from zoo.common.core.data import Batch, Batches, Epoch, Item
from zoo.common.core.decoder import option
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.core.states import STEP
from zoo.common.data.batching import keep_readable, pad, shuffled_windows
from zoo.common.data.manifests import digest
from zoo.common.data.target_sentences import (
    SHIFTED_SPEC,
    TargetSentences,
    example_steps,
    shift_sentences,
)
from zoo.common.data.text import SPACE, read_text, single_spaces
from zoo.common.data.vocabulary import (
    END,
    PAD,
    SENTENCE_SPECIALS,
    START,
    UNKNOWN,
    VOCABULARY_FILE,
    Vocabulary,
)
from zoo.language.text_inputs import TextInputs
from zoo.language.translation.corpora.parallel import SentencePair, read_manifest
from zoo.language.translation.subwords import (
    MAX_PIECES,
    WORD_START,
    Subwords,
    join_pieces,
    learn_pieces,
)

EXAMPLES = (
    "A dog runs.",
    "Two men in red shirts are sitting on a bench.",
    "A young woman with a green hat looks at the camera while children play football behind her.",
)


@dataclass(frozen=True)
class ParallelText(TargetSentences, TextInputs, RawInputs, InputPlots, Baselines):
    """Sentences with their translations, both as subword pieces of one vocabulary.

    The inputs of a model are `source` int32 [batch, source_time], padded, `source_lengths` int32
    [batch], and in training `tokens` int32 [batch, time], the translation with its start token. The
    source is converted to lower case; the target keeps its case.

    Args:
        vocabulary: the pieces; if empty, they are learned from the run's pairs, dev included.
        num_pieces: size of a learned vocabulary.
        max_length: maximum number of pieces of a source and of a target in training.
        source_language: suffix of the names of files in the source language.
        target_language: suffix of the names of files in the target language.
        column: column of the sentences in tables and JSON lines; None for `source` in lists of pairs.
        target_column: column of their translations; None for `target`.
    """

    input_example: ClassVar[str] = "A dog runs."
    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"source": ("source_time",)}

    vocabulary: Vocabulary = asset(Vocabulary, file=VOCABULARY_FILE)
    num_pieces: int = 4_000
    max_length: int = 60
    source_language: str = "en"
    target_language: str = "de"
    column: str | None = option(
        None, "column of the sentences in a table or JSON lines; default: source"
    )
    target_column: str | None = option(None, "column of their translations; default: target")

    def __post_init__(self):
        check_range("data.num_pieces", self.num_pieces, above=len(SENTENCE_SPECIALS))
        check_range("data.max_length", self.max_length, at_least=1, at_most=MAX_PIECES)
        self.vocabulary.check_first(SENTENCE_SPECIALS)

    # Reading

    def read_manifest(self, path: Path) -> list[SentencePair]:
        """See `zoo.language.translation.corpora.parallel.read_manifest`."""
        languages = self.source_language, self.target_language
        return read_manifest(path, languages, self.column, self.target_column)

    def group_of(self, example: SentencePair) -> str:
        """Return the source."""
        return example.source

    def checksum(self, examples: list[SentencePair]) -> str:
        """Return a digest of ids, sources and targets."""
        return digest((e.id, e.source, e.target) for e in examples)

    def adapt(self, examples: list[SentencePair], model: Any) -> tuple[ParallelText, ModelConfig]:
        """Return the data with the pieces of both languages, and the model with their number."""
        vocabulary = self.vocabulary
        if not vocabulary:
            texts = [text for e in examples for text in (e.source.lower(), e.target)]
            vocabulary = learn_pieces(texts, self.num_pieces)
        return (
            replace(self, vocabulary=vocabulary),
            replace(model, vocabulary_size=len(vocabulary)),
        )

    def filter_examples(
        self, examples: list[SentencePair], model: Any
    ) -> tuple[list[SentencePair], dict[str, int]]:
        """Leave out pairs with a side of more than `max_length` pieces, or without a known piece."""
        reason = f"without a known piece or over {self.max_length} pieces"
        return keep_readable(examples, self.read_pair, reason)

    # Sentences and tokens

    @cached_property
    def _subwords(self) -> Subwords:
        return Subwords(self.vocabulary)

    def read_pair(self, example: SentencePair) -> Item:
        """Return `source` and `target` as tokens, as `read_source` and `read_target` do.

        Raises:
            ZooError: one of them has no known piece, or more than `max_length` pieces.
        """
        source = self.read_source(example.source)
        check_range("pieces of the source", len(source), at_most=self.max_length)
        return {"source": source, "target": self.read_target(example.target)}

    def read_source(self, text: str) -> np.ndarray:
        """Return a sentence to translate as tokens int32 [tokens].

        Raises:
            ZooError: it is empty, is not valid Unicode, has more than `MAX_PIECES` pieces, or has no
                known piece.
        """
        return self._read(text, str.lower, MAX_PIECES)

    def read_target(self, text: str) -> np.ndarray:
        start, end = self.vocabulary.encode([START, END])
        pieces = self._read(text, str, self.max_length)
        return np.concatenate([[start], pieces, [end]]).astype(np.int32)

    def _read(self, text: str, convert: Any, at_most: int) -> np.ndarray:
        pieces = self._subwords.split(convert(single_spaces(read_text(text))))
        if not pieces:
            raise ZooError("The text is empty.")
        check_range("pieces of the text", len(pieces), at_most=at_most)
        if set(pieces) <= {UNKNOWN, WORD_START}:
            raise ZooError(
                f"No piece of the text is in the vocabulary of {len(self.vocabulary)} pieces. "
                f"Received: {text[:80]!r}."
            )
        return np.array(self.vocabulary.encode(pieces), np.int32)

    def join_tokens(self, tokens: Sequence[str]) -> str:
        return join_pieces(tokens)

    def join_tokens_in_graph(self, tokens: Any) -> Any:
        from zoo.language.translation.signatures import join_pieces

        return join_pieces(tokens)

    # Training

    def batches(
        self, examples: list[SentencePair], model: Any, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches of pairs of similar lengths, whose y is that of `shift_sentences`."""
        pairs = [self.read_pair(example) for example in examples]
        lengths = [(len(pair["target"]), len(pair["source"])) for pair in pairs]
        padding = self.vocabulary.index(PAD)

        def generate() -> Iterator[Batch]:
            for group in shuffled_windows(lengths, epoch.batch_size, epoch.generator()):
                x = self.collate([pairs[i] for i in group])
                tokens, y = shift_sentences([pairs[i]["target"] for i in group], padding)
                yield x | {"tokens": tokens}, y, np.array([examples[i].id for i in group])

        tokens = SHIFTED_SPEC["targets"]
        x_spec = {"source": tokens, "source_lengths": SHIFTED_SPEC["lengths"], "tokens": tokens}
        return Batches(
            generate, (x_spec, SHIFTED_SPEC), math.ceil(len(examples) / epoch.batch_size)
        )

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.language.translation.baselines import nearest_baselines

        return nearest_baselines(predictor, examples)

    # Use

    def read_input(self, source: str, model: Any) -> Item:
        """Return `source` int32 [tokens], and `unknown`, the number of characters out of vocabulary.

        Raises as `read_source`.
        """
        tokens = self.read_source(source)
        unknown = int((tokens == self.vocabulary.index(UNKNOWN)).sum())
        return {"source": tokens, "unknown": unknown}

    def read_example(self, example: SentencePair, model: Any) -> Item:
        return self.read_input(example.source, model)

    def sort_key(self, example: SentencePair) -> float:
        """Return the number of characters of the source."""
        return len(example.source)

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """Return `source` int32 [batch, source_time] and `source_lengths` int32 [batch]."""
        source, lengths = pad([item["source"] for item in items], self.vocabulary.index(PAD))
        return {"source": source, "source_lengths": lengths}

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: str, path: Path
    ) -> None:
        """Plot the attention of the translation to the source. See `plot_attention`."""
        from zoo.language.translation.plots import plot_attention

        plot_attention(predictor, source, path)

    # Export

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the pieces, the pattern of white space, and the mark that begins a word."""
        return self.vocabulary.export_metadata() | {"spaces": f"{SPACE}+", "word_start": WORD_START}

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return the raw input for texts."""
        from zoo.language.translation.signatures import source_input

        return {"serving_default": source_input(self.vocabulary)}

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return some sentences, each alone and all as one batch; for `step`, random inputs."""
        groups = [[text] for text in EXAMPLES] + [list(EXAMPLES)]
        tokens = {
            text: self.vocabulary.encode(self._subwords.split(text.lower())) for text in EXAMPLES
        }
        return {
            "serving_default": [{"text": group} for group in groups],
            "encoder": [
                self.collate([{"source": np.array(tokens[text], np.int32)} for text in group])
                for group in groups
            ],
            STEP: example_steps(self.vocabulary, model.states),
        }
