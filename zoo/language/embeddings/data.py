"""Places in a text as data: the words around a place, the word that stands there, and words that do not.

What a model of word vectors learns from: it must tell the word of the text from words drawn at random.
"""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Item, RawInput
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import asset
from zoo.common.data.vocabulary import UNKNOWN, VOCABULARY_FILE, Vocabulary
from zoo.common.utils.files import read_text
from zoo.language.whole_texts import TokenizedText, WholeTexts, check_text

if TYPE_CHECKING:
    from zoo.common.core.model import ModelConfig
    from zoo.common.core.recipe import Recipe

UNKNOWN_INDEX = 0
# The graphs of a model of word vectors: how well candidates fit a context, and the vectors of words.
SCORE, EMBED = "score", "embed"


@dataclass(frozen=True)
class WordPlaces(WholeTexts):
    """Places in texts. A subclass says what the context of a place is.

    The inputs of a model are `context` int32 [batch, width] and `candidates` int32 [batch, 1 +
    negatives], the word of the text first; the target is `true` int32 [batch], which candidate that is.

    vocabulary: Vocabulary. None: the words of the run's texts. Other words are read as unknown: they are
        never a candidate.
    min_count: int. Words rarer than this in the run's texts stay out of the vocabulary.
    window: int. Words of context on each side.
    negatives: int. Words drawn for each place.
    noise_power: float. A word is drawn with a probability proportional to its count to this power: 0
        draws all words alike.
    """

    input_example: ClassVar[str] = "king"
    counted: ClassVar[tuple[str, str]] = ("tokens", "places")

    tokenization: ClassVar[str] = "word"
    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(
        ("candidates", "scores"), ("candidates",)
    )

    vocabulary: Vocabulary | None = asset(None)
    min_count: int = 5
    window: int = 5
    negatives: int = 1
    noise_power: float = 0.0

    def __post_init__(self):
        check_range("data.min_count", self.min_count, at_least=1)
        check_range("data.window", self.window, at_least=1, at_most=100)
        check_range("data.negatives", self.negatives, at_least=1, at_most=1000)
        check_range("data.noise_power", self.noise_power, at_least=0, at_most=1)

    # Places

    @abstractmethod
    def places(
        self, indices: np.ndarray, generator: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The places of a text: (context int32 [places, width], the word there int32 [places]).

        Args:
            indices: int32 [tokens], `UNKNOWN_INDEX` where a word is unknown.
            generator: draws what a training epoch leaves out; None to measure: nothing is left out.
        """

    @abstractmethod
    def count_places(self, indices: np.ndarray) -> float:
        """How many places `places` gives for a training epoch, in the mean."""

    def draw(self, words: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        """Draw words that do not stand at some places, int32 [places, count].

        Args:
            words: int32 [places], what stands there. Where the same word is drawn, the next one of the
                vocabulary takes its place.
        """
        drawn = np.searchsorted(self._noise(), generator.random((len(words), count)), side="right")
        drawn += UNKNOWN_INDEX + 1
        following = drawn % (len(self.vocabulary) - 1) + UNKNOWN_INDEX + 1
        return np.where(drawn == words[:, np.newaxis], following, drawn).astype(np.int32)

    def _noise(self) -> np.ndarray:
        """The cumulative probability of each word but the unknown one, float64 [vocabulary - 1]."""
        counts = np.array(self.vocabulary.counts[UNKNOWN_INDEX + 1 :], np.float64)
        weights = np.cumsum(np.maximum(counts, 1) ** self.noise_power)
        return weights[:-1] / weights[-1]

    def encode(self, text: TokenizedText) -> np.ndarray:
        """Return the index of each word of a text, int32 [tokens]."""
        return np.array(self.vocabulary.encode(text.tokens), np.int32)

    # Reading

    def num_windows(self, examples: list[TokenizedText], recipe: Recipe) -> int:
        """See `Data.num_windows`: words with a whole window around them."""
        return sum(max(0, len(text.tokens) - 2 * self.window) for text in examples)

    def take_windows(self, examples: list[TokenizedText], count: int, recipe: Recipe):
        """See `Data.take_windows`: the beginning of the first texts."""
        taken = []
        for text in examples:
            windows = min(count, self.num_windows([text], recipe))
            if windows:
                taken.append(replace(text, tokens=text.tokens[: windows + 2 * self.window]))
                count -= windows
        return taken

    def adapt(self, examples: list[TokenizedText], model: ModelConfig):
        """See `Data.adapt`: the vocabulary of the texts, and its size for the model."""
        vocabulary = self.vocabulary or Vocabulary.of(
            (text.tokens for text in examples), (UNKNOWN,), self.min_count
        )
        return (
            replace(self, vocabulary=vocabulary),
            replace(model, vocabulary_size=len(vocabulary)),
        )

    def filter_examples(self, examples: list[TokenizedText], recipe: Recipe):
        """See `Data.filter_examples`: leaves out texts in which there is no place."""
        if len(self.vocabulary) < 3:
            raise ZooError(
                f"There must be two words or more that stand {self.min_count} times in the texts. "
                f"Received: {len(self.vocabulary) - 1}."
            )
        kept = [text for text in examples if len(self.places(self.encode(text), None)[1])]
        if not kept:
            raise ZooError(f"No text has a known word with {self.window} words on each side of it.")
        left_out = len(examples) - len(kept)
        return kept, {"too short": left_out} if left_out else {}

    # Learning

    def batches(self, model, recipe: Recipe, examples: list[TokenizedText], epoch: int) -> Batches:
        """See `Data.batches`: every place of the texts, in an order of the epoch's own."""
        batch_size = recipe.training.batch_size

        def generate():
            generator = np.random.default_rng((recipe.training.seed, epoch))
            parts = [self.places(self.encode(text), generator) for text in examples]
            contexts, words = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
            order = generator.permutation(len(words))
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                x = self._candidates(contexts[rows], words[rows], self.negatives, generator)
                yield (
                    x,
                    {"true": np.zeros(len(rows), np.int32)},
                    np.char.add("place ", rows.astype(str)),
                )

        width = self.places(np.zeros(0, np.int32), None)[0].shape[1]
        spec = {
            "context": ((None, width), "int32"),
            "candidates": ((None, 1 + self.negatives), "int32"),
        }
        return Batches(generate, (spec, {"true": ((None,), "int32")}))

    def steps_per_epoch(self, recipe: Recipe, examples: list[TokenizedText]) -> int:
        """See `Data.steps_per_epoch`."""
        places = sum(self.count_places(self.encode(text)) for text in examples)
        return max(1, round(places / recipe.training.batch_size))

    def _candidates(self, context, words, negatives, generator) -> dict[str, np.ndarray]:
        drawn = self.draw(words, negatives, generator)
        candidates = np.concatenate([words[:, np.newaxis], drawn], axis=1)
        return {"context": context, "candidates": candidates}

    # Use

    def read_example(self, example: TokenizedText, recipe: Recipe) -> Item:
        """See `Data.read_example`: every place of a text with one drawn word, the same one each time.

        `context` int32 [places, width] and `candidates` int32 [places, 2].
        """
        context, words = self.places(self.encode(example), None)
        return self._candidates(context, words, 1, np.random.default_rng(0))

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: `tokens` int32 [] of one word, and the `word` as it is known.

        Raises:
            ZooError: the text is no valid Unicode, empty, or a word that is not known: the nearest
                spellings are named.
        """
        check_text(source)
        word = self.find(source.strip())
        if word is None:
            raise ZooError(
                f"The model knows {len(self.vocabulary) - 1} words. {self.nearest(source)}"
            )
        return {"tokens": np.int32(self.vocabulary.index(word)), "word": word}

    def find(self, word: str) -> str | None:
        """Return a word as the vocabulary has it, in lower case if need be; None if it has it not."""
        known = (w for w in (word, word.lower()) if w in self.vocabulary and w != UNKNOWN)
        return next(known, None)

    def nearest(self, source: str) -> str:
        """Return words about an unknown word, which name the known ones that are spelt most like it."""
        word = source.strip().lower()[:80]
        close = difflib.get_close_matches(word, self.vocabulary.tokens[1:], n=3, cutoff=0.5)
        meant = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        return f"Received: {source[:80]!r}.{meant}"

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the words."""
        return self.vocabulary.facts()

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: words."""
        from zoo.language.embeddings.signatures import word_input

        return {"serving_default": word_input(self.vocabulary)}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: frequent words and rare ones, and one that is not known."""
        size = len(self.vocabulary)
        places = np.linspace(1, size - 1, 12).astype(np.int32)
        words = [self.vocabulary.tokens[i] for i in places[:3]]
        width = self.places(np.zeros(0, np.int32), None)[0].shape[1]

        def score(rows, count):
            cells = np.arange(rows * (width + count)).reshape(rows, -1) * 7 % (size - 1) + 1
            return {
                "context": cells[:, :width].astype(np.int32),
                "candidates": cells[:, width:].astype(np.int32),
            }

        return {
            "serving_default": [{"word": words[:1]}, {"word": [*words, "?"]}],
            SCORE: [score(1, 1), score(1, 5), score(4, 2)],
            EMBED: [{"tokens": places[np.newaxis]}, {"tokens": places.reshape(3, 4)}],
        }

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each word with its count."""
        return {VOCABULARY_FILE: self.vocabulary.text()}

    def with_assets(self, folder: Path) -> WordPlaces:
        """See `Data.with_assets`."""
        path = folder / VOCABULARY_FILE
        vocabulary = Vocabulary.from_text(read_text(path), path)
        if vocabulary.tokens[UNKNOWN_INDEX] != UNKNOWN:
            raise ZooError(
                f"{path} does not fit word vectors: its first token must be {UNKNOWN!r}. "
                f"Received: {vocabulary.tokens[UNKNOWN_INDEX]!r}."
            )
        return replace(self, vocabulary=vocabulary)


@dataclass(frozen=True)
class WordWindows(WordPlaces):
    """Every known word of a text with `window` words on each side of it, unknown ones among them."""

    def places(self, indices, generator):
        """See `WordPlaces.places`: the context is the words before and after, in order."""
        width = 2 * self.window + 1
        if len(indices) < width:
            return np.zeros((0, width - 1), np.int32), np.zeros(0, np.int32)
        windows = np.lib.stride_tricks.sliding_window_view(indices, width)
        windows = windows[windows[:, self.window] != UNKNOWN_INDEX]
        return np.delete(windows, self.window, axis=1), windows[:, self.window]

    def count_places(self, indices):
        """See `WordPlaces.count_places`."""
        return len(self.places(indices, None)[1])

    def adapt(self, examples: list[TokenizedText], model: ModelConfig):
        """See `WordPlaces.adapt`; the model reads as many words of context as there are."""
        data, model = super().adapt(examples, model)
        return data, replace(model, context=2 * self.window)


@dataclass(frozen=True)
class WordPairs(WordPlaces):
    """Pairs of words that stand near each other: the context is one word.

    Unknown words are taken out of a text first. In each epoch some occurrences of frequent words are
    taken out, too, and each word has a window of its own size, drawn from 1 to `window`: so near words
    are pairs oftener than far ones.

    subsampling: float. An occurrence of a word that is the share f of the text stays with a probability
        of sqrt(s / f) + s / f, where s is this number. 0: all stay.
    """

    subsampling: float = 1e-3

    def __post_init__(self):
        super().__post_init__()
        check_range("data.subsampling", self.subsampling, at_least=0, at_most=1)

    def places(self, indices, generator):
        """See `WordPlaces.places`. To measure, each word has the whole window."""
        words = indices[indices != UNKNOWN_INDEX]
        sizes = np.full(len(words), self.window)
        if generator is not None:
            words = words[generator.random(len(words)) < self._keep()[words]]
            sizes = generator.integers(1, self.window, len(words), endpoint=True)
        contexts, others = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        for distance in range(1, min(self.window, len(words) - 1) + 1):
            before, after = words[:-distance], words[distance:]
            for context, other, size in (
                (before, after, sizes[:-distance]),
                (after, before, sizes[distance:]),
            ):
                contexts.append(context[size >= distance])
                others.append(other[size >= distance])
        return np.concatenate(contexts)[:, np.newaxis], np.concatenate(others)

    def count_places(self, indices):
        """See `WordPlaces.count_places`: a kept word has `window + 1` others near it, in the mean."""
        kept = self._keep()[indices[indices != UNKNOWN_INDEX]].sum()
        return float(kept) * (self.window + 1)

    def _keep(self) -> np.ndarray:
        """The probability with which an occurrence of each word stays, [vocabulary]."""
        counts = np.maximum(np.array(self.vocabulary.counts, np.float64), 1)
        if not self.subsampling:
            return np.ones(len(counts))
        ratio = self.subsampling * counts[UNKNOWN_INDEX + 1 :].sum() / counts
        return np.minimum(1, np.sqrt(ratio) + ratio)
