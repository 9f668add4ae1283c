"""Parallel text as data: a sentence in one language, as pieces of words, and its translation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batch, Batches, Item, RawInput
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import asset
from zoo.common.data.batching import keep_readable, pad, shuffled_windows
from zoo.common.data.manifests import digest
from zoo.common.data.splits import split_by_group
from zoo.common.data.target_sentences import (
    SHIFTED_SPEC,
    TargetSentences,
    example_steps,
    shift_sentences,
)
from zoo.common.data.vocabulary import (
    END,
    PAD,
    SENTENCE_SPECIALS,
    START,
    UNKNOWN,
    VOCABULARY_FILE,
    Vocabulary,
)
from zoo.language.translation.corpora.parallel import SentencePair, read_manifest
from zoo.language.translation.subwords import (
    SPACES,
    WORD_START,
    Subwords,
    join_pieces,
    learn_pieces,
)

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs, ModelConfig
    from zoo.common.core.recipe import Recipe

LONGEST = 1_000  # pieces: what is longer is no sentence
EXAMPLES = (
    "A dog runs.",
    "Two men in red shirts are sitting on a bench.",
    "A young woman with a green hat looks at the camera while children play football behind her.",
)


@dataclass(frozen=True)
class ParallelText(TargetSentences):
    """Sentences with their translations, both as pieces of one vocabulary.

    The inputs of a model are `source` int32 [batch, source_time], padded, `source_lengths` int32 [batch]
    and, where it is trained, `tokens` int32 [batch, time], the translation from its start on. The source
    is put into lower case; the target has the case that it is to be written in.

    vocabulary: Vocabulary. Empty: learnt from the run's pairs, dev included.
    num_pieces: int. Size of a vocabulary that is learnt.
    max_length: int. Pieces of the longest source and the longest target that are learnt from.
    source_language, target_language: str. How the names of files of one language end.
    """

    input_example: ClassVar[str] = "A dog runs."

    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"source": ("source_time",)}

    vocabulary: Vocabulary = asset(Vocabulary((), ()))
    num_pieces: int = 4_000
    max_length: int = 60
    source_language: str = "en"
    target_language: str = "de"

    def __post_init__(self):
        check_range("data.num_pieces", self.num_pieces, above=len(SENTENCE_SPECIALS))
        check_range("data.max_length", self.max_length, at_least=1, at_most=LONGEST)

    # Reading

    def read_manifest(self, path: Path) -> list[SentencePair]:
        """See `zoo.language.translation.corpora.parallel.read_manifest`."""
        return read_manifest(path, (self.source_language, self.target_language))

    def split_dev(self, examples, fraction, seed):
        """See `Data.split_dev`: no source is in both."""
        return split_by_group(examples, lambda example: example.source, fraction, seed)

    def checksum(self, examples: list[SentencePair]) -> str:
        """See `Data.checksum`: of ids and both sides."""
        return digest((e.id, e.source, e.target) for e in examples)

    def adapt(self, examples: list[SentencePair], model: ModelConfig):
        """See `Data.adapt`: the pieces of both sides, and their number for the model."""
        vocabulary = self.vocabulary
        if not len(vocabulary):
            texts = [text for e in examples for text in (e.source.lower(), e.target)]
            vocabulary = learn_pieces(texts, self.num_pieces)
        return (
            replace(self, vocabulary=vocabulary),
            replace(model, vocabulary_size=len(vocabulary)),
        )

    def filter_examples(self, examples: list[SentencePair], recipe: Recipe):
        """See `Data.filter_examples`: leaves out pairs with a side over `max_length` pieces, or
        without a known one."""
        reason = f"without a known piece or over {self.max_length} pieces"
        return keep_readable(examples, self.encode, reason)

    # Sentences and tokens

    @cached_property
    def _subwords(self) -> Subwords:
        return Subwords(self.vocabulary)

    def encode(self, example: SentencePair) -> tuple[np.ndarray, np.ndarray]:
        """Return source and target as tokens, as `read_source` and `read_target` do.

        Raises:
            ZooError: of one of the two there is nothing to learn, or it is over `max_length`.
        """
        source = self.read_source(example.source)
        check_range("pieces of the source", len(source), at_most=self.max_length)
        return source, self.read_target(example.target)

    def read_source(self, text: str) -> np.ndarray:
        """Return a sentence to be translated as tokens int32 [tokens].

        Raises:
            ZooError: it is no valid Unicode, empty, far too long, or nothing of it is known.
        """
        return self._read(text.lower(), LONGEST)

    def read_target(self, text: str) -> np.ndarray:
        """See `TargetSentences.read_target`. Raises as `read_source`, from `max_length` pieces on."""
        start, end = self.vocabulary.encode([START, END])
        pieces = self._read(text, self.max_length)
        return np.concatenate([[start], pieces, [end]]).astype(np.int32)

    def _read(self, text: str, at_most: int) -> np.ndarray:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ZooError(f"The text is not UTF-8: see its byte {error.start}.") from None
        pieces = self._subwords.split(text)
        if not pieces:
            raise ZooError("The text is empty.")
        check_range("pieces of the text", len(pieces), at_most=at_most)
        if set(pieces) <= {UNKNOWN, WORD_START}:
            raise ZooError(
                f"Nothing of the text is among the {len(self.vocabulary)} pieces of words that the "
                f"model knows. Received: {text[:80]!r}."
            )
        return np.array(self.vocabulary.encode(pieces), np.int32)

    def join_tokens(self, tokens: Sequence[str]) -> str:
        """See `TargetSentences.join_tokens`."""
        return join_pieces(tokens)

    def join_tokens_in_graph(self, tokens: Any) -> Any:
        """See `TargetSentences.join_tokens_in_graph`."""
        from zoo.language.translation.signatures import join_pieces

        return join_pieces(tokens)

    # Learning

    def batches(
        self, model: Any, recipe: Recipe, examples: list[SentencePair], epoch: int
    ) -> Batches:
        """See `Data.batches`: pairs of about one length together. x has the inputs of the model; y is as
        of `shift_sentences`."""
        pairs = [self.encode(example) for example in examples]
        lengths = [(len(target), len(source)) for source, target in pairs]
        training, padding = recipe.training, self.vocabulary.index(PAD)

        def generate() -> Iterator[Batch]:
            generator = np.random.default_rng((training.seed, epoch))
            for group in shuffled_windows(lengths, training.batch_size, generator):
                x = self.collate([{"source": pairs[i][0]} for i in group])
                tokens, y = shift_sentences([pairs[i][1] for i in group], padding)
                yield x | {"tokens": tokens}, y, np.array([examples[i].id for i in group])

        tokens = SHIFTED_SPEC["targets"]
        x = {"source": tokens, "source_lengths": SHIFTED_SPEC["lengths"], "tokens": tokens}
        return Batches(generate, (x, SHIFTED_SPEC))

    def steps_per_epoch(self, recipe: Recipe, examples: list[SentencePair]) -> int:
        """See `Data.steps_per_epoch`."""
        return math.ceil(len(examples) / recipe.training.batch_size)

    # Use

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: `source` int32 [tokens] of a text. Raises as `read_source`."""
        return {"source": self.read_source(source)}

    def read_example(self, example: SentencePair, recipe: Recipe) -> Item:
        """See `Data.read_example` and `read_input`."""
        return self.read_input(example.source, recipe)

    def length(self, example: SentencePair) -> float:
        """See `Data.length`: characters of the source."""
        return len(example.source)

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: `source` int32 [batch, source_time], `source_lengths` int32 [batch]."""
        source, lengths = pad([item["source"] for item in items], self.vocabulary.index(PAD))
        return {"source": source, "source_lengths": lengths}

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: the source's pieces that counted for each of the translation's."""
        from zoo.language.translation.plots import plot_attention

        plot_attention(recipe, graphs, source, path)

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the pieces, what a text is cut at, and what begins a word."""
        return self.vocabulary.facts() | {"spaces": SPACES, "word_start": WORD_START}

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: texts."""
        from zoo.language.translation.signatures import source_input

        return {"serving_default": source_input(self.vocabulary)}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: some sentences, one by one and as one batch; for `step`, drawn
        sentences from drawn states."""
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
            "step": example_steps(self.vocabulary, recipe.model.states),
        }

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each piece with its count."""
        return {VOCABULARY_FILE: self.vocabulary.text()}

    def with_assets(self, folder: Path) -> ParallelText:
        """See `Data.with_assets`."""
        return replace(self, vocabulary=Vocabulary.read(folder, SENTENCE_SPECIALS))
