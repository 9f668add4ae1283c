"""Context windows as data: a word of a text, the words around it, and words drawn at random.

A model of word embeddings learns to separate the word of the text from the drawn words.
"""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import RawInput, RawInputs
from zoo.common.core.data import Batches, Epoch, Item
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.data.text import read_text, single_spaces
from zoo.common.data.vocabulary import UNKNOWN, VOCABULARY_FILE, Vocabulary
from zoo.language.whole_texts import TokenizedText, WholeTexts, take_vocabulary

UNKNOWN_INDEX = 0
# The graphs of a model: the scores of candidates in a context, and the vectors of words.
SCORE, EMBED = "score", "embed"


@dataclass(frozen=True)
class ContextWindows(WholeTexts, RawInputs, Baselines):
    """Words of texts with their context. A subclass defines the context.

    The inputs of a model are `context` int32 [batch, width] and `candidates` int32 [batch, 1 +
    negatives], with the word of the text first. The target `true` int32 [batch] is the index of that
    candidate.

    Args:
        vocabulary: the words; empty to take them from the texts of a training. Other words are unknown
            and are never candidates.
        min_count: minimum count of a word in the texts for the vocabulary.
        window: number of words of context on each side.
        negatives: number of drawn words for each word of the text.
        noise_power: a word is drawn with a probability proportional to its count to this power. At 0,
            all words have the same probability.
    """

    input_example: ClassVar[str] = "king"
    counted: ClassVar[tuple[str, str]] = ("tokens", "windows")

    tokenization: ClassVar[str] = "word"  # type: ignore[misc]  # not a setting here
    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(
        ("candidates", "scores"), ("candidates",)
    )

    vocabulary: Vocabulary = asset(Vocabulary, file=VOCABULARY_FILE)
    min_count: int = 5
    window: int = 5
    negatives: int = 1
    noise_power: float = 0.0

    def __post_init__(self):
        check_range("data.min_count", self.min_count, at_least=1)
        check_range("data.window", self.window, at_least=1, at_most=100)
        check_range("data.negatives", self.negatives, at_least=1, at_most=1000)
        check_range("data.noise_power", self.noise_power, at_least=0, at_most=1)
        self.vocabulary.check_first([UNKNOWN])

    # Windows

    @abstractmethod
    def windows(
        self, indices: np.ndarray, generator: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows of a text: (context int32 [windows, width], word int32 [windows]).

        Args:
            indices: int32 [tokens], `UNKNOWN_INDEX` for an unknown word.
            generator: selects the windows of a training epoch; None for all windows, in evaluation.
        """

    @abstractmethod
    def count_windows(self, indices: np.ndarray) -> float:
        """Return the mean number of windows that `windows` returns in a training epoch.

        Args:
            indices: int32 [tokens], `UNKNOWN_INDEX` for an unknown word.
        """

    def draw(self, words: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        """Return drawn words that differ from given words, int32 [windows, count].

        Args:
            words: int32 [windows]. If the same word is drawn, the next one in the vocabulary replaces
                it.
            count: number of drawn words per given word.
            generator: draws the words.
        """
        drawn = np.searchsorted(self._noise(), generator.random((len(words), count)), side="right")
        drawn += UNKNOWN_INDEX + 1
        following = drawn % (len(self.vocabulary) - 1) + UNKNOWN_INDEX + 1
        return np.where(drawn == words[:, np.newaxis], following, drawn).astype(np.int32)

    def _noise(self) -> np.ndarray:
        """Return the cumulative probability of each word, float64 [vocabulary - 1], without UNKNOWN."""
        counts = np.array(self.vocabulary.counts[UNKNOWN_INDEX + 1 :], np.float64)
        weights = np.cumsum(np.maximum(counts, 1) ** self.noise_power)
        return weights[:-1] / weights[-1]

    def encode(self, text: TokenizedText) -> np.ndarray:
        """Return the index of each word of a text, int32 [tokens]."""
        return np.array(self.vocabulary.encode(text.tokens), np.int32)

    # Reading

    def num_windows(self, examples: list[TokenizedText], model: Any) -> int:
        """Return the number of words with a whole window around them."""
        return sum(max(0, len(text.tokens) - 2 * self.window) for text in examples)

    def take_windows(
        self, examples: list[TokenizedText], count: int, model: Any
    ) -> list[TokenizedText]:
        """Return the beginning of the first texts."""
        taken = []
        for text in examples:
            windows = min(count, self.num_windows([text], model))
            if windows:
                taken.append(replace(text, tokens=text.tokens[: windows + 2 * self.window]))
                count -= windows
        return taken

    def adapt(self, examples: list[TokenizedText], model: Any) -> tuple[ContextWindows, Any]:
        """Return the data with the vocabulary of the texts, and the model with its size."""
        return take_vocabulary(self, examples, model, (UNKNOWN,))

    def filter_examples(
        self, examples: list[TokenizedText], model: Any
    ) -> tuple[list[TokenizedText], dict[str, int]]:
        """Return the texts with at least one window."""
        if len(self.vocabulary) < 3:
            raise ZooError(
                f"The texts must have at least two words with a count of at least {self.min_count}. "
                f"Received: {len(self.vocabulary) - 1}."
            )
        kept = [text for text in examples if len(self.windows(self.encode(text), None)[1])]
        if not kept:
            raise ZooError(
                f"No text has a word of the vocabulary with {self.window} words on each side of it."
            )
        left_out = len(examples) - len(kept)
        return kept, {"too short": left_out} if left_out else {}

    # Training

    def batches(
        self, examples: list[TokenizedText], model: Any, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches of all windows of the texts, in random order."""
        texts = [self.encode(text) for text in examples]
        batch_size = epoch.batch_size

        def generate():
            generator = epoch.generator()
            parts = [self.windows(text, generator) for text in texts]
            contexts, words = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
            order = generator.permutation(len(words))
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                x = self._candidates(contexts[rows], words[rows], self.negatives, generator)
                y = {"true": np.zeros(len(rows), np.int32)}
                yield x, y, np.char.add("window ", rows.astype(str))

        spec = {
            "context": ((None, self._width), "int32"),
            "candidates": ((None, 1 + self.negatives), "int32"),
        }
        steps = max(1, round(sum(map(self.count_windows, texts)) / batch_size))
        return Batches(generate, (spec, {"true": ((None,), "int32")}), steps)

    @property
    def _width(self) -> int:
        """Return the number of words in a context."""
        return self.windows(np.zeros(0, np.int32), None)[0].shape[1]

    def _candidates(
        self,
        context: np.ndarray,
        words: np.ndarray,
        negatives: int,
        generator: np.random.Generator,
    ) -> dict[str, np.ndarray]:
        drawn = self.draw(words, negatives, generator)
        candidates = np.concatenate([words[:, np.newaxis], drawn], axis=1)
        return {"context": context, "candidates": candidates}

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.language.embeddings.baselines import word_baselines

        return word_baselines(predictor, examples, seed)

    # Use

    def read_example(self, example: TokenizedText, model: Any) -> Item:
        """Return all windows of a text, each with one drawn word, which is the same in each call.

        Returns:
            `context` int32 [windows, width] and `candidates` int32 [windows, 2].
        """
        context, words = self.windows(self.encode(example), None)
        return self._candidates(context, words, 1, np.random.default_rng(0))

    def read_input(self, source: str, model: Any) -> Item:
        """Return `tokens` int32 [] of a word, and `word`, its spelling in the vocabulary.

        Raises:
            ZooError: the text is empty, is not valid Unicode, or is not in the vocabulary. The message
                lists the most similar words.
        """
        text = single_spaces(read_text(source))
        if not text:
            raise ZooError("The text is empty.")
        word = self.find(text)
        if word is None:
            size = len(self.vocabulary) - 1
            raise ZooError(
                f"The word is not in the vocabulary of {size} words. {self.nearest(source)}"
            )
        return {"tokens": np.int32(self.vocabulary.index(word)), "word": word}

    def find(self, word: str) -> str | None:
        """Return a word as written or in lower case, whichever is in the vocabulary; None if neither."""
        found = (w for w in (word, word.lower()) if w in self.vocabulary and w != UNKNOWN)
        return next(found, None)

    def nearest(self, source: str) -> str:
        """Return the end of an error message about an unknown word, with similar words."""
        word = single_spaces(source).lower()[:80]
        close = difflib.get_close_matches(word, self.vocabulary.tokens[1:], n=3, cutoff=0.5)
        meant = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        return f"Received: {source[:80]!r}.{meant}"

    # Export

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the words."""
        return self.vocabulary.export_metadata()

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return the input `word`."""
        from zoo.language.embeddings.signatures import word_input

        return {"serving_default": word_input(self.vocabulary)}

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return frequent words, rare words and an unknown word."""
        size, width = len(self.vocabulary), self._width
        indices = np.linspace(1, size - 1, 12).astype(np.int32)
        words = [self.vocabulary.tokens[i] for i in indices[:3]]

        def score(rows: int, count: int) -> dict[str, Any]:
            cells = np.arange(rows * (width + count)).reshape(rows, -1) * 7 % (size - 1) + 1
            return {
                "context": cells[:, :width].astype(np.int32),
                "candidates": cells[:, width:].astype(np.int32),
            }

        return {
            "serving_default": [{"word": words[:1]}, {"word": [*words, "?"]}],
            SCORE: [score(1, 1), score(1, 5), score(4, 2)],
            EMBED: [{"tokens": indices[np.newaxis]}, {"tokens": indices.reshape(3, 4)}],
        }
