"""Running text as data: long texts, read in rows side by side, states carried between batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Item, RawInput
from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.recipe import asset
from zoo.common.core.states import initial_states
from zoo.common.data.manifests import read_file
from zoo.common.data.vocabulary import UNKNOWN, VOCABULARY_FILE, Vocabulary
from zoo.common.utils.files import read_text
from zoo.language.modelling.batching import running_batches
from zoo.language.tokenization import START_INDEX, TOKENIZATIONS
from zoo.language.whole_texts import TokenizedText, WholeTexts, check_text

if TYPE_CHECKING:
    from zoo.common.core.model import ModelConfig
    from zoo.common.core.recipe import Recipe

# A text that travels with the package: the first lines of Tiny Shakespeare, in the public domain.
SAMPLE = Path(__file__).parents[1] / "samples" / "coriolanus.txt"


@dataclass(frozen=True)
class RunningText(WholeTexts):
    """Texts as tokens, each to be predicted from all before it.

    The inputs of a model are `tokens` int32 [batch, time] and its states; the targets of a batch are
    `targets` int32 [batch, time], the tokens that follow.

    tokenization: str. Tokens are "word"s between white space, with `<eos>` for a line's end, or
        "character"s.
    vocabulary: Vocabulary. None: taken from the texts of the run.
    min_count: int. Tokens rarer than this in the run's texts stay out of the vocabulary.
    time_steps: int. Tokens through which gradients go back in training.
    """

    input_example: ClassVar[str] = "he"

    carries_states: ClassVar[bool] = True

    tokenization: str = "word"
    vocabulary: Vocabulary | None = asset(None)
    min_count: int = 1
    time_steps: int = 35

    def __post_init__(self):
        check_choice("data.tokenization", self.tokenization, TOKENIZATIONS)
        check_range("data.min_count", self.min_count, at_least=1)
        check_range("data.time_steps", self.time_steps, at_least=1)

    # Text and tokens

    @property
    def start(self) -> str:
        """The token that ends a line, and stands before a text's first."""
        return TOKENIZATIONS[self.tokenization].start

    def join_tokens(self, tokens: Sequence[str]) -> str:
        """Return the text of tokens."""
        return TOKENIZATIONS[self.tokenization].join(tokens)

    def continue_text(self, prompt: str, indices: Sequence[int]) -> str:
        """Return a prompt with the tokens of those indices after it."""
        written = self.vocabulary.decode(indices)
        return self.join_tokens([*self.split_tokens(prompt), *written])

    def _encode(self, text: TokenizedText) -> np.ndarray:
        """int32 [tokens]. Raises `ZooError` for a token that the vocabulary cannot stand for."""
        try:
            return np.array(self.vocabulary.encode(text.tokens), np.int32)
        except ZooError as error:
            raise ZooError(f"{text.id}: {error}") from None

    # Reading

    def num_windows(self, examples: list[TokenizedText], recipe: Recipe) -> int:
        """See `Data.num_windows`: stretches of `time_steps` tokens."""
        return sum(len(text.tokens) // self.time_steps for text in examples)

    def take_windows(self, examples: list[TokenizedText], count: int, recipe: Recipe):
        """See `Data.take_windows`: the beginning of the first texts."""
        taken = []
        for text in examples:
            first = replace(text, tokens=text.tokens[: count * self.time_steps])
            windows = self.num_windows([first], recipe)
            if count and windows:
                taken.append(first)
                count -= windows
        return taken

    def adapt(self, examples: list[TokenizedText], model: ModelConfig):
        """See `Data.adapt`: the vocabulary of the texts, and its size for the model."""
        specials = TOKENIZATIONS[self.tokenization].specials
        vocabulary = self.vocabulary or Vocabulary.of(
            (text.tokens for text in examples), specials, self.min_count
        )
        return (
            replace(self, vocabulary=vocabulary),
            replace(model, vocabulary_size=len(vocabulary)),
        )

    def filter_examples(self, examples: list[TokenizedText], recipe: Recipe):
        """See `Data.filter_examples`: all. Raises `ZooError` for a token that cannot be encoded."""
        for text in examples:
            self._encode(text)
        return examples, {}

    # Learning

    def batches(self, model, recipe: Recipe, examples: list[TokenizedText], epoch: int) -> Batches:
        """See `Data.batches` and `running_batches`."""
        return running_batches(
            np.concatenate([self._encode(text) for text in examples]),
            recipe.training.batch_size,
            self.time_steps,
            np.random.default_rng((recipe.training.seed, epoch)),
        )

    def steps_per_epoch(self, recipe: Recipe, examples: list[TokenizedText]) -> int:
        """See `Data.steps_per_epoch`."""
        tokens = recipe.training.batch_size * self.time_steps
        return max(1, self.num_examples(examples) // tokens)

    # Use

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: `tokens` int32 [1 + tokens], the start first, and the `text` itself.

        Raises:
            ZooError: the text is empty, no valid Unicode, or the vocabulary has nothing of it.
        """
        check_text(source)
        tokens = self.split_tokens(source)
        if all(token not in self.vocabulary or token == UNKNOWN for token in tokens):
            raise ZooError(
                f"No {self.tokenization} of the text is among the {len(self.vocabulary)} the model "
                f"knows. Received: {source[:80]!r}."
            )
        indices = [START_INDEX, *self.vocabulary.encode(tokens)]
        return {"tokens": np.array(indices, np.int32), "text": source}

    def read_example(self, example: TokenizedText, recipe: Recipe) -> Item:
        """See `Data.read_example`: `tokens` int32 [1 + tokens], the start first."""
        return {"tokens": np.concatenate([[START_INDEX], self._encode(example)]).astype(np.int32)}

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the tokens, what they are, and the one that a text begins with."""
        facts = {"tokenization": self.tokenization, "start": START_INDEX}
        return self.vocabulary.facts() | facts

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: prompts to continue, texts to score."""
        from zoo.language.modelling.signatures import raw_inputs

        return raw_inputs(self.vocabulary, self.tokenization)

    def continue_text_in_graph(self, prompt: Any, indices: Any) -> Any:
        """Return `continue_text` as a TensorFlow graph: string [] and int32 [tokens] to string []."""
        from zoo.language.modelling.signatures import continue_text

        return continue_text(self.vocabulary, self.tokenization, prompt, indices)

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: the opening of a text that travels with the package."""
        known = [t for t in self.split_tokens(read_file(SAMPLE)) if t in self.vocabulary]
        tokens = self.split_tokens(self.join_tokens(known).strip())
        indices = np.array(self.vocabulary.encode(tokens), np.int32)

        def step(rows, time_steps):
            block = indices[: rows * time_steps].reshape(rows, time_steps)
            return {"tokens": block, **initial_states(recipe.model.states, rows)}

        prompts = [self.join_tokens(tokens[:count]).strip() for count in (6, 12, 20)]

        def serve(rows):
            how = {"length": [20] * rows, "temperature": [0.0] * rows, "seed": [0] * rows}
            return {"prompt": prompts[:rows], **how}

        return {
            "step": [step(1, 1), step(1, 40), step(3, 1), step(4, 25)],
            "serving_default": [serve(1), serve(3)],
            "score": [{"text": prompts[:1]}, {"text": prompts}],
        }

    def assets(self) -> dict[str, str]:
        """vocabulary.txt: a line for each token with its count."""
        return {VOCABULARY_FILE: self.vocabulary.text()}

    def with_assets(self, folder: Path) -> RunningText:
        """See `Data.with_assets`."""
        path = folder / VOCABULARY_FILE
        vocabulary = Vocabulary.from_text(read_text(path), path)
        if vocabulary.tokens[START_INDEX] != self.start:
            raise ZooError(
                f"{path} does not fit {self.tokenization}s: its first token must be {self.start!r}. "
                f"Received: {vocabulary.tokens[START_INDEX]!r}."
            )
        return replace(self, vocabulary=vocabulary)
